"""The texts of a page, in Korean and English at once: the page shows one of them, and its reader can change which.

They are data (``words.toml``, ``countries.toml``), so that who knows the law can read them without reading code.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Literal

from sovguard.reports.markup import Html, joined, short, tag, text
from sovguard.reports.reading import OWN, UNKNOWN, UNLISTED

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ko", "en")


@functools.cache
def words() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return every text, by its section and key."""
    return read_words("sovguard.reports")


@functools.cache
def countries() -> Mapping[str, tuple[str, str]]:
    """Return the names of countries by their codes."""
    table = tomllib.loads(files("sovguard.reports").joinpath("countries.toml").read_text("utf-8"))
    return {code: (korean, english) for code, (korean, english) in table.items()}


def read_words(package: str) -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return the texts of a package's ``words.toml``, by their section and key, in Korean and English."""
    table = tomllib.loads(files(package).joinpath("words.toml").read_text("utf-8"))
    return {
        section: {key: (korean, english) for key, (korean, english) in said.items()}
        for section, said in table.items()
    }


def said(section: str, key: str, *, in_svg: bool = False, **filled: object) -> Html:
    """Return a text in both languages, of which the style of the page shows one.

    Args:
        section: Of ``words.toml``.
        key: In it.
        in_svg: Whether it stands in a text of a drawing.
        filled: What stands for ``{…}`` in it; escaped unless it is HTML.
    """
    return filled_in(words()[section][key], in_svg=in_svg, **filled)


def filled_in(pair: tuple[str, str], *, in_svg: bool = False, **filled: object) -> Html:
    """Return a text in both languages, of which the style of the page shows one; ``filled`` as for ``said``."""
    safe = {name: text(value) for name, value in filled.items()}
    return both(*(Html(escape(each, quote=False).format(**safe)) for each in pair), in_svg=in_svg)


def both(korean: object, english: object, *, in_svg: bool = False) -> Html:
    """Return two texts of which the page shows one; one text if they are the same."""
    if korean == english:
        return text(korean)
    name = "tspan" if in_svg else "span"
    return joined((tag(name, korean, lang="ko"), tag(name, english, lang="en")))


def plain(section: str, key: str, language: Language) -> str:
    """Return a text in one language, for where no element can be: the title of a page."""
    return words()[section][key][LANGUAGES.index(language)]


def plainly(section: str, key: str) -> str:
    """Return a text in both languages in one line, for where there can be no switch: titles of drawings."""
    return " / ".join(dict.fromkeys(words()[section][key]))


def known(section: str, key: str, *, in_svg: bool = False) -> Html:
    """Return what a key of a record is called; the key itself if it is none that is known."""
    return said(section, key, in_svg=in_svg) if key in words()[section] else text(short(key))


def country_pair(code: str) -> tuple[str, str]:
    """Return what a country, one's own machines or an unknown place is called in Korean and English."""
    if code in (OWN, UNKNOWN):
        korean, english = words()["page"][code]
        return korean, english
    found = countries().get(code)
    return (code, code) if found is None else (f"{found[0]} ({code})", f"{found[1]} ({code})")


def country(code: str, *, in_svg: bool = False) -> Html:
    """Return what a country, one's own machines or an unknown place is called."""
    return both(*country_pair(code), in_svg=in_svg)


def named(name: str) -> Html:
    """Return a name out of a record; where there is none, that."""
    if name == UNLISTED:
        return said("page", "unlisted")
    return text(short(name)) if name.strip() else said("page", "unnamed")
