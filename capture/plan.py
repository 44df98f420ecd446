"""What to capture and how, and what has been done so far: the two values that cross the recorder's boundary."""

from dataclasses import dataclass

from secureproctor.contract.streams import MEDIA, Stream


@dataclass(frozen=True, slots=True)
class CapturePlan:
    """What to capture and how. `streams` holds members of `contract.streams.MEDIA`."""

    streams: frozenset[Stream] = frozenset(MEDIA)
    screen_fps: float = 12.0
    screen_preset: str = "superfast"
    screen_crf: int = 28
    webcam_device: int | str = 0
    """Index, device path, or URL of a test source."""
    webcam_width: int = 640
    webcam_height: int = 480
    """The largest picture kept; the camera is asked for this size, and a larger one is scaled down."""
    webcam_fps: float = 10.0
    webcam_preset: str = "superfast"
    webcam_crf: int = 28
    webcam_scale: float = 1.0
    """Factor on both sides of the picture kept, for the recording alone."""
    microphone: str | int | None = None
    """PortAudio's index or a part of a name; None is the system's default."""
    audio_bitrate: int = 48_000
    segment_s: float = 2.0
    display: str | None = None
    """X11 display of the screen; None is `$DISPLAY`. No meaning on other systems."""

    @property
    def segment_us(self) -> int:
        """Length of a segment in microseconds."""
        return round(self.segment_s * 1_000_000)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a stream has done so far. `late`: items encoded more than half a second after they began."""

    grabbed: int = 0
    skipped: int = 0
    encoded: int = 0
    late: int = 0
    segments: int = 0
    bytes: int = 0
