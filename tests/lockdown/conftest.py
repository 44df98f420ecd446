"""Nothing that the tests of the lockdown start may outlive them."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """A guard that was not closed would go on verifying under the next test."""
    before = set(threading.enumerate())
    yield
    left = [each.name for each in threading.enumerate() if each not in before and each.name == "lockdown"]
    assert not left
