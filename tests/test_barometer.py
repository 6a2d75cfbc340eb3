"""The barometer: its texts, its answers, a small run of it, and what is drawn from a record."""

from __future__ import annotations

import functools
import importlib
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sovguard.entities import ENTITY_TYPES

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS, DOCS = ROOT / "benchmarks", ROOT / "docs"
SVG = "{http://www.w3.org/2000/svg}"
WORKLOADS = ("chat", "prompts", "logs", "csv", "long-documents", "clean", "dense", "hostile")


class Benchmarks:
    """The programs under benchmarks/ as modules; they import one another by their bare names."""

    def __getattr__(self, name: str) -> ModuleType:
        return importlib.import_module(name)


@pytest.fixture(scope="module")
def bench() -> Iterator[Benchmarks]:
    """The benchmarks' modules, importable while this file's tests run."""
    before = set(sys.modules)
    sys.path.insert(0, str(BENCHMARKS))
    yield Benchmarks()
    sys.path.remove(str(BENCHMARKS))
    for name in {path.stem for path in BENCHMARKS.glob("*.py")} & (set(sys.modules) - before):
        sys.modules.pop(name)


@pytest.fixture(scope="module")
def quick(bench, tmp_path_factory) -> tuple[Path, Path, int]:
    """A quick run of one engine on two workloads: its record, its definitions, and how it ended."""
    definitions, out = tmp_path_factory.mktemp("definitions"), tmp_path_factory.mktemp("record")
    shutil.copytree(BENCHMARKS / "definitions", definitions, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        read = functools.partial(bench.definitions.read_definitions, folder=definitions)
        patch.setattr(bench.barometer, "read_definitions", read)
        arguments = ["--quick", "--engines", "sovguard-off", "--workloads", "chat,clean", "--out", str(out)]
        ended = bench.barometer.main([*arguments, "--refresh-expected"])
    return out, definitions, ended


@pytest.mark.parametrize("workload", WORKLOADS)
def test_documents_hold_what_was_planted_in_them(bench, workload):
    """Spans lie inside their texts, in order, apart, on something that is not blank, and of types that exist."""
    made = bench.curated.documents(workload, 60, seed=3)
    assert made == bench.curated.documents(workload, 80, seed=3)[:60]
    assert {document.text for document in made}.isdisjoint(
        document.text for document in bench.curated.documents(workload, 60, seed=4) if len(document.text) > 90
    )
    assert any(document.spans for document in made) is (workload != "clean")
    for document in made:
        ends = 0
        for start, end, entity_type in document.spans:
            assert ends <= start < end <= len(document.text)
            assert document.text[start:end] == document.text[start:end].strip() != ""
            assert entity_type in ENTITY_TYPES
            ends = end


def test_every_personal_slot_is_planted_somewhere(bench):
    """No type that can be planted is left out of all workloads."""
    planted = {
        entity_type
        for workload in WORKLOADS
        for document in bench.curated.documents(workload, 60, seed=1)
        for _, _, entity_type in document.spans
    }
    assert planted == {entity_type for entity_type, _ in bench.planting.PERSONAL.values()}


def test_planted_values_are_nobodys(bench):
    """Telephone numbers of the unused range, mail under .example, births after 2030, private networks."""
    documents = [
        document for name in WORKLOADS[:-1] for document in bench.curated.documents(name, 60, seed=2)
    ]
    values = [
        (document.text[start:end], kind) for document in documents for start, end, kind in document.spans
    ]
    forms = {
        "PHONE_NUMBER": r"(?:010|\+82 10)[-. ]?0000[-. ]?[0-9]{4}",
        "EMAIL_ADDRESS": r"[a-z]+\.[0-9]+@[a-z]+[0-9]+\.example",
        "KR_RRN": r"(?:3[1-9]|[4-9][0-9])[0-9]{4}-[34][0-9]{6}",
        "KR_FRN": r"(?:3[1-9]|[4-9][0-9])[0-9]{4}-[78][0-9]{6}",
        "CREDIT_CARD": r"4000-0000-[0-9]{4}-[0-9]{4}",
        "IP_ADDRESS": r"10\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}",
        "MAC_ADDRESS": r"02:00(?::[0-9a-f]{2}){4}",
        "KR_PCCC": r"P00000[0-9]{7}",
    }
    for kind, form in forms.items():
        found = [value for value, said in values if said == kind]
        assert found
        assert all(re.fullmatch(form, value) for value in found), kind


def test_a_template_remembers_where_its_values_are(bench):
    """Personal slots become spans, harmless ones do not, known values come back, and joining moves spans along."""
    import random

    known = {"who": ("PERSON", "홍길동")}
    rng = random.Random(1)  # noqa: S311  the same values each time
    planted = bench.planting.plant("{who}, {phone}, {order} {{끝}}", rng, known)
    both = bench.planting.joined(" / ", [planted, planted])
    assert [both.text[start:end] for start, end, _ in both.spans] == 2 * [
        planted.text[start:end] for start, end, _ in planted.spans
    ]
    assert [kind for _, _, kind in planted.spans] == ["PERSON", "PHONE_NUMBER"]
    assert planted.text.startswith("홍길동, ")
    assert planted.text.endswith(" {끝}")


def test_an_answer_tells_what_changed(bench):
    """Another type, another place of the same type and an unknown workload are told apart; the order of spans is not."""
    answers = bench.answers
    spans = [[(0, 3, "PERSON"), (4, 8, "KR_RRN")], []]
    expected = answers.answer_of(spans)
    assert expected.keys() == {"digest", "PERSON", "KR_RRN"}
    assert answers.spans_in(expected) == 2
    assert answers.difference(expected, answers.answer_of([spans[0][::-1], []])) is None
    moved = answers.difference(expected, answers.answer_of([[(0, 2, "PERSON"), (4, 8, "KR_RRN")], []]))
    assert moved is not None
    assert "not the same ones" in moved
    other = answers.difference(expected, answers.answer_of([[(0, 3, "PERSON"), (4, 8, "KR_CRN")], []]))
    assert other == "gave 1 KR_CRN, not 0; 0 KR_RRN, not 1"
    assert "--refresh-expected" in (answers.difference(None, expected) or "")
    assert answers.difference(3, 2) == "gave 2 spans, not 3"


def test_answers_are_written_and_read_back(bench, tmp_path):
    """A digest with counts survives the file it is kept in."""
    path = tmp_path / "chat.toml"
    path.write_text((BENCHMARKS / "definitions" / "chat.toml").read_text("utf-8"), "utf-8")
    answer = bench.answers.answer_of([[(0, 3, "PERSON")]])
    bench.definitions.write_expected(
        bench.definitions.read_definition(path), {"new": {"seed-1": answer, "line": 2}}
    )
    assert bench.definitions.read_definition(path).expected["new"] == {"seed-1": answer, "line": 2}


def test_server_answers_one_text_a_call_from_several_threads(bench):
    """Every text has a time of its own, however many threads ask; a thread that fails is an error."""
    spec = bench.engine_client.chosen_engines(["empty"])[0]
    with bench.engine_client.Engine(spec) as engine:
        engine.ask("load", texts=["가", "나", "다"])
        for threads in (1, 2, 4):
            answer = engine.ask("each", threads=threads)
            assert len(answer["microseconds"]) == 3
            assert answer["spans"] == 0
        assert (engine.ask("memory")["peak_bytes"] or 1) > 0

    def fails(texts: list[str]) -> list[list[object]]:
        raise RuntimeError(texts[0])

    assert bench.engine_server.one_by_one(fails, ["가"], 2) == {"error": "RuntimeError in a thread"}


def test_a_quick_run_keeps_its_record(bench, quick):
    """Rates, times of single texts, answers, memory, and the machine; the answers are written into definitions."""
    out, definitions, ended = quick
    assert ended == 0
    record = bench.barometer_record.read_barometer(out)
    assert record.workloads == ["chat", "clean"]
    assert record.engines == record.detecting == ["sovguard-off"]
    assert {row.definition for row in record.rows} == {"chat", "clean", "cold-start", "sizes", "parallel"}
    assert record.rate("chat", "sovguard-off") > 0
    assert len(record.single["chat", "sovguard-off"]) == 60
    assert record.leak("sovguard-off", "chat") > record.leak("sovguard-off", "chat", names=False)
    assert record.leak("sovguard-off", "clean") is None
    assert record.settings["quick"]
    assert record.parallel("sovguard-off").keys() >= {"threads-1", "threads-4", "processes-2"}
    expected = bench.definitions.read_definition(definitions / "chat.toml").expected["sovguard-off"][
        "quick-1"
    ]
    assert expected == record.answers["chat"]["engines"]["sovguard-off"]["answers"]["quick-1"]


def test_a_wrong_answer_ends_the_barometer_with_one(bench, quick, monkeypatch, tmp_path, capsys):
    """As many spans as expected, one of them in another place, fail the run."""
    _, definitions, _ = quick
    definition = bench.definitions.read_definition(definitions / "chat.toml")
    answer = {**definition.expected["sovguard-off"]["quick-1"], "digest": "0123456789abcdef"}
    bench.definitions.write_expected(definition, {"sovguard-off": {"quick-1": answer}})
    read = functools.partial(bench.definitions.read_definitions, folder=definitions)
    monkeypatch.setattr(bench.barometer, "read_definitions", read)
    only = ["--workloads", "chat", "--measures", "workloads", "--engines", "sovguard-off"]
    assert bench.barometer.main(["--quick", *only, "--out", str(tmp_path)]) == 1
    assert "not the same ones" in capsys.readouterr().out


def test_an_unknown_workload_or_measure_is_refused(bench, capsys):
    """A word that is none of them ends the program before anything runs."""
    for option in ("--workloads", "--measures"):
        with pytest.raises(SystemExit):
            bench.barometer.arguments([option, "nonsense"])
        assert "nonsense" in capsys.readouterr().err


def check_drawing(bench, path: Path) -> None:
    """A file that needs nothing else, says what it is, and has no text beyond its edge."""
    text = path.read_text("utf-8")
    root = ElementTree.fromstring(text)  # noqa: S314  a file of this project
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"].startswith(root.findtext(f"{SVG}title") or "?")
    assert not re.search("href|url\\(|<script|@import|font-face", text)
    for piece in root.iter(f"{SVG}text"):
        x, y = float(piece.attrib["x"]), float(piece.attrib["y"])
        classes = piece.attrib.get("class", "").split()
        long = bench.barometer_frames.width_of(piece.text, 12 if {"tick", "small"} & {*classes} else 13)
        left = x - (long if "end" in classes else long / 2 if "middle" in classes else 0)
        # The estimate is of a wide font; a few points over the edge by it are inside in any font there is.
        assert left > -4, piece.text
        assert left + long < width + (120 if "under" in classes else 4), piece.text
        assert 0 < y < height, piece.text


def test_drawings_and_tables_come_from_a_record(bench, quick, tmp_path):
    """Every drawing is drawn, and every table of the page is filled."""
    out, _, _ = quick
    shutil.copy(DOCS / "barometer.md", tmp_path)
    assert bench.draw_barometer.main([str(out), "--docs", str(tmp_path)]) == 0
    for name in bench.barometer_charts.CHARTS:
        check_drawing(bench, tmp_path / "barometer" / f"{name}.svg")
    page = (tmp_path / "barometer.md").read_text("utf-8")
    assert set(re.findall("<!-- barometer: ([a-z-]+) -->", page)) == bench.barometer_tables.TABLES.keys()
    assert "a quick run" in page
    assert "| `sovguard-off` |" in page


def test_the_page_is_what_its_record_gives(bench, tmp_path):
    """Nothing on the page or in a drawing was written by hand: drawing the record anew changes nothing."""
    page = DOCS / "barometer.md"
    name = re.search("benchmarks/record/([^)]+)\\)", page.read_text("utf-8"))
    assert name, "python benchmarks/draw_barometer.py fills the page"
    shutil.copy(page, tmp_path)
    record = bench.barometer_record.read_barometer(BENCHMARKS / "record" / name[1])
    for path in bench.draw_barometer.draw(record, tmp_path):
        kept = DOCS / path.relative_to(tmp_path)
        assert path.read_text("utf-8") == kept.read_text("utf-8"), kept.name
        if path.suffix == ".svg":
            check_drawing(bench, kept)
            assert f"barometer/{path.name}" in page.read_text("utf-8")


def test_scales_and_marks(bench):
    """Bounds hold their values at 1, 2 or 5, marks are round, labels keep their distance and their order."""
    frames = bench.barometer_frames
    assert frames.bounds([65_000, 13_000_000]) == (50_000, 20_000_000)
    assert frames.bounds([]) == (1.0, 10.0)
    assert frames.decades(50_000, 20_000_000) == [1e5, 1e6, 1e7]
    assert frames.steps(0.88) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert frames.steps(0) == pytest.approx([0, 0.1])
    assert frames.logarithmic(1, 100, 0, 10)(10) == pytest.approx(5)
    assert frames.spread([10, 11, 50], 16, 0, 60) == [10, 26, 50]
    assert frames.spread([58, 59], 16, 0, 60) == [44, 60]
    assert [frames.short(value) for value in (0.0052, 0.5, 1.26, 12.3, 12_340, 999_700, 3.1e6)] == [
        "0.0052", "0.50", "1.3", "12", "12 k", "1.0 M", "3.1 M",
    ]  # fmt: skip
    assert bench.measurements.percentile([5, 1, 4, 2, 3], 50) == 3
    assert bench.measurements.percentile(range(1, 201), 99) == 198


def test_every_workload_has_a_definition_with_answers(bench):
    """The eight definitions name every peer, and hold the answers of each mode for a full and a quick run."""
    assert tuple(bench.curated.WORKLOADS) == WORKLOADS
    specs = bench.engine_client.engine_specs()
    for definition in bench.definitions.read_definitions(WORKLOADS):
        assert definition.kind == "workload"
        rounds = {"quick-1", *(f"seed-{seed}" for seed in definition.settings["seeds"])}
        ours = {name for name in definition.engines if specs[name].is_ours}
        assert {"presidio", "piighost", "ko-pii", "rust_pii_transformer", "kiwi"} <= set(definition.engines)
        assert definition.expected.keys() == ours
        assert all(answers.keys() == rounds for answers in definition.expected.values())


def test_the_programs_explain_themselves():
    """Both programs answer --help."""
    for program in ("barometer", "draw_barometer"):
        command = [sys.executable, str(BENCHMARKS / f"{program}.py"), "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "usage:" in done.stdout


def test_records_name_no_host_and_no_path(quick):
    """What is committed of a run says nothing of the machine's name or folders."""
    out, _, _ = quick
    about = (out / "barometer-machine.json").read_text("utf-8")
    assert str(ROOT) not in about
    assert json.loads(about)["settings"]["seconds"] > 0
