"""One desktop for the tests of a file: to start one takes longer than most of them."""

from collections.abc import Iterator

import pytest

from tests.lockdown.linux.x11_desk import Desk, Puppet, desk


@pytest.fixture(scope="module")
def x11(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desktop of its own."""
    with desk(tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest.fixture(scope="module")
def exam(x11: Desk) -> Iterator[Puppet]:
    """The exam's program, with its window."""
    with x11.program(name="exam-browser") as program:
        yield program
