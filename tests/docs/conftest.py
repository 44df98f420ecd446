"""The example servers of the documentation as they are started by who tries them, and a real service for them to sign for."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # pytest's own command does not put it there, as `python -m pytest` does
    sys.path.insert(0, str(ROOT))

from tests.e2e import programs  # noqa: E402 - needs the path


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[programs.Service]:
    """A service that knows the examples' key."""
    with programs.service(tmp_path_factory.mktemp("service"), os.environ) as running:
        yield running
