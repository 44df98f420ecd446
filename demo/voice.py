"""Somebody who thinks aloud: the given sentences in turn, with pauses of natural length, as raw samples on stdout, for ever.

Whoever plays them sets the pace. The pauses repeat from run to run, so that two measurements hear the same. They are not
silent: a live microphone hears its room, and one that delivers nothing but zeros is taken for muted.
"""

import array
import random
import sys
import wave

_PAUSES_S = (0.4, 0.7, 0.9, 1.6, 2.8)
_ROOM = 24
"""Peak of the room's noise, of 32768: -63 dBFS."""


def main() -> None:
    """Arguments: mono 16-bit WAV files of one rate."""
    clips = [_read(path) for path in sys.argv[1:]]
    pause = random.Random(7)
    room = array.array("h", [pause.randint(-_ROOM, _ROOM) for _ in range(clips[0][1])]).tobytes()
    try:
        while True:
            for samples, rate in clips:
                sys.stdout.buffer.write(samples)
                sys.stdout.buffer.write((room * 4)[: 2 * int(rate * pause.choice(_PAUSES_S))])
    except BrokenPipeError:
        sys.stderr.close()  # the player has gone: the interpreter's own complaint about it says nothing more


def _read(path: str) -> tuple[bytes, int]:
    with wave.open(path) as clip:
        return clip.readframes(clip.getnframes()), clip.getframerate()


if __name__ == "__main__":
    main()
