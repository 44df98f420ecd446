"""How measurements become rows, and in which order they are taken."""

from secureproctor.benchmarks.benches import BENCHES
from secureproctor.benchmarks.figures import Outcome, Sample, Spread, StreamFigures, middle, ratio, spread
from secureproctor.benchmarks.measure import rounds


def sample(screen: StreamFigures) -> Sample:
    return Sample(5.0, {}, 200.0, Outcome({"screen": screen}))


def test_a_spread_is_the_median_with_the_least_and_the_greatest() -> None:
    assert spread([9.0, 1.0, 2.0]) == Spread(2.0, 1.0, 9.0)


def test_there_is_no_ratio_to_nothing() -> None:
    assert (ratio(6.0, 2.0), ratio(6.0, 0.0)) == (3.0, None)


def test_the_middle_of_samples_is_taken_figure_by_figure() -> None:
    samples = [sample(StreamFigures(*each)) for each in ((10, 1.0, None), (30, 2.0, None), (20, 9.0, None))]
    assert middle(samples, "screen") == StreamFigures(20, 2.0, None)


def test_a_loss_of_evidence_does_not_hide_behind_a_median() -> None:
    samples = [sample(StreamFigures(10, None, pct)) for pct in (99.0, 40.0, 98.0)]
    assert middle(samples, "screen").coverage_pct == 40.0


def test_every_round_has_all_programs_and_begins_with_another() -> None:
    order = rounds(BENCHES, 3)
    turns = [order[i : i + len(BENCHES)] for i in range(0, len(order), len(BENCHES))]
    assert [turn[0] for turn in turns] == list(BENCHES[:3])
    assert all(sorted(map(id, turn)) == sorted(map(id, BENCHES)) for turn in turns)
