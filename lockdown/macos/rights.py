"""What macOS must be asked to allow, in the words of the candidate. Pure.

An event tap that stops keys takes the right Accessibility; one that only hears them takes Input Monitoring, or Accessibility
(WWDC 2019, session 701). Whoever makes a tap without the right makes macOS ask the candidate, perhaps under the exam's window:
so nothing here is tried without looking first. IT grants Accessibility by a profile (PPPC); Input Monitoring is the user's.
"""

from typing import Literal

from secureproctor.lockdown.macos.api import Access, Rights

Grasp = Literal["stop", "listen", "nothing"]
"""What can be done with keys."""

GRANT = (
    "Open System Settings, Privacy & Security, Accessibility, and switch SecureProctor on (add it with + if it is not in the"
    " list); then start the agent again."
)
_STATES: dict[Access, str] = {
    "granted": "",
    "denied": "The right Accessibility was refused to SecureProctor, or taken away.",
    "undetermined": "The right Accessibility has not been given to SecureProctor yet.",
}


def grasp(rights: Rights) -> Grasp:
    """What can be done with keys, with these rights."""
    if rights.accessibility == "granted":
        return "stop"
    return "listen" if rights.listen == "granted" else "nothing"


def missing(rights: Rights) -> str:
    """What is missing, as a sentence; empty: nothing."""
    return _STATES[rights.accessibility]
