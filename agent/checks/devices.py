"""Camera, microphone and screen: proven by looking and listening, not by asking whether a device is listed.

capture.probe watches each device for a moment and names what it suffers from; here that becomes an outcome. The probes
are imported when they are called: a media library that is missing or broken then costs one check, not the program.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from secureproctor.agent.checks.check import CheckContext, CouldNotCheck, Failed, Outcome, Passed, Warned
from secureproctor.agent.checks.daemon_thread import in_daemon_thread

if TYPE_CHECKING:
    from secureproctor.capture.probe import Probe

LOG = logging.getLogger(__name__)

VERDICTS: dict[str, type[Outcome]] = {
    "ok": Passed,
    "missing": Failed,
    "no_permission": Failed,
    "busy": Failed,
    "stalled": Failed,
    "black": Failed,
    "frozen": Failed,
    "silent": Failed,  # digital zeros: muted, or the wrong device; even a quiet room makes a live microphone count
    "quiet": Warned,
    "no_display": Failed,
    "no_frames": Failed,
}
"""What a diagnosis means for an exam. A code that is not here says nothing certain: CouldNotCheck."""

MILDER: dict[tuple[str, str], type[Outcome]] = {
    ("screen", "black"): Warned,  # a dark desktop is black too
    ("screen", "frozen"): Passed,  # a screen on which nothing happens is an ordinary one
}
"""Where the same diagnosis means less for one check."""


def judged(check_id: str, probe: "Probe") -> Outcome:
    """What a probe means for the exam."""
    verdict = MILDER.get((check_id, probe.code)) or VERDICTS.get(probe.code, CouldNotCheck)
    return verdict(str(probe.code), probe.seen)


async def camera(context: CheckContext) -> Outcome:
    """Whether the camera delivers pictures that are neither black nor frozen."""
    return await _probed("camera", partial(_webcam, context))


async def microphone(context: CheckContext) -> Outcome:
    """Whether the microphone delivers sound."""
    return await _probed("microphone", partial(_microphone, context))


async def screen(context: CheckContext) -> Outcome:
    """Whether the screen can be captured."""
    return await _probed("screen", partial(_screen, context))


async def _probed(check_id: str, probe: "Callable[[], Probe]") -> Outcome:
    found = await in_daemon_thread(f"check-{check_id}", probe)
    LOG.info("the %s: %s, %s (%s)", check_id, found.code, found.seen, found.detail)
    return judged(check_id, found)


def _webcam(context: CheckContext) -> "Probe":
    from secureproctor.capture.probe import probe_webcam

    return probe_webcam(context.webcam_device, context.probe_s)


def _microphone(context: CheckContext) -> "Probe":
    from secureproctor.capture.probe import probe_microphone

    return probe_microphone(context.microphone, context.probe_s)


def _screen(context: CheckContext) -> "Probe":
    from secureproctor.capture.probe import probe_screen

    return probe_screen(context.probe_s)
