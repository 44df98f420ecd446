"""A blocking call in a thread that nobody has to wait for.

`asyncio.to_thread` would do, were it not for drivers that never return: the loop's own pool is joined when the loop ends
and again when the interpreter does, so one hanging camera would keep the agent from ending. A daemon thread is left behind.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(name: str, call: Callable[[], T]) -> T:
    """What `call` returns or raises. When this is cancelled the call runs on unheard; it must clean up by itself."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()  # from now on a cancelled waiter cannot cancel it under the thread's hands
    threading.Thread(target=_settle, args=(future, call), name=name, daemon=True).start()
    return await asyncio.wrap_future(future)


def _settle(future: "Future[T]", call: Callable[[], T]) -> None:
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001 - nothing is swallowed: it is raised again where the call is awaited
        future.set_exception(error)
