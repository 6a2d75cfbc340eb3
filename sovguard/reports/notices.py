"""What a notice about a transfer abroad has to say (PIPA Art. 28-8(2)), as far as the ledger knows it.

The article asks for the items, the country, time and method, the recipient and its contact, its purpose and how long it keeps
them, and how to refuse and what follows. The ledger cannot know the contact and the refusal: they are always left to fill in.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sovguard.reports.reading import UNKNOWN, Asked, Place
from sovguard.reports.rows import Notice

_TRANSFERRED = ("allow", "tokenize", "mask")
"""What was removed was not transferred; surrogates are: whoever has the vault can tell whose they are."""
_NEEDED = ("legal_entity", "jurisdiction", "inference_region", "storage_region", "retention")
_ALWAYS = ("contact", "refusal")


@dataclass(slots=True)
class _Seen:
    first: int
    last: int
    requests: int = 0
    items: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    purposes: Counter[str] = field(default_factory=Counter)


class Noticed:
    """Gathers, recipient by recipient, what left for abroad or for nobody knows where."""

    def __init__(self) -> None:
        self._seen: dict[Place, _Seen] = {}

    def add(self, asked: Asked) -> None:
        """Take note of a request that left."""
        if not asked.place.abroad:
            return
        seen = self._seen.get(asked.place)
        if seen is None:
            seen = self._seen[asked.place] = _Seen(asked.when, asked.when)
        seen.first, seen.last = min(seen.first, asked.when), max(seen.last, asked.when)
        seen.requests += 1
        seen.purposes[asked.purpose] += 1
        for name, actions in asked.counts.items():
            for action in _TRANSFERRED:
                if action in actions:
                    seen.items[name][action] += actions[action]

    def notices(self) -> tuple[Notice, ...]:
        """Return the facts, those of the recipient of most requests first."""
        return tuple(
            Notice(
                place=place,
                abroad=place.abroad,
                items={name: dict(sorted(seen.items[name].items())) for name in sorted(seen.items)},
                purposes=dict(sorted(seen.purposes.items(), key=lambda each: (-each[1], each[0]))),
                requests=seen.requests,
                first=seen.first,
                last=seen.last,
                missing=_missing(place, seen),
            )
            for place, seen in sorted(
                self._seen.items(), key=lambda each: (-each[1].requests, each[0].id, each[0].inference_region)
            )
        )


def _missing(place: Place, seen: _Seen) -> tuple[str, ...]:
    missing = [name for name in _NEEDED if getattr(place, name) == UNKNOWN]
    if "" in seen.purposes:
        missing.append("purpose")
    return (*missing, *_ALWAYS)
