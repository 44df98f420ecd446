"""Sudden deaths at random, round by round: `python -m tests.lockdown.chaos --rounds 100 --seed 7`.

--round 13 plays one of them again. The exit code is 1 when a promise was broken.
"""

import argparse
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.lockdown.chaos.play import play, summary, tell

WITHIN_S = 2.0


def main() -> int:
    """Read the command line, play, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.lockdown.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000), help="which ones")
    parser.add_argument("--round", type=int, action="append", help="only this one; may be given several times")
    parser.add_argument("--within", type=float, default=WITHIN_S, help="seconds that a guardian has (%(default)s)")
    options = parser.parse_args()
    tell(f"chaos: --rounds {options.rounds} --seed {options.seed}")
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        outcomes = play(Path(folder), options.seed, options.round or range(options.rounds), options.within, tell)
    broken = [each for each in outcomes if each.broken]
    tell(f"\n{summary(outcomes)}\n{len(outcomes)} rounds in {time.monotonic() - began:.0f} s, {len(broken)} broken")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
