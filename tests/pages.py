"""What is asked of every page that is made, and what reads it: a parser, and a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

VOID = {"meta", "input", "br"}


class Page(HTMLParser):
    """What is in a page: the elements in order, their attributes, and the text; every element is closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.attributes: Counter[str] = Counter()
        self.values: list[str] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        self.elements.append(tag)
        self.attributes.update(name for name, _ in attrs)
        self.values += [value or "" for _, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It is the one that was opened last."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Take note of a text."""
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.texts)


def check_needs_nothing(page: str) -> None:
    """Return if a page needs nothing but itself."""
    read = Page(page)
    assert not {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "a",
        "use",
        "image",
    } & set(read.elements)
    assert not {"src", "href", "xlink:href", "style", "srcset", "action"} & set(read.attributes)
    assert not [name for name in read.attributes if name.startswith("on")]
    assert not re.search("https?:|url\\(|@import|//[a-z]", page)
    (rules,) = [value for value in read.values if value.startswith("default-src")]
    assert re.fullmatch(
        "default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'", rules
    )


def check_read_aloud(page: str, *, drawings: int) -> None:
    """Return if a page has so many drawings, and they and its tables can be read aloud."""
    found = re.findall("<svg.*?</svg>", page, re.DOTALL)
    assert len(found) == drawings
    assert all(
        re.match('<svg[^>]*role="img"[^>]*><title>[^<]+</title><desc>[^<]+</desc>', each) for each in found
    )
    assert page.count("<table") == page.count("<caption")
    assert all("scope=" in each for each in re.findall("<th(?: [^>]*)?>", page))


def probed(page: str, folder: Path, *, may_run: bool) -> str:
    """Return what Chromium makes of a page with a probe in it that tells in its title how its English heading is shown.

    Args:
        page: The page.
        folder: Where it may write.
        may_run: Whether the page's policy is loosened for the probe.
    """
    browser = shutil.which("chromium")
    if browser is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no chromium, and CI has to have one")
        pytest.skip("there is no chromium")
    probe = (
        "<script>document.title = getComputedStyle(document.querySelector('h1 [lang=en]')).display</script>"
    )
    loosened = re.sub("style-src", "script-src 'unsafe-inline'; style-src", page) if may_run else page
    place = folder / "page.html"
    place.write_text(loosened.replace("</body>", f"{probe}</body>"), "utf-8")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={folder}/profile",
        "--dump-dom",
    ]
    done = subprocess.run([browser, *options, place.as_uri()], capture_output=True, timeout=60, check=True)
    return done.stdout.decode()
