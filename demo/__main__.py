"""`secureproctor demo`: plays a whole proctored session on this machine, and ends by itself.

A failure is a sentence with its remedy and exit code 1; Ctrl-C at any moment takes everything down and exits with 130,
SIGTERM with 143. Signals are noted before the libraries are loaded, which takes a second.
"""

import importlib
import sys

from secureproctor.demo.interruption import Interruption


def main(argv: list[str] | None = None) -> int:
    """Play a course; 0 when it kept all promises."""
    interruption = Interruption()
    with interruption.noted():
        try:
            command = importlib.import_module("secureproctor.demo.command")
        except ModuleNotFoundError as missing:
            if missing.name is None or not missing.name.startswith("playwright"):
                raise
            print("The demo needs Playwright.\n  Run: pip install 'secureproctor[demo]'", file=sys.stderr)  # noqa: T201 - a sentence for a person
            return 1
        code: int = command.run(argv, interruption)
        return code


if __name__ == "__main__":
    sys.exit(main())
