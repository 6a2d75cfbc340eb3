"""Session: one conversation, and what is done for it to the texts of a request and of an answer.

Between the Guard, which finds, and the vault, which keeps: composes detection, redaction and restoring. If any step fails,
an error leaves and no text does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, overload

from sovguard.entities import LITERAL_TYPE, Detection, Evidence
from sovguard.errors import DetectionError, InputError
from sovguard.policy.apply import LIVE
from sovguard.redaction import Draft, Redaction, tokenize
from sovguard.restore.stream import Lane, Sink
from sovguard.restore.text import Resolved, Restoration, resolve
from sovguard.shapes import Only, Shape, checked_texts, has_shape, put_together, read, refuse, take_apart
from sovguard.text import Change
from sovguard.vault.session import VaultSession, shielded
from sovguard.vault.store import Entry, Kind, SessionRef

if TYPE_CHECKING:
    from sovguard.detect.name_mentions import Forms
    from sovguard.egress import Known
    from sovguard.guard import Guard
    from sovguard.people import People

Judged = Callable[
    [list[str], list[list[Detection]], list[list[str]]],
    tuple[list[str], list[list[Detection]], list[list[str]]],
]
"""Takes texts, what was found in each and whom that names, and gives back the same for what is to be swapped."""
_LIVE = Evidence("surrogate")
entered: ContextVar[tuple[Session, ...]] = ContextVar("sovguard_sessions", default=())
"""The sessions whose ``with`` block the caller is in, the innermost last."""
_protecting: ContextVar[tuple[Session, ...]] = ContextVar("sovguard_protecting", default=())


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
        self._people: People | None = None
        self._lock = threading.Lock()
        self._ref = SessionRef(tenant, session_id)
        self._vault = VaultSession(guard.vault, self._ref)

    def __repr__(self) -> str:
        return f"Session(id of {len(self.id)} characters)"

    def __enter__(self) -> Self:
        entered.set((*entered.get(), self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stack = list(entered.get())
        for index in range(len(stack) - 1, -1, -1):
            if stack[index] is self:
                del stack[index]
                break
        entered.set(tuple(stack))

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
        key. Dataclasses and pydantic models, alone or within, are copied with other values in their fields.
        """
        if isinstance(value, str):
            return self.redact_texts([value])[0]
        if not has_shape(value):
            raise refuse(value, "redact()")
        return self._redact_shapes([value], [False])[0]

    def redact_chosen(
        self, value: dict[str, Any], only: Only | None, *, judge: Judged | None = None
    ) -> dict[str, Any]:
        """Return ``value`` redacted where one of the paths ``only`` leads, and as it is elsewhere."""
        redacted: dict[str, Any] = self._redact_shapes([value], [False], only, judge)[0]
        return redacted

    def redact_values(
        self,
        values: Sequence[Any],
        *,
        keep_surrogates: bool | Sequence[bool] = False,
        judge: Judged | None = None,
    ) -> list[Any]:
        """Return the redaction of each JSON-like value, for one call of the analyzer and one of the vault.

        Within a function that the guard protects, surrogates of this session are kept in any case: they came
        with its arguments.

        Args:
            values: Strings, numbers, lists, dicts: the parts of one request.
            keep_surrogates: As in ``redact_texts``, for all values or for each.
            judge: What a policy makes of what was found before it is swapped (``sovguard.sending``).
        """
        if self in _protecting.get():
            keep_surrogates = True
        each = [keep_surrogates] * len(values) if isinstance(keep_surrogates, bool) else keep_surrogates
        return self._redact_shapes(values, each, judge=judge)

    def changes(
        self, texts: Sequence[str], found: Sequence[Sequence[Detection]], kinds: Sequence[Kind]
    ) -> list[list[Change]]:
        """Return what becomes of each text of a document by its places, for who found what is in them by other means.

        Args:
            texts: The texts.
            found: What was found in each, in order and without overlap; what the session knows besides is found again.
            kinds: What each is: a number becomes a surrogate as a whole.
        """
        hits, people = self._known(texts, [list(each) for each in found])
        drafts = [
            Draft(text, each, kind, people=who)
            for text, each, kind, who in zip(texts, hits, kinds, people, strict=True)
        ]
        tokenize(drafts, self._vault, particles=self.guard.particles)
        return [
            [Change(span.start, span.end, surrogate) for span, surrogate in draft.minted] for draft in drafts
        ]

    def openings(self, texts: Sequence[str]) -> list[tuple[list[Change], list[str]]]:
        """Return what restoring changes in each text by its places, and the surrogates in it that cannot be restored."""
        resolved = resolve(texts, self._vault.state(), self._vault.get)
        return [
            (each.changes(particles=self.guard.particles), [*each.unresolved, *each.expired])
            for each in resolved
        ]

    @contextmanager
    def protecting(self) -> Iterator[None]:
        """While this lasts, what is sent was redacted for this session before; for ``protect``."""
        token = _protecting.set((*_protecting.get(), self))
        try:
            yield
        finally:
            _protecting.reset(token)

    def _redact_shapes(
        self,
        values: Sequence[Any],
        keep: Sequence[bool],
        only: Only | None = None,
        judge: Judged | None = None,
    ) -> list[Any]:
        shapes = [take_apart(value, "redact()", only=only) for value in values]
        leaves = [leaf for shape in shapes for leaf in shape.leaves]
        kept = [each for shape, each in zip(shapes, keep, strict=True) for _ in shape.leaves]
        texts = [leaf.text for leaf in leaves]
        found, people = self._known(texts, read(leaves, self.guard._analyze))
        if judge is not None:
            if any(kept):
                found, people = self._with_live(texts, kept, found, people)
            texts, found, people = judge(texts, found, people)
        drafts = [
            Draft(text, hits, leaf.kind, each, who)
            for text, leaf, hits, each, who in zip(texts, leaves, found, kept, people, strict=True)
        ]
        tokenize(drafts, self._vault, particles=self.guard.particles)
        for leaf, draft in zip(leaves, drafts, strict=True):
            if draft.redacted != leaf.text or draft.spans:
                leaf.outcome = draft.redacted
        return [put_together(shape) for shape in shapes]

    def _with_live(
        self, texts: list[str], kept: Sequence[bool], found: list[list[Detection]], people: list[list[str]]
    ) -> tuple[list[list[Detection]], list[list[str]]]:
        """Return what was found, with the surrogates that are kept as what they stand for: a policy is about those too."""
        told = [text if keep else "" for text, keep in zip(texts, kept, strict=True)]
        resolved = resolve(told, self._vault.state(), self._vault.get)
        for place, each in enumerate(resolved):
            if each.hits:
                live = [
                    (Detection(hit.entry.entity_type, hit.start, hit.end, 1.0, LIVE, _LIVE), hit.entry.person)
                    for hit in each.hits
                    if hit.entry.entity_type != LITERAL_TYPE
                ]
                both = sorted(
                    [*zip(found[place], people[place], strict=True), *live], key=lambda pair: pair[0].start
                )
                found[place], people[place] = [hit for hit, _ in both], [who for _, who in both]
        return found, people

    def _known(
        self, texts: Sequence[str], found: list[list[Detection]]
    ) -> tuple[list[list[Detection]], list[list[str]]]:
        """Return ``found`` with what the request or an earlier one tells, and who is meant by each detection.

        A value that one text tells is found in all of them, and people whom the session knows are found again.
        """
        if self.guard.names == "off" and not any(
            hit.entity_type == "PERSON" for hits in found for hit in hits
        ):
            return self._repeated(texts, found, None), [[""] * len(hits) for hits in found]
        from sovguard.people import People, keys

        with self._lock:
            if self._people is None:
                self._people = People()
            people = self._people
            known = len(people)
        told = self._vault.people(known)
        with self._lock:
            people.add(told)
        found = self._repeated(texts, found, people.forms)
        return found, shielded(DetectionError, "detection failed", keys, texts, found, people)

    def _repeated(
        self, texts: Sequence[str], found: list[list[Detection]], known: Forms | None
    ) -> list[list[Detection]]:
        if not known and (len(texts) < 2 or not any(found)):
            return found
        from sovguard.detect.repeats import carried

        return shielded(DetectionError, "detection failed", carried, texts, found, known)

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
        if not has_shape(value):
            raise refuse(value, "restore()")
        shape = take_apart(value, "restore()")
        self._resolve(shape)
        return put_together(shape)

    def restore_within(self, value: Any) -> Any:
        """Return ``value`` as ``restore`` does, with objects that are not JSON-like left in it as they are."""
        shape = take_apart(value, "restore()", keep_others=True)
        return put_together(shape) if any(found.hits for found in self._resolve(shape)) else value

    def restored_values(self, value: Any) -> tuple[Any, list[str]]:
        """Return a JSON-like value as ``restore`` does, and what in it looks like surrogates but is not this session's."""
        shape = take_apart(value, "restore()")
        unresolved = [name for found in self._resolve(shape) for name in (*found.unresolved, *found.expired)]
        return put_together(shape), unresolved

    def _resolve(self, shape: Shape) -> list[Resolved]:
        """Put real values into a shape, and return what was found in each of its strings."""
        leaves = [leaf for leaf in shape.leaves if leaf.kind == "str"]
        resolved = resolve([leaf.text for leaf in leaves], self._vault.state(), self._vault.get)
        for leaf, found in zip(leaves, resolved, strict=True):
            if found.hits:
                leaf.outcome = found.leaf()
        return resolved

    def redact_texts(self, texts: Sequence[str], *, keep_surrogates: bool = False) -> list[Redaction]:
        """Return the redaction of each text, for one call of the analyzer and one of the vault.

        Args:
            texts: The texts of one request.
            keep_surrogates: Leave surrogates of this session that are already in the texts as they are: for
                what a model or a tool said, which holds them rightly. Otherwise they are covered like any
                value, so that restoring gives back exactly what came in.
        """
        found, people = self._known(texts, self.guard._analyze(checked_texts(texts, "redact_texts()")))
        drafts = [
            Draft(text, hits, keep=keep_surrogates, people=who)
            for text, hits, who in zip(texts, found, people, strict=True)
        ]
        tokenize(drafts, self._vault, particles=self.guard.particles)
        return [Redaction(draft.redacted, list(draft.detections), self.id) for draft in drafts]

    def surrogate(self, value: str, entity_type: str) -> str:
        """Return the surrogate of one value, the one that ``redact`` puts in its place.

        Args:
            value: The value, whole: nothing is looked for in it.
            entity_type: What it is.
        """
        (text,) = checked_texts([value], "surrogate()")
        if not text:
            return text
        whole = Detection(entity_type, 0, len(text), 1.0, "caller", Evidence("given"))
        (hits,), people = self._known([text], [[whole]])
        draft = Draft(text, hits, people=people[0])
        tokenize([draft], self._vault)
        return draft.redacted

    def restore_text(self, text: str) -> Restoration:
        """Return ``text`` with this session's real values back in their places, and particles that agree with them."""
        if not isinstance(text, str):
            raise refuse(text, "restore_text()")
        return self.resolved(text).restoration(particles=self.guard.particles)

    def resolved(self, text: str) -> Resolved:
        """Return what this session's surrogates in ``text`` stand for."""
        return resolve([text], self._vault.state(), self._vault.get)[0]

    def people_with(self, named: Collection[str]) -> int:
        """Return how many different people the session has named, those of a new request included.

        Args:
            named: The keys of the people in the request.
        """
        before = self.guard.remembered.named(self._ref, named)
        with self._lock:
            people = self._people
            return len(before) if people is None else len(people) + sum(who not in people for who in before)

    def known(self, allowed: Collection[str], others: Collection[Entry]) -> Known:
        """Return every value that the session knows, and those that it masked or removed in this process.

        Args:
            allowed: Values that may leave as they are.
            others: Values that were masked or removed, and so are in no vault.
        """
        return self.guard.remembered.known(
            self._ref, self._vault.entries, allowed, others, lambda: self._vault.state().key
        )

    def forget(self) -> None:
        """Drop everything the vault keeps of this session: its surrogates stand for nothing from then on."""
        self._vault.forget()
        self.guard.remembered.forget(self._ref)
        with self._lock:
            self._people = None

    @property
    def allowed_media(self) -> frozenset[str]:
        """What the guard lets requests hold that cannot be inspected."""
        return self.guard.allow_media

    def stream(self, sink: Sink = "prose") -> Lane:
        """Return what restores one text that arrives in pieces.

        ``feed(piece)`` gives what can be shown now, ``flush()`` the rest; together they are what ``restore`` gives.

        Args:
            sink: Where the text goes: ``"prose"``, ``"text"`` (no particle changes), ``"json"`` (the source of a JSON document,
                in which values are escaped) or ``"answer"`` (JSON if it begins like it, else prose).
        """
        return Lane(self.resolved, sink, particles=self.guard.particles)
