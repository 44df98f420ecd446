"""When a page is asked again to acknowledge, and when the proctor is told that it did not. Pure: the time comes with each call.

Every REMIND_EVERY_S the page is asked again, for as long as the request waits; what was missed meanwhile, by a computer that
slept or an agent that was away, is asked once. ACKNOWLEDGE_WITHIN_S after a request took effect the proctor is told.
"""

from dataclasses import dataclass

from secureproctor.agent.proctor.course import Course
from secureproctor.contract.channel import ACKNOWLEDGE_WITHIN_S, REMIND_EVERY_S


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done now. `reminder` is the number of the next question to the page, 0 for none."""

    reminder: int = 0
    report: bool = False


def waited_s(course: Course, now_us: int) -> float:
    """For how long a request has waited."""
    return max(0, now_us - course.applied_us) / 1e6


def left_s(course: Course, now_us: int) -> float:
    """Until the proctor is told; negative afterwards."""
    return round(ACKNOWLEDGE_WITHIN_S - waited_s(course, now_us), 1)


def due(course: Course, now_us: int) -> Due:
    """What a request asks for at this time."""
    if not course.waits:
        return Due()
    waited = waited_s(course, now_us)
    number = int(waited // REMIND_EVERY_S)
    return Due(
        reminder=number if number > course.reminders else 0,
        report=course.status == "applied" and waited >= ACKNOWLEDGE_WITHIN_S,
    )
