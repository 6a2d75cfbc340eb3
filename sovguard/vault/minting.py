"""New entries of a session: which number each gets, and what is stored of it. Nothing is changed here."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sovguard.surrogates import BODY_LENGTH, mint, new_namespace, word_for
from sovguard.vault.numbering import Block, Numbers, block_of
from sovguard.vault.records import Header, SessionKeys
from sovguard.vault.rows import EntryRow
from sovguard.vault.store import Entry


def new_rows(
    keys: SessionKeys,
    header: Header,
    entries: Sequence[Entry],
    last: Mapping[bytes, EntryRow],
    ends: Mapping[str, int | None],
    avoid: Collection[str],
) -> tuple[Header, list[EntryRow]]:
    """Return the header as it will be, and a row for each of ``entries``.

    Args:
        keys: The session's.
        header: The session's, as it is.
        entries: What has no surrogate yet.
        last: The entry of each of the people in them that was minted last, by keyed hash.
        ends: When values of each type end.
        avoid: Bodies that no surrogate may have.
    """
    tags = {
        person: keys.person(person)
        for person in dict.fromkeys(entry.person for entry in entries if entry.person)
    }
    met = {person for person, each in tags.items() if each in last}
    blocks: dict[str, Block] = {} if header.shared is None else {"": header.shared}
    for person in met:
        row = last[tags[person]]
        if row.seq >= header.closed:
            blocks[person] = block_of(row.surrogate)
    numbers = Numbers(header.namespace, header.next_number, blocks)
    words, count, people = header.state.words, header.count, header.people
    rows: list[EntryRow] = []
    for entry in entries:
        word = word_for(entry.entity_type)
        while True:
            taken = header.state.namespaces.union(header.state.former, numbers.drawn)
            namespace, number = numbers.next_for(entry.person, functools.partial(drawn, taken))
            surrogate = mint(header.state.key, word, namespace, number)
            if not avoid or surrogate[-BODY_LENGTH:] not in avoid:
                break
        first = bool(entry.person) and entry.person not in met
        met.add(entry.person)
        people += first
        expires = ends[entry.entity_type]
        rows.append(
            EntryRow(
                surrogate,
                count,
                entry.entity_type,
                keys.lookup(entry),
                tags.get(entry.person),
                people if first else None,
                keys.seal_entry(entry, surrogate, expires),
                expires,
            )
        )
        words |= {word}
        count += 1
    state = replace(header.state, namespaces=header.state.namespaces.union(numbers.drawn), words=words)
    new = replace(
        header,
        state=state,
        namespace=numbers.namespace,
        next_number=numbers.next_number,
        shared=numbers.blocks.get("", header.shared),
        count=count,
        people=people,
    )
    return new, rows


def renumbered(header: Header) -> Header:
    """Return a header with which no number is drawn any more from where numbers were drawn until now."""
    namespace = drawn(header.state.namespaces | header.state.former)
    state = replace(header.state, namespaces=header.state.namespaces | {namespace})
    return replace(header, state=state, namespace=namespace, next_number=0, shared=None, closed=header.count)


def drawn(taken: frozenset[str]) -> str:
    """Return a namespace that is none of those."""
    while (namespace := new_namespace()) in taken:
        pass
    return namespace
