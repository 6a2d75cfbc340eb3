from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sovguard.cli_reports import dependence_command, period, records_in, report
from sovguard.errors import ConfigError, InputError
from tests.reports.records import BY_HAND, OPENAI, START, request


@pytest.fixture
def records(tmp_path: Path) -> str:
    """A file of records."""
    place = tmp_path / "records.jsonl"
    place.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in BY_HAND) + "\n", "utf-8")
    return str(place)


def tried(command: object, *arguments: object) -> Result:
    """What a command does, or raises."""
    return CliRunner().invoke(command, [str(each) for each in arguments])  # type: ignore[arg-type]


def run(command: object, *arguments: object) -> Result:
    """Run a command that goes well."""
    done = tried(command, *arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done


def test_lines_for_a_terminal(records: str) -> None:
    """Where it went, what did not, and what has to be filled in."""
    said = run(report, "--records", records).stdout
    assert "7 requests in 6 sessions: 2 send, 1 reroute, 1 dry_run, 2 block, 1 refused" in said
    assert "openai → US → US  (1 allow, 1 remove, 2 tokenize)" in said
    assert "OpenAI OpCo, LLC [openai], 2 requests" in said


def test_json_and_a_page(records: str, tmp_path: Path) -> None:
    """Both at once; the period is that of the options, in Korean time."""
    page = tmp_path / "page.html"
    options = ("--since", "2026-09-02", "--until", "2026-09-02", "--html", page, "--language", "en", "--json")
    done = json.loads(run(report, "--records", records, *options).stdout)
    assert (done["requests"], done["since"], done["until"]) == (2, START + 86_400_000, START + 2 * 86_400_000)
    assert page.read_text("utf-8").startswith('<!doctype html>\n<html lang="en">')


def test_only_a_page(records: str, tmp_path: Path) -> None:
    """Nothing is printed."""
    assert run(report, "--records", records, "--html", tmp_path / "page.html").output == ""


def test_dependence_of_the_shipped_policy(records: str) -> None:
    """In lines and as JSON."""
    assert "vendors (제공자)" in run(dependence_command, "--records", records).stdout
    assert json.loads(run(dependence_command, "--records", records, "--json").stdout)["requests"] == 4


def test_days_and_dates() -> None:
    """A day is one where the offset says; a number of days is that many before now; the last day counts to its end."""
    now = datetime(2026, 9, 10, tzinfo=UTC)
    assert period("2026-09-01", None, 9, now=now) == (START, None)
    assert period("2026-09-01", "2026-09-01", 9, now=now) == (START, START + 86_400_000)
    assert period("9d", "1d", 0, now=now) == (START + 9 * 3_600_000, START + 9 * 3_600_000 + 8 * 86_400_000)
    for odd in ("yesterday", "2026-9-1", "2026-02-30", "-3d", "", "30"):
        with pytest.raises(ConfigError, match="YYYY-MM-DD"):
            period(odd, None, 9, now=now)
    with pytest.raises(ConfigError, match="between"):
        period("2026-09-02", "2026-09-01", 9, now=now)


def test_a_line_that_is_no_record_is_not_quoted(tmp_path: Path) -> None:
    """Its number is said, and nothing of it."""
    place = tmp_path / "r.jsonl"
    for odd in ("홍길동", '["홍길동"]', '{"a": "홍길동"'):
        place.write_text(f'{{"kind": "vault"}}\n\n{odd}\n', "utf-8")
        with pytest.raises(InputError, match="line 3") as caught:
            list(records_in(str(place)))
        assert "홍" not in str(caught.value)
    with pytest.raises(InputError, match="--records"):
        list(records_in(str(tmp_path / "none")))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--utc-offset", "nan"], "no number of hours"),
        (["--since", "2026-02-30"], "a day that there is"),
        (["--ledger", "somewhere"], "not both"),
    ],
)
def test_options_that_mean_nothing(records: str, options: list[str], said: str) -> None:
    """Each is refused with what to do about it."""
    done = tried(report, "--records", records, *options)
    assert done.exit_code != 0
    assert said in done.output + str(done.exception)


def test_half_a_character_in_a_name_is_shown_as_one_that_is_lost(tmp_path: Path) -> None:
    """Half of a UTF-16 pair, which no terminal can show."""
    place = OPENAI | {"provider": "a\ud800b"}
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(request(1, START, place)) + "\n", "utf-8")
    for command in (report, dependence_command):
        assert "a\ufffdb" in run(command, "--records", path).output
