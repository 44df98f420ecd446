"""Placing blocks on the session clock: a simulated sound card with a wrong quartz, late callbacks and lost samples."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.capture.audio_clock import AudioClock, Placed, RecentLeast

RATE, BLOCK = 48_000, 960


class Card:
    """A card whose quartz is `ppm` fast; block n is told `late_us(n)` after it was heard."""

    def __init__(self, ppm: float = 0.0, jitter_us: int = 0, seed: int = 0) -> None:
        self.per_block_us = BLOCK / RATE * 1e6 / (1 + ppm * 1e-6)
        self.jitter_us = jitter_us
        self.random = random.Random(seed)
        self.clock = AudioClock(RATE)
        self.heard_us = 5_000_000.0
        self.errors: list[float] = []
        self.next: int | None = None

    def run(self, blocks: int, late_us: float = 0.0) -> list[Placed]:
        return [self.block(late_us + self.random.random() * self.jitter_us) for _ in range(blocks)]

    def block(self, late_us: float = 0.0, overflow: bool = False) -> Placed:
        placed = self.clock.place(round(self.heard_us + late_us), BLOCK, overflow)
        assert placed is not None
        assert self.next in (None, placed.start), "blocks follow one another without a hole"
        self.next = placed.start + BLOCK + placed.adjust
        first_sample = placed.start + max(placed.adjust, 0) * (placed.adjust > 1)
        self.errors.append(first_sample / RATE * 1e6 - self.heard_us)
        self.heard_us += self.per_block_us
        return placed


@pytest.mark.parametrize("ppm", [-300, -50, 0, 50, 300])
def test_sound_stays_with_the_clock_for_an_hour_on_a_wrong_quartz(ppm: float) -> None:
    card = Card(ppm, jitter_us=15_000)
    card.run(180_000)
    assert max(map(abs, card.errors[500:])) < 5_000


@settings(max_examples=25, deadline=None)
@given(st.integers(-400, 400), st.integers(0, 40_000), st.integers(0, 1000))
def test_every_block_follows_the_one_before_and_corrections_are_single_samples(
    ppm: int, jitter: int, seed: int
) -> None:
    card = Card(ppm, jitter, seed)
    placed = card.run(3000)
    assert all(abs(p.adjust) <= 1 for p in placed[500:])
    assert all(-5_500 < error < 6_500 for error in card.errors[500:])


def test_a_first_block_that_came_late_is_corrected_at_once_when_the_next_is_early() -> None:
    card = Card()
    card.run(1, late_us=60_000)
    placed = card.run(10)
    assert sum(p.adjust for p in placed) == -round(0.060 * RATE)
    assert abs(card.errors[-1]) < 100


def test_bursts_do_not_move_the_sound() -> None:
    card = Card()
    card.run(100)
    for _ in range(50):
        for behind in (80_000, 60_000, 40_000, 20_000, 0):
            assert card.block(late_us=behind).adjust == 0


def test_lost_samples_are_replaced_by_silence_at_once_when_the_device_says_so() -> None:
    card = Card()
    card.run(200)
    card.heard_us += 300_000
    assert card.block(overflow=True).adjust == pytest.approx(0.3 * RATE, abs=2)
    assert abs(card.errors[-1]) < 100
    assert all(p.adjust == 0 for p in card.run(300))


def test_lost_samples_that_nobody_told_of_are_replaced_within_two_seconds() -> None:
    card = Card()
    card.run(200)
    card.heard_us += 300_000
    silence = [p.adjust for p in card.run(110) if p.adjust]
    assert silence == [pytest.approx(0.3 * RATE, abs=2)]
    assert abs(card.errors[-1]) < 100


def test_an_overflow_whose_block_is_not_late_inserts_nothing() -> None:
    card = Card()
    card.run(100)
    assert card.block(overflow=True).adjust == 0


def test_a_pause_of_more_than_a_second_is_not_bridged() -> None:
    clock = AudioClock(RATE)
    clock.place(0, BLOCK)
    assert clock.place(1_200_000, BLOCK) is None


@pytest.mark.parametrize("adjust", [-BLOCK, -100, -1, 0, 1, 2, 5000])
def test_the_samples_change_by_what_was_said(adjust: int) -> None:
    samples = np.arange(1, BLOCK + 1, dtype=np.int16)
    out = Placed(0, adjust).apply(samples)
    assert out.dtype == np.int16
    assert len(out) == BLOCK + adjust
    kept = {-1: samples[:-1], 1: samples}.get(adjust, samples[-adjust:] if adjust < 0 else samples)
    assert set(kept.tolist()) <= set(out.tolist())


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(-1000, 1000)), min_size=1, max_size=100))
def test_the_recent_least_covers_one_window_and_not_more_than_two(steps: list[tuple[int, int]]) -> None:
    least, window, now, seen = RecentLeast(100), 100, 0, []
    for step, value in steps:
        now += step
        seen.append((now, value))
        got = least.add(now, value)
        assert min(v for t, v in seen if t > now - 240) <= got <= min(v for t, v in seen if t > now - window // 2)
