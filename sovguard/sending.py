"""One request of a session on its way to a destination and back: judged, redacted, looked at once more, written down.

Between the session, which finds and swaps, and whoever sends. What the policy blocks leaves as an error and nothing else does;
what is sent is in the ledger before it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sovguard.egress import TooMuch
from sovguard.entities import Detection
from sovguard.errors import InputError, LedgerError, PolicyBlocked, SovguardError, UnsupportedPayload
from sovguard.policy.apply import LIVE, applied
from sovguard.policy.decision import Decision, Request, counts
from sovguard.policy.destinations import FACTS, Destination
from sovguard.policy.rules import Action
from sovguard.telemetry import Trace
from sovguard.vault.store import Entry
from sovguard.vault.waiting import elsewhere

if TYPE_CHECKING:
    from sovguard.guard import Guard
    from sovguard.restore.stream import Lane, Sink
    from sovguard.session import Session
    from sovguard.shapes import Only

_LOG = logging.getLogger("sovguard")


class Sending:
    """What the payload modules need of a session, for a request that goes to one destination, and for its answer.

    Args:
        session: Whose surrogates are used.
        destination: Where it would go; ``None`` if that is no destination the policy knows.
        caller: Who sends: ``http``, the name of a framework, ``protect`` and the name of a function.
        model: The model that is asked for, if that is known and nobody's value.
        operation: What is asked for: ``chat`` or ``embeddings``.
        addressed: Where the caller addressed it to, if it is tried elsewhere because that is out.
        reroutes: Whether who sends can send it elsewhere; if not, what is to be rerouted is blocked.

    Attributes:
        caller: Who sends.
        counts: How many different values of each type had which action.
    """

    def __init__(
        self,
        session: Session,
        destination: Destination | None,
        *,
        caller: str,
        model: str | None = None,
        operation: str = "chat",
        addressed: Destination | None = None,
        reroutes: bool = False,
    ) -> None:
        self._session = session
        self._destination = destination
        self._addressed = addressed
        self._reroutes = reroutes
        self.caller = caller
        self._model: str | None = None
        self._hits: list[Detection] = []
        self._values: list[str] = []
        self._named: set[str] = set()
        self._topics: frozenset[str] = frozenset()
        self._done: tuple[Action, ...] = ()
        self._decision: Decision | None = None
        self._written: int | None = None
        self._ended = False
        self._lanes: list[Lane] = []
        self._unresolved: set[str] = set()
        self._began = time.perf_counter()
        self._trace = Trace(operation)
        if model is not None:
            self.asks(model)
        self.counts: Mapping[str, Mapping[str, int]] = {}

    def __repr__(self) -> str:
        return f"Sending({None if self._destination is None else self._destination.id!r})"

    @property
    def guard(self) -> Guard:
        """The session's guard."""
        return self._session.guard

    @property
    def allowed_media(self) -> frozenset[str]:
        """What the guard lets requests hold that cannot be inspected."""
        return self._session.allowed_media

    def asks(self, model: str | None) -> None:
        """Say which model is asked for, once it is known that nothing personal is in its name."""
        self._model = model
        self._trace.asks(model)

    @property
    def destination(self) -> Destination | None:
        """Where it goes, as far as that is known."""
        decided = None if self._decision is None else self._decision.enforced().destination
        return self._destination if decided is None else decided

    @property
    def decision(self) -> Decision:
        """What the policy says; a request without any text is judged as such.

        Raises:
            PolicyBlocked: The policy does not let it go there.
        """
        if self._decision is None:
            self.judged([], [], [])
        assert self._decision is not None  # noqa: S101
        return self._decision

    def redact_values(
        self, values: Sequence[Any], *, keep_surrogates: bool | Sequence[bool] = False
    ) -> list[Any]:
        """Return each value as it may be sent.

        Raises:
            PolicyBlocked: The policy does not let the request go there.
        """
        return self._session.redact_values(values, keep_surrogates=keep_surrogates, judge=self.judged)

    def redact_chosen(self, value: dict[str, Any], only: Only | None) -> dict[str, Any]:
        """Return ``value`` as it may be sent, looked into where one of the paths ``only`` leads, or everywhere."""
        return self._session.redact_chosen(value, only, judge=self.judged)

    def stream(self, sink: Sink = "prose") -> Lane:
        """Return what restores one text of the answer, in pieces or as a whole."""
        lane = self._session.stream(sink)
        self._lanes.append(lane)
        return lane

    def restored_values(self, value: Any) -> tuple[Any, list[str]]:
        """Return a JSON-like value restored, and the surrogates in it that are not the session's."""
        restored, unresolved = self._session.restored_values(value)
        self._unresolved.update(unresolved)
        return restored, unresolved

    def missed(self, names: Iterable[str]) -> None:
        """Count what in the answer looks like surrogates and stands for nothing."""
        self._unresolved.update(names)

    def judged(
        self, texts: list[str], found: list[list[Detection]], people: list[list[str]]
    ) -> tuple[list[str], list[list[Detection]], list[list[str]]]:
        """Return texts with what is masked or removed gone, and what is left to be swapped in each.

        Raises:
            PolicyBlocked: The policy does not let the request go there.
        """
        guard, session = self._session.guard, self._session
        # One request may be inspected in several goes, and is judged as a whole in each.
        before = len(self._hits)
        self._hits += [hit for each in found for hit in each]
        self._values += [
            text[hit.start : hit.end] for text, each in zip(texts, found, strict=True) for hit in each
        ]
        self._named.update(who for each in people for who in each if who)
        self._topics |= guard.topics_in(texts)
        request = Request(self._hits, self._values, self._topics, session.people_with(self._named))
        decision = guard.policy.decide(
            request, self._destination, purpose=session.purpose, tenant=session.tenant
        )
        self._decision, self.counts = decision, counts(self._hits, self._values, decision.actions)
        done = decision.enforced()
        if any(now > was for now, was in zip(done.actions, self._done, strict=False)):
            # What was let out of an earlier part may not go with this one.
            self._write("block")
            raise _blocked(decision, self.counts)
        self._done = done.actions
        if done.outcome == "block" or (done.outcome == "reroute" and not self._reroutes):
            self._write("block")
            raise _blocked(decision, self.counts)
        actions = iter(done.actions[before:])
        return applied(texts, found, people, [[next(actions) for _ in each] for each in found])

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """While this lasts, whatever keeps the request from being sent is written down."""
        try:
            yield
        except PolicyBlocked:
            raise
        except SovguardError as error:
            self.refused(error)
            raise

    def refused(self, error: SovguardError) -> None:
        """Write down that it is not sent because it cannot be inspected, or because something failed."""
        payload = isinstance(error, (UnsupportedPayload, InputError))
        self._write("refused", reason="payload" if payload else "error", error=type(error).__name__)

    @contextmanager
    def under_way(self, status: int | None = None) -> Iterator[None]:
        """While this lasts, an error ends the request in the records; ``status`` of its answer, if one has begun."""
        try:
            yield
        except BaseException as error:
            self.answered(status=status, error=type(error).__name__)
            raise

    def release(self, body: Any) -> Decision:
        """Look for values of the session in what is about to be sent, in any encoding, and write down that it is sent.

        Returns:
            What is done with it: where it goes.

        Raises:
            PolicyBlocked: There is a value in it, or the policy does not let it go.
            LedgerError: It cannot be written down; it must not be sent.
        """
        decision = self.decision
        done = decision.enforced()
        pairs = list(zip(self._hits, self._values, done.actions, strict=True))
        allowed = [value for _, value, action in pairs if action is Action.ALLOW]
        others = [
            Entry(hit.entity_type, value)
            for hit, value, action in pairs
            if action in (Action.MASK, Action.REMOVE) and hit.recognizer != LIVE
        ]
        known = self._session.known(allowed, others)
        try:
            found = elsewhere(known.stands_in, body)
        except TooMuch:
            self._write("refused", reason="egress")
            raise PolicyBlocked(
                "the request was not sent: something in it is encoded or compressed and opens to more than can be looked "
                "through for values of the session; send it as plain text",
                decision,
            ) from None
        if found:
            self._write("refused", reason="egress")
            raise PolicyBlocked(
                f"the request to {'' if decision.destination is None else decision.destination.id} was not sent: a value that "
                "was swapped, masked or removed is still in it, in another spelling or encoding; take it out, or send it as "
                "plain text, which is redacted",
                decision,
            )
        self._write(decision.outcome, sent=True)
        return done

    def left(self) -> None:
        """Say that nothing more will be heard of it here: it was sent, and its answer comes another way."""
        self._ended = True
        self._trace.ended(time.perf_counter() - self._began)

    def answered(self, *, status: int | None = None, error: str = "") -> None:
        """Write down that the answer has come to its end; only the first call counts.

        Args:
            status: Its HTTP status, if it has one.
            error: The name of the error, if one ended it.
        """
        if self._ended:
            return
        self._ended = True
        for lane in self._lanes:
            self._unresolved.update(lane.unresolved, lane.expired)
        seconds = time.perf_counter() - self._began
        self._trace.ended(seconds, unresolved=len(self._unresolved), status=status, error=error)
        ledger = self._session.guard.ledger
        if ledger is None or self._written is None:
            return
        record = {
            "of": self._written,
            "outcome": "failed" if error else "ok",
            "status": status,
            "unresolved": len(self._unresolved),
            "restored": sum(lane.restored for lane in self._lanes),
            "latency_ms": round(1e3 * seconds, 1),
        }
        try:
            elsewhere(ledger.append, "answer", record)
        except LedgerError:
            # The answer is the user's all the same; what is asked next will fail, and say why.
            _LOG.error("the ledger could not take down an answer; requests fail until it is opened again")

    def _write(self, outcome: str, *, reason: str = "", error: str = "", sent: bool = False) -> None:
        """Write a request down, before it is sent or instead of that."""
        guard, session, decision = self._session.guard, self._session, self._decision
        if decision is not None:
            self._trace.decided(decision, self.counts, time.perf_counter() - self._began, outcome=outcome)
        if not sent:
            self._ended = True
            self._trace.ended(time.perf_counter() - self._began, error=error or "PolicyBlocked")
        if guard.ledger is None:
            return
        at = self._destination if decision is None else decision.destination
        record: dict[str, Any] = {
            "tenant": session.tenant,
            "session": guard.ledger.keyed(session.tenant, session.id),
            "caller": self.caller,
            "purpose": session.purpose,
            "destination": _facts(at),
            "model": self._model,
            "policy": {"name": guard.policy.policy.name, "digest": guard.policy.policy.digest},
            "rules": [] if decision is None else list(decision.rules),
            "outcome": outcome,
            "dry_run": guard.policy.policy.dry_run,
            "counts": {name: dict(actions) for name, actions in self.counts.items()},
            "warnings": [] if decision is None else list(decision.warnings),
            "detectors": guard.detectors,
        }
        if reason:
            record["reason"] = reason
        if error:
            record["error"] = error
        addressed = self._addressed or (None if decision is None else decision.came_from)
        if addressed is not None:
            record["addressed"] = _facts(addressed)
        if self._addressed is not None:
            record["fallback"] = True
        self._written = elsewhere(guard.ledger.append, "request", record)


def _facts(destination: Destination | None) -> dict[str, str] | None:
    if destination is None:
        return None
    said = {name: destination.value(name) for name in FACTS}
    return {"id": destination.id, "provider": destination.provider, "trust": destination.trust, **said}


def _blocked(decision: Decision, held: Mapping[str, Mapping[str, int]]) -> PolicyBlocked:
    """Return the error for a request that is not sent; it names rules, types and counts, never a value."""
    if decision.destination is None:
        return PolicyBlocked(
            "the request was not sent: its address is no destination that the policy knows. Add a [[destination]] with its URL "
            "and who runs it to the policy (docs/policy.md), or look whether the address is right",
            decision,
        )
    if decision.outcome == "reroute" and decision.came_from is not None:
        there, here = decision.destination.id, decision.came_from.id
        return PolicyBlocked(
            f"the request was not sent: the policy sends it to {there} instead of {here} (rules: {', '.join(decision.rules)}), "
            "which takes a client over HTTP (guard.wrap, guard.http_client): use one, or a model of that destination",
            decision,
        )
    types = ", ".join(f"{sum(each.values())} × {name}" for name, each in held.items())
    return PolicyBlocked(
        f"the request was not sent: the policy does not let it go to {decision.destination.id} (rules: "
        f"{', '.join(decision.rules) or 'none'}; it holds {types or 'no personal data'}). 'sovguard policy explain' says why",
        decision,
    )
