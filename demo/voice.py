"""Somebody who thinks aloud: the given sentences in turn, with pauses of natural length, as raw samples on stdout, for ever.

Whoever plays them sets the pace. The pauses repeat from run to run, so that two measurements hear the same.
"""

import random
import sys
import wave

_PAUSES_S = (0.4, 0.7, 0.9, 1.6, 2.8)


def main() -> None:
    """Arguments: mono 16-bit WAV files of one rate."""
    clips = [_read(path) for path in sys.argv[1:]]
    pause = random.Random(7)
    try:
        while True:
            for samples, rate in clips:
                sys.stdout.buffer.write(samples)
                sys.stdout.buffer.write(bytes(2 * int(rate * pause.choice(_PAUSES_S))))
    except BrokenPipeError:
        sys.stderr.close()  # the player has gone: the interpreter's own complaint about it says nothing more


def _read(path: str) -> tuple[bytes, int]:
    with wave.open(path) as clip:
        return clip.readframes(clip.getnframes()), clip.getframerate()


if __name__ == "__main__":
    main()
