"""What a night of backlog costs the agent: `python -m secureproctor.benchmarks.backlog [--records N ...] [--folder F]`.

A folder is filled with as many records as so many hours offline leave behind (three streams, a record of each every two
seconds), and a process of its own opens it and works on it: appends records of usual size, acknowledges, asks for the next.
The files of the backlog are as long as real ones but have only their beginning on the disk; those appended are whole.
"""

import argparse
import gc
import mmap
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median, quantiles

import msgspec

from secureproctor.agent.delivery.room import Room
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.agent.delivery.spool import Spool
from secureproctor.agent.session.folder import Place, SessionFolder
from secureproctor.benchmarks.tables import table
from secureproctor.contract.record import GENESIS, Header, RecordKind
from secureproctor.contract.streams import MEDIA, Stream

RECORDS = (0, 65_000, 200_000)
"""Nothing; 12 hours; 37 hours."""
RECORD_BYTES = 120_000
SEGMENT_S = 2
TIMES = 300
SESSION = uuid.UUID(int=1)
HEAD = ("Records", "Hours", "Open s", "Memory MB", "append p50 ms", "p95 ms", "note of places p50 ms", "p95 ms")
HEAD_OUT = ("Records", "next p50 µs", "p95 µs", "read p50 ms", "p95 ms", "acknowledge p50 ms", "p95 ms")


@dataclass(frozen=True, slots=True)
class Taken:
    """What one size of backlog cost: seconds, megabytes (2**20) that the process grew by, and the seconds of each call."""

    records: int
    open_s: float
    grown_mb: float
    append_s: list[float]
    places_s: list[float]
    next_s: list[float]
    read_s: list[float]
    acknowledge_s: list[float]


def fill(folder: Path, records: int) -> None:
    """Lay a backlog down, without synchronising each file."""
    folder.mkdir(parents=True)
    for number in range(records):
        seq, at = divmod(number, len(MEDIA))
        descriptor = os.open(folder / f"{MEDIA[at]}-000000-{seq:010d}.record", os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(descriptor, b"SPR1")
        os.truncate(descriptor, RECORD_BYTES)
        os.close(descriptor)


def measured(session: Path, records: int, times: int) -> Taken:
    """Open and work on the backlog of a session's folder; in a process in which nothing else has been done."""
    folder = SessionFolder(session)
    gc.collect()
    before_mb, begun = resident_mb(), time.perf_counter()
    spool = Spool(folder.spool, Room(quota_bytes=1 << 50), session=SESSION).open()
    open_s = time.perf_counter() - begun
    first = records // len(MEDIA) + 1
    append_s = [_timed(lambda seq=seq: spool.append(_record(first + seq))) for seq in range(times)]  # type: ignore[misc]  # a bound default
    places = dict.fromkeys(Stream, Place(0, 1, GENESIS.hex(), 1))
    places_s = [_timed(lambda: folder.save_places(places)) for _ in range(times)]
    next_s = [_timed(lambda: next(spool.oldest(Stream.SCREEN))) for _ in range(times)]
    keys = list(islice(spool.oldest(Stream.SCREEN), times))
    read_s = [_timed(lambda key=key: spool.read(key)) for key in keys]  # type: ignore[misc]  # a bound default
    acknowledge_s = [_timed(lambda key=key: spool.acknowledge(key)) for key in keys]  # type: ignore[misc]  # a bound default
    gc.collect()
    return Taken(records, open_s, resident_mb() - before_mb, append_s, places_s, next_s, read_s, acknowledge_s)


def tables(taken: list[Taken]) -> str:
    """What comes in, and what goes out."""
    coming = table(HEAD, [(str(each.records), each.records / len(MEDIA) * SEGMENT_S / 3600, each.open_s, each.grown_mb,
                           *_ms(each.append_s), *_ms(each.places_s)) for each in taken])  # fmt: skip
    going = table(HEAD_OUT, [(str(each.records), *(1000 * ms for ms in _ms(each.next_s)), *_ms(each.read_s),
                              *_ms(each.acknowledge_s)) for each in taken])  # fmt: skip
    return f"{coming}\n{going}"


def taken(sizes: list[int], beside: Path | None, times: int) -> Iterator[Taken]:
    """Measure each size in a folder and a process of its own; both are gone afterwards."""
    for records in sizes:
        with tempfile.TemporaryDirectory(prefix="backlog-", dir=beside) as root:
            fill(SessionFolder(Path(root)).spool, records)
            words = [
                sys.executable,
                "-m",
                __spec__.name,
                "--within",
                root,
                "--records",
                str(records),
                "--times",
                str(times),
            ]
            said = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout
            yield msgspec.json.decode(said, type=Taken)


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="secureproctor.benchmarks.backlog", description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=list(RECORDS), help="sizes of the backlog")
    parser.add_argument("--folder", type=Path, help="where the disk is that is to be measured")
    parser.add_argument("--times", type=int, default=TIMES, help="how often each call is timed")
    parser.add_argument("--within", type=Path, help=argparse.SUPPRESS)  # the process that is measured
    arguments = parser.parse_args(argv)
    if arguments.within:
        found = measured(arguments.within, arguments.records[0], arguments.times)
        sys.stdout.buffer.write(msgspec.json.encode(found))
        return
    print(tables(list(taken(arguments.records, arguments.folder, arguments.times))))


def resident_mb() -> float:
    """Memory of this process that is resident now, in megabytes (2**20)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * mmap.PAGESIZE / 2**20


def _record(seq: int) -> Sealed:
    header = Header(RecordKind.MEDIA, Stream.SCREEN, SESSION, 0, seq, seq * 10**6, 10**6, 0, GENESIS)
    return Sealed(header, os.urandom(RECORD_BYTES))


def _timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _ms(seconds: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    return 1000 * median(seconds), 1000 * quantiles(seconds, n=20)[-1]


if __name__ == "__main__":
    main()
