"""The supervisor of an agent, with small programs in the agent's place: who is started again, and who is not."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil
import pytest

from secureproctor.demo.program import DeskError, running
from secureproctor.demo.stage import Program
from secureproctor.demo.supervision import Supervised, lasting_port, supervised

UP = {"address": "ws://127.0.0.1:1/v1/page", "pid": 1}
ANNOUNCES = f"""
import os, pathlib, sys, time
place = pathlib.Path(sys.argv[1])
place.with_suffix(".part").write_text('{json.dumps(UP)}')
place.with_suffix(".part").replace(place)
time.sleep(60)
"""
SAYS_NOTHING = "import time; time.sleep(60)"
FAILS = "import sys; sys.exit('the port is taken')"


def program(folder: Path, lives: list[str]) -> Callable[[], AbstractContextManager[Program]]:
    """Starts the next of these scripts each time; the last one again and again."""
    runtime = folder / "runtime"
    runtime.mkdir()

    @contextmanager
    def start() -> Iterator[Program]:
        (runtime / "agent.json").unlink(missing_ok=True)
        script = lives.pop(0) if len(lives) > 1 else lives[0]
        argv = [sys.executable, "-c", script, str(runtime / "agent.json")]
        with running(argv, os.environ, folder / "agent.log") as process:
            yield Program("The agent", process, folder / "agent.log")

    return start


async def alive_again(supervisor: Supervised, lives: int) -> None:
    async with asyncio.timeout(30):
        while len(supervisor.lives) < lives or supervisor.lives[-1].up is None:  # noqa: ASYNC110 - a supervisor tells nobody
            await asyncio.sleep(0.01)


async def test_an_agent_is_started_again_after_every_kill_and_ended_with_the_block(tmp_path: Path) -> None:
    async with supervised(tmp_path, program(tmp_path, [ANNOUNCES])) as supervisor:
        assert supervisor.first.result().address == UP["address"]
        for lives in (2, 3):
            supervisor.kill()
            await alive_again(supervisor, lives)
            supervisor.raise_if_dead()
        children = psutil.Process().children()
        assert len(children) == 1
    assert not any(each.is_running() for each in children)
    killed = [life.killed for life in supervisor.lives]
    assert [each is None for each in killed] == [False, False, True]
    assert all(life.up is not None and life.up >= life.began for life in supervisor.lives)


async def test_a_kill_that_meets_an_agent_while_it_starts_is_no_failure_of_it(tmp_path: Path) -> None:
    async with supervised(tmp_path, program(tmp_path, [ANNOUNCES, SAYS_NOTHING, ANNOUNCES])) as supervisor:
        supervisor.kill()
        async with asyncio.timeout(30):
            while len(supervisor.lives) < 2:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        supervisor.kill()
        await alive_again(supervisor, 3)
    assert [life.up is None for life in supervisor.lives] == [False, True, False]


async def test_an_agent_that_ends_by_itself_is_not_started_again(tmp_path: Path) -> None:
    async with supervised(tmp_path, program(tmp_path, [ANNOUNCES, FAILS])) as supervisor:
        supervisor.kill()
        with pytest.raises(DeskError) as caught:  # noqa: PT012 - it comes at one of these looks
            async with asyncio.timeout(30):
                while True:
                    supervisor.raise_if_dead()
                    await asyncio.sleep(0.01)
        assert "the port is taken" in caught.value.sentence
        assert caught.value.remedy


async def test_an_agent_that_never_comes_up_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DeskError) as caught:
        async with supervised(tmp_path, program(tmp_path, [FAILS])):
            pass
    assert caught.value.code == "program_failed"


def test_the_port_of_an_agent_is_none_that_an_outgoing_connection_could_take() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert 1024 < lasting_port() < first
