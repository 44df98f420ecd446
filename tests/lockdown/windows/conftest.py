"""A Windows in memory, a place over it, and what its rules told."""

import pytest

from secureproctor.lockdown.catalogue import Assistive, Catalogue, SystemPrograms
from secureproctor.lockdown.windows.place import WindowsPlace
from tests.lockdown.windows.fakes import FakeWindowsSystem, Stage

NAMES = Catalogue(
    [],
    [Assistive("nvda", "NVDA", "screen_reader", {"windows": ("nvda.exe",)})],
    SystemPrograms((), ()),
    "windows",
)


@pytest.fixture
def system() -> FakeWindowsSystem:
    return FakeWindowsSystem()


@pytest.fixture
def stage(system: FakeWindowsSystem) -> Stage:
    return Stage(system, WindowsPlace(system.api, system.clock, NAMES))
