"""The place's own promises: it sleeps, wakes, and gives everything back."""

import os
import threading
import time
from collections.abc import Iterator

import pytest

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.linux.place import LinuxPlace, open_place
from tests.lockdown.linux.x11_desk import Desk, Puppet, locked

X_RULES: tuple[RuleId, ...] = (
    *("power", "keys", "focus", "clipboard", "windows", "hidden_windows", "injected_input", "displays"),
)


@pytest.fixture
def place(x11: Desk) -> Iterator[LinuxPlace]:
    made = open_place("x11")
    yield made
    made.close()


def test_a_pump_under_way_is_woken_from_another_thread(place: LinuxPlace) -> None:
    began = time.monotonic()
    waker = threading.Timer(0.05, place.wake)
    waker.start()
    place.pump(60)
    waker.join()
    assert time.monotonic() - began < 30


def test_a_wake_that_comes_first_ends_the_next_pump_and_only_that(place: LinuxPlace) -> None:
    place.wake()
    place.wake()
    began = time.monotonic()
    place.pump(60)
    assert time.monotonic() - began < 30
    place.pump(0.05)
    assert time.monotonic() - began >= 0.05


def test_it_sleeps_while_nothing_happens(x11: Desk, exam: Puppet) -> None:
    """Counted in waits, not in time: a loop that does not sleep has thousands of them."""
    with locked(x11, exam.exam, *X_RULES) as lock:
        lock.during(0.5)
        waits = 0
        wait = lock.place._wait

        def count(timeout_s: float) -> frozenset[int]:
            nonlocal waits
            waits += 1
            return wait(timeout_s)

        lock.place._wait = count  # type: ignore[method-assign]  # the same, counted
        lock.during(1.0)
    assert waits < 200


def test_closing_twice_is_harmless_and_nothing_stays_open(x11: Desk, exam: Puppet) -> None:
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(3):
        with locked(x11, exam.exam, *X_RULES) as lock:
            lock.place.pump(0)
        lock.place.close()
        lock.place.close()
        lock.place.wake()
    assert len(os.listdir("/proc/self/fd")) == files
    assert threading.active_count() == threads


def test_what_is_left_in_the_server_is_what_was_there(x11: Desk, exam: Puppet) -> None:
    snapshot = x11.snapshot(exam.window)
    was = snapshot()
    with locked(x11, exam.exam, *X_RULES) as lock:
        lock.during(0.2)
        assert snapshot() != was
    assert snapshot() == was
