"""Policy files: what they may say, what is refused and how it is said, cases, lint and explanations."""

from __future__ import annotations

from pathlib import Path

import pytest

from sovguard import ConfigError
from sovguard.policy import PROFILES, Action, Judges, load, parse
from sovguard.policy.cases import run
from sovguard.policy.explain import explain
from sovguard.policy.lint import lint
from sovguard.policy.rules import TOPICS
from tests.policy.places import CATALOGUE
from tests.policy.test_decisions import request

DATA = Path(__file__).resolve().parents[1] / "data"
pytestmark = pytest.mark.usefixtures("own_catalogue")


def policy(*lines: str, name: str = "p") -> str:
    """The text of a policy."""
    return "\n".join(["version = 1", f'name = "{name}"', *lines])


def rule(*lines: str, name: str = "r") -> str:
    """The text of a rule."""
    return "\n".join(["[[rule]]", f'id = "{name}"', *lines])


ALL = rule('data = ["*"]', 'action = "tokenize"', name="all")


def test_the_cases_of_the_conflicting_policy() -> None:
    """Each is decided as it says: rules that meet, counts, reroutes, unknown facts, addresses."""
    judges = Judges(load(DATA / "policy-conflicts.toml"))
    outcomes = list(run(judges, DATA / "policy-cases.toml"))
    assert len(outcomes) >= 45
    assert [(each.name, each.wrong) for each in outcomes if each.wrong] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = 1", "'name' is a required property"),
        ("version = 2\nname = 'p'", "version"),
        (policy("nonsense = 1"), "nonsense"),
        (policy('default = "allow"'), "default"),
        (policy('on_error = "send"'), "on_error"),
        (policy(rule('data = ["*"]')), "action"),
        (policy(rule('data = ["*"]', 'action = "forgive"')), "rule.0.action"),
        (policy(rule('action = "block"')), "about nothing"),
        (policy(rule('data = ["financal"]', 'action = "block"')), "'financal' is no entity type"),
        (policy(rule('topics = ["helth"]', 'action = "block"')), "'helth' is no topic"),
        (policy(rule('all_of = ["PERSON", "topic:helth"]', 'action = "block"')), "is no topic"),
        (policy(rule('topics = ["health"]', 'action = "mask"')), "'mask' is for data"),
        (policy(rule("everything = true", 'action = "allow"')), "'allow' is for data"),
        (policy(rule('data = ["PERSON"]', 'action = "warn"')), "topics are warned of"),
        (policy(rule('data = ["*"]', 'action = "reroute"')), "needs reroute_to"),
        (policy(rule('data = ["*"]', 'action = "reroute"', 'reroute_to = "x"')), "no [[target]]"),
        (policy(rule('data = ["KR_RRN"]', 'action = "allow"')), "statute"),
        (policy(rule('data = ["unique_identifier"]', 'action = "allow"')), "statute"),
        (policy(rule("everything = true", "more_than = 2", 'action = "block"')), "count data"),
        (policy(rule('data = ["*"]', 'action = "block"', "to = { law = ['KR'] }")), "rule.0.to"),
        (policy(rule('data = ["*"]', 'action = "block"', "to = { destination = ['nowhere'] }")), "nowhere"),
        (policy(ALL, ALL), "two rules p/all"),
        (policy('extends = "kr-pippa"'), "no profile"),
        (policy('without = ["p/none"]'), "p/none"),
        (policy("[[destination]]", 'id = "new"'), "needs 'provider'"),
        (policy("[[destination]]", 'id = "new"', 'provider = "x"', 'urls = ["new.example"]'), "a URL is written"),
        (policy("[[destination]]", 'id = "new"', 'provider = "x"', 'urls = ["https://kr.example/"]'), "the same URL"),
        (policy("[[target]]", 'id = "t"', 'destination = "x"', 'url = "https://x/"', 'dialect = "openai-chat"'), "'x'"),
        (policy("[[destination]]", 'id = "n"', 'provider = "x"', 'urls = ["https://{region}.{region}.x/"]'), "URL is written"),
        (policy("[[target]]", 'id = "t"', 'destination = "kr"', 'url = "https://kr.x/?a"', 'dialect = "openai-chat"'), "url"),
        ("version = ", "is not TOML"),
    ],
)  # fmt: skip
def test_what_no_policy_can_say_is_refused(text: str, said: str) -> None:
    """The error names the place, and nothing is put in place of it."""
    with pytest.raises(ConfigError, match=said.replace("[", r"\[").replace("]", r"\]")):
        parse(text)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    """What can be named instead is said."""
    with pytest.raises(ConfigError, match="kr-pipa"):
        load(tmp_path / "none.toml")
    (tmp_path / "cp949.toml").write_bytes("이름 = 1".encode("cp949"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path / "cp949.toml")


def test_extending(tmp_path: Path) -> None:
    """A policy has the rules of what it extends, less those that it names; the digest tells the two apart."""
    (tmp_path / "base.toml").write_text(policy('extends = "kr-pipa"', ALL, name="base"), "utf-8")
    (tmp_path / "top.toml").write_text(
        policy('extends = "base.toml"', 'without = ["kr-pipa/unknown-law"]', name="top"), "utf-8"
    )
    top, base = load(tmp_path / "top.toml"), load(tmp_path / "base.toml")
    assert {each.id for each in base.rules} - {each.id for each in top.rules} == {"kr-pipa/unknown-law"}
    assert "base/all" in {each.id for each in top.rules}
    assert top.digest != base.digest
    assert load(tmp_path / "top.toml").digest == top.digest
    (tmp_path / "base.toml").write_text(policy('extends = "top.toml"', name="base"), "utf-8")
    with pytest.raises(ConfigError, match="circle"):
        load(tmp_path / "top.toml")


def test_a_resident_number_leaves_as_it_is_only_under_a_statute() -> None:
    """With one named, it does; a rule about everything does not count for it."""
    broad = parse(policy(rule('data = ["*"]', 'action = "allow"')))
    decision = Judges(broad).decide(request("KR_RRN", "PERSON"), CATALOGUE.named("kr"))
    assert decision.actions == (Action.TOKENIZE, Action.ALLOW)
    lawful = rule('data = ["KR_RRN"]', 'action = "allow"', 'statute = "소득세법 제145조"')
    decision = Judges(parse(policy(lawful))).decide(request("KR_RRN"), CATALOGUE.named("kr"))
    assert decision.actions == (Action.ALLOW,)


def test_lint_names_what_is_odd() -> None:
    """Unreachable, shadowed, contradictory, dead ends, resident numbers, types nobody knows, facts nobody knows."""
    text = policy(
        "[[target]]", 'id = "t"', 'destination = "cn"', 'url = "https://cn.example/v1"', 'dialect = "openai-chat"',
        rule('data = ["*"]', 'action = "allow"', name="broad"),
        rule('data = ["PERSON"]', 'action = "tokenize"', name="weak"),
        rule('data = ["PERSON"]', 'action = "mask"', name="strong"),
        rule('data = ["PHONE_NUMBER"]', 'action = "mask"', 'to = { jurisdiction = ["FR"], provider = ["none"] }', name="far"),
        rule('data = ["EMAIL_ADDRES"]', 'action = "mask"', name="typo"),
        rule('data = ["KR_BRN"]', 'action = "block"', 'to = { jurisdiction = ["CN"] }', name="china"),
        rule('data = ["KR_BRN"]', 'action = "reroute"', 'reroute_to = "t"', 'to = { jurisdiction = ["US"] }', name="away"),
    )  # fmt: skip
    odd = {(each.kind, each.about) for each in lint(parse(text))}
    assert odd >= {
        ("unreachable", "p/far"),
        ("shadowed", "p/weak"),
        ("contradictory", "p/weak"),
        ("unknown-type", "p/typo"),
        ("resident-numbers", "p/broad"),
        ("dead-end", "p/away"),
        ("unknown-fact", "what"),
    }
    assert {about for kind, about in odd if kind == "shadowed"} == {"p/weak"}


def test_an_explanation_names_rules_facts_and_what_would_change_it() -> None:
    """For what is blocked: why, by which article, what would let it go, and where it could go."""
    judges = Judges(load("kr-public"))
    told = explain(judges, request("PERSON", "KR_RRN"), CATALOGUE.named("seoul"))
    assert told.decision.outcome == "block"
    (reason,) = [each for each in told.reasons if each.rule == "kr-public/not-abroad"]
    assert (reason.action, reason.rests_on["jurisdiction"].value) == ("block", "US")
    assert any("클라우드" in article for article in reason.law)
    assert told.without == {"kr-public/not-abroad": "sent to seoul: remove, tokenize"}
    assert told.elsewhere == ("kr", "kr+", "own")
    assert told.counts == {"KR_RRN": {"remove": 1}, "PERSON": {"tokenize": 1}}
    nowhere = explain(judges, request("PERSON"), None)
    assert "no destination" in nowhere.reasons[0].why
    unknown = explain(Judges(load("us")), request("PERSON"), CATALOGUE.named("what"))
    assert unknown.unknown == ("jurisdiction",)


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_have_titles_and_known_topics(name: str) -> None:
    """Each is a file that anyone may read, extend and test."""
    loaded = load(name)
    assert loaded.name == name
    assert all(each.topics <= set(TOPICS) for each in loaded.rules)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ('[case]\nto = "kr"', "[[case]] tables"),
        ('[[case]]\nto = "kr"', "expect"),
        ('[[case]]\nto = "kr"\nexpect = "send"', "a case has"),
        ('[[case]]\nexpect = { outcome = "send" }', "say where"),
        ('[[case]]\nto = "kr"\nfound = ["PERSN"]\nexpect = { outcome = "send" }', "did you mean PERSON"),
        ('[[case]]\nto = "kr"\nfound = ["person"]\nexpect = { outcome = "send" }', "no entity type"),
        ('[[case]]\nto = "kr"\nfound = "PERSON"\nexpect = { outcome = "send" }', "list of names"),
        ('[[case]]\nto = "kr"\ntopics = ["helth"]\nexpect = { outcome = "send" }', "no topic"),
        ('[[case]]\nto = "kr"\ntopics = "health"\nexpect = { outcome = "send" }', "list of names"),
        ('[[case]]\nto = "kr"\nfound = ["PERSON"]\nexpect = { actions = "x" }', "table of types"),
        ('[[case]]\nto = "kr"\nfound = ["PERSON"]\nexpect = { actions = { PERSON = "hide" } }', "table of types"),
        ('[[case]]\nto = "kr"\nexpect = { warnings = 1 }', "list of names"),
    ],
)  # fmt: skip
def test_cases_that_would_reassure_falsely_are_errors(tmp_path: Path, case: str, said: str) -> None:
    """A name that is misspelt would be decided as the case says, whatever the policy says."""
    (tmp_path / "cases.toml").write_text(case, "utf-8")
    with pytest.raises(ConfigError, match=said.replace("[", r"\[").replace("]", r"\]")):
        list(run(Judges(load("kr-pipa")), tmp_path / "cases.toml"))
