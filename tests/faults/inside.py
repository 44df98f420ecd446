"""Plays one course with a network of its own, and writes what was observed: `python -m tests.faults.inside outage OUT`.

Where a course has parts, `weathers.usual` is one of them.
"""

import asyncio
import importlib
import sys
from pathlib import Path

import msgspec


def main(course: str, out: Path) -> None:
    """`course` is a module of this folder whose `play()` returns what can be JSON; a part's name is its argument."""
    name, _, part = course.partition(".")
    play = importlib.import_module(f"tests.faults.{name}").play
    observed = asyncio.run(play(part) if part else play())
    out.write_bytes(msgspec.json.encode(observed))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
