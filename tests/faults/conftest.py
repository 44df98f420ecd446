"""The courses are played beside each other, each once for all of its tests, each in a network of its own."""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from secureproctor.demo.program import running

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # pytest's own command does not put it there, as `python -m pytest` does
    sys.path.insert(0, str(ROOT))

from tests.faults.network import in_own_network  # noqa: E402 - needs the path

COURSES = ("weathers.0", "weathers.1", "tamper", "crash", "outage", "expiry")
"""The longest first. Each is a module of this folder, or a part of one, and has its tests in the file of its name."""
AT_ONCE = 6  # most of the time they wait
LONGEST_S = 300.0
T = TypeVar("T")
Played = Callable[[str, type[T]], T]


def play(course: str, folder: Path) -> bytes:
    """What a course observed, as JSON. Raises AssertionError with its last words when it broke off."""
    out, log = folder / f"{course}.json", folder / f"{course}.log"
    words = [sys.executable, "-W", "error", "-m", "tests.faults.inside", course, str(out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    with running(in_own_network(words), environment, log) as process:
        code = process.wait(LONGEST_S)
    assert code == 0, f"the course {course!r} broke off: {log.read_text(errors='replace')[-3000:]}"
    return out.read_bytes()


@pytest.fixture(scope="session")
def courses(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, "Future[bytes]"]]:
    """All courses that the tests of this run ask about, begun as soon as one of them does."""
    folder = tmp_path_factory.mktemp("courses")
    wanted = {item.path.stem.removeprefix("test_") for item in request.session.items}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {course: pool.submit(play, course, folder) for course in COURSES if course.partition(".")[0] in wanted}


@pytest.fixture(scope="session")
def played(courses: dict[str, "Future[bytes]"]) -> Callable[[str, type[T]], T]:
    """Gives what a course observed, as soon as it is over."""

    def observed(course: str, kind: type[T]) -> T:
        return msgspec.json.decode(courses[course].result(), type=kind)

    return observed
