"""`secureproctor unlock`: the way out, in sentences."""

import argparse
import json
from pathlib import Path

import pytest

from secureproctor.agent import unlock
from secureproctor.agent.command import main
from secureproctor.lockdown.holding import holding
from secureproctor.lockdown.undo import Undo
from tests.lockdown.fakes import FakePlace, Faults, Machine, terms


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One on which two rules are applied."""
    machine, folder = Machine(), tmp_path / "lockdown"
    folder.mkdir()
    for rule in (FakePlace(machine).rule("power"), FakePlace(machine).rule("printing")):
        Undo(folder, "fake").keep(rule.id, rule.before(terms()))
        rule.apply(terms(), lambda _: None)
    return machine


def run(folder: Path, machine: Machine, *words: str, faults: Faults | None = None) -> int:
    parser = argparse.ArgumentParser()
    unlock.add(parser)
    arguments = parser.parse_args(["--state-dir", str(folder), *words])
    return unlock.run(arguments, FakePlace(machine, faults).opened)


def test_it_says_what_was_restored(tmp_path: Path, machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, machine) == 0
    assert machine.values == Machine().values
    assert capsys.readouterr().out.splitlines() == [
        "Printing: restored.",
        "Power and screen saver: restored.",
        "Nothing of a lockdown is left on this computer.",
    ]


def test_it_says_what_is_stuck_and_why(tmp_path: Path, machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, machine, faults=Faults(restore={"power"})) == 1
    told = capsys.readouterr().out
    assert "Power and screen saver: not restored. power cannot be restored." in told
    assert "left on this computer" not in told


def test_while_an_exam_runs_it_touches_nothing_and_says_who_is_answerable(
    tmp_path: Path, machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unlock, "PATIENCE_S", 0.0)
    with holding(tmp_path / "lockdown", "the agent"):
        assert run(tmp_path, machine) == 1
    assert machine.get("power.set") == "locked"
    assert "the agent, process" in capsys.readouterr().out


def test_for_a_script_it_is_data(tmp_path: Path, machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lockdown" / "power.json").write_text("{")
    assert run(tmp_path, machine, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["restored"] == ["printing"]
    assert told["stuck"] == {}
    assert [Path(each).name for each in told["unreadable"]] == ["power-0.json"]


def test_by_the_command_line_with_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unlock", "--state-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{unlock.NOTHING}\n"
