"""The benchmarks' own arithmetic and data, without any timing and without the peers."""

from __future__ import annotations

import importlib
import json
import platform
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sovguard.entities import ENTITY_TYPES

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
CORPUS = BENCHMARKS / "corpora" / "dev.jsonl"
MODULES = (
    "accuracy",
    "answers",
    "definitions",
    "engine_client",
    "machine",
    "measurements",
    "run_all",
    "scoring",
    "setup_engines",
    "throughput",
    "workloads",
)


class Benchmarks:
    """The programs under benchmarks/ as modules; they import one another by their bare names."""

    def __getattr__(self, name: str) -> ModuleType:
        return importlib.import_module(name)


@pytest.fixture(scope="module")
def bench() -> Iterator[Benchmarks]:
    """The benchmarks' modules, importable while this file's tests run."""
    sys.path.insert(0, str(BENCHMARKS))
    yield Benchmarks()
    sys.path.remove(str(BENCHMARKS))
    for name in MODULES:
        sys.modules.pop(name, None)


def scored(bench, text, gold, predicted, **options):
    """The score of one document."""
    document = bench.scoring.Document("d", "test", text, tuple(gold))
    return bench.scoring.score([document], [predicted], **options)


def test_leak_needs_every_character_that_is_not_a_space(bench):
    """A span is a leak when one character shows, unless that character is a space."""
    text, gold = "010 0000 1234", [(0, 13, "PHONE_NUMBER")]
    whole = scored(bench, text, gold, [(0, 13, "PHONE_NUMBER")]).of("all")
    pieces = scored(bench, text, gold, [(0, 3, "A"), (4, 8, "B"), (9, 13, "C")]).of("all")
    short = scored(bench, text, gold, [(0, 12, "PHONE_NUMBER")]).of("all")
    nothing = scored(bench, text, gold, []).of("all")
    assert (whole.leaked, whole.missed) == (0, 0)
    assert (pieces.leaked, pieces.missed) == (0, 0)
    assert (short.leaked, short.missed) == (1, 0)
    assert (nothing.leaked, nothing.missed) == (1, 1)


def test_strict_wants_the_type_and_span_only_does_not(bench):
    """A right place under a wrong name covers, but is no strict hit."""
    result = scored(bench, "900101-3000007", [(0, 14, "KR_RRN")], [(0, 14, "KR_CRN")])
    row = bench.accuracy.measures(result.of("all"), result.characters)
    assert (row["leak"], row["f1"], row["span_only_f1"]) == (0.0, 0.0, 1.0)
    assert result.of("KR_CRN").predicted == 1
    assert result.of("KR_CRN").false == 0


def test_false_spans_touch_no_gold_of_any_type(bench):
    """A prediction that overlaps an annotated span is not false, and one place is false once in the total."""
    gold = [(0, 3, "PERSON")]
    predicted = [(1, 5, "USERNAME"), (6, 9, "KR_BRN"), (6, 9, "PHONE_NUMBER")]
    result = scored(bench, "0123456789" * 10, gold, predicted)
    assert result.of("USERNAME").false == 0
    assert (result.of("KR_BRN").false, result.of("PHONE_NUMBER").false) == (1, 1)
    assert result.of("all").false == 1
    row = bench.accuracy.measures(result.of("all"), result.characters)
    assert row["false_per_10000_characters"] == pytest.approx(100.0)


def test_an_excluded_type_is_neutral_ground(bench):
    """Without names, annotated names cannot leak, cover nothing, and make no prediction false."""
    text = "홍길동 010-0000-1234"
    gold = [(0, 3, "PERSON"), (4, 17, "PHONE_NUMBER")]
    predicted = [(0, 17, "PERSON"), (0, 3, "USERNAME"), (2, 6, "ID_NUMBER")]
    counts = scored(bench, text, gold, predicted, exclude=["PERSON"]).of("all")
    assert (counts.gold, counts.leaked, counts.missed) == (1, 1, 0)
    assert counts.false == 0
    assert counts.predicted == 1  # ID_NUMBER touches the telephone number; USERNAME touches a name alone


def test_types_score_the_named_ones_only(bench):
    """Asked about one type, other predictions still cover but are not counted as false."""
    gold = [(0, 3, "PERSON"), (4, 8, "USERNAME")]
    predicted = [(0, 3, "KR_BRN"), (9, 12, "KR_BRN"), (13, 15, "PERSON")]
    result = scored(bench, "0123456789abcdef", gold, predicted, types=["PERSON"])
    assert (result.of("all").gold, result.of("all").leaked) == (1, 0)
    assert (result.of("all").false, result.of("PERSON").false) == (1, 1)
    assert result.counts.keys() == {"all", "PERSON", "KR_BRN"}


def test_wilson_agrees_with_published_values(bench):
    """The interval of 0 of 10 and 81 of 263 (Newcombe 1998, table I) are as published."""
    assert bench.scoring.wilson(0, 0) is None
    assert bench.scoring.wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert bench.scoring.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_errors_listing_shows_fifteen_characters_of_context(bench):
    """A leak is listed with its type, its place and fifteen characters on either side."""
    document = bench.scoring.Document("d1", "test", "가" * 20 + "홍길동" + "나" * 20, ((20, 23, "PERSON"),))
    result = bench.scoring.score([document], [[(0, 2, "KR_BRN")]])
    listing = bench.accuracy.mistakes([document], {"engine": result}).splitlines()
    assert listing[1] == "engine\tfalse\tKR_BRN\td1\t0\t2\t⟦가가⟧" + "가" * 15
    assert listing[2] == "engine\tmissed\tPERSON\td1\t20\t23\t" + "가" * 15 + "⟦홍길동⟧" + "나" * 15


def test_corpus_is_what_its_readme_says(bench):
    """The committed corpus has the documents, characters, spans and types that the documents give."""
    documents = bench.accuracy.read_corpus(CORPUS)
    spans = [span for document in documents for span in document.spans]
    counted = (len(documents), sum(len(document.text) for document in documents), len(spans))
    assert counted == (160, 39901, 854)
    assert {entity_type for _, _, entity_type in spans} == ENTITY_TYPES.keys()


def test_engines_are_pinned_and_their_types_are_ours(bench):
    """Every peer has exact versions, a file, and types this project has."""
    specs = bench.engine_client.engine_specs()
    assert {"sovguard", "sovguard-off", "presidio", "ko-pii", "rust_pii_transformer", "kiwi"} <= specs.keys()
    for spec in specs.values():
        assert (BENCHMARKS / "engines" / f"{spec.module}.py").is_file()
        assert spec.environment == "self" or spec.requirements
        assert all(re.fullmatch(r"[a-z-]+==[0-9.]+", item) for item in spec.requirements)
        assert set(spec.types.values()) <= {*ENTITY_TYPES, "OTHER"}
    labels = specs["ko-pii"].options["labels"]
    assert all(specs["ko-pii"].types[label] != "OTHER" for label in labels)


def test_an_unknown_type_of_a_peer_stops_the_run(bench):
    """A type that engines.toml does not translate is an error, never dropped."""
    presidio = bench.engine_client.engine_specs()["presidio"]
    assert presidio.our_type("KR_RRN") == "KR_RRN"
    with pytest.raises(SystemExit, match="KR_NEW"):
        presidio.our_type("KR_NEW")


def test_definitions_parse_and_name_known_engines(bench):
    """Every definition has an analysis, its settings, and engines of engines.toml."""
    definitions = bench.definitions.read_definitions()
    specs = bench.engine_client.engine_specs()
    assert {definition.kind for definition in definitions} == set(bench.definitions.KINDS)
    for definition in definitions:
        assert set(definition.engines) <= specs.keys()
        assert all(specs[name].is_ours for name in definition.expected)
        assert definition.settings.get("baseline", definition.engines[0]) in definition.engines


def test_refreshing_replaces_expected_numbers_and_nothing_else(bench, tmp_path):
    """New numbers are written, other engines' numbers and the prose stay as they are."""
    path = tmp_path / "line.toml"
    prose = "kind = 'cold-start'\nanalysis = 'Why.'\nengines = ['sovguard']\nrounds = 1\ntext = '가'\n"
    path.write_text(prose, encoding="utf-8")
    bench.definitions.write_expected(bench.definitions.read_definition(path), {"sovguard": {"line": 3}})
    bench.definitions.write_expected(bench.definitions.read_definition(path), {"sovguard-off": {"line": 2}})
    expected = bench.definitions.read_definition(path).expected
    assert expected == {"sovguard": {"line": 3}, "sovguard-off": {"line": 2}}
    assert path.read_text(encoding="utf-8").startswith(prose)


def test_a_wrong_answer_fails_the_benchmark(bench):
    """Another number of detections than expected is a problem, and so is one that nobody wrote down."""
    definition = bench.definitions.read_definitions(["cold-start"])[0]
    specs = bench.engine_client.chosen_engines(["sovguard", "presidio"])
    definition.expected.update({"sovguard": {"line": 3}})
    row = bench.measurements.Row
    right, wrong = (row("cold-start", "sovguard", "line", 0, 0, spans=spans) for spans in (3, 2))
    unknown = row("cold-start", "sovguard", "other", 0, 0, spans=3)
    peer = row("cold-start", "presidio", "line", 0, 0, spans=1)
    problems = bench.throughput.wrong_counts(definition, specs, [right, wrong, unknown, peer])
    assert len(problems) == 2
    assert "gave 2 spans, not 3" in problems[0]
    assert "no expected answer" in problems[1]


def test_growth_out_of_step_fails_the_benchmark(bench):
    """Time per character at the long length over the limit is a problem for sovguard and not for a peer."""
    definition = bench.definitions.read_definitions(["scaling"])[0]
    specs = bench.engine_client.chosen_engines(["sovguard-off", "presidio"])
    rows = [
        bench.measurements.Row("scaling", spec.name, f"{kind}-{n}", 0, 0, characters=n, seconds=n * each)
        for spec in specs
        for kind in definition.settings["texts"]
        for n, each in ((1_000, 1e-6), (1_000_000, 4e-6 if kind == "digits" else 2e-6))
    ]
    problems = bench.throughput.out_of_step(definition, specs, rows)
    assert problems == ["scaling: sovguard-off takes 4.0 x as long for a character of digits"]


def test_every_engine_starts_a_round_in_turn(bench):
    """Rounds keep the order of engines and begin with another one each."""
    starts = [bench.throughput.rotated(["a", "b", "c"], number)[0][1] for number in range(4)]
    assert starts == ["a", "b", "c", "a"]
    assert bench.throughput.rotated([], 1) == []


def test_workload_is_the_same_from_the_same_seed(bench):
    """The same seed gives the same 3,000 lines of about 120 characters, another seed others."""
    lines = bench.workloads.mixed_lines(3000, 1)
    assert lines == bench.workloads.mixed_lines(3000, 1)
    assert len(set(lines) & set(bench.workloads.mixed_lines(3000, 2))) < 60
    assert 110 <= sum(map(len, lines)) / 3000 <= 130


def test_drawn_identifiers_pass_their_checks_and_are_nobodys(bench):
    """Drawn numbers are well-formed: births after 2030, check digits right, an unused telephone range."""
    workloads, rng = bench.workloads, random.Random(7)  # noqa: S311  the same numbers each time
    for _ in range(50):
        resident = workloads.resident_number(rng, "34").replace("-", "")
        weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
        total = sum(int(digit) * weight for digit, weight in zip(resident, weights, strict=False))
        assert int(resident[12]) == (11 - total % 11) % 10
        assert resident[6] in "34"
        assert int(resident[:2]) > 30
        card = workloads.card_number(rng).replace("-", "")
        doubled = [int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(card)]
        assert sum(value - 9 * (value > 9) for value in doubled) % 10 == 0
    phrases = "\n".join(workloads.identifier(rng) for _ in range(500))
    assert set(re.findall(r"010[- ][0-9]{4}", phrases)) == {"010-0000", "010 0000"}


@pytest.mark.parametrize("length", [1, 7, 1000])
def test_texts_for_growth_have_exactly_their_length(bench, length):
    """Ordinary and hostile texts are cut to the asked length."""
    for kind in ("ordinary", *bench.workloads.HOSTILE):
        assert len(bench.workloads.text_of(kind, length)) == length


def test_machine_file_names_no_host_and_no_path(bench):
    """What is recorded of the machine says nothing of its name or folders."""
    recorded = json.dumps(bench.machine.machine())
    for name in filter(None, (platform.node(), str(BENCHMARKS.parent), sys.executable)):
        assert name not in recorded


def test_server_answers_every_request_of_its_protocol(bench):
    """The empty engine answers info, load, run and detect, and a wrong request by name."""
    spec = bench.engine_client.chosen_engines(["empty"])[0]
    with bench.engine_client.Engine(spec) as engine:
        assert engine.ask("info")["versions"] == {}
        assert engine.ask("load", texts=["가나", "다"]) == {"texts": 2, "characters": 3}
        assert engine.ask("run")["spans"] == 0
        assert engine.ask("detect") == {"spans": [[], []]}
        with pytest.raises(bench.engine_client.EngineError, match="nonsense"):
            engine.ask("nonsense")


def test_an_engine_that_ends_is_an_error_and_not_an_empty_answer(bench):
    """A process that cannot start its engine raises with the reason."""
    spec = bench.engine_client.EngineSpec("gone", module="gone", environment="self")
    with (
        bench.engine_client.Engine(spec) as engine,
        pytest.raises(bench.engine_client.EngineError, match=r"gone\.py"),
    ):
        engine.ask("info")


@pytest.mark.parametrize("name", ["sovguard-off", "sovguard-off-each"])
def test_sovguard_engine_answers(bench, name):
    """sovguard, served like any peer, finds the telephone number of one text and nothing in the other."""
    spec = bench.engine_client.chosen_engines([name])[0]
    with bench.engine_client.Engine(spec) as engine:
        engine.ask("load", texts=["연락처 010-0000-1234입니다", "확인 부탁드립니다"])
        assert engine.ask("run")["spans"] == 1
        assert engine.ask("detect") == {"spans": [[[4, 17, "PHONE_NUMBER"]], []]}


def test_accuracy_writes_its_record(bench, tmp_path, capsys):
    """The program prints a table and writes counts, versions and mistakes of an engine."""
    out, errors = tmp_path / "out.json", tmp_path / "errors.txt"
    arguments = ["--corpus", str(CORPUS), "--engines", "empty", "--out", str(out), "--errors", str(errors)]
    assert bench.accuracy.main(arguments) == 0
    record = json.loads(out.read_text(encoding="utf-8"))
    assert record["corpus"]["spans"] == 854
    assert record["engines"]["empty"]["types"]["all"]["leak"] == 1.0
    assert len(errors.read_text(encoding="utf-8").splitlines()) == 855
    assert "100.0" in capsys.readouterr().out


def test_programs_explain_themselves():
    """Every program a user starts answers --help."""
    for program in ("accuracy", "throughput", "names", "latency", "setup_engines", "run_all"):
        command = [sys.executable, str(BENCHMARKS / f"{program}.py"), "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "usage:" in done.stdout
