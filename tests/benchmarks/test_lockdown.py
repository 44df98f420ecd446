"""The benchmark of the lockdown: its verdicts, and one of each deed on a real X server."""

from pathlib import Path

import pytest

from secureproctor.benchmarks.assault import COMBINATIONS, focus_thefts, forbidden_starts, scene, some
from secureproctor.benchmarks.lockdown import Idle, Size, given_back, idle, told, verdicts
from secureproctor.benchmarks.lone_lockdown import FORBIDDEN

ONE = Size(deeds=1, starts=1, fills=1, deaths=1, settle_s=0.0, idle_s=0.2)


def idling(lockdown_pct: float) -> Idle:
    return Idle("kernel", 100, 3, lockdown_pct, 0.1, 0.0, 16.0, 9.0)


def test_a_limit_is_kept_by_the_worst_of_all() -> None:
    times = {"focus stolen → reported": [2.0, 4.0], "focus stolen → back": [9.0, 300.0], "forbidden program": [500.1]}
    focus, programs, at_rest = verdicts(times, [idling(0.1), idling(0.45)])
    assert focus.startswith("kept: focus stolen: at most 300 ms")
    assert programs.startswith("MISSED: forbidden program")
    assert at_rest == "MISSED: idle: at most 0.55 %, of 0.5 % of a processor"


def test_all_figures_are_told() -> None:
    lines = told({"focus stolen": [1.0], "forbidden program": [2.0]}, [idling(0.2)]).splitlines()
    assert [line.count("|") for line in lines if line.startswith("| focus")] == [6]
    assert [cell.strip() for cell in lines[7].split("|")[1:4]] == ["kernel", "100", "3"]


def test_names_and_combinations_are_enough_for_all_deeds() -> None:
    assert len(set(FORBIDDEN)) >= 2 * Size().starts
    assert len(set(COMBINATIONS)) == 48


def test_a_locked_exam_is_assaulted_given_back_and_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAUTHORITY", "")  # the X server's cookie is told by it; afterwards it is as it was
    with scene(tmp_path) as at:
        with at.lockdown() as lockdown:
            lockdown.tell("lock")
            lockdown.until("ended", "lock")
            thefts = focus_thefts(at, lockdown, 1)
            starts = forbidden_starts(at, lockdown, some(1))
        back = given_back(at, ONE)
        at_rest = idle(at, ONE, 0, ("--polling",))
    assert {name: len(times) for name, times in thefts.items()} == dict.fromkeys(thefts, 1)
    assert len(starts) == 1
    assert all(ms > 0 for times in (starts, *thefts.values(), *back.values()) for ms in times)
    assert at_rest.guardian_mb > at_rest.private_mb > 1
