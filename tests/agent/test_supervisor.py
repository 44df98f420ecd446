"""The one TaskGroup: a task that fails ends alone, and all end with it."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from secureproctor.agent.supervisor import Supervisor


async def fail() -> None:
    raise ZeroDivisionError


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


@pytest.fixture
def failed() -> list[str]:
    return []


async def test_a_task_that_fails_is_logged_and_told_and_the_others_go_on(
    failed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with Supervisor(failed.append) as supervisor:
        other = supervisor.start("other", wait_for_ever())
        await supervisor.start("unlucky", fail())
        assert failed == ["unlucky"]
        assert not other.done()
    assert other.cancelled()
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.getMessage() == "the task 'unlucky' failed"
    assert record.exc_info is not None


async def test_a_task_that_ends_by_itself_is_no_failure(failed: list[str]) -> None:
    async with Supervisor(failed.append) as supervisor:
        await supervisor.start("short", asyncio.sleep(0))
    assert failed == []


async def test_a_task_cancelled_before_its_first_step_leaves_nothing(failed: list[str]) -> None:
    async with Supervisor(failed.append) as supervisor:
        task = supervisor.start("late", wait_for_ever())
    assert task.cancelled()


async def test_tasks_may_clean_up_when_they_are_cancelled(failed: list[str]) -> None:
    cleaned: list[str] = []

    async def tidy() -> None:
        try:
            await wait_for_ever()
        finally:
            await asyncio.sleep(0)
            cleaned.append("tidy")

    async with Supervisor(failed.append) as supervisor:
        supervisor.start("tidy", tidy())
        await asyncio.sleep(0)
    assert cleaned == ["tidy"]


@pytest.mark.parametrize("make", [lambda: KeyError("why"), lambda: OSError(98, "taken")])
async def test_an_error_of_the_body_comes_out_as_it_is(failed: list[str], make: Callable[[], Exception]) -> None:
    """Not in an exception group: who runs the agent turns it into a sentence."""
    error = make()

    async def body() -> None:
        async with Supervisor(failed.append) as supervisor:
            supervisor.start("other", wait_for_ever())
            raise error

    with pytest.raises(type(error)) as caught:
        await body()
    assert caught.value is error


async def test_a_cancelled_body_cancels_its_tasks(failed: list[str]) -> None:
    tasks: list[asyncio.Task[None]] = []

    async def body() -> None:
        async with Supervisor(failed.append) as supervisor:
            tasks.append(supervisor.start("other", wait_for_ever()))
            await wait_for_ever()

    running = asyncio.create_task(body())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert tasks[0].cancelled()
