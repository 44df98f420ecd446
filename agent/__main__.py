"""The entry of the command line: Ctrl-C ends it quietly from the first moment on; what takes time to load is loaded then."""

import signal
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is open yet: to end at once is right
    from secureproctor.agent.command import main as run

    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
