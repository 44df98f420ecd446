"""Our screen source, encoder and segmenter alone, its segments appended to the file that the argument names; until SIGTERM."""

import signal
import sys
import threading
import time

from secureproctor.benchmarks.alike import CRF, FPS, PRESET, SEGMENT_S
from secureproctor.capture.media import Segment
from secureproctor.capture.recorder import CapturePlan, Recorder
from secureproctor.contract.streams import Stream


def main() -> None:
    """Record until told to end."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    plan = CapturePlan(
        frozenset({Stream.SCREEN}), screen_fps=FPS, screen_preset=PRESET, screen_crf=CRF, segment_s=SEGMENT_S
    )
    with open(sys.argv[1], "wb") as out:

        def write(segment: Segment) -> None:
            out.write(segment.payload)
            out.flush()

        recorder = Recorder(plan, lambda: time.monotonic_ns() // 1000, write, lambda report: None)
        recorder.start()
        told.wait()
        recorder.stop()


if __name__ == "__main__":
    main()
