"""One fault must not take the others down: what a rule does is tried, and why it failed is a value.

Rules promise which errors they raise. When the machine is to be given back that promise is not relied upon: whatever one of
them raises is on the log, and the next one has its turn. This is the lockdown's only broad except.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from secureproctor.lockdown.rule import ApplyFailed, PlaceGone, RestoreFailed

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failed:
    """Why something failed, as a sentence. `gone`: the place is, and nothing in it will work again."""

    why: str
    gone: bool = False


def attempt(what: str, act: Callable[[], T]) -> T | Failed:
    """What `act` gives, or why it failed; `what` names it in the log."""
    try:
        return act()
    except (ApplyFailed, RestoreFailed) as failure:
        return Failed(str(failure))
    except PlaceGone as gone:
        log.warning("the system can be reached no more, %s: %s", what, type(gone).__name__)
        return Failed("The system can be reached no more.", gone=True)
    except Exception as fault:  # the one place where nobody's fault may stop what comes after
        log.exception("unexpected fault: %s", what)
        said = f": {fault}" if isinstance(fault, OSError) else ""  # the system's words; others' may hold anything
        return Failed(f"There was an unexpected fault ({type(fault).__name__}{said}).")
