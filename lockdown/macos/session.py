"""The rules of the session: staying awake, and what macOS lets only the application in front take away.

To disable locking, switching users, signing out, Force Quit and the Apple menu is a matter of presentation options
(NSApplicationPresentationOptions), which hold only while the application that set them is in front: so they are the secure
browser's to set, not the agent's. Beyond them is Automatic Assessment Configuration (AEAssessmentSession), which takes an
entitlement by Apple and is the browser's, too; it hides the screen from capture, so the browser must hand its frames over.
"""

import time
from collections.abc import Callable

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.macos.api import Session
from secureproctor.lockdown.rule import ApplyFailed, Image, Probed, Report, Terms
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.impossible import Impossible
from secureproctor.lockdown.rules.programs import TaskManagerRule

BROWSER = (
    "Take the exam in a secure browser that sets macOS's presentation options or uses Automatic Assessment Configuration, or"
    " let the exam go on without this rule."
)
WHY_NOT: dict[RuleId, str] = {
    "lock_screen": "Only the application in front can take locking away; its key is stopped by the rule of system keys.",
    "switch_user": "macOS lets only an administrator take the switching of users away.",
    "sign_out": "Only the application in front can take signing out away; its key is stopped by the rule of system keys.",
}
REMEDIES: dict[RuleId, str] = {
    "switch_user": "Ask those who look after this computer to switch it off by a profile, or let the exam go on without.",
}
AWAKE = "The computer is kept awake; the Apple menu, the lid and the power button do what they always do."
FORCE_QUIT = (
    "Activity Monitor is closed when it opens, and the keys for Force Quit are stopped; the Apple menu still has it."
)


def impossible(rule: RuleId) -> Impossible:
    """One of those rules."""
    return Impossible(rule, WHY_NOT[rule], REMEDIES.get(rule, BROWSER))


class PowerRule:
    """The rule `power`. macOS keeps awake for as long as the process lives that asked for it."""

    id: RuleId = "power"

    def __init__(self, session: Session) -> None:
        self._session = session
        self._applied = False

    def probe(self, terms: Terms) -> Probed:
        """The menu stays, so never more than observed."""
        return Probed("observed", AWAKE, BROWSER)

    def before(self, terms: Terms) -> Image:
        """It ends with this process."""
        return {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Stay awake."""
        if not self._session.keep_awake(on=True):
            raise ApplyFailed("macOS does not agree to stay awake.")
        self._applied = True

    def verify(self) -> bool:
        """Whether it was asked for; macOS does not take it back."""
        return self._applied

    def restore(self, image: Image) -> None:
        """Sleep when you like."""
        self._applied = False
        self._session.keep_awake(on=False)


class MacTaskManagerRule(TaskManagerRule):
    """The rule `task_manager`: programs of the kind are closed, and the window of Force Quit is nobody's to close."""

    def __init__(self, census: Census, names: Catalogue, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(census, names, clock)

    def probe(self, terms: Terms) -> Probed:
        """Never more than observed."""
        probed = super().probe(terms)
        return Probed("observed", FORCE_QUIT, BROWSER) if probed.standing == "enforced" else probed
