"""`secureproctor unlock`: gives the machine back when no agent could, and says in plain sentences what it did.

It is the way out for a person, and for a script of IT: exit code 0 says that nothing of a lockdown is left on this machine.
While an exam runs its agent is answerable, and nothing is touched.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from secureproctor.config import paths
from secureproctor.contract.lockdown import RULES
from secureproctor.lockdown.choose import place_for
from secureproctor.lockdown.left import Restored, restore_left
from secureproctor.lockdown.rule import OpenPlace

PATIENCE_S = 3.0
"""For a guardian that is about to be done; an exam lasts longer."""
NOTHING = "Nothing of a lockdown is left on this computer."


class Told(msgspec.Struct, frozen=True):
    """The result for a script: the rules that were restored, those that are stuck with the reason, unreadable files."""

    restored: tuple[str, ...]
    stuck: dict[str, str]
    unreadable: tuple[str, ...]


def add(parser: argparse.ArgumentParser) -> None:
    """The words of the command."""
    parser.add_argument("--state-dir", metavar="FOLDER", help="the agent's state folder, where it is not the usual one")
    parser.add_argument("--json", action="store_true", help="print data, not sentences")


def run(arguments: argparse.Namespace, open_place: OpenPlace | None = None) -> int:
    """Restore what is left, and tell; 0 when nothing is left. Raises ConfigError for settings that cannot be read."""
    try:
        restored = restore_left(_folder(arguments), open_place or place_for(), "unlock", PATIENCE_S)
    except OSError as error:
        sys.stderr.write(f"secureproctor: {error}.\n  Run it as the user who took the exam.\n")
        return 1
    if arguments.json:
        files = tuple(map(str, restored.unreadable))
        told = (
            msgspec.json.format(msgspec.json.encode(Told(restored.rules, dict(restored.stuck), files))).decode() + "\n"
        )
    else:
        told = "".join(f"{line}\n" for line in sentences(restored))
    sys.stdout.write(told)
    return 1 if restored.stuck or restored.unreadable else 0


def sentences(restored: Restored) -> Iterator[str]:
    """What was done, for a person."""
    for rule in restored.rules:
        yield f"{RULES[rule].name}: restored."
    for rule, why in restored.stuck:
        yield f"{RULES[rule].name}: not restored. {why}"
    for path in restored.unreadable:
        yield f"What was there before cannot be read from {path}. When all is as it should be, delete that file."
    if restored.stuck:
        yield "End the exam or log in to its desktop, then run this again; after a restart of the computer, too."
    if not restored.stuck and not restored.unreadable:
        yield NOTHING


def _folder(arguments: argparse.Namespace) -> Path:
    if arguments.state_dir:
        return Path(arguments.state_dir) / "lockdown"
    from secureproctor.agent.command import read_settings  # it calls this module

    return paths.state_dir(read_settings(arguments).settings) / "lockdown"
