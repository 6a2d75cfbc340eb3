"""The texts of the quality page, in Korean and English at once; types are called as in the other reports."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from sovguard.pipeline.quality.rows import OTHERS, TEXT
from sovguard.pipeline.quality.substitutes import OTHER
from sovguard.reports.drawing import Label
from sovguard.reports.markup import Html, short, text
from sovguard.reports.words import both, filled_in, known, read_words
from sovguard.reports.words import words as shared_words


@functools.cache
def words() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return every text, by its section and key."""
    return read_words("sovguard.pipeline.quality")


def said(section: str, key: str, *, in_svg: bool = False, **filled: object) -> Html:
    """Return a text in both languages, of which the style of the page shows one.

    Args:
        section: Of ``words.toml``.
        key: In it.
        in_svg: Whether it stands in a text of a drawing.
        filled: What stands for ``{…}`` in it.
    """
    return filled_in(words()[section][key], in_svg=in_svg, **filled)


def plainly(section: str, key: str) -> str:
    """Return a text in both languages in one line, for titles of drawings."""
    return " / ".join(dict.fromkeys(words()[section][key]))


def type_name(name: str) -> Html:
    """Return what an entity type is called."""
    return said("page", "other_type") if name == OTHER else known("entity_type", name)


def type_label(name: str) -> Label:
    """Return what an entity type is called in a drawing."""
    pair = words()["page"]["other_type"] if name == OTHER else shared_words()["entity_type"].get(name)
    return _label((short(name), short(name)) if pair is None else pair)


def column_name(name: str) -> Html:
    """Return what a column is called."""
    key = {OTHERS: "others", TEXT: "text", "": "text"}.get(name)
    return text(short(name)) if key is None else said("page", key)


def column_label(name: str) -> Label:
    """Return what a column is called in a drawing."""
    key = {OTHERS: "others", TEXT: "text", "": "text"}.get(name)
    return _label((short(name), short(name)) if key is None else words()["page"][key])


def _label(pair: tuple[str, str]) -> Label:
    return Label(both(*pair, in_svg=True), " / ".join(dict.fromkeys(pair)), pair)
