"""One request of a session on its way to a destination: judged by the policy, redacted as that says, looked at once more.

Between the session, which finds and swaps, and whoever sends. What the policy blocks leaves as an error and nothing else does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sovguard.entities import Detection
from sovguard.errors import PolicyBlocked
from sovguard.policy.decision import Decision, Request, counts
from sovguard.policy.destinations import Destination
from sovguard.policy.rules import Action

if TYPE_CHECKING:
    from sovguard.restore.stream import Lane, Sink
    from sovguard.session import Session
    from sovguard.shapes import Only


class Sending:
    """What the payload modules need of a session, for a request that goes to one destination.

    Args:
        session: Whose surrogates are used.
        destination: Where it would go; ``None`` if that is no destination the policy knows.

    Attributes:
        decision: What the policy said, once it was asked.
        counts: How many different values of each type had which action.
    """

    def __init__(self, session: Session, destination: Destination | None) -> None:
        self._session = session
        self._destination = destination
        self.decision: Decision | None = None
        self.counts: Mapping[str, Mapping[str, int]] = {}

    def __repr__(self) -> str:
        return f"Sending({None if self._destination is None else self._destination.id!r})"

    @property
    def allowed_media(self) -> frozenset[str]:
        """What the guard lets requests hold that cannot be inspected."""
        return self._session.allowed_media

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
        """Return what restores one text that arrives in pieces."""
        return self._session.stream(sink)

    def restored_values(self, value: Any) -> tuple[Any, list[str]]:
        """Return a JSON-like value restored, and the surrogates in it that are not the session's."""
        return self._session.restored_values(value)

    def judged(
        self, texts: list[str], found: list[list[Detection]], people: list[list[str]]
    ) -> tuple[list[str], list[list[Detection]], list[list[str]]]:
        """Return texts with what is masked or removed gone, and what is left to be swapped in each.

        Raises:
            PolicyBlocked: The policy does not let the request go there.
        """
        guard, session = self._session.guard, self._session
        hits = [hit for each in found for hit in each]
        values = [text[hit.start : hit.end] for text, each in zip(texts, found, strict=True) for hit in each]
        named = {who for each in people for who in each if who}
        request = Request(hits, values, guard.topics_in(texts), session.people_with(named))
        decision = guard.policy.decide(
            request, self._destination, purpose=session.purpose, tenant=session.tenant
        )
        self.counts = counts(hits, values, decision.actions)
        self.decision = decision
        decision = decision.enforced()
        if decision.outcome == "block":
            raise blocked(self.decision, self.counts)
        actions = iter(decision.actions)
        return _applied(texts, found, people, [[next(actions) for _ in each] for each in found])

    def settled(self) -> Decision:
        """Return the decision, after asking for one if there was no text in the request.

        Raises:
            PolicyBlocked: The policy does not let the request go there.
        """
        if self.decision is None:
            self.judged([], [], [])
        assert self.decision is not None  # noqa: S101
        return self.decision

    def check(self, body: Any) -> None:
        """Look for values of the session in what is about to be sent, in any encoding.

        Raises:
            PolicyBlocked: There is one.
        """
        decision = self.settled().enforced()
        allowed = frozenset(
            entity_type for entity_type, actions in self.counts.items() if set(actions) == {Action.ALLOW.word}
        )
        if self._session.known(allowed).stands_in(body):
            where = "" if decision.destination is None else f" to {decision.destination.id}"
            raise PolicyBlocked(
                f"the request{where} was not sent: a value that was swapped for a surrogate is still in it, in another "
                "spelling or encoding; take it out, or send it as plain text, which is redacted"
            )


def blocked(decision: Decision, held: Mapping[str, Mapping[str, int]]) -> PolicyBlocked:
    """Return the error for a request that is not sent; it names rules, types and counts, never a value."""
    if decision.destination is None:
        return PolicyBlocked(
            "the request was not sent: its address is no destination that the policy knows. Add a [[destination]] with its URL "
            "and who runs it to the policy (docs/policy.md), or look whether the address is right",
            decision,
        )
    types = ", ".join(f"{sum(each.values())} × {name}" for name, each in held.items())
    return PolicyBlocked(
        f"the request was not sent: the policy does not let it go to {decision.destination.id} (rules: "
        f"{', '.join(decision.rules) or 'none'}; it holds {types or 'no personal data'}). 'sovguard policy explain' says why",
        decision,
    )


def _applied(
    texts: list[str], found: list[list[Detection]], people: list[list[str]], actions: list[list[Action]]
) -> tuple[list[str], list[list[Detection]], list[list[str]]]:
    """Return texts after what cannot be undone was done to them, and the detections that are left, in their new places."""
    if all(action in (Action.TOKENIZE, Action.WARN) for each in actions for action in each):
        return texts, found, people
    from sovguard.irreversible import mask, remove

    new_texts: list[str] = []
    new_found: list[list[Detection]] = []
    new_people: list[list[str]] = []
    for text, hits, names, each in zip(texts, found, people, actions, strict=True):
        parts: list[str] = []
        kept: list[Detection] = []
        who: list[str] = []
        position = shift = 0
        for hit, name, action in zip(hits, names, each, strict=True):
            if action in (Action.MASK, Action.REMOVE):
                replace = mask if action is Action.MASK else remove
                written = replace(text[hit.start : hit.end], hit.entity_type)
                parts += (text[position : hit.start], written)
                shift += len(written) - (hit.end - hit.start)
                position = hit.end
            elif action is not Action.ALLOW:
                kept.append(
                    Detection(
                        hit.entity_type,
                        hit.start + shift,
                        hit.end + shift,
                        hit.score,
                        hit.recognizer,
                        hit.evidence,
                    )
                )
                who.append(name)
        parts.append(text[position:])
        new_texts.append("".join(parts))
        new_found.append(kept)
        new_people.append(who)
    return new_texts, new_found, new_people
