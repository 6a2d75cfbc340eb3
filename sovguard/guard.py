"""Guard and Session: the one place that composes the steps, from a text to its redaction and back.

Detection finds, the vault mints, ``redaction`` and ``restore`` put things in their places. Clients and
pipelines call what is here and nothing below it. If any step fails, an error leaves and no text does.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal, ParamSpec, Protocol, Self, TypeVar, cast, overload

from sovguard.entities import Detection
from sovguard.errors import ConfigError, DetectionError, InputError
from sovguard.redaction import Draft, Redaction, tokenize
from sovguard.restore.text import Restoration, resolve
from sovguard.shapes import put_together, read, refuse, take_apart
from sovguard.vault.memory import MemoryVault
from sovguard.vault.session import VaultSession, shielded
from sovguard.vault.store import SessionRef, Vault

Names = Literal["off", "fast", "full"]
P = ParamSpec("P")
R = TypeVar("R")
ClientT = TypeVar("ClientT")

_NAMES = ("off", "fast", "full")
_entered: ContextVar[tuple[Session, ...]] = ContextVar("sovguard_sessions", default=())
_protecting: ContextVar[tuple[Session, ...]] = ContextVar("sovguard_protecting", default=())


class _Analyzes(Protocol):
    def analyze(self, texts: Sequence[str]) -> list[list[Detection]]: ...


class Guard:
    """Finds personal information, swaps it for surrogates and puts it back.

    Making one is cheap: the recognizers are loaded once, when first needed. One Guard serves many threads.

    Args:
        names: How names of people are found: ``"full"``, ``"fast"`` or ``"off"``.
        vault: Where values wait for their surrogates; by default this process's memory.
        recognizers: Paths of further recognizer files (TOML).
        restore_tools: Names of tools whose call arguments may hold real values; none by default.
    """

    def __init__(
        self,
        *,
        names: Names = "full",
        vault: Vault | None = None,
        recognizers: Sequence[str | os.PathLike[str]] = (),
        restore_tools: Collection[str] = (),
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
        self.names: Names = names
        self.restore_tools = frozenset(restore_tools)
        self.vault: Vault = MemoryVault() if vault is None else vault
        self._recognizers = tuple(recognizers)
        self._analyzer = _analyzer
        self._default: Session | None = None
        self._lock = threading.Lock()

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
        return self._analyze(_texts(text, "scan()"))

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

    def current_session(self) -> Session:
        """Return the session whose ``with`` block the caller is in, or else the default session."""
        for session in reversed(_entered.get()):
            if session.guard is self:
                return session
        return self._default_session()

    @overload
    def protect(self, fn: Callable[P, R], /, *, restore: bool = True) -> Callable[P, R]: ...
    @overload
    def protect(
        self, fn: None = None, /, *, restore: bool = True
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
    def protect(self, fn: Callable[..., Any] | None = None, /, *, restore: bool = True) -> Any:
        """Return ``fn`` with its arguments redacted on the way in and its result restored on the way out.

        Also a decorator, with or without options.

        Args:
            fn: The function to protect.
            restore: Put the real values back into what it returns.
        """
        from sovguard.clients.decorator import protect

        return protect(self, fn, restore=restore)

    def wrap(self, client: ClientT) -> ClientT:
        """Return a client of the same type whose requests are redacted and whose answers are restored."""
        from sovguard.clients.wrap import wrap

        return cast("ClientT", wrap(self, client))

    def http_client(self, **kwargs: Any) -> Any:
        """Return an HTTP client for a model client: it redacts requests and restores answers."""
        from sovguard.clients.transport import http_client

        return http_client(self, **kwargs)

    def async_http_client(self, **kwargs: Any) -> Any:
        """Return the asynchronous twin of ``http_client``."""
        from sovguard.clients.transport import async_http_client

        return async_http_client(self, **kwargs)

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
        analyzer = self._loaded_analyzer()
        found = shielded(DetectionError, "detection failed", analyzer.analyze, texts)
        if len(found) != len(texts):
            raise DetectionError("detection did not answer for every text; treat them as not inspected")
        for text, detections in zip(texts, found, strict=True):
            for hit in detections:
                if not 0 <= hit.start < hit.end <= len(text):
                    raise DetectionError(
                        "detection reported a place outside its text; treat it as not inspected"
                    )
        return found

    def _loaded_analyzer(self) -> _Analyzes:
        if self._analyzer is None:
            with self._lock:
                if self._analyzer is None:
                    from sovguard.detect.analyzer import Analyzer

                    self._analyzer = Analyzer(names=self.names, recognizers=self._recognizers)
        return self._analyzer


class Session:
    """One conversation: within it, the same value always has the same surrogate, and nowhere else any.

    Comes from ``Guard.session``; may be used by many threads, and again after its ``with`` block.

    Attributes:
        guard: The guard it belongs to.
        id: The conversation's id.
        tenant: Whose conversation it is.
        purpose: What the data is processed for, if it was said.
    """

    def __init__(self, guard: Guard, session_id: str, *, tenant: str, purpose: str | None) -> None:
        for name, value in (("session id", session_id), ("tenant", tenant)):
            if not isinstance(value, str) or not value:
                raise InputError(f"the {name} has to be a str that is not empty")
        self.guard = guard
        self.id = session_id
        self.tenant = tenant
        self.purpose = purpose
        self._vault = VaultSession(guard.vault, SessionRef(tenant, session_id))

    def __repr__(self) -> str:
        return f"Session(id of {len(self.id)} characters)"

    def __enter__(self) -> Self:
        _entered.set((*_entered.get(), self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stack = list(_entered.get())
        for index in range(len(stack) - 1, -1, -1):
            if stack[index] is self:
                del stack[index]
                break
        _entered.set(tuple(stack))

    @overload
    def scan(self, text: str) -> list[Detection]: ...
    @overload
    def scan(self, text: list[str] | tuple[str, ...]) -> list[list[Detection]]: ...
    def scan(self, text: str | list[str] | tuple[str, ...]) -> list[Detection] | list[list[Detection]]:
        """Return what was found in a text, or in each of several texts."""
        return self.guard.scan(text)

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
        """Return ``value`` with its personal information swapped for this session's surrogates.

        A str gives a ``Redaction``. A list, tuple or dict gives a new one of the same shape, in which
        strings, keys and numbers that hold personal information are replaced; each is read together with its
        key.
        """
        if isinstance(value, str):
            return self.redact_texts([value])[0]
        if not isinstance(value, (list, tuple, dict)):
            raise refuse(value, "redact()")
        return self._redact_shapes([value], [False])[0]

    def redact_values(
        self, values: Sequence[Any], *, keep_surrogates: bool | Sequence[bool] = False
    ) -> list[Any]:
        """Return the redaction of each JSON-like value, for one call of the analyzer and one of the vault.

        Within a function that the guard protects, surrogates of this session are kept in any case: they came
        with its arguments.

        Args:
            values: Strings, numbers, lists, dicts: the parts of one request.
            keep_surrogates: As in ``redact_texts``, for all values or for each.
        """
        if self in _protecting.get():
            keep_surrogates = True
        each = [keep_surrogates] * len(values) if isinstance(keep_surrogates, bool) else keep_surrogates
        return self._redact_shapes(values, each)

    @contextmanager
    def protecting(self) -> Iterator[None]:
        """While this lasts, what is sent was redacted for this session before; for ``protect``."""
        token = _protecting.set((*_protecting.get(), self))
        try:
            yield
        finally:
            _protecting.reset(token)

    def _redact_shapes(self, values: Sequence[Any], keep: Sequence[bool]) -> list[Any]:
        shapes = [take_apart(value, "redact()") for value in values]
        leaves = [leaf for shape in shapes for leaf in shape.leaves]
        kept = [each for shape, each in zip(shapes, keep, strict=True) for _ in shape.leaves]
        texts = [leaf.text for leaf in leaves]
        found = self._carried(texts, read(leaves, self.guard._analyze))
        drafts = [
            Draft(leaf.text, hits, leaf.kind, each)
            for leaf, hits, each in zip(leaves, found, kept, strict=True)
        ]
        tokenize(drafts, self._vault)
        for leaf, draft in zip(leaves, drafts, strict=True):
            if draft.spans:
                leaf.outcome = draft.redacted
        return [put_together(shape) for shape in shapes]

    def _carried(self, texts: Sequence[str], found: list[list[Detection]]) -> list[list[Detection]]:
        """Return ``found`` with what is known from one text of a request found in all of them."""
        if len(texts) < 2 or not any(found):
            return found
        from sovguard.detect.repeats import carried

        return shielded(DetectionError, "detection failed", carried, texts, found)

    @overload
    def restore(self, value: str) -> Restoration: ...
    @overload
    def restore(self, value: list[Any]) -> list[Any]: ...
    @overload
    def restore(self, value: dict[Any, Any]) -> dict[Any, Any]: ...
    @overload
    def restore(self, value: tuple[Any, ...]) -> tuple[Any, ...]: ...
    def restore(self, value: Any) -> Any:
        """Return ``value`` with this session's real values back in their places.

        A str gives a ``Restoration``. A list, tuple or dict gives a new one of the same shape, keys included;
        a string that is exactly the surrogate of a number becomes that number again.
        """
        if isinstance(value, str):
            return self.restore_text(value)
        if not isinstance(value, (list, tuple, dict)):
            raise refuse(value, "restore()")
        shape = take_apart(value, "restore()")
        leaves = [leaf for leaf in shape.leaves if leaf.kind == "str"]
        resolved = resolve([leaf.text for leaf in leaves], self._vault.state(), self._vault.get)
        for leaf, found in zip(leaves, resolved, strict=True):
            if found.hits:
                leaf.outcome = found.leaf()
        return put_together(shape)

    def redact_texts(self, texts: Sequence[str], *, keep_surrogates: bool = False) -> list[Redaction]:
        """Return the redaction of each text, for one call of the analyzer and one of the vault.

        Args:
            texts: The texts of one request.
            keep_surrogates: Leave surrogates of this session that are already in the texts as they are: for
                what a model or a tool said, which holds them rightly. Otherwise they are covered like any
                value, so that restoring gives back exactly what came in.
        """
        found = self._carried(texts, self.guard._analyze(_texts(texts, "redact_texts()")))
        drafts = [Draft(text, hits, keep=keep_surrogates) for text, hits in zip(texts, found, strict=True)]
        tokenize(drafts, self._vault)
        return [Redaction(draft.redacted, list(draft.detections), self.id) for draft in drafts]

    def restore_text(self, text: str) -> Restoration:
        """Return ``text`` with this session's real values back in their places."""
        if not isinstance(text, str):
            raise refuse(text, "restore_text()")
        return resolve([text], self._vault.state(), self._vault.get)[0].restoration()


def _texts(texts: Sequence[str], verb: str) -> list[str]:
    if isinstance(texts, str):
        raise InputError(f"{verb} takes a list of str: put the one text in a list")
    checked = list(texts)
    for text in checked:
        if not isinstance(text, str):
            raise refuse(text, verb)
    return checked
