"""What all tests share: asynchronous tests run on asyncio, and which tests stay together when they run side by side."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TOGETHER = {"faults"}
"""Folders whose tests share one play; elsewhere a file's tests share their desk, browser or service."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`--dist loadgroup` keeps a group on one worker."""
    for item in items:
        parts = item.path.relative_to(TESTS).parts
        item.add_marker(pytest.mark.xdist_group(parts[0] if parts[0] in TOGETHER else "/".join(parts)))
