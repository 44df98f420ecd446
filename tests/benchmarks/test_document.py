"""The document: what it says of a run."""

from dataclasses import replace
from datetime import date

from secureproctor.benchmarks.benches import ALL_STREAMS, BENCHES
from secureproctor.benchmarks.document import Run, document, starts_of
from secureproctor.benchmarks.figures import Outcome, Sample, StreamFigures
from secureproctor.benchmarks.measure import BESIDE, Taken

OURS, FFMPEG = (bench for bench in BENCHES if bench.work == ALL_STREAMS)
BESIDES = dict.fromkeys(BESIDE.values(), 0.5)


def taken(bench: int, cpu: float, started_s: float = 1.0) -> Taken:
    outcome = Outcome({"screen": StreamFigures(100.0, 9.0, 99.5)}, {"Start": started_s})
    return Taken((OURS, FFMPEG)[bench], "typing", Sample(cpu, BESIDES, 100.0 * (1 + bench), outcome))


RUN = Run(
    command="make bench",
    day=date(2024, 2, 29),
    machine={"Processor": "A processor, 2 cores"},
    busy_pct=2.0,
    seconds=10.0,
    repetitions=3,
    taken=[taken(1, 12.0), taken(0, 4.0), taken(0, 5.0), taken(1, 15.0), taken(1, 99.0), taken(0, 90.0)],
    starts={"Start": [1.0, 3.0, 2.0]},
)


def row(text: str, program: str) -> list[str]:
    """The first row of a program, cell by cell."""
    line = next(line for line in text.splitlines() if f"| {program} " in line)
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_has_medians_ranges_and_the_ratio_to_ours() -> None:
    text = document(RUN)
    assert row(text, OURS.name)[1:6] == [OURS.name, "5.00 (4.00 to 90.0)", "–", "100", "–"]
    assert row(text, FFMPEG.name)[1:6] == [FFMPEG.name, "15.0 (12.0 to 99.0)", "3.00", "200", "2.00"]


def test_ours_stands_first_whatever_was_measured_first() -> None:
    text = document(RUN)
    assert text.index(f"| {OURS.name}") < text.index(f"| {FFMPEG.name}")


def test_it_says_on_what_when_and_how_it_was_measured() -> None:
    text = document(RUN)
    for said in ("`make bench` on 2024-02-29", "A processor, 2 cores", "is 10 s long", "noisy", "2.00 (1.00 to 3.00)"):
        assert said in text


def test_it_says_what_each_peer_does_not_do() -> None:
    text = document(RUN)
    assert all(bench.lacks in text for bench in BENCHES)


def test_a_machine_that_was_busy_makes_the_figures_provisional() -> None:
    assert "provisional" not in document(RUN)
    assert "provisional" in document(replace(RUN, busy_pct=60.0))


def test_the_starts_of_all_sessions_are_gathered() -> None:
    assert starts_of([taken(0, 1.0, 0.4), taken(0, 1.0, 0.2)]) == {"Start": [0.4, 0.2]}
