"""Whether this computer can hold the evidence of the longest outage that the session survives.

While the link is away everything is spooled to disk, until the session's expiry time has passed. An exam that begins
without room for that loses evidence exactly when it is needed.
"""

import shutil
from functools import partial
from pathlib import Path

from secureproctor.agent.checks.check import CheckContext, Failed, Outcome, Passed, Warned
from secureproctor.agent.checks.daemon_thread import in_daemon_thread

EVIDENCE_BITS_PER_S = 1_500_000
"""The ceiling reckoned with for screen, webcam and sound together; an ordinary desktop stays far below it."""

RESERVE_BYTES = 200_000_000
"""What the system and other programs need beside the evidence."""


async def disk_space(context: CheckContext) -> Outcome:
    """Free space where evidence is spooled, against what the expiry time can produce. Raises OSError when unreadable."""
    free = await in_daemon_thread("check-disk-space", partial(free_bytes, context.spool_dir))
    return judged(free, needed_bytes(context.expiry_s))


def needed_bytes(expiry_s: int) -> int:
    """What an outage of `expiry_s` seconds can produce at most, and the reserve."""
    return EVIDENCE_BITS_PER_S // 8 * expiry_s + RESERVE_BYTES


def free_bytes(folder: Path) -> int:
    """What this user may still write at `folder`, or where it will be made. Raises OSError when that is unreadable."""
    place = next((at for at in (folder, *folder.parents) if at.exists()), folder)
    return shutil.disk_usage(place).free


def judged(free: int, needed: int) -> Outcome:
    """Bytes against bytes: below the need it fails, below twice the need it warns."""
    seen = f"{_megabytes(free)} are free; an outage can need {_megabytes(needed)}."
    if free < needed:
        return Failed("disk_full", seen)
    if free < 2 * needed:
        return Warned("disk_low", seen)
    return Passed("ok", seen)


def _megabytes(count: int) -> str:
    return f"{count // 1_000_000:,} MB"
