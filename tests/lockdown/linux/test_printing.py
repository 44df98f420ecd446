"""Print jobs, against a scheduler that is played by a thread on a socket of the test's own."""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.lockdown.linux.printing import LOOK_S, PrintingRule, job_ids, request
from secureproctor.lockdown.rule import Sighting
from tests.lockdown.rules.machine import Clock, terms

DEADLINE_S = 20.0


def attribute(job: int) -> bytes:
    return b"\x02\x21\x00\x06job-id\x00\x04" + struct.pack(">i", job)


class Scheduler:
    """Answers every question with the jobs that it has."""

    def __init__(self, path: Path) -> None:
        self.jobs: list[int] = []
        self.asked: list[bytes] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE_S)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(65536))
                answer = b"\x02\x00\x00\x00\x00\x00\x00\x01" + b"".join(map(attribute, self.jobs)) + b"\x03"
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + answer)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Scheduler]:
    made = Scheduler(tmp_path / "cups.sock")
    yield made
    made.close()


class Watching:
    """The rule, verified until the scheduler was asked once more and the answer was taken."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.seen: list[Sighting] = []
        self.rule = PrintingRule(path, self.clock)
        self.rule.apply(terms(), self.seen.append)

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not true():
            assert time.monotonic() < deadline
            assert self.rule.verify()
            time.sleep(0.002)

    def ask_again(self) -> None:
        self.clock.now += LOOK_S
        self.rule.verify()
        self.until(lambda: self.rule._question is None)


def test_jobs_that_were_there_are_no_news_and_a_new_one_is_told_once(tmp_path: Path, scheduler: Scheduler) -> None:
    scheduler.jobs = [3, 4]
    watching = Watching(tmp_path / "cups.sock")
    watching.ask_again()
    assert watching.seen == []
    scheduler.jobs = [4, 5]
    watching.ask_again()
    watching.ask_again()
    assert [(each.kind, each.about, each.detail) for each in watching.seen] == [
        ("print_tried", "5", {"how": "a print job"})
    ]
    assert scheduler.asked[0] == request()
    watching.rule.restore({})


def test_without_a_scheduler_there_is_nothing_to_see_and_one_that_comes_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "cups.sock"
    watching = Watching(path)
    assert watching.rule.probe(terms()).standing == "observed"
    assert watching.rule.verify()
    scheduler = Scheduler(path)
    watching.ask_again()
    scheduler.jobs = [1]
    watching.ask_again()
    assert len(watching.seen) == 1
    watching.rule.restore({})
    scheduler.close()


def test_a_scheduler_that_does_not_answer_is_given_up_and_nothing_stays_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "cups.sock"))
        silent.listen()
        watching = Watching(tmp_path / "cups.sock")
        for _ in range(6):
            assert watching.rule.verify()
            watching.clock.now += LOOK_S
        watching.rule.restore({})
        assert not watching.rule.verify()
    assert watching.seen == []
    assert len(os.listdir("/proc/self/fd")) == before


@given(st.lists(st.integers(0, 2**31 - 1), max_size=5))
def test_jobs_are_known_by_their_numbers(jobs: list[int]) -> None:
    assert job_ids(b"\x02\x00\x00\x00" + b"".join(map(attribute, jobs)) + b"\x03") == frozenset(jobs)


@given(st.binary(max_size=200))
def test_any_answer_can_be_read(answer: bytes) -> None:
    assert isinstance(job_ids(answer), frozenset)
