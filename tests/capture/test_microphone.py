"""A microphone of a real sound server: what is played is heard at its time, and a server that dies is noticed."""

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from secureproctor.capture.media import AudioBlock, Clock
from secureproctor.capture.microphone import RATE, Microphone, refresh_devices
from secureproctor.capture.source import CannotOpen, DeviceLost, Diagnosis

if TYPE_CHECKING:
    from tests.capture.conftest import SoundServer


@pytest.fixture
def microphone(sound: "SoundServer", clock: Clock) -> Iterator[Microphone]:
    source = Microphone(clock)
    with closing(source):
        source.open()
        yield source


def next_block(microphone: Microphone) -> AudioBlock:
    block = microphone.read(0)
    assert block is not None
    return block


def tone(seconds: float) -> bytes:
    t = np.arange(round(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * 1000 * t) * 16_000).astype(np.int16).tobytes()


def test_blocks_follow_one_another_without_a_hole_at_the_clocks_rate(microphone: Microphone, clock: Clock) -> None:
    first = next_block(microphone)
    count, last = len(first.samples), first
    while last.at_us < first.at_us + 2_000_000:
        block = next_block(microphone)
        assert abs(block.at_us - last.at_us - len(last.samples) * 1e6 / RATE) < 2
        count, last = count + len(block.samples), block
    assert last.rate == RATE
    end_us = first.at_us + count * 1e6 / RATE
    assert -100_000 < clock() - end_us < 1_000_000
    assert microphone.counts().grabbed > 50


def test_a_beep_is_heard_at_the_time_at_which_it_was_played(
    microphone: Microphone, sound: "SoundServer", clock: Clock
) -> None:
    microphone.read(0)
    player = sound.player()
    assert player.stdin is not None
    with player.stdin as pipe:
        played_us = clock()
        pipe.write(tone(0.5))
    first = next_block(microphone)
    samples = [first.samples]
    while clock() < played_us + 1_500_000:
        samples.append(next_block(microphone).samples)
    assert player.wait(5) == 0
    loud = np.flatnonzero(np.abs(np.concatenate(samples)) > 4000)
    heard_us = first.at_us + loud[0] / RATE * 1e6
    assert played_us - 100_000 < heard_us < played_us + 500_000  # the player connects to the server first
    assert len(loud) == pytest.approx(0.5 * RATE * 0.84, rel=0.1)


def test_a_server_that_dies_is_noticed_and_the_microphone_opens_again(
    microphone: Microphone, sound: "SoundServer", clock: Clock
) -> None:
    last = next_block(microphone)
    sound.stop()
    with pytest.raises(DeviceLost) as caught:
        [last := next_block(microphone) for _ in range(100)]
    assert caught.value.code is Diagnosis.STALLED
    assert abs(caught.value.since_us - clock()) < 3_500_000
    microphone.close()
    with pytest.raises(CannotOpen) as refused:
        microphone.open()
    assert refused.value.code in (Diagnosis.MISSING, Diagnosis.BUSY)
    sound.start()
    microphone.open()
    assert next_block(microphone).at_us > last.at_us


def test_an_interrupt_ends_a_read(microphone: Microphone) -> None:
    microphone.read(0)
    timer = threading.Timer(0.05, microphone.interrupt)
    timer.start()
    blocks = [microphone.read(0) for _ in range(20)]
    assert blocks[-1] is None
    timer.join()


def test_a_device_of_an_unknown_name_is_missing(sound: "SoundServer", clock: Clock) -> None:
    with pytest.raises(CannotOpen) as caught:
        Microphone(clock, "no such microphone").open()
    assert caught.value.code is Diagnosis.MISSING


def test_the_list_of_devices_can_be_refreshed_and_a_stream_opened_afterwards(
    sound: "SoundServer", clock: Clock
) -> None:
    refresh_devices()
    source = Microphone(clock)
    with closing(source):
        source.open()
        assert len(next_block(source).samples) > 0


def test_what_was_heard_before_the_sessions_clock_began_is_cut(sound: object, clock: Clock) -> None:
    begins_us = clock() + 300_000
    with closing(Microphone(lambda: clock() - begins_us)) as microphone:
        microphone.open()
        first = None
        while first is None:
            first = microphone.read(0)
        assert 0 <= first.at_us < 100_000
        assert len(first.samples) > 0
