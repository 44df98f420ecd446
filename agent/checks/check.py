"""What a check of Check System is, and what it can say.

    Passed          seen to work
    Warned          works, but a person should look at it
    Failed          does not work; Start is refused
    CouldNotCheck   nobody knows; shown as itself, since a check that could not run must never read as a pass

A check says only what it saw. What to do about it stands in one table (remedies.py) under the check's id and the
outcome's code, so that no outcome can lack its remedy and all sentences are read and translated in one place.
"""

import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import httpx

from secureproctor.agent.checks.remedies import remedy
from secureproctor.contract.lockdown import RuleStatus
from secureproctor.contract.page import CheckResult, CheckResults
from secureproctor.contract.streams import Stream

OK = "ok"
COULD_NOT_CHECK = "could_not_check"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code` is what programs compare, `seen` a sentence for a person. `todo` is what to do about it where only the check
    itself can know; else the table of remedies says it."""

    code: str
    seen: str
    todo: str = ""
    status: ClassVar[Literal["passed", "warned", "failed", "could_not_check"]]


class Passed(Outcome):
    """Seen to work."""

    __slots__ = ()
    status = "passed"


class Warned(Outcome):
    """Works, but a person should look at it."""

    __slots__ = ()
    status = "warned"


class Failed(Outcome):
    """Does not work; an exam cannot start like this."""

    __slots__ = ()
    status = "failed"


class CouldNotCheck(Outcome):
    """The check itself could not run, or what it depends on was not there."""

    __slots__ = ()
    status = "could_not_check"


def wall_ms() -> int:
    """Milliseconds since 1970 by this computer's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class CheckContext:
    """Everything that the checks look at. The client stays the caller's: no check closes it."""

    service_url: str
    spool_dir: Path
    expiry_s: int
    streams: frozenset[Stream]
    client: httpx.AsyncClient
    webcam_device: int | str = 0
    microphone: int | str | None = None
    probe_s: float = 1.5
    """How long a device is watched."""
    limit_s: float = 20.0
    """After this a check counts as one that could not run. Generous: a camera may take seconds to open, and at first
    use the system may ask the candidate for permission."""
    answer_s: float = 5.0
    """How long the service may take to answer."""
    wall_ms: Callable[[], int] = wall_ms
    platform: str = sys.platform
    lockdown: Callable[[], Awaitable[tuple[RuleStatus, ...]]] | None = None
    """Probes the rules of the exam's lockdown; None when it has none."""


@dataclass(frozen=True, slots=True)
class Check:
    """A row of CHECKS. With a stream, the check runs only when the exam wants that stream; with `locked`, only when it has a
    lockdown."""

    id: str
    name: str
    run: Callable[[CheckContext], Awaitable[Outcome]]
    stream: Stream | None = None
    locked: bool = False

    def is_wanted(self, context: CheckContext) -> bool:
        """Whether the exam calls for it."""
        return (self.stream is None or self.stream in context.streams) and (
            not self.locked or context.lockdown is not None
        )


def to_result(check: Check, outcome: Outcome, platform: str) -> CheckResult:
    """The outcome as the page sees it, with the remedy for this OS; what passed needs none."""
    todo = "" if isinstance(outcome, Passed) else outcome.todo or remedy(check.id, outcome.code, platform)
    return CheckResult(check.id, check.name, outcome.status, outcome.code, outcome.seen, todo)


def summed_up(results: Iterable[CheckResult]) -> CheckResults:
    """All results as one answer: ok when none failed."""
    checks = tuple(results)
    return CheckResults(all(result.status != "failed" for result in checks), checks)
