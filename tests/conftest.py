"""What all tests share: asynchronous tests run on asyncio, slow ones wait to be asked for, and plays are played ahead.

A *play* is a whole demo or a whole course of faults: it takes long, waits for most of the time, and several tests look at
what came of it. Each of them says so (`@pytest.mark.plays(PLAY)`): with the first one, all plays that the selected tests name
begin, a few at a time. These tests come last, since plays keep the machine busy, and what is measured elsewhere needs quiet.

What is marked `slow` only runs when `-m slow` asks for it: more of what another test proves on one case already.
"""

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

import pytest

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:  # pytest's own command does not put it there, as `python -m pytest` does
    sys.path.insert(0, str(ROOT))

from tests.parts import PARTS, REST, part_of  # noqa: E402 - the path comes first

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
AT_ONCE = 5  # more of them would wait for each other on two cores
MARKS = (
    "plays(play): the test looks at what came of a play, which is begun ahead of it",
    "slow: left out unless asked for with -m",
)


class Play(Protocol[T_co]):
    """A play can be hashed: tests that name an equal one look at the same."""

    @property
    def takes_s(self) -> float:
        """About how long: the longest ones begin first."""
        ...

    def play(self, folder: Path) -> T_co:
        """Play it to its end, in a thread of its own; what came of it. `folder` is private, and kept."""
        ...


@dataclass(frozen=True, slots=True)
class Played:
    """Gives what came of a play, as soon as it is over; raises what it raised."""

    begun: dict[Play[object], Future[object]]

    def __call__(self, play: Play[T]) -> T:
        return cast(T, self.begun[play].result())  # a KeyError: the test does not name it


def looking_at(play: Play[object], *others: object, id: str = "", slow: bool = False) -> object:  # noqa: A002 - pytest's name
    """Parameters of a test that looks at this play."""
    marks = [pytest.mark.plays(play), *([pytest.mark.slow] if slow else [])]
    return pytest.param(play, *others, id=id or str(play), marks=marks)


def each_of(*plays: Play[object], slow: Iterable[Play[object]] = ()) -> list[object]:
    """Parameters of a test that looks at each of these plays."""
    return [looking_at(play) for play in plays] + [looking_at(play, slow=True) for play in slow]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--part", choices=(*PARTS, REST), help="one of the parts of tests/parts.py only")


def pytest_configure(config: pytest.Config) -> None:
    for mark in MARKS:
        config.addinivalue_line("markers", mark)
    config.option.markexpr = config.option.markexpr or "not slow"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    part = config.option.part
    if part:
        config.hook.pytest_deselected(items=[item for item in items if part_of(item.path) != part])
        items[:] = [item for item in items if part_of(item.path) == part]
    items.sort(key=lambda item: item.get_closest_marker("plays") is not None)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """All plays that the selected tests name, begun with the first test that asks for one."""
    named = (mark.args[0] for item in request.session.items for mark in item.iter_markers("plays"))
    plays: list[Play[object]] = sorted(set(named), key=lambda play: (-play.takes_s, str(play)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield Played({each: pool.submit(each.play, tmp_path_factory.mktemp("play")) for each in plays})
        pool.shutdown(cancel_futures=True)  # after a test run that was broken off nobody asks any more
