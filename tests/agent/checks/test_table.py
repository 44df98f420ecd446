"""What `secureproctor check` prints, writes and returns."""

import io

import msgspec
import pytest
from rich.console import Console

from secureproctor.agent.checks.check import (
    Check,
    CheckContext,
    CouldNotCheck,
    Failed,
    Outcome,
    Passed,
    Warned,
    to_result,
)
from secureproctor.agent.checks.table import WORDS, check_table, exit_code, to_json
from secureproctor.contract.page import CheckResult, CheckResults


async def never(_: CheckContext) -> Outcome:
    raise NotImplementedError


CAMERA = Check("camera", "Camera", never)


def result(outcome: Outcome) -> CheckResult:
    return to_result(CAMERA, outcome, "linux")


PASSED = result(Passed("ok", "640 × 480, 30 pictures a second."))
WARNED = result(Warned("quiet", "Hardly anything is heard."))
FAILED = result(Failed("busy", "Another program has [bold]the camera[/bold]."))
UNKNOWN = result(CouldNotCheck("could_not_check", "The check did not finish in time."))


def printed(*results: CheckResult, width: int = 100, colour: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    console.print(check_table(results))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_only_what_passed_goes_without_a_remedy() -> None:
    assert PASSED.remedy == ""
    assert all(flawed.remedy for flawed in (WARNED, FAILED, UNKNOWN))


@pytest.mark.parametrize(
    ("shown", "word"),
    [(PASSED, "passed"), (WARNED, "warned"), (FAILED, "failed"), (UNKNOWN, "could not check")],
)
def test_every_status_is_a_word_also_without_colours(shown: CheckResult, word: str) -> None:
    assert word in printed(shown)
    assert "\x1b[" not in printed(shown)


def test_the_statuses_have_colours_of_their_own_where_there_are_any() -> None:
    assert len({colour for _, colour in WORDS.values()}) == len(WORDS)
    assert "\x1b[32mpassed" in printed(PASSED, colour=True)


def test_long_text_is_wrapped_and_not_cut() -> None:
    lines = printed(FAILED, width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert "…" not in "".join(lines)
    assert all(word in " ".join(lines) for word in ("fuser", "/dev/video0"))


def test_brackets_in_a_devices_name_are_text_and_no_markup() -> None:
    assert "[bold]" in printed(FAILED)


def test_the_json_is_the_contracts_and_survives_a_round_trip() -> None:
    results = (PASSED, WARNED, FAILED, UNKNOWN)
    assert msgspec.json.decode(to_json(results), type=CheckResults, strict=True) == CheckResults(False, results)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ((), 0),
        ((PASSED,), 0),
        ((PASSED, WARNED), 0),
        ((PASSED, UNKNOWN), 0),
        ((UNKNOWN, FAILED, PASSED), 1),
    ],
)
def test_only_a_failed_check_makes_the_exit_code_one(results: tuple[CheckResult, ...], code: int) -> None:
    assert exit_code(results) == code
    assert msgspec.json.decode(to_json(results), type=CheckResults).ok == (code == 0)
