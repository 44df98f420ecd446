"""How well a backlog fills a narrow uplink, and how old live segments get meanwhile: `python -m
secureproctor.benchmarks.drain`.

For each rate: a line of that rate between two network namespaces, the real service behind it, and before it the real
spool and uploader with sealed records of the sizes that capture makes. First one plain TCP stream shows what the line
carries; then a backlog that outlasts the measurement drains while new records come every two seconds.

Ages are the service's: from the moment at which a record was sealed to the one at which the service had it. A proctor sees
its first picture two seconds later than that, for so long is a segment.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import secrets
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from secureproctor.agent.delivery.backoff import Backoff
from secureproctor.agent.delivery.sealer import Sealer
from secureproctor.agent.delivery.spool import Key, Spool
from secureproctor.agent.delivery.uploader import Uploader
from secureproctor.agent.outside import http_client
from secureproctor.agent.service_api import ServiceApi, SessionAccess
from secureproctor.agent.session.making import sealing_key
from secureproctor.benchmarks.line import FAR, alone, line
from secureproctor.benchmarks.tables import table
from secureproctor.capture.media import Kind, Segment
from secureproctor.contract.events import Event
from secureproctor.contract.http import InitData
from secureproctor.contract.page import SignedRequest
from secureproctor.contract.signing import sign_body
from secureproctor.contract.streams import Stream
from secureproctor.demo.program import running
from secureproctor.demo.stage import READY_S

SEGMENT_S = 2.0
SIZES: dict[Stream, int] = {Stream.SCREEN: 50_000, Stream.WEBCAM: 48_000, Stream.AUDIO: 15_000}
"""Bytes of a segment of 2 s, between those of a page that is typed into and of one that is scrolled."""
RATES = (2000, 4000, 10000)
PLAIN_S = 8.0
SLACK = 1.4
"""So much more waits than the line can carry."""
INSIDE = "SECUREPROCTOR_DRAIN_INSIDE"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one line showed. Rates in bytes a second, ages in seconds."""

    plain: float
    everything: float
    backlog: float
    ages: list[float]
    """Of the live records, in the order of their arrival; those that had not arrived have their age at the end."""


@dataclass(slots=True)
class Candidate:
    """One session's way out: seals into the spool, and remembers when."""

    sealer: Sealer
    spool: Spool
    _us: int = 0

    def segments(self) -> list[Key]:
        """Two seconds of evidence, into the spool."""
        records = [self.sealer.segment(self._segment(stream, size)) for stream, size in SIZES.items()]
        records.append(self.sealer.events([Event("page_connected", self._us, self._us // 1000)]))
        self._us += int(SEGMENT_S * 1e6)
        for record in records:
            self.spool.append(record)
        return [record.header.key for record in records]

    def _segment(self, stream: Stream, size: int) -> Segment:
        kind = Kind.MEDIA if stream in self.sealer.positions else Kind.INIT
        return Segment(stream, kind, self._us, int(SEGMENT_S * 1e6), "avc1.42c01f", os.urandom(size))


def main(argv: list[str] | None = None) -> int:
    """Measure and print the table; the exit code."""
    parser = argparse.ArgumentParser(prog="secureproctor.benchmarks.drain", description=__doc__)
    add = parser.add_argument
    add("--kbit", type=int, nargs="+", default=RATES, help="the uplinks' rates (%(default)s)")
    add("--round-trip", type=float, default=100.0, metavar="MS", help="of the empty line (%(default)s)")
    add("--buffer", type=float, default=1000.0, metavar="MS", help="how long a packet may wait before it (%(default)s)")
    add("--seconds", type=float, default=40.0, help="how long each is measured (%(default)s)")
    add(
        "--congestion", default="cubic", help="the senders' congestion control (%(default)s: Windows and macOS have it)"
    )
    arguments = parser.parse_args(argv)
    if INSIDE not in os.environ:
        words = alone(
            [sys.executable, "-m", "secureproctor.benchmarks.drain", *(sys.argv[1:] if argv is None else argv)]
        )
        os.execvpe(words[0], words, os.environ | {INSIDE: "1"})  # noqa: S606 - this very program, in its own network
    rows = []
    for kbit in arguments.kbit:
        with (
            tempfile.TemporaryDirectory(prefix="drain-") as folder,
            line(kbit, arguments.round_trip, arguments.buffer, arguments.congestion) as far,
        ):
            rows.append(_row(kbit, asyncio.run(_measured(Path(folder), kbit, far, arguments.seconds))))
        print(f"{kbit} kbit/s: done", file=sys.stderr, flush=True)
    print(table(HEAD, rows))
    return 0


HEAD = (
    "Uplink kbit/s", "Plain TCP kB/s", "All records kB/s", "of plain TCP %", "Backlog kB/s", "of what live leaves %",
    "Live age p50 s", "p95 s", "max s",
)  # fmt: skip


def _row(kbit: int, figures: Figures) -> list[str | float | None]:
    ages, live = sorted(figures.ages), figures.everything - figures.backlog
    return [
        str(kbit),
        figures.plain / 1000,
        figures.everything / 1000,
        100 * figures.everything / figures.plain,
        figures.backlog / 1000,
        100 * figures.backlog / (figures.plain - live),
        ages[len(ages) // 2],
        ages[int(0.95 * (len(ages) - 1))],
        ages[-1],
    ]


async def _measured(folder: Path, kbit: int, far: Sequence[str], seconds: float) -> Figures:
    plain = await asyncio.to_thread(_plain, far, min(PLAIN_S, seconds))
    private_key, ready = secrets.token_hex(16), folder / "service.json"
    argv = [*far, sys.executable, "-m", "secureproctor.service", "--host", FAR, "--port", "0"]
    argv += ["--data", str(folder / "service"), "--key", f"bench:{private_key}", "--ready-file", str(ready)]
    with running(argv, os.environ, folder / "service.log"):
        url = await asyncio.to_thread(_url, ready)
        async with http_client() as client:
            api = ServiceApi(url, client)
            body = json.dumps({"publicKey": "bench", "userId": "candidate", "groupName": "bench"})
            data = await api.init(SignedRequest(body, sign_body(private_key, body.encode())))
            spool = Spool(folder / "spool").open()
            sealer = Sealer(uuid.UUID(data.session_id), sealing_key(data), lambda: time.time_ns() // 1000)
            candidate = Candidate(sealer, spool)
            wanted = kbit / 8 * 1000 * seconds * SLACK
            while spool.waiting[1] < wanted:
                await asyncio.to_thread(candidate.segments)
            uploader = _uploader(spool, client, data, api)
            live, began_ms = await _drained(uploader, candidate, seconds)
    # the service keeps its database to itself while it runs
    return _figures(folder / "service" / "service.db", live, plain, began_ms, began_ms + int(seconds * 1000))


def _uploader(spool: Spool, client: httpx.AsyncClient, data: InitData, api: ServiceApi) -> Uploader:
    return Uploader(
        spool,
        client,
        f"{api.url}/v1/sessions/{data.session_id}/segments",
        SessionAccess(api, data.session_id, data.token),
        heard=lambda: None,
        changed=lambda: None,
        damaged=lambda key, kind, found: print("damaged", key, kind, found),
        backoff=Backoff(random.random),
    )


async def _drained(uploader: Uploader, candidate: Candidate, seconds: float) -> tuple[dict[Key, int], int]:
    """Let it drain: the live records with the moments of their sealing, and when it began; milliseconds since 1970."""
    live: dict[Key, int] = {}
    began, began_ms = time.monotonic(), _now_ms()
    work = asyncio.create_task(uploader.run())
    try:
        while (passed := time.monotonic() - began) < seconds:
            sealed_ms = _now_ms()
            for key in await asyncio.to_thread(candidate.segments):
                uploader.offer(key)
                live[key] = sealed_ms
            next_s = min(seconds, SEGMENT_S * (int(passed / SEGMENT_S) + 1))
            await asyncio.sleep(max(0.0, next_s - (time.monotonic() - began)))
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    return live, began_ms


def _figures(database: Path, live: dict[Key, int], plain: float, began_ms: int, end_ms: int) -> Figures:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT stream, epoch, seq, size, received_ms FROM records WHERE received_ms <= ?", (end_ms,)
        ).fetchall()
    arrived = {(Stream(stream), epoch, seq): (size, at_ms) for stream, epoch, seq, size, at_ms in rows}
    everything = sum(size for size, _ in arrived.values())
    backlog = sum(size for key, (size, _) in arrived.items() if key not in live)
    ages = [(arrived[key][1] if key in arrived else end_ms) - sealed_ms for key, sealed_ms in live.items()]
    passed_s = (end_ms - began_ms) / 1000
    return Figures(plain, everything / passed_s, backlog / passed_s, [age / 1000 for age in ages])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _url(ready: Path) -> str:
    deadline = time.monotonic() + READY_S
    while not ready.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"the service did not start: {ready.with_suffix('.log').read_text()}")
        time.sleep(0.02)
    return str(json.loads(ready.read_text())["url"])


SINK = """
import socket, sys
listener = socket.create_server((sys.argv[1], 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
while piece := connection.recv(1 << 16):
    print(len(piece), flush=True)
"""


def _plain(far: Sequence[str], seconds: float) -> float:
    """Bytes a second that one TCP stream gets through, without the first second, in which it looks for its speed."""
    sink = subprocess.Popen([*far, sys.executable, "-c", SINK, FAR], stdout=subprocess.PIPE, text=True)
    if sink.stdout is None:
        raise RuntimeError("no pipe")
    try:
        with socket.create_connection((FAR, int(sink.stdout.readline()))) as connection:
            sender = threading.Thread(target=_send, args=(connection,))
            sender.start()
            counted, since = 0, time.monotonic() + 1.0
            while (now := time.monotonic()) < since + seconds:
                size = int(sink.stdout.readline())
                counted += size if now >= since else 0
            connection.shutdown(socket.SHUT_RDWR)
            sender.join()
        return counted / seconds
    finally:
        sink.kill()
        sink.communicate()


def _send(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is shut down when enough was counted
        while True:
            connection.sendall(bytes(1 << 16))


if __name__ == "__main__":
    sys.exit(main())
