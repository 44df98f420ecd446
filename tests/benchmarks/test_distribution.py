"""Percentiles and their table."""

import pytest

from secureproctor.benchmarks.distribution import distributions, percentile


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.95, 10), (1.0, 10)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == value


def test_the_table_has_a_dash_where_nothing_was_measured() -> None:
    text = distributions({"pause": [30.0, 10.0, 20.0], "end": []}, {"median": 0.5, "max": 1.0}, "ms")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert rows[0] == ["ms", "n", "median", "max"]
    assert rows[2:] == [["pause", "3", "20.0", "30.0"], ["end", "0", "–", "–"]]
