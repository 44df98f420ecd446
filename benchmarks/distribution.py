"""How a time is distributed, as the benchmarks of latency tell it: by percentiles, not by a mean. Pure."""

import math
from collections.abc import Mapping, Sequence

from secureproctor.benchmarks.tables import table


def percentile(values: Sequence[float], share: float) -> float:
    """The least of the values that is not exceeded by `share` (0 to 1) of them: the nearest rank, never between two."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def distributions(measured: Mapping[str, Sequence[float]], columns: Mapping[str, float], unit: str) -> str:
    """A table with a row for each measurement and a column for each percentile; "–" where nothing was measured."""
    head = [unit, "n", *columns]
    rows = [
        [name, str(len(values)), *(percentile(values, share) if values else None for share in columns.values())]
        for name, values in measured.items()
    ]
    return table(head, rows)
