"""Whether the service is heard, and until when a session may go on without. Pure: the time comes with each call.

Any answer of the service counts as contact. Nothing for LINK_LOST_AFTER_S means that the link is lost; the deadline is the
last contact plus the session expiry time, on the boot clock, which cannot be set back and counts sleep.
"""

import enum
from dataclasses import dataclass

from secureproctor.contract.channel import LINK_LOST_AFTER_S


class Change(enum.Enum):
    """What became of the link since the last look."""

    NONE = "none"
    LOST = "lost"
    RESTORED = "restored"
    EXPIRED = "expired"


@dataclass(slots=True)
class LinkWatch:
    """The watch over one session's link; times in microseconds of the boot clock."""

    expiry_us: int
    last_contact_us: int
    online: bool = True
    expired: bool = False

    def heard(self, now_us: int) -> None:
        """The service answered."""
        self.last_contact_us = now_us

    def look(self, now_us: int) -> Change:
        """What changed; each change is told once."""
        silent_us = now_us - self.last_contact_us
        if self.online and silent_us >= LINK_LOST_AFTER_S * 1e6:
            self.online = False
            return Change.LOST
        if not self.online and silent_us < LINK_LOST_AFTER_S * 1e6:
            self.online = True
            return Change.RESTORED
        if not self.expired and silent_us >= self.expiry_us:
            self.expired = True
            return Change.EXPIRED
        return Change.NONE

    def left_s(self, now_us: int) -> float:
        """Seconds until the session expires if nothing is heard."""
        return max(0.0, (self.last_contact_us + self.expiry_us - now_us) / 1e6)
