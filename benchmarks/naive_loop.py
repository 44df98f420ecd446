"""The screen recorder that anybody would write first: mss, NumPy, PyAV, a picture every tenth of a second, until SIGTERM.

It encodes with the same settings as ours, so that what differs is the way of a picture to the encoder.
"""

import signal
import sys
import threading
import time
from fractions import Fraction

import av
import mss
import numpy as np

from secureproctor.benchmarks.alike import CRF, FPS, PRESET, RATE_TOLD, SEGMENT_S

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
LIKE_OURS = {"preset": PRESET, "crf": str(CRF), "tune": "zerolatency", "g": str(FPS * SEGMENT_S)}


def main() -> None:
    """Record into the file that the argument names, until told to end."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    with mss.MSS() as screen, av.open(sys.argv[1], "w", format="mp4", options=FRAGMENTED) as out:
        monitor = screen.monitors[0]
        track = out.add_stream("libx264", rate=RATE_TOLD, options=LIKE_OURS)
        track.width, track.height, track.pix_fmt = monitor["width"], monitor["height"], "yuv420p"
        track.codec_context.thread_count, track.codec_context.time_base = 1, Fraction(1, 1000)
        begun = time.monotonic()
        while not told.is_set():
            picture = np.asarray(screen.grab(monitor))
            frame = av.VideoFrame.from_ndarray(picture, format="bgra")
            frame.pts = round(1000 * (time.monotonic() - begun))
            out.mux(track.encode(frame))
            told.wait(1 / FPS - (time.monotonic() - begun) % (1 / FPS))
        out.mux(track.encode(None))


if __name__ == "__main__":
    main()
