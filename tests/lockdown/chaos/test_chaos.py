"""Whatever is killed, whenever, on a real X server with a window manager: the machine is given back, and nothing is left."""

from pathlib import Path

import pytest

from tests.lockdown.chaos.play import described, play, summary, tell, victim_of
from tests.lockdown.chaos.round import VICTIMS, Outcome

DEADLINE_S = 30.0
"""A busy machine gets more than the two seconds that it takes at most; how long it took is printed."""


@pytest.fixture(autouse=True)
def own_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """The X server's cookie is told to python-xlib by the environment; afterwards it is as it was."""
    monkeypatch.setenv("XAUTHORITY", "")


@pytest.mark.slow
def test_after_a_sudden_death_the_desktop_is_as_before(tmp_path: Path) -> None:
    """One round for each that may die."""
    outcomes = play(tmp_path, 100, range(len(VICTIMS)), DEADLINE_S, tell)
    assert [outcome.broken for outcome in outcomes] == [""] * len(VICTIMS)


@pytest.mark.slow
def test_after_any_of_many_sudden_deaths_the_desktop_is_as_before(tmp_path: Path) -> None:
    outcomes = play(tmp_path, 2, range(25), DEADLINE_S, tell)
    tell(summary(outcomes))
    assert [described(outcome) for outcome in outcomes if outcome.broken] == []


def test_the_table_names_the_rounds_that_are_to_be_played_again() -> None:
    outcomes = [Outcome(number, victim_of(number), took_ms={"guardian": float(number)}) for number in range(10)]
    outcomes[6].broken = "something is left"
    agent, guardian, *_ = summary(outcomes).splitlines()[2:]
    assert [cell.strip() for cell in agent.split("|")[1:-1]] == ["agent", "2", "guardian", "2", "0.00", "5.00", "none"]
    assert [cell.strip() for cell in guardian.split("|")[1:-1]][-1] == "6"
