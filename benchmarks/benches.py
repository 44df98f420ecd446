"""What is measured, as a table. The first of a work is ours, and the others are compared with it.

A new peer is a row in BENCHES; a new scene a row in SCENES and in the exam page.
"""

from dataclasses import dataclass

from secureproctor.benchmarks import peers
from secureproctor.benchmarks.place import Opener, program
from secureproctor.benchmarks.proctored import proctored

SCENES = {
    "static": "nothing moves but a clock of seconds",
    "typing": "an answer is typed at about five keys a second",
    "scroll": "the page is scrolled without a pause",
}
"""The exam page's scenes, and what they show."""

ALL_STREAMS, SCREEN = "Screen, webcam and microphone at once", "The screen alone"


@dataclass(frozen=True, slots=True)
class Bench:
    """A program doing a work. `does` and `lacks` (what it does not do) stand in the document beside the figures."""

    name: str
    work: str
    open: Opener
    does: str
    lacks: str


BENCHES: tuple[Bench, ...] = (
    Bench(
        "SecureProctor agent",
        ALL_STREAMS,
        proctored,
        "The agent's process in a real session with the embedded service: capture, encode, seal each segment, spool it to "
        "disk, upload it over loopback HTTP, keep the hash chain, the proctor channel and the page's connection. "
        "It skips pictures of the screen that are equal to the last one.",
        "",
    ),
    Bench(
        "ffmpeg",
        ALL_STREAMS,
        program(peers.ffmpeg),
        "One process: x11grab, the camera's MJPEG and PulseAudio into x264 and AAC, into HLS segments of "
        "fragmented MP4 on disk. Every picture of the screen is encoded.",
        "No sealing, hash chain, acknowledged spool, upload, session or proctor channel; a lost device is not found again.",
    ),
    Bench(
        "SecureProctor screen source",
        SCREEN,
        program(peers.screen_alone),
        "Our recorder with one stream: capture, skip what is equal, encode, cut into segments, append them to a file.",
        "No sealing, spool, upload or session.",
    ),
    Bench(
        "naive mss → NumPy → PyAV",
        SCREEN,
        program(peers.naive_loop),
        "A loop of a few lines: grab with mss, make an array, let PyAV convert and encode it, into one fragmented MP4.",
        "As the row above; and every picture is encoded.",
    ),
)
"""In the order of the document."""
