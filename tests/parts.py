"""All tests in two parts side by side: `python -m tests.parts [arguments of pytest]`.

Most tests wait: for a browser, a disk, a deadline. One part is what pages do in real browsers, the service and the lockdown;
the other one is all the rest, with what is measured and played on the desk. What the rest says is shown as it comes, what the
other part says afterwards. An interruption ends both.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
PARTS: dict[str, frozenset[str]] = {"pages": frozenset({"e2e", "web", "service", "lockdown"})}
"""The folders of each part but the rest."""
REST = "rest"
OPTION = "--part"
NO_TESTS = 5
"""pytest's exit code when nothing was selected."""


def part_of(path: Path) -> str:
    """Which part a test's file belongs to."""
    top = path.relative_to(ROOT / "tests").parts[0]
    return next((part for part, folders in PARTS.items() if top in folders), REST)


def main(arguments: list[str]) -> int:
    """Run all; the worst of their exit codes."""
    with contextlib.ExitStack() as stack:
        others = [(stack.enter_context(_beside(part, arguments))) for part in PARTS]
        codes = [_begun(REST, arguments, None).wait()]
        for process, said in others:
            codes.append(process.wait())
            said.seek(0)
            sys.stdout.write(said.read().decode(errors="replace"))
    return max((code for code in codes if code != NO_TESTS), default=NO_TESTS)


@contextlib.contextmanager
def _beside(part: str, arguments: list[str]) -> Iterator[tuple["subprocess.Popen[bytes]", IO[bytes]]]:
    """A part that runs while the block lasts, and what it says."""
    with tempfile.TemporaryFile() as said:
        process = _begun(part, arguments, said.fileno())
        try:
            yield process, said
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def _begun(part: str, arguments: list[str], output: int | None) -> "subprocess.Popen[bytes]":
    # one word: pytest takes a second one for a folder to collect, as long as it does not know the option
    command = [sys.executable, "-m", "pytest", f"{OPTION}={part}", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
