"""docs/integrators.md says what is true: its code is that of the examples, its commands, calls and codes exist."""

import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from secureproctor.contract.errors import CODES
from tests.docs.servers import EXAMPLES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "integrators.md").read_text()
WEB = ROOT / "service" / "web"
EXTENSION = ROOT / "packaging" / "browser" / "extension"
SOURCES = {
    "html": EXAMPLES / "exam.html",
    "js": EXAMPLES / "exam.html",
    "js node": EXAMPLES / "node" / "server.mjs",
    "python": EXAMPLES / "python" / "server.py",
    "php": EXAMPLES / "php" / "server.php",
}
"""Where a block of this language was taken from."""


@dataclass(frozen=True)
class Block:
    """A piece of code, and the first of its lines."""

    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.language}: {self.code.splitlines()[0][:50]}"


BLOCKS = [Block(*each) for each in re.findall(r"^```([a-z ]+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)]
QUOTED = [block for block in BLOCKS if block.language in SOURCES]
COMMANDS = [line for block in BLOCKS if block.language == "sh" for line in block.code.splitlines()]


def laid_out_alike(text: str) -> str:
    """Without what indentation and line ends add."""
    return "\n".join(line.strip() for line in textwrap.dedent(text).strip().splitlines())


@pytest.mark.parametrize("block", QUOTED, ids=str)
def test_a_block_of_code_is_taken_from_its_example(block: Block) -> None:
    assert laid_out_alike(block.code) in laid_out_alike(SOURCES[block.language].read_text())


def test_every_block_has_a_language_that_is_looked_at() -> None:
    assert {block.language for block in BLOCKS} - {"sh"} == set(SOURCES)


@pytest.mark.parametrize("line", [line for line in COMMANDS if "secureproctor " in line])
def test_every_command_and_option_exists(line: str) -> None:
    command, *words = line.partition("secureproctor ")[2].split()
    options = [word for word in words if word.startswith("--")]
    called = [command, *words[:1]] if command == "msb-key" else [command]
    argv = [sys.executable, "-m", "secureproctor.agent", *called, "--help"]
    told = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert options or len(called) > 1
    assert [option for option in options if option not in told.stdout] == []


def test_every_file_that_is_named_exists() -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([\w/.#-]+)\)", TEXT)]
    paths = [ROOT / "docs" / link for link in links]
    paths += [ROOT / word for line in COMMANDS for word in line.split() if word.startswith(("docs/", "packaging/"))]
    paths += [WEB / name for name in re.findall(r"`([\w.]+\.(?:mjs|d\.ts))`", TEXT)]
    assert len(paths) > 8
    assert [path for path in paths if not path.exists()] == []


def test_every_call_of_the_page_is_in_its_types() -> None:
    types = (WEB / "secureproctor.d.ts").read_text()
    called = set(re.findall(r"\bproctor\.(\w+)", TEXT)) | set(re.findall(r"`(\w+)\(\w*\)`", TEXT))
    listened = set(re.findall(r'setListener\("(\w+)"', TEXT)) | set(re.findall(r"listeners? `(\w+)`", TEXT))
    assert {"init", "start", "pauseAck"} <= called
    assert {"pause", "holder", "error", "authorization"} <= listened
    assert [name for name in (called | listened) - {"example"} if not re.search(rf"\b{name}\b", types)] == []


def test_every_code_in_the_table_of_errors_exists() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", TEXT, re.MULTILINE)
    named = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    scripts = [*WEB.glob("secureproctor.js"), *EXTENSION.glob("*.js")]
    in_pages = {code for script in scripts for code in re.findall(r"\b([a-z]+_[a-z_]+)\b", script.read_text())}
    assert len(named) > 20
    assert named - set(CODES) - in_pages == set()
