"""All tests in two halves side by side: `python -m tests.halves [arguments of pytest]`.

Most tests wait: for a browser, a disk, a deadline. One half is the service and what pages do in real browsers; the other one
is all the rest, with what is measured and played on the desk. What the rest says is shown as it comes, what the pages' half
says afterwards. An interruption ends both.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = frozenset({"e2e", "service", "web"})
"""The folders of the pages' half; together they take as long as the rest."""
OPTION = "--half"
NO_TESTS = 5
"""pytest's exit code when nothing was selected."""


def half_of(path: Path) -> str:
    """Which half a test's file belongs to."""
    return "pages" if PAGES & set(path.relative_to(ROOT / "tests").parts) else "rest"


def main(arguments: list[str]) -> int:
    """Run both; the worse of the two exit codes."""
    with tempfile.TemporaryFile() as said:
        pages = _begun("pages", arguments, said.fileno())
        try:
            codes = [_begun("rest", arguments, None).wait()]
            codes.append(pages.wait())
        finally:
            if pages.poll() is None:
                pages.terminate()
                pages.wait()
        said.seek(0)
        sys.stdout.write(said.read().decode(errors="replace"))
    return max((code for code in codes if code != NO_TESTS), default=NO_TESTS)


def _begun(half: str, arguments: list[str], output: int | None) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "pytest", OPTION, half, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
