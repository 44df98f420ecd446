"""What waits for a slow reader: in order, and bounded in number and in bytes."""

import asyncio

import pytest

from secureproctor.agent.local.outbox import MAX_BYTES, MAX_FRAMES, Outbox, Overfull


async def test_frames_come_in_their_order_and_make_room() -> None:
    outbox = Outbox()
    for number in range(3 * MAX_FRAMES):
        outbox.put(str(number))
        if number >= 2:
            assert await outbox.get() == str(number - 2)
    assert len(outbox) == 2


async def test_who_waits_is_woken_by_a_frame() -> None:
    outbox = Outbox()
    waiting = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.put("a")
    assert await waiting == "a"


async def test_too_many_frames_are_refused() -> None:
    outbox = Outbox()
    for _ in range(MAX_FRAMES):
        outbox.put("x")
    with pytest.raises(Overfull):
        outbox.put("x")


async def test_too_many_bytes_are_refused_but_a_single_frame_may_be_long() -> None:
    outbox = Outbox()
    outbox.put("x" * (2 * MAX_BYTES))
    with pytest.raises(Overfull):
        outbox.put("x")
    await outbox.get()
    outbox.put("x" * MAX_BYTES)
    with pytest.raises(Overfull):
        outbox.put("x")
