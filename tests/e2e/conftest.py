"""One house for each module; its browsers are the tests' own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # pytest's own command does not put it there, as `python -m pytest` does
    sys.path.insert(0, str(ROOT))

from tests.e2e.house import House, house  # noqa: E402 - needs the path
from tests.e2e.tabs import Tabs, tabs  # noqa: E402 - as above


@pytest.fixture(scope="module")
def home() -> Iterator[House]:
    """Desk, service and agent."""
    with house() as running:
        yield running


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Not for the whole run: while it is there, the event loop of this thread counts as running."""
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="module")
def browser(home: House, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tabs]:
    """The candidates' browser."""
    with tabs(home, playwright, tmp_path_factory.mktemp("browser")) as made:
        yield made
