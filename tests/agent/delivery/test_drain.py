"""The rate over a sliding window, and what the candidate is told."""

import pytest

from secureproctor.agent.delivery.drain import SHOWN_WINDOW_S, Drain, Meter


def test_the_rate_is_that_of_the_window() -> None:
    meter = Meter(10)
    for second in range(1, 31):
        meter.add(second - 1, second, 500 if second <= 20 else 100)
    assert meter.rate(30) == pytest.approx(100)
    assert meter.rate(45) == 0


def test_the_rate_begins_with_the_first_bytes_and_not_with_silence() -> None:
    meter = Meter(10)
    meter.add(100, 102, 1000)
    assert meter.rate(102) == pytest.approx(500)
    meter.add(200, 201, 1000)
    assert meter.rate(201) == pytest.approx(1000)


def test_a_rate_of_no_time_is_not_known() -> None:
    meter = Meter(10)
    meter.add(5, 5, 1000)
    assert meter.rate(5) == 0


def test_the_total_is_what_waited_when_the_backlog_began_to_move() -> None:
    drain = Drain()
    for left in (100, 500, 900):
        waiting = drain.status(0, left)
        assert waiting is not None
        assert (waiting.total_bytes, waiting.left_s) == (left, None)
    drain.delivered(0, 2, 300)
    moving = drain.status(2, 600)
    assert moving is not None
    assert (moving.total_bytes, moving.left_bytes, moving.bytes_per_s, moving.left_s) == (900, 600, 150.0, 4.0)
    assert drain.status(3, 0) is None
    again = drain.status(3 + SHOWN_WINDOW_S, 50)
    assert again is not None
    assert again.total_bytes == 50
