"""These tests are run by a Windows Python under Wine: `make test-windows`. Elsewhere they are not collected."""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.windows.stage import Actor, Measure, Stage

if sys.platform != "win32":
    collect_ignore_glob = ["test_*.py"]

MEASURED: dict[str, str] = {}
"""What the tests measured, shown at the end."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for what, how_much in MEASURED.items():
        terminalreporter.write_line(f"measured: {what}: {how_much}")


@pytest.fixture
def measured() -> Measure:
    """Takes seconds, and keeps the median and the largest in milliseconds."""

    def keep(what: str, seconds: list[float]) -> None:
        milliseconds = sorted(each * 1000 for each in seconds)
        middle, most = milliseconds[len(milliseconds) // 2], milliseconds[-1]
        MEASURED[what] = f"median {middle:.0f} ms, at most {most:.0f} ms of {len(milliseconds)}"

    return keep


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    try:
        yield stage
    finally:
        stage.close()
    assert [each.name for each in threading.enumerate() if each.name == "hooks"] == []


@pytest.fixture(scope="session")
def act() -> Iterator[Callable[..., Actor]]:
    """Starts actors, and ends them."""
    actors: list[Actor] = []

    def start(*arguments: str, program: str = sys.executable) -> Actor:
        actors.append(Actor(*arguments, program=program))
        return actors[-1]

    yield start
    for actor in actors:
        actor.close()


@pytest.fixture(scope="session")
def exam_window(act: Callable[..., Actor]) -> Actor:
    """One for all tests: a process takes Wine about a second."""
    return act("400", "300")


@pytest.fixture
def exam(exam_window: Actor) -> Actor:
    """The exam's program, in front."""
    exam_window.tell("show 9")
    assert exam_window.tell("front")
    return exam_window


@pytest.fixture(scope="session")
def candidate(act: Callable[..., Actor]) -> Actor:
    """Another program, which does what a candidate does: it types, copies, comes in front."""
    return act("200", "150")


@pytest.fixture
def rfb_port() -> int:
    return int(os.environ["TESTBED_RFB_PORT"])


@pytest.fixture
def renamed(tmp_path: Path) -> Callable[[str, str], str]:
    """A copy of one of Python's programs under another name, with the libraries that it finds beside itself."""

    def copy(name: str, original: str) -> str:
        folder, where = Path(sys.executable).parent, tmp_path / "programs"
        shutil.copytree(folder, where, ignore=shutil.ignore_patterns("Lib", "*.cat", "python*.exe"))
        shutil.copy(folder / original, where / name)
        return str(where / name)

    return copy
