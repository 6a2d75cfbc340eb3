"""How long sessions and values live: by the session, the entity type and the legal class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from sovguard.entities import ENTITY_TYPES
from sovguard.errors import ConfigError


class Lifetimes:
    """Says when what begins now ends, in whole seconds since 1970.

    Args:
        ttl: How long a session lives from its first use; ``None`` for ever.
        ttls: How long values live from their first mention, by entity type or legal class; the type counts before the class.
        clock: Seconds since 1970.

    Raises:
        ConfigError: A name is neither, or a span is nothing.
    """

    def __init__(
        self, ttl: timedelta | None, ttls: Mapping[str, timedelta], clock: Callable[[], float]
    ) -> None:
        known = {*ENTITY_TYPES, *(each.legal_class for each in ENTITY_TYPES.values())}
        for name, span in {**ttls, **({} if ttl is None else {"ttl": ttl})}.items():
            if name not in known and name != "ttl" and not name.isupper():
                raise ConfigError(f"ttls: {name!r} is neither an entity type nor a legal class")
            if not isinstance(span, timedelta) or span <= timedelta(0):
                raise ConfigError(f"the time to live of {name} has to be a timedelta of more than nothing")
        self._ttl, self._ttls, self._clock = ttl, dict(ttls), clock

    def now(self) -> int:
        """Return the time."""
        return int(self._clock())

    def over(self, expires: int | None) -> bool:
        """Tell whether what ends then has ended."""
        return expires is not None and expires <= self.now()

    def session_ends(self) -> int | None:
        """Return when a session ends that is used now for the first time; ``None`` for never."""
        return None if self._ttl is None else self.now() + int(self._ttl.total_seconds())

    def ends(self, entity_type: str, session: int | None) -> int | None:
        """Return when a value that is minted now ends: with its session, which ends then, or before it."""
        known = ENTITY_TYPES.get(entity_type)
        span = self._ttls.get(entity_type) or self._ttls.get(known.legal_class if known is not None else "")
        if span is None:
            return session
        own = self.now() + int(span.total_seconds())
        return own if session is None else min(own, session)
