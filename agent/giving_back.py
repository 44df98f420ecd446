"""What an agent that died has left applied is given back before anything else, and again and again if it is stuck.

The lockdown's own guard does the same for what it applied itself; the lock of the folder keeps the two apart.
"""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

from secureproctor.lockdown.left import AGENT, Restored, restore_left
from secureproctor.lockdown.rule import OpenPlace

log = logging.getLogger(__name__)

AGAIN_S = 30.0


@dataclass(frozen=True, slots=True)
class GivingBack:
    """Works on the before-images of a folder."""

    folder: Path
    open_place: OpenPlace
    again_s: float = AGAIN_S

    async def now(self) -> Restored:
        """Once, waiting for a guardian that is at it already. Raises OSError when the folder cannot be used."""
        return await asyncio.to_thread(restore_left, self.folder, self.open_place, AGENT)

    async def until_done(self, restored: Restored) -> None:
        """Try what is stuck until it is not."""
        while restored.stuck:
            log.error(
                "the computer is not as it was before the last exam: %s", ", ".join(map(str, dict(restored.stuck)))
            )
            await asyncio.sleep(self.again_s)
            restored = await asyncio.to_thread(restore_left, self.folder, self.open_place, AGENT, 0.0)
