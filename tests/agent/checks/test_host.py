"""Room for the evidence of an outage."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from secureproctor.agent.checks.check import CheckContext
from secureproctor.agent.checks.host import EVIDENCE_BITS_PER_S, RESERVE_BYTES, free_bytes, judged, needed_bytes
from secureproctor.agent.checks.run import CHECKS, run_checks

MakeContext = Callable[..., CheckContext]

DISK = tuple(check for check in CHECKS if check.id == "disk_space")


@pytest.mark.parametrize(
    ("free", "status", "code"),
    [
        (0, "failed", "disk_full"),
        (999, "failed", "disk_full"),
        (1000, "warned", "disk_low"),
        (1999, "warned", "disk_low"),
        (2000, "passed", "ok"),
    ],
)
def test_below_the_need_it_fails_and_below_twice_the_need_it_warns(free: int, status: str, code: str) -> None:
    outcome = judged(free, 1000)
    assert (outcome.status, outcome.code) == (status, code)


def test_the_need_grows_with_the_time_that_an_outage_may_last() -> None:
    assert needed_bytes(0) == RESERVE_BYTES
    assert needed_bytes(80) - needed_bytes(0) == 10 * EVIDENCE_BITS_PER_S


def test_the_real_free_space_is_read_also_where_the_folder_is_yet_to_be_made(tmp_path: Path) -> None:
    """Other programs write to the same disk meanwhile: the reading lies between two of one's own, give or take 100 MB."""
    before = shutil.disk_usage(tmp_path).free
    seen = free_bytes(tmp_path / "not" / "yet" / "there")
    after = shutil.disk_usage(tmp_path).free
    assert min(before, after) - 10**8 <= seen <= max(before, after) + 10**8


async def test_what_the_longest_outage_needs_decides_on_a_real_disk(make_context: MakeContext, tmp_path: Path) -> None:
    beyond = shutil.disk_usage(tmp_path).free // (EVIDENCE_BITS_PER_S // 8) * 2
    (full,) = await run_checks(make_context(expiry_s=beyond), DISK)
    assert (full.status, full.code) == ("failed", "disk_full")
    assert "trash" in full.remedy


async def test_a_folder_that_cannot_be_looked_at_could_not_check(make_context: MakeContext, tmp_path: Path) -> None:
    too_long = tmp_path / ("x" * 300)
    (result,) = await run_checks(make_context(spool_dir=too_long), DISK)
    assert result.status == "could_not_check"
    assert "OSError" in result.seen
    assert result.remedy
