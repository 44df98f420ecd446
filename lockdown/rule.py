"""What a lockdown rule is: something on this machine that can be probed, applied, verified and restored.

Three promises make it impossible to leave a machine locked:

1. What a rule changes that outlives this process it first gives as a *before-image* (`before`), which is on the disk
   (undo.py) before `apply` is called. What ends with the process (a grab, a hook) is not in the image.
2. `restore` needs the image only. It works in another process, in another boot, without `apply` ever having been called, and
   any number of times. It puts back what is still as the rule left it; what somebody else has changed since is theirs.
3. `probe`, `before` and `verify` change nothing.

All of a rule's calls come from one thread, the guard's, and so do its sightings: a rule needs no locks. What the operating
system tells by events comes through the place (`Place.pump`), in the same thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import LockdownSettings, RuleId, Standing

Image = dict[str, str | int | float | bool | list[str] | dict[str, str | int | None] | None]
"""A before-image: JSON that says what was there and what the rule puts in its place. Empty: nothing outlives the process."""


class RestoreFailed(Exception):
    """A rule could not be restored now; it stays on the disk, and is tried again. The text is a sentence."""


class ApplyFailed(Exception):
    """A rule could not be applied. What it may have done in part is restored by the guard. The text is a sentence."""


class PlaceGone(Exception):
    """The system cannot be reached by this place any more (its X server died, say). Another one is to be opened."""


@dataclass(frozen=True, slots=True)
class Probed:
    """How a rule would stand here. `why` and `remedy` are sentences for the candidate, empty where all is well."""

    standing: Standing
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that a rule saw or stopped. `kind` is one of contract.events.EVENTS. `rule` is None where it is about the
    lockdown itself.

    `about` names the thing that it is about: the same kind about the same thing is told again only after a while, with how
    often it was seen meanwhile (`times` in its detail). `counts`: it is a violation, in contrast to a mere observation.
    """

    rule: RuleId | None
    kind: str
    detail: Detail
    about: str = ""
    counts: bool = True


Report = Callable[[Sighting], None]


@dataclass(frozen=True, slots=True)
class Exam:
    """What the exam runs in: the browser's main process and the system's handle of its window; 0 where nobody knows yet.

    Without a window, it is the active window of the process, or its largest. Without a process, it is the window that is
    active when the lockdown is applied.
    """

    pid: int = 0
    window: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """For what a lockdown is applied. `allowed` are programs that IT allows on this computer, besides the exam's own.

    `observe_only`: nothing is enforced, by policy.
    """

    exam: Exam
    settings: LockdownSettings
    allowed: tuple[str, ...] = ()
    observe_only: bool = False


class Rule(Protocol):
    """One restriction. `id` is its row in contract.lockdown.RULES."""

    @property
    def id(self) -> RuleId:
        """Which rule it is."""

    def probe(self, terms: Terms) -> Probed:
        """How it would stand here. Raises nothing: what cannot be found out is `could_not_check`."""

    def before(self, terms: Terms) -> Image:
        """The before-image of what `apply` changes and what outlives this process."""

    def apply(self, terms: Terms, report: Report) -> None:
        """Put the restriction in place, or begin to observe. Raises ApplyFailed."""

    def verify(self) -> bool:
        """Whether it is in place. Called about once a second, in less than 10 ms; may report what it sees on the way."""

    def restore(self, image: Image) -> None:
        """Put back what was there, by the image of `before`; forget what this process holds. Raises RestoreFailed."""


class Place(Protocol):
    """The operating system as the guard uses it: its rules, and the one door through which its events come."""

    @property
    def name(self) -> str:
        """Which it is: `linux/x11`, `linux/wayland`, `linux/console`, `windows`, `macos`."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Its rules, one for each row of contract.lockdown.RULES, in that order. What is not possible says so by probe."""

    def pump(self, timeout_s: float) -> None:
        """Wait for events of the system for at most `timeout_s`, and let the rules act on them. `wake` ends it at once."""

    def wake(self) -> None:
        """End a `pump` that is under way, or the next one; from any thread."""

    def close(self) -> None:
        """Give connections, hooks and handles back. It restores nothing. Twice is harmless."""


OpenPlace = Callable[[], Place]
"""Opens the place, in the thread that will use it."""
