"""What is given up of a recording when it has to cost less, as a table.

A level is a set of factors on the plan's figures, so that an installation with a plan of its own has levels too. The screen
gives up pictures a second first and sharpness next, never its size, for text has to stay readable. The webcam gives
up sharpness, pace, and in the end size: its picture is made smaller after it was taken, so that the camera is not opened
again and whoever else looks at the pictures sees them whole. Sound is all there is of what was said: it is
untouched at `reduced` and stays speech at `least`.

In kB a minute, on the virtual desk at 1080p, with the default plan (`python -m secureproctor.benchmarks.levels --seconds 30`,
two cores and no other work; scrolling at `full` is more than they encode, and so costs less than at `reduced`):

    scene   level    screen  webcam  sound   all
    static  full        829    1395    441  2666
            reduced     619     596    411  1626
            least       413     152    272   838
    typing  full       1182    1379    430  2991
            reduced     855     600    434  1889
            least       544     153    271   968
    scroll  full       2091    1398    426  3915
            reduced    2862     599    424  3885
            least      1167     153    272  1592

What is left of a still screen is key frames, one a segment. `least` encodes the screen at CRF 40: text of an exam page could be
read without effort at 38, and with shadows around the letters at 43.
"""

from dataclasses import dataclass, replace

from secureproctor.capture.plan import CapturePlan

_WORST_CRF = 51
"""The end of x264's scale."""

_SPEECH_BITRATE = 24_000
"""AAC of libavcodec keeps speech whole up to 8 kHz with so many bits a second, and up to 4 kHz with 16,000 (measured)."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Factors on figures of a plan; `screen_crf` and `webcam_crf` are added instead (6 more is about half the bytes)."""

    screen_fps: float = 1.0
    screen_crf: int = 0
    webcam_fps: float = 1.0
    webcam_crf: int = 0
    webcam_scale: float = 1.0
    audio_bitrate: float = 1.0

    def applied(self, plan: CapturePlan) -> CapturePlan:
        """What is left of `plan` at this level."""
        return replace(
            plan,
            screen_fps=plan.screen_fps * self.screen_fps,
            screen_crf=min(plan.screen_crf + self.screen_crf, _WORST_CRF),
            webcam_fps=plan.webcam_fps * self.webcam_fps,
            webcam_crf=min(plan.webcam_crf + self.webcam_crf, _WORST_CRF),
            webcam_scale=plan.webcam_scale * self.webcam_scale,
            audio_bitrate=max(min(plan.audio_bitrate, _SPEECH_BITRATE), round(plan.audio_bitrate * self.audio_bitrate)),
        )


FULL = "full"

QUALITIES: dict[str, Quality] = {
    FULL: Quality(),
    "reduced": Quality(screen_fps=0.5, screen_crf=6, webcam_fps=0.5, webcam_crf=4),
    "least": Quality(
        screen_fps=0.25, screen_crf=12, webcam_fps=0.2, webcam_crf=6, webcam_scale=0.5, audio_bitrate=2 / 3
    ),
}
"""The levels of `contract.page.RoomStatus`, the best first."""
