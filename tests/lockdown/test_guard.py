"""The guard's thread: it answers from any thread, tells in its own, and lets the guardian go when it cannot go on."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secureproctor.lockdown import guard as guarding
from secureproctor.lockdown.guard import Guard
from secureproctor.lockdown.news import LockFailed, News, NotEnforceable
from secureproctor.lockdown.rule import Exam, Probed, Sighting
from secureproctor.lockdown.standing import Standings
from tests.lockdown.fakes import POLICIES, FakeGuardian, FakePlace, terms


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[tuple[Guard, FakePlace, list[News], FakeGuardian]]:
    place, told, guardian = FakePlace(), list[News](), FakeGuardian()
    guard = Guard(place.opened, tmp_path / "lockdown", told.append, guardian=guardian.start)
    yield guard, place, told, guardian
    guard.close()


Guarded = tuple[Guard, FakePlace, list[News], FakeGuardian]


def until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        threading.Event().wait(0.005)
    return true()


def test_a_guard_that_was_never_asked_does_nothing(guard: Guarded) -> None:
    engine, place, _, _ = guard
    assert engine.status == Standings()
    assert engine.unlock("over") == ()
    engine.close()
    assert not place.events


def test_all_of_a_rules_calls_come_in_one_thread(guard: Guarded) -> None:
    engine, place, told, _ = guard
    threads: set[str] = set()
    place.machine.step = lambda _: threads.add(threading.current_thread().name)
    engine.lock(terms())
    engine.unlock("over")
    assert threads == {"lockdown"}
    assert told


def test_a_sighting_is_told_while_nobody_asks(guard: Guarded) -> None:
    engine, place, told, _ = guard
    engine.lock(terms())
    place.see(Sighting("keys", "key_stopped", {"keys": "Alt+Tab"}))
    assert until(lambda: any(isinstance(each, Sighting) for each in told))


def test_what_is_undone_is_applied_again_within_about_a_second(guard: Guarded) -> None:
    engine, place, _, _ = guard
    engine.lock(terms())
    place.machine.put("power.set", "undone")
    assert until(lambda: place.machine.get("power.set") == "locked")


def test_refusals_reach_the_caller(guard: Guarded) -> None:
    engine, place, _, _ = guard
    place.faults.probed["keys"] = Probed("impossible", "It cannot be.")
    with pytest.raises(NotEnforceable):
        engine.lock(terms("keys"))
    place.faults.apply.add("power")
    with pytest.raises(LockFailed):
        engine.lock(terms("power"))
    assert engine.status.phase == "probed"


def test_callers_from_many_threads_wait_for_their_turn(guard: Guarded) -> None:
    engine, place, _, _ = guard
    was = place.machine.values
    acts: list[Callable[[], object]] = [
        lambda: engine.probe(terms()),
        lambda: engine.lock(terms()),
        lambda: engine.lift("paused"),
        lambda: engine.moved(Exam(window=3)),
        lambda: engine.override("keys"),
    ]
    threads = [threading.Thread(target=act) for act in acts * 3]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert engine.unlock("over") == ()
    assert place.machine.values == was


def test_after_the_machine_is_given_back_the_place_is_closed(guard: Guarded) -> None:
    engine, place, _, guardian = guard
    engine.lock(terms())
    engine.unlock("over")
    assert place.events[-1] == ("close", "fake")
    assert guardian.events == ["start", "done"]
    engine.lock(terms())
    assert engine.status.phase == "locked"


def test_closing_gives_the_machine_back(guard: Guarded) -> None:
    engine, place, _, guardian = guard
    was = place.machine.values
    engine.lock(terms())
    engine.close()
    assert place.machine.values == was
    assert guardian.events == ["start", "done"]


def test_what_is_stuck_at_the_end_is_left_to_the_guardian(guard: Guarded) -> None:
    engine, place, _, guardian = guard
    engine.lock(terms())
    place.faults.restore.add("power")
    engine.close()
    assert guardian.events == ["start", "drop"]
    place.faults.restore.clear()


def test_a_thread_that_dies_leaves_the_machine_to_the_guardian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the agent is told must not fail; if it does, nothing stays locked."""
    faults: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda fault: faults.append(fault.exc_type))
    place, guardian = FakePlace(), FakeGuardian()
    told: list[News] = []

    faulty = threading.Event()

    def tell(news: News) -> None:
        told.append(news)
        if faulty.is_set():
            faulty.clear()
            raise ZeroDivisionError

    engine = Guard(place.opened, tmp_path, tell, guardian=guardian.start)
    engine.lock(terms())
    faulty.set()
    place.grabs.discard("keys")
    place.faults.apply.add("keys")
    assert until(lambda: "drop" in guardian.events)
    assert until(lambda: isinstance(told[-1], Standings) and told[-1].phase == "stuck")
    assert set(engine.unlock("over")) == set(POLICIES)
    assert not place.grabs
    engine.close()
    assert faults == [ZeroDivisionError]


def test_a_guard_that_hangs_in_a_rule_leaves_the_machine_to_the_guardian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "RESTORES_IN_S", 0.1)
    place, guardian, hang = FakePlace(), FakeGuardian(), threading.Event()
    engine = Guard(place.opened, tmp_path, lambda _: None, guardian=guardian.start)
    engine.lock(terms())
    place.faults.hang["restore", "printing"] = hang
    assert "printing" in engine.unlock("over")
    assert guardian.events == ["start", "drop"]
    hang.set()
    engine.close()
    assert until(lambda: all(each.name != "lockdown" for each in threading.enumerate()))
