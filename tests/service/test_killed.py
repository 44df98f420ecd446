"""The service is killed (-9) while evidence and words come in: nothing acknowledged is lost, nothing counts twice."""

import random
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import WebSocketException

from secureproctor.contract.channel import Chat, ServiceEnded, SessionChanged
from secureproctor.contract.link import Link
from secureproctor.contract.record import record_hash
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.service.evidence import Evidence
from secureproctor.service.store import Store

NOW_MS = 1_700_000_000_000
SEED = 11
KILLS = 5
RECORD = bytes(40_000)
PATIENCE_S = 60.0
EXPIRY_S = 10


@dataclass
class Course:
    """A scripted agent that outlives its service: a thread for each stream, one for the channel."""

    candidate: Any
    acknowledged: dict[tuple[Stream, int], str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    told: int = 0
    link: Link = field(default_factory=Link)

    def bring(self, stream: Stream) -> None:
        """One record after the other, each until it is acknowledged."""
        with httpx.Client(trust_env=False, timeout=5) as http:
            seq = 0
            while not self.over.is_set():
                sealed = self.candidate.seal(stream, seq, start_us=seq * 1000, duration_us=1000, payload=RECORD)
                self._until_acknowledged(http, stream, seq, sealed)
                seq += 1

    def _until_acknowledged(self, http: httpx.Client, stream: Stream, seq: int, sealed: bytes) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            address = f"{self.candidate.server.url}{self.candidate.path(stream, seq)}"
            try:
                answer = http.put(address, content=sealed, headers=self.candidate.authorization)
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            assert answer.status_code in (200, 201), answer.text
            self.acknowledged[stream, seq] = answer.json()["hash"]
            return
        raise AssertionError("the service did not come back")

    def talk(self) -> None:
        """Numbered words, one after the other, over as many connections as it takes."""
        while not self.over.is_set():
            try:
                with self.candidate.channel(self.link) as agent:
                    agent.settle()  # what the last connection may not have brought comes first
                    while not self.over.is_set():
                        self.told += 1
                        agent.tell(Chat(str(self.told), "candidate", f"word {self.told}", NOW_MS))
                        agent.settle()
            except (WebSocketException, OSError, TimeoutError):
                time.sleep(0.02)


def test_a_service_that_is_killed_again_and_again_loses_nothing_that_it_acknowledged(
    launch: Any, tmp_path: Path
) -> None:
    moments = random.Random(SEED)
    server = launch()
    course = Course(server.register())
    with course.candidate.channel(course.link) as agent:
        agent.tell(SessionChanged("running", NOW_MS, 0))
        agent.settle()
    threads = [threading.Thread(target=course.bring, args=(stream,)) for stream in MEDIA]
    threads.append(threading.Thread(target=course.talk))
    for thread in threads:
        thread.start()
    try:
        for _ in range(KILLS):
            time.sleep(moments.uniform(0.2, 0.8))  # the moment of the kill is what is drawn
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            course.candidate.server = server = launch()
    finally:
        course.over.set()
        for thread in threads:
            thread.join()
    assert len(course.acknowledged) > KILLS
    with course.candidate.channel(course.link) as agent:
        agent.settle()
    with server.console() as console:
        talk = console.open(course.candidate.id, lambda detail: len(detail.chat) >= course.told)
        shown = console.shown[course.candidate.id]
    assert [each.text for each in talk.chat] == [f"word {n + 1}" for n in range(course.told)]
    assert shown.state == "running"
    stored = server.http.get(
        f"/v1/sessions/{course.candidate.id}/segments", headers=course.candidate.authorization
    ).json()["streams"]
    last = {stream: max(seq for of, seq in course.acknowledged if of is stream) for stream in MEDIA}
    assert stored == {stream: [[0, 0, last[stream]]] for stream in MEDIA}
    assert {stream: state.segments for stream, state in shown.streams.items()} == {s: last[s] + 1 for s in MEDIA}
    server.stop()
    rows_and_files_agree(tmp_path / "data", course)


def rows_and_files_agree(data: Path, course: Course) -> None:
    store = Store.opened(data)
    try:
        evidence = Evidence(store, data / "records")
        assert evidence.recover(0) == (0, 0)
        rows = evidence.records(course.candidate.id)
        assert {(row.stream, row.seq): row.hash.hex() for row in rows} == course.acknowledged
        for row in rows:
            content = evidence.sealed(course.candidate.id, row.stream, row.epoch, row.seq)
            assert record_hash(content) == row.hash
        files = [path for path in (data / "records" / course.candidate.id).rglob("*") if path.is_file()]
        assert len(files) == len(rows)
    finally:
        store.close()


@pytest.mark.slow
def test_a_killed_service_forgets_no_expiry_and_counts_no_time_of_its_own_absence(launch: Any) -> None:
    first = launch()
    candidate = first.register(expiryTime=EXPIRY_S)
    link = Link()
    with candidate.channel(link) as agent:
        agent.tell(SessionChanged("running", NOW_MS, 0))
        agent.settle()
        heard = time.monotonic()
    with first.console() as console:
        console.snapshot(candidate.id, lambda snapshot: snapshot.link == "offline")
    time.sleep(3)  # silence that the first service counts
    first.stop(signal.SIGKILL)
    killed = time.monotonic()
    time.sleep(3)  # silence that nobody counts
    candidate.server = second = launch()
    back = time.monotonic()
    with second.console() as console:
        shown = None
        while (shown is None or shown.state != "ended") and time.monotonic() < back + EXPIRY_S + 10:
            with suppress(TimeoutError):  # it is quiet until the session ends
                shown = console.snapshot(candidate.id)
        assert shown is not None
        counted_s = (killed - heard) + (time.monotonic() - back)
        assert (shown.state, shown.end_reason) == ("ended", "expired")
        # the first bound is the promise, less what a service counts while it starts; the second bears a busy machine
        assert EXPIRY_S - 1.5 < counted_s < EXPIRY_S + 3
    with candidate.channel(link) as agent:
        assert agent.expect(ServiceEnded).reason == "expired"
    assert candidate.put(candidate.seal(Stream.SCREEN, 0), Stream.SCREEN, 0).status_code == 201
