"""The judge of one destination: which rules can apply there, and what becomes of each value under them.

Pure: no text, no vault, no network. The rules that can apply at a destination are picked out once; a decision then costs a
look-up for each value.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from sovguard.policy.decision import DEFAULT, RESIDENT_FLOOR, Decision, Outcome, Request
from sovguard.policy.destinations import UNKNOWN, Destination
from sovguard.policy.rules import RESIDENT_NUMBERS, Action, Policy, Rule, names_of

_MANY = 1024
"""How much is kept of what was worked out."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    action: Action
    rules: tuple[str, ...]
    covered: bool
    targets: frozenset[str] = frozenset()
    statute: bool = False
    serial: int = field(default_factory=count().__next__, compare=False)

    def with_(self, rule: Rule, *, surely: bool) -> _Verdict:
        """Return this verdict after another rule applied; one that perhaps applies makes it stricter, and covers nothing."""
        targets = self.targets | {rule.reroute_to} if rule.action is Action.REROUTE else self.targets
        covered = self.covered or surely
        if not self.rules or rule.action > self.action:
            return _Verdict(rule.action, (rule.id,), covered, targets, bool(rule.statute))
        if rule.action == self.action:
            statute = self.statute or bool(rule.statute)
            return _Verdict(self.action, (*self.rules, rule.id), covered, targets, statute)
        return replace(self, covered=covered, targets=targets)


_NONE = _Verdict(Action.ALLOW, (), False)


class Judge:
    """Decides for one destination, purpose and tenant.

    What can be told of a type once is told once: a decision looks up, for each value, what holds of its type under the
    conditions that hold of the request and at its score.

    Args:
        policy: Whose rules.
        destination: Where requests would go.
        purpose: What they are for.
        tenant: Whose they are.
    """

    def __init__(self, policy: Policy, destination: Destination, purpose: str | None, tenant: str) -> None:
        self.policy = policy
        self.destination = destination
        applying = [
            (rule, surely)
            for rule in policy.rules
            if (not rule.purpose or purpose in rule.purpose) and (not rule.tenant or tenant in rule.tenant)
            for surely in applies(rule, destination)
        ]
        self._fixed = [(rule, surely) for rule, surely in applying if rule.data and not rule.depends]
        self._depending = [(rule, surely) for rule, surely in applying if rule.depends]
        self._whole = [rule for rule, _ in applying if not rule.data and not rule.depends]
        self._whole_depending = [
            (place, rule) for place, (rule, _) in enumerate(self._depending) if not rule.data
        ]
        # Which rules hold of a request is a number with a bit for each; most are told by counting values alone.
        self._always = 0
        self._special: list[int] = []
        for place, (rule, _) in enumerate(self._depending):
            special = rule.people_over or rule.topics or rule.all_of or (rule.more_than and rule.min_score)
            if special:
                self._special.append(place)
            elif not rule.more_than:
                self._always |= 1 << place
        self._types: dict[str, _OfType] = {}
        self._ends: dict[tuple[frozenset[int], tuple[str, ...], frozenset[str]], _End] = {}

    def decide(self, request: Request) -> Decision:
        """Return what becomes of a request here; one that is to be rerouted is not judged at its target yet."""
        types, made = self._types, self._of_type
        detections = request.detections
        of_types = [types.get(hit.entity_type) or made(hit.entity_type) for hit in detections]
        held = self._held(request) if self._depending else 0
        verdicts = [
            of_type.verdict(held, hit.score) for of_type, hit in zip(of_types, detections, strict=True)
        ]
        whole = [
            rule for rule in self._whole if not rule.topics or not rule.topics.isdisjoint(request.topics)
        ]
        whole += [rule for place, rule in self._whole_depending if held >> place & 1]
        return self._concluded(request, verdicts, whole)

    def _held(self, request: Request) -> int:
        """Return which of the rules that depend on the request hold of it, as bits."""
        held = self._always
        different = {
            (hit.entity_type, value) for hit, value in zip(request.detections, request.values, strict=True)
        }
        totals: dict[int, int] = {}
        for entity_type, _ in different:
            for place in self._types[entity_type].counted:
                totals[place] = totals.get(place, 0) + 1
        for place, total in totals.items():
            if total > self._depending[place][0].more_than:
                held |= 1 << place
        if self._special:
            present = _present(request, {entity_type for entity_type, _ in different})
            for place in self._special:
                if _holds(self._depending[place][0], request, present):
                    held |= 1 << place
        return held

    def _of_type(self, entity_type: str) -> _OfType:
        counted = [
            place
            for place, (rule, _) in enumerate(self._depending)
            if rule.more_than and place not in self._special and rule.about(entity_type)
        ]
        made = self._types[entity_type] = _OfType(entity_type, self._fixed, self._depending, counted)
        return made

    def _concluded(self, request: Request, verdicts: list[_Verdict], whole: list[Rule]) -> Decision:
        different = {verdict.serial: verdict for verdict in verdicts}
        key = (frozenset(different), tuple([rule.id for rule in whole]), request.topics)
        found = self._ends.get(key)
        if found is None:
            if len(self._ends) >= _MANY:
                self._ends.clear()
            found = self._ends[key] = _end(different.values(), whole, request.topics)
        outcome, deciding, warnings, targets = found
        return Decision(
            outcome,
            self.destination,
            tuple([verdict.action for verdict in verdicts]),
            tuple([verdict.rules for verdict in verdicts]),
            deciding,
            warnings,
            targets=targets,
            dry_run=self.policy.dry_run,
        )


_End = tuple[Outcome, tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""What becomes of a request, and, in alphabetical order: the rules that decided, the warnings, the targets."""


def _end(verdicts: Iterable[_Verdict], whole: Iterable[Rule], topics: frozenset[str]) -> _End:
    """Return what becomes of a request with such values, about which such rules are as a whole."""
    verdicts = list(verdicts)
    deciding = {rule_id for verdict in verdicts for rule_id in verdict.rules}
    blocks = any(verdict.action is Action.BLOCK for verdict in verdicts)
    targets = {target for verdict in verdicts for target in verdict.targets}
    warnings: set[str] = set()
    for rule in whole:
        if rule.action is Action.BLOCK:
            blocks = True
        elif rule.action is Action.REROUTE:
            targets.add(rule.reroute_to)
        elif rule.action is Action.WARN:
            warnings |= (rule.topics & topics) or rule.all_of or {"request"}
        else:
            continue  # what its values are, their verdicts tell
        deciding.add(rule.id)
    outcome: Outcome = "block" if blocks else "reroute" if targets else "send"
    return outcome, tuple(sorted(deciding)), tuple(sorted(warnings)), tuple(sorted(targets))


class _OfType:
    """What holds of the values of one type at a destination.

    Attributes:
        counted: Which of the depending rules count its values.
    """

    __slots__ = ("_bands", "_depending", "_fixed", "_mask", "_type", "_verdicts", "counted")

    def __init__(
        self,
        entity_type: str,
        fixed: Iterable[tuple[Rule, bool]],
        depending: Sequence[tuple[Rule, bool]],
        counted: Sequence[int],
    ) -> None:
        self._type = entity_type
        self._fixed = [each for each in fixed if each[0].about(entity_type)]
        self._depending = [
            (place, rule, surely)
            for place, (rule, surely) in enumerate(depending)
            if (rule if rule.data else replace(rule, data=rule.all_of)).about(entity_type)
        ]
        self._mask = sum(1 << place for place, _, _ in self._depending)
        self._bands = sorted({rule.min_score for _, rule, _ in self._depending if rule.min_score})
        self._verdicts: dict[tuple[int, int], _Verdict] = {}
        self.counted = tuple(counted)

    def verdict(self, held: int, score: float) -> _Verdict:
        """Return what becomes of a value with this score where these rules hold."""
        key = (held & self._mask, bisect_right(self._bands, score) if self._bands else 0)
        found = self._verdicts.get(key)
        if found is None:
            if len(self._verdicts) >= _MANY:
                self._verdicts.clear()
            found = self._verdicts[key] = self._worked_out(*key)
        return found

    def _worked_out(self, held: int, band: int) -> _Verdict:
        reached = set(self._bands[:band])
        found = _NONE
        for rule, surely in self._fixed:
            found = found.with_(rule, surely=surely)
        for place, rule, surely in self._depending:
            if held >> place & 1 and (not rule.min_score or rule.min_score in reached):
                found = found.with_(rule, surely=surely)
        # What nothing covers is blocked, and resident numbers have a floor.
        if not found.covered and found.action < Action.BLOCK:
            return _Verdict(Action.BLOCK, (DEFAULT,), False)
        if found.action is Action.ALLOW and self._type in RESIDENT_NUMBERS and not found.statute:
            return _Verdict(Action.TOKENIZE, (RESIDENT_FLOOR,), True)
        return found


def _present(request: Request, types: Iterable[str]) -> frozenset[str]:
    """Return everything by which a rule can call what is in a request."""
    topics = frozenset(f"topic:{topic}" for topic in request.topics)
    return topics.union(*(names_of(each) for each in types))


def _holds(rule: Rule, request: Request, present: frozenset[str]) -> bool:
    """Tell whether what a rule asks of a request as a whole holds."""
    if rule.people_over and request.people <= rule.people_over:
        return False
    if rule.topics and rule.topics.isdisjoint(request.topics):
        return False
    if not rule.all_of <= present:
        return False
    if not rule.more_than:
        return True
    counted = {
        (hit.entity_type, value)
        for hit, value in zip(request.detections, request.values, strict=True)
        if hit.score >= rule.min_score and rule.about(hit.entity_type)
    }
    return len(counted) > rule.more_than


def open_questions(policy: Policy, destination: Destination) -> list[str]:
    """Return the facts of a destination that are not known though a rule asks for them, and does not say what then."""
    asked = {
        name
        for rule in policy.rules
        for conditions in (rule.to, rule.to_not)
        for name, values in conditions.items()
        if UNKNOWN not in values
    }
    return [name for name in sorted(asked) if destination.value(name) == UNKNOWN]


def applies(rule: Rule, destination: Destination) -> Iterable[bool]:
    """Yield ``True`` if a rule applies at a destination, ``False`` if it perhaps does, for want of a fact, and else nothing."""
    surely = True
    for name, wanted in rule.to.items():
        value = destination.value(name)
        if value == UNKNOWN and UNKNOWN not in wanted:
            surely = False
        elif value not in wanted:
            return
    for name, unwanted in rule.to_not.items():
        # What is not known to be at home counts as abroad, but a lenient rule covers nothing there.
        value = destination.value(name)
        if value in unwanted:
            return
        if value == UNKNOWN:
            surely = False
    yield surely
