"""Guard: what a user makes first; finds, and gives out the sessions that redact and restore.

Detection finds, the vault mints, ``redaction`` and ``restore`` put things in their places, ``session`` composes them.
Clients and pipelines call what is here and in ``session`` and nothing below it.
"""

from __future__ import annotations

import functools
import os
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Protocol, TypeVar, cast, get_args, overload

from sovguard.egress import Remembered
from sovguard.entities import Detection
from sovguard.errors import ConfigError, DetectionError
from sovguard.policy import PROFILES, Destination, Judges, Policy, load
from sovguard.redaction import Redaction
from sovguard.restore.text import Restoration
from sovguard.session import Session, entered
from sovguard.shapes import checked_texts, refuse
from sovguard.vault.memory import MemoryVault
from sovguard.vault.session import shielded
from sovguard.vault.store import Vault
from sovguard.vault.waiting import elsewhere

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

    from sovguard.ledger import Ledger

Names = Literal["off", "fast", "full"]
Medium = Literal["image", "audio", "video", "file"]
P = ParamSpec("P")
R = TypeVar("R")
ClientT = TypeVar("ClientT")

_NAMES = ("off", "fast", "full")


@functools.cache
def _version() -> str:
    """Return the version that is installed; asked once, since it is read from files and stands in every record."""
    return version("sovguard")


class _Analyzes(Protocol):
    def analyze(self, texts: Sequence[str]) -> list[list[Detection]]: ...


def _told_apart(
    recognizers: Iterable[str | os.PathLike[str] | EntityRecognizer],
) -> tuple[tuple[str | os.PathLike[str], ...], tuple[EntityRecognizer, ...]]:
    """Returns the paths and the Presidio recognizers among ``recognizers``."""
    paths: list[str | os.PathLike[str]] = []
    foreign: list[EntityRecognizer] = []
    for item in recognizers:
        if isinstance(item, (str, os.PathLike)):
            paths.append(item)
        elif all(hasattr(item, name) for name in ("analyze", "supported_entities", "context", "id")) and not (
            isinstance(item, type)
        ):
            foreign.append(item)
        else:
            raise ConfigError(
                f"recognizers takes paths of TOML files and Presidio EntityRecognizer objects, not {type(item).__name__}"
            )
    return tuple(paths), tuple(foreign)


class Guard:
    """Finds personal information, swaps it for surrogates and puts it back.

    Making one is cheap: the recognizers are loaded once, when first needed. One Guard serves many threads.

    Args:
        names: How names of people are found: ``"full"``, ``"fast"`` or ``"off"``.
        vault: Where values wait for their surrogates; by default this process's memory.
        recognizers: Further recognizers: paths of files (TOML) or folders of them, and Presidio ``EntityRecognizer``s.
        name_model: Folder of a name model of one's own (docs/names.md); the built-in one if ``None``.
        particles: Whether Korean particles behind restored values are made to agree with them (지수은 → 지수는).
        policy: Which personal data may go where: a ``Policy``, the path of a policy file, or the name of a profile. By default
            the Korean one, ``"kr-pipa"``.
        ledger: Where every decision is written down (``sovguard.ledger.open_ledger``); what cannot be written down is not sent.
        restore_tools: Names of tools whose call arguments may hold real values; none by default.
        allow_media: Which of ``"image"``, ``"audio"``, ``"video"`` and ``"file"`` requests may hold, although nobody has seen
            what is in them; none by default.

    Raises:
        ConfigError: A setting is none of those it can be.
    """

    def __init__(
        self,
        *,
        names: Names = "full",
        vault: Vault | None = None,
        recognizers: Sequence[str | os.PathLike[str] | EntityRecognizer] = (),
        name_model: str | os.PathLike[str] | None = None,
        particles: bool = True,
        policy: Policy | str | os.PathLike[str] = "kr-pipa",
        ledger: Ledger | None = None,
        restore_tools: Collection[str] = (),
        allow_media: Collection[Medium] = (),
        _analyzer: _Analyzes | None = None,
    ) -> None:
        if names not in _NAMES:
            raise ConfigError(f"names has to be one of {', '.join(map(repr, _NAMES))}")
        if isinstance(recognizers, (str, os.PathLike)):
            raise ConfigError("recognizers has to be a sequence of paths, not one path: put it in a list")
        if isinstance(restore_tools, str):
            raise ConfigError(
                "restore_tools has to be a collection of names, not one name: put it in a tuple"
            )
        if isinstance(allow_media, str) or not set(allow_media) <= set(get_args(Medium)):
            raise ConfigError(
                f"allow_media has to be a collection of names among {', '.join(map(repr, get_args(Medium)))}"
            )
        self.names: Names = names
        self.particles = particles
        self.restore_tools = frozenset(restore_tools)
        self.allow_media: frozenset[str] = frozenset(allow_media)
        self.vault: Vault = MemoryVault() if vault is None else vault
        self.recognizer_paths, self._foreign = _told_apart(recognizers)
        self._name_model = name_model
        self._analyzer = _analyzer
        self.ledger = ledger
        self.remembered = Remembered()
        self._policy: Judges | None = None
        self._policy_source = policy
        if policy not in PROFILES:
            self._policy = self._judges()
        self._default: Session | None = None
        self._lock = threading.Lock()

    @property
    def foreign_types(self) -> tuple[str, ...]:
        """The entity types of the Presidio recognizers that were added."""
        return tuple(dict.fromkeys(name for other in self._foreign for name in other.supported_entities))

    @property
    def policy(self) -> Judges:
        """What decides which personal data may go where."""
        if self._policy is None:
            self._policy = self._judges()
        return self._policy

    def _judges(self) -> Judges:
        source = self._policy_source
        return Judges(source if isinstance(source, Policy) else load(source))

    def destination(self, named: str | None) -> Destination | None:
        """Return the destination with an id of the policy's; ``None`` for none.

        Raises:
            ConfigError: There is no such destination.
        """
        return None if named is None else self.policy.policy.catalogue.named(named)

    @property
    def detectors(self) -> dict[str, str]:
        """What finds personal information here: the version of sovguard, how names are found, the digest of the pack."""
        from sovguard.detect.packs import pack_digest

        return {"sovguard": _version(), "names": self.names, "pack": pack_digest()[:16]}

    def topics_in(self, texts: Sequence[str]) -> frozenset[str]:
        """Return the sensitive topics of texts that some rule of the policy is about."""
        wanted = self.policy.topics
        if not wanted or not texts:
            return frozenset()
        from sovguard.detect.topics import load as topics

        found = elsewhere(shielded, DetectionError, "detection failed", topics().find, texts)
        return wanted.intersection(hit.topic for each in found for hit in each)

    def __repr__(self) -> str:
        return f"Guard(names={self.names!r})"

    @overload
    def scan(self, text: str) -> list[Detection]: ...
    @overload
    def scan(self, text: list[str] | tuple[str, ...]) -> list[list[Detection]]: ...
    def scan(self, text: str | list[str] | tuple[str, ...]) -> list[Detection] | list[list[Detection]]:
        """Return what was found in a text, or in each of several texts."""
        if isinstance(text, str):
            return self._analyze([text])[0]
        if not isinstance(text, (list, tuple)):
            raise refuse(text, "scan()")
        return self._analyze(checked_texts(text, "scan()"))

    @overload
    def redact(self, value: str) -> Redaction: ...
    @overload
    def redact(self, value: list[str]) -> list[str]: ...
    @overload
    def redact(self, value: dict[str, str]) -> dict[str, str]: ...
    @overload
    def redact(self, value: tuple[str, ...]) -> tuple[str, ...]: ...
    @overload
    def redact(self, value: list[Any]) -> list[Any]: ...
    @overload
    def redact(self, value: dict[Any, Any]) -> dict[Any, Any]: ...
    @overload
    def redact(self, value: tuple[Any, ...]) -> tuple[Any, ...]: ...
    def redact(self, value: Any) -> Any:
        """Return ``value`` with its personal information swapped for surrogates of the default session.

        A str gives a ``Redaction``; a list, tuple or dict gives a new one of the same shape.
        """
        return self._default_session().redact(value)

    @overload
    def restore(self, value: str) -> Restoration: ...
    @overload
    def restore(self, value: list[Any]) -> list[Any]: ...
    @overload
    def restore(self, value: dict[Any, Any]) -> dict[Any, Any]: ...
    @overload
    def restore(self, value: tuple[Any, ...]) -> tuple[Any, ...]: ...
    def restore(self, value: Any) -> Any:
        """Return ``value`` with the real values of the default session back in their places.

        A str gives a ``Restoration``; a list, tuple or dict gives a new one of the same shape.
        """
        return self._default_session().restore(value)

    def session(
        self, session_id: str | None = None, *, tenant: str = "default", purpose: str | None = None
    ) -> Session:
        """Return the session with this id, continuing it if the vault knows it.

        Args:
            session_id: Id of the conversation; a random one if ``None``.
            tenant: Whose conversation it is; sessions of different tenants never meet.
            purpose: What the data is processed for (처리 목적), kept with the session for records.
        """
        if session_id is None:
            session_id = secrets.token_hex(16)
        return Session(self, session_id, tenant=tenant, purpose=purpose)

    def entered_session(self) -> Session | None:
        """Return the session whose ``with`` block the caller is in, if there is one."""
        return next((session for session in reversed(entered.get()) if session.guard is self), None)

    def current_session(self) -> Session:
        """Return the session whose ``with`` block the caller is in, or else the default session."""
        return self.entered_session() or self._default_session()

    @overload
    def protect(
        self,
        fn: Callable[P, R],
        /,
        *,
        restore: bool = True,
        fields: Collection[str] | None = None,
        destination: str | None = None,
    ) -> Callable[P, R]: ...
    @overload
    def protect(
        self,
        fn: None = None,
        /,
        *,
        restore: bool = True,
        fields: Collection[str] | None = None,
        destination: str | None = None,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
    def protect(
        self,
        fn: Callable[..., Any] | None = None,
        /,
        *,
        restore: bool = True,
        fields: Collection[str] | None = None,
        destination: str | None = None,
    ) -> Any:
        """Return ``fn`` with its arguments redacted on the way in and its result restored on the way out.

        Also a decorator, with or without options.

        Args:
            fn: The function to protect.
            restore: Put the real values back into what it returns.
            fields: Redact these parameters alone (``"prompt"``), or parts of them (``"request.text"``); the others are
                passed on unread. By default all are redacted, and one that cannot be read is an error.
            destination: The id of the destination that it sends to, for the policy to judge.
        """
        from sovguard.clients.decorator import protect

        return protect(self, fn, restore=restore, fields=fields, destination=destination)

    def wrap(self, client: ClientT) -> ClientT:
        """Return a client of the same type whose requests are redacted and whose answers are restored."""
        from sovguard.clients.wrap import wrap

        return cast("ClientT", wrap(self, client))

    def http_client(self, **kwargs: Any) -> Any:
        """Return an HTTP client for a model client: it redacts requests and restores answers."""
        from sovguard.clients.http_clients import http_client

        return http_client(self, **kwargs)

    def async_http_client(self, **kwargs: Any) -> Any:
        """Return the asynchronous twin of ``http_client``."""
        from sovguard.clients.http_clients import async_http_client

        return async_http_client(self, **kwargs)

    async def aside(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what a plain function that uses this guard returns, without holding up the event loop.

        As in ``await guard.aside(session.redact, text)``: detection runs in a thread; an asynchronous vault is waited for by
        the loop, any other in the thread.
        """
        from sovguard.clients.aside import aside

        return await aside(self.vault, function, *args, **kwargs)

    def _default_session(self) -> Session:
        if self._default is None:
            with self._lock:
                if self._default is None:
                    self._default = self.session()
        return self._default

    def _analyze(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Return what the analyzer finds, checked: a wrong answer must stop the text, not pass it."""
        if not texts:
            return []
        found = elsewhere(self._found, texts)
        if len(found) != len(texts):
            raise DetectionError("detection did not answer for every text; treat them as not inspected")
        for text, detections in zip(texts, found, strict=True):
            for hit in detections:
                if not 0 <= hit.start < hit.end <= len(text):
                    raise DetectionError(
                        "detection reported a place outside its text; treat it as not inspected"
                    )
        return found

    def _found(self, texts: Sequence[str]) -> list[list[Detection]]:
        return shielded(DetectionError, "detection failed", self._loaded_analyzer().analyze, texts)

    def _loaded_analyzer(self) -> _Analyzes:
        if self._analyzer is None:
            with self._lock:
                if self._analyzer is None:
                    from sovguard.detect.analyzer import Analyzer

                    analyzer: _Analyzes = Analyzer(
                        names=self.names, recognizers=self.recognizer_paths, name_model=self._name_model
                    )
                    if self._foreign:
                        from sovguard.presidio import ForeignRecognizers

                        analyzer = ForeignRecognizers(analyzer, self._foreign)
                    self._analyzer = analyzer
        return self._analyzer
