"""The checks of this PC by the command line, before a person is asked to do anything."""

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from secureproctor.contract.page import CheckResults
from secureproctor.demo.program import running
from secureproctor.demo.summary import CheckSummary


async def inspect(folder: Path, service_url: str, options: list[str]) -> list[CheckSummary]:
    """What `secureproctor check` finds, with the agent's `options`; empty when it could not run at all."""
    found = folder / "checks.json"
    argv = [sys.executable, "-m", "secureproctor.agent", "check", "--json", "--service-url", service_url]
    log = folder / "check.log"
    with found.open("wb") as out, running([*argv, *options], os.environ, log, stdout=out.fileno()) as process:
        while process.poll() is None:  # noqa: ASYNC110 - an end of a process that is ours to reap tells nobody
            await asyncio.sleep(0.05)
    try:
        results = msgspec.json.decode(found.read_bytes(), type=CheckResults)
    except msgspec.DecodeError:
        return []
    return [CheckSummary(each.id, each.status, each.seen, each.remedy) for each in results.checks]
