"""The exam's example servers, each started by the command line that its first lines name."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from secureproctor.demo.program import find, running, wait_until
from secureproctor.demo.stage import PUBLIC_KEY
from secureproctor.demo.supervision import lasting_port

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
COMMANDS: dict[str, list[str]] = {
    "python": [sys.executable, str(EXAMPLES / "python" / "server.py")],
    "node": ["node", str(EXAMPLES / "node" / "server.mjs")],
    "php": ["php", "-S", "127.0.0.1:{port}", str(EXAMPLES / "php" / "server.php")],
}
"""Which words start each; they find the rest in their environment."""


@contextmanager
def exam(language: str, service_url: str, private_key: str, folder: Path, port: int = 0) -> Iterator[str]:
    """The address of an exam's server, as long as the block lasts; at any port that is free, unless one is given."""
    port, log = port or lasting_port(), folder / f"{language}.log"
    address = f"http://127.0.0.1:{port}"
    own = {"PROCTOR_PUBLIC_KEY": PUBLIC_KEY, "PROCTOR_PRIVATE_KEY": private_key, "PROCTOR_SERVICE": service_url}
    words = [word.format(port=port) for word in COMMANDS[language]]
    find(words[0])
    with running(words, {**os.environ, **own, "PORT": str(port)}, log) as process:
        wait_until(lambda: _answers(address), f"the {language} example", log, process)
        yield address


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/nothing", trust_env=False).status_code == 404
    except httpx.TransportError:
        return False
