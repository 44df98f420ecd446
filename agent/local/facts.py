"""What this system tells of processes; of one that is not known here, nothing."""

import importlib
import logging
import sys
from typing import cast

from secureproctor.lockdown.readings import ProcessFacts, Running

log = logging.getLogger(__name__)

FACTS: dict[str, str] = {
    "linux": "secureproctor.lockdown.linux.facts",
    "win32": "secureproctor.lockdown.windows.facts",
    "darwin": "secureproctor.lockdown.macos.facts",
}
"""The module of each system; its `open_facts` gives them."""


class NoFacts:
    """Nobody can tell anything."""

    def describe(self, pid: int) -> Running | None:
        """Nothing."""

    def ancestors(self, pid: int) -> tuple[Running, ...]:
        """None."""
        return ()

    def peer(self, port: int, peer_port: int) -> int | None:
        """Nobody knows."""

    def only_admin_writes(self, path: str) -> bool | None:
        """Nobody knows."""

    def is_alive(self, pid: int, started: float) -> bool:
        """Nobody says that it is gone."""
        return True


def process_facts(platform: str = sys.platform) -> ProcessFacts:
    """The facts of this system; its module is imported now."""
    if platform not in FACTS:
        return NoFacts()
    try:
        return cast(ProcessFacts, importlib.import_module(FACTS[platform]).open_facts())
    except OSError as error:
        log.warning("nobody can tell which process is behind a connection: %s", error)
        return NoFacts()
