"""What the recorder asks of a source, and the vocabulary for what can be wrong with a device.

Devices fail in few ways that a person can act on, and in many ways that libraries report badly: a camera in use, a camera
without permission and no camera at all look the same to OpenCV. Each source therefore finds out the reason itself and
names it with a `Diagnosis`; Check System shows the same words before an exam that the recorder reports during one.

    CaptureError
    ├── CannotOpen    the device did not begin to deliver
    └── DeviceLost    it delivered and ceased; `since_us` says when
"""

import enum
from dataclasses import dataclass
from typing import Protocol, TypeVar

from secureproctor.contract.streams import Stream


class Diagnosis(enum.StrEnum):
    """What a device suffers from. The value is the code in reports, checks and JSON."""

    OK = "ok"
    MISSING = "missing"
    NO_PERMISSION = "no_permission"
    BUSY = "busy"
    STALLED = "stalled"
    BLACK = "black"
    FROZEN = "frozen"
    SILENT = "silent"
    QUIET = "quiet"
    NO_DISPLAY = "no_display"
    NO_FRAMES = "no_frames"


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence for the candidate and what to do about it; `{device}` is filled with the device's everyday name."""

    sentence: str
    remedy: str


ADVICE: dict[Diagnosis, Advice] = {
    Diagnosis.OK: Advice("The {device} works.", "Nothing to do."),
    Diagnosis.MISSING: Advice("No {device} was found.", "Connect the {device}, or switch it on, and check again."),
    Diagnosis.NO_PERMISSION: Advice(
        "This program is not allowed to use the {device}.", "Allow it in the privacy settings of the system."
    ),
    Diagnosis.BUSY: Advice(
        "Another program is using the {device}.", "Close other programs that use the {device}, such as video calls."
    ),
    Diagnosis.STALLED: Advice("The {device} stopped delivering.", "Unplug the {device} and plug it in again."),
    Diagnosis.BLACK: Advice("The {device} shows only black.", "Open the cover of the {device}, or switch on a light."),
    Diagnosis.FROZEN: Advice("The picture of the {device} does not move.", "Close programs that feed a still picture."),
    Diagnosis.SILENT: Advice("The {device} delivers only silence.", "Unmute the {device} and raise its input volume."),
    Diagnosis.QUIET: Advice("The {device} is very quiet.", "Raise its input volume, and speak while it is checked."),
    Diagnosis.NO_DISPLAY: Advice("There is no {device} to capture.", "Log in to a graphical session and start again."),
    Diagnosis.NO_FRAMES: Advice(
        "The secure browser hands over no pictures of its window.", "Go back to the secure browser, or open it again."
    ),
}

DEVICE: dict[Stream, str] = {Stream.SCREEN: "screen", Stream.WEBCAM: "camera", Stream.AUDIO: "microphone"}
"""What the device of a stream is called in front of a person."""


class CaptureError(Exception):
    """A device does not deliver. `code`, `sentence` and `remedy` are for people, `detail` is for logs."""

    def __init__(self, stream: Stream, code: Diagnosis, detail: str = "") -> None:
        device = DEVICE[stream]
        self.stream = stream
        self.code = code
        self.sentence = ADVICE[code].sentence.format(device=device)
        self.remedy = ADVICE[code].remedy.format(device=device)
        self.detail = detail
        super().__init__(f"{self.sentence} ({code}{': ' if detail else ''}{detail})")


class CannotOpen(CaptureError):
    """The device did not begin to deliver."""


class DeviceLost(CaptureError):
    """The device delivered and ceased. Evidence is good up to `since_us` (session clock), and not a moment longer."""

    def __init__(self, stream: Stream, code: Diagnosis, since_us: int, detail: str = "") -> None:
        super().__init__(stream, code, detail)
        self.since_us = since_us


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """What a source has done since it was made: pictures or blocks taken from the device, and those not passed on."""

    grabbed: int = 0
    skipped: int = 0
    """Pictures left out since nothing had changed or the pace forbade them; samples dropped by the audio clock."""


T_co = TypeVar("T_co", covariant=True)


class Source(Protocol[T_co]):
    """A device that delivers frames or blocks. One thread calls all but interrupt and counts, which any thread may."""

    def open(self) -> None:
        """Opens the device. Raises `CannotOpen`. After `close` it may be opened again."""

    def read(self, until_us: int) -> T_co | None:
        """The next frame or block, or None when interrupted or when nothing came.

        A video source returns its last picture again, `changed=False`, when the session clock reaches `until_us`
        (the time of the next key frame). Raises `DeviceLost`.
        """

    def close(self) -> None:
        """Gives the device back. Harmless when not open. Never blocks on a device that hangs."""

    def set_pace(self, fps: float) -> None:
        """Pictures a second at most, from now on and after the next `open`. The device is not asked for another rate.

        Called by the thread that reads. Sound has no pace, and takes no notice.
        """

    def interrupt(self) -> None:
        """Ends the present read and all later ones: they return None at once. For good, as it precedes the end."""

    def counts(self) -> SourceCounts:
        """A snapshot for status and benchmarks."""
