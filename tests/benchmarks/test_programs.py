"""Every program that is measured, for a second on a desk without a browser: it runs, and what it wrote can be read back."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from secureproctor.benchmarks.benches import ALL_STREAMS, BENCHES, Bench
from secureproctor.benchmarks.figures import StreamFigures
from secureproctor.benchmarks.measure import BESIDE, measured
from secureproctor.benchmarks.place import Place, program
from secureproctor.benchmarks.proctored import FIRST_PICTURE, FIRST_STORED, LISTENING, proctored
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.program import DeskError
from secureproctor.demo.stage import service


@pytest.fixture(scope="module")
def pc() -> Iterator[Desk]:
    with desk(size=(1280, 720)) as it:
        yield it


async def nothing() -> None:
    """The desktop itself is the scene."""


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.name)
async def test_a_program_is_measured_and_gone_afterwards(bench: Bench, pc: Desk, tmp_path: Path) -> None:
    async with service(tmp_path, pc.environment) as running:
        sample = await measured(bench, Place(pc, running, nothing), 1.0)
        mine = {running.pid, *pc.pids.values()}
        left = [each for each in psutil.Process().children() if each.pid not in mine]
    assert sample.cpu < 120
    assert sample.cpu > 0 or bench.open is not proctored  # our screen source needs less than a tick while nothing moves
    assert 20 < sample.peak_mb < 2000
    assert set(sample.beside) == set(BESIDE.values())
    assert set(sample.outcome.streams) == ({"screen", "webcam", "audio"} if bench.work == ALL_STREAMS else {"screen"})
    assert all(each.kbit_s > 0 for each in sample.outcome.streams.values())
    assert left == []
    if bench.open is proctored:
        starts = sample.outcome.starts
        assert starts[FIRST_STORED] > starts[FIRST_PICTURE] > 0 < starts[LISTENING]


async def test_a_peer_sends_every_picture_and_ours_those_that_differ(pc: Desk, tmp_path: Path) -> None:
    async with service(tmp_path, pc.environment) as running:
        place = Place(pc, running, nothing)
        found: dict[str, StreamFigures] = {}
        for bench in BENCHES:
            if bench.work != ALL_STREAMS:
                found[bench.name] = (await measured(bench, place, 1.0)).outcome.streams["screen"]
    ours, naive = found.values()
    assert naive.fps == pytest.approx(10, abs=1.5)
    assert ours.fps is not None
    assert ours.fps < 5


async def test_a_program_that_cannot_start_is_told_with_its_own_words(pc: Desk, tmp_path: Path) -> None:
    broken = program(lambda place, folder: ["ffmpeg", "-nostdin", "-i", "there-is-none.mp4"])
    async with service(tmp_path, pc.environment) as running:
        with pytest.raises(DeskError, match="No such file"):
            async with broken(Place(pc, running, nothing)):
                pass
