"""The guard of the disk: how much room there is, when quality goes down and up again, how much has to be given up."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.delivery.room import FLOOR_SHARE, GIB, REFUSED_US, Level, Rate, Room

ANYWHERE = Path("/")
MB = 10**6


@dataclass(slots=True)
class Disk:
    """A disk of a size, a clock, and a room on both."""

    free: int = 100 * GIB
    size: int = 500 * GIB
    now_us: int = 0
    spooled: int = 0
    room: Room = field(init=False)

    def __post_init__(self) -> None:
        self.room = Room(1000 * MB, GIB, lambda _: self.free, lambda _: self.size, lambda: self.now_us)

    def write(self, size: int, every_s: float = 2, times: int = 1) -> None:
        for _ in range(times):
            self.now_us += int(every_s * 1e6)
            self.room.took(size, lacked=False)
            self.spooled += size
            self.judge()

    def judge(self) -> Level:
        self.room.judge(self.usable, self.spooled)
        return self.room.level

    @property
    def usable(self) -> int:
        return self.room.usable(ANYWHERE, self.spooled)


def test_room_is_what_is_left_of_the_quota_or_above_the_floor() -> None:
    disk = Disk()
    assert disk.usable == 1000 * MB
    disk.spooled = 400 * MB
    assert disk.usable == 600 * MB
    disk.free = GIB + 50 * MB
    assert disk.usable == 50 * MB
    disk.free = GIB - 1
    assert disk.usable == -1


def test_of_a_tiny_disk_the_floor_takes_a_share_only() -> None:
    disk = Disk(free=4 * MB, size=4 * MB)
    assert disk.usable == 4 * MB - int(4 * MB * FLOOR_SHARE)


def test_a_folder_that_vanished_leaves_the_quota_to_count() -> None:
    def vanished(_: Path) -> int:
        raise FileNotFoundError

    assert Room(10, 1, vanished, vanished).usable(ANYWHERE, 4) == 6


def test_the_real_disk_has_room(tmp_path: Path) -> None:
    assert 0 < Room().usable(tmp_path, 0) <= Room().quota_bytes


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**5), st.lists(st.integers(0, 10**5)))
def test_never_more_is_asked_for_than_is_taken_in(usable: int, size: int, given_up: list[int]) -> None:
    room = Room()
    for each in given_up:
        room.gave_up(each)
    lacking = room.lacking(size, usable)
    assert lacking == max(0, min(size - usable, size - sum(given_up)))


def test_small_records_are_paid_for_by_the_large_one_that_went_for_the_first() -> None:
    room = Room()
    assert room.lacking(1000, -50 * MB) == 1000
    room.gave_up(400_000)
    room.took(1000, lacked=True)
    assert room.lacking(399_000, -50 * MB) == 0
    room.took(399_000, lacked=True)
    assert room.lacking(1000, -50 * MB) == 1000


def test_what_was_paid_too_much_does_not_count_once_there_is_room() -> None:
    room = Room()
    room.gave_up(400_000)
    room.took(1000, lacked=False)
    assert room.lacking(1000, 0) == 1000


def test_the_rate_is_right_from_the_start_and_fades_when_nothing_comes() -> None:
    rate = Rate()
    assert rate.per_s(0) is None
    for second in range(0, 31, 2):
        rate.add(200_000, second * 10**6)
    assert rate.per_s(30 * 10**6) == pytest.approx(100_000, rel=0.1)
    assert (rate.per_s(600 * 10**6) or 0) < 100


def test_a_rate_of_seconds_is_none_yet_and_a_clock_that_jumps_back_does_no_harm() -> None:
    rate = Rate()
    rate.add(200_000, 50 * 10**6)
    assert rate.per_s(55 * 10**6) is None
    rate.add(200_000, 10 * 10**6)
    assert rate.per_s(10 * 10**6) is None
    assert (rate.per_s(70 * 10**6) or 0) > 0


def test_quality_goes_down_step_by_step_as_the_room_lasts_less() -> None:
    """At 1 MB a second, 1000 MB last 1000 s: less than 900 s are left soon, less than 300 s later."""
    disk, seen = Disk(), list[Level](("full",))
    while disk.usable > 0:
        disk.write(2 * MB)
        if disk.room.level != seen[-1]:
            seen.append(disk.room.level)
            assert disk.room.status(disk.usable)[1] == pytest.approx(900 if len(seen) == 2 else 300, abs=25)
    assert seen == ["full", "reduced", "least"]


def test_a_lower_rate_alone_does_not_bring_quality_back() -> None:
    disk = Disk()
    disk.write(2 * MB, times=100)
    assert disk.room.level == "reduced"
    disk.write(50_000, times=300)
    assert (disk.room.status(disk.usable)[1] or 0) > 3600
    assert disk.room.level == "reduced"


def test_quality_comes_back_when_there_is_twice_the_room_for_the_better_one() -> None:
    disk = Disk()
    disk.room.quota_bytes = 4000 * MB
    disk.spooled = 3200 * MB
    disk.write(2 * MB, times=20)
    assert disk.room.level == "reduced"
    disk.spooled = 4000 * MB - 1600 * MB
    assert disk.judge() == "reduced"
    disk.spooled = 4000 * MB - 2200 * MB
    assert disk.judge() == "full"


def test_by_share_quality_goes_down_when_no_rate_is_known_yet() -> None:
    disk = Disk(spooled=890 * MB)
    assert disk.judge() == "full"
    disk.spooled = 901 * MB
    assert disk.judge() == "reduced"
    disk.spooled = 971 * MB
    assert disk.judge() == "least"
    disk.spooled = 941 * MB
    assert disk.judge() == "least"
    disk.spooled = 939 * MB
    assert disk.judge() == "reduced"
    disk.spooled = 801 * MB
    assert disk.judge() == "reduced"
    disk.spooled = 799 * MB
    assert disk.judge() == "full"


def test_giving_up_lasts_until_the_disk_was_at_peace_for_a_minute() -> None:
    disk = Disk()
    disk.room.gave_up(1)
    assert (disk.judge(), disk.room.dropping, disk.room.status(disk.usable)[0]) == ("least", True, 0)
    disk.now_us += REFUSED_US - 1
    assert (disk.judge(), disk.room.dropping) == ("least", True)
    disk.now_us += 1
    assert (disk.judge(), disk.room.dropping, disk.room.status(disk.usable)[0]) == ("full", False, 1000 * MB)


@given(st.lists(st.tuples(st.integers(0, 900 * MB), st.integers(0, 5 * MB), st.floats(0, 100)), max_size=30))
def test_levels_are_always_told_and_less_room_is_never_a_better_level(steps: list[tuple[int, int, float]]) -> None:
    disk = Disk()
    for spooled, size, seconds in steps:
        disk.spooled = spooled
        disk.write(size, seconds)
        level, lasts_s = disk.room.level, disk.room.status(disk.usable)[1]
        if lasts_s is not None and lasts_s < 300:
            assert level == "least"
        if lasts_s is not None and lasts_s < 900:
            assert level != "full"
