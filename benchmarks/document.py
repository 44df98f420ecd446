"""The document of a run: what was measured on what and how, and the tables. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from secureproctor.benchmarks import alike
from secureproctor.benchmarks.benches import BENCHES, SCENES, Bench
from secureproctor.benchmarks.figures import Sample, Spread, middle, ratio, spread
from secureproctor.benchmarks.machine import BUSY_PCT
from secureproctor.benchmarks.measure import BESIDE, SETTLE_S, Taken
from secureproctor.benchmarks.tables import Cell, table, three_figures

_OPENING = """\
Written by `{command}` on {day:%Y-%m-%d}. Run it on your own machine: the figures are noisy and belong to the machine
below; what carries over is the ratios. Nothing is claimed here beyond the tables."""

_METHOD = """\
- The virtual desk: Xvfb at 1920 × 1080 with a real Chromium that fills it, PulseAudio with a person speaking, and a camera
  of 640 × 480 at 15 pictures a second as MJPEG over loopback HTTP. The device paths of a real PC differ.
- Each measurement begins with the exam page loaded anew, so that all see the same. Its scenes:
{scenes}
- For all: at most {fps} pictures a second of screen and webcam; x264 {preset}, CRF {crf}, zerolatency, one thread, told a rate
  of {rate_told} pictures a second (the same CRF means another quality at another rate); a key frame and a segment every
  {segment_s} s; AAC at {audio} kbit/s, mono.
- A measurement is {seconds:g} s long and begins {settle_s:g} s after the program delivers. Measurements of each program in each
  scene: {repetitions}, the programs in turns. A figure is the median; in brackets are the least and the greatest. A ratio is
  one of medians.
- CPU is user and system time of the process with all its threads (/proc/<pid>/stat), in seconds of one core a minute.
  X server and camera server are context: they work for whoever captures, and the X server draws the scene too.
- Peak MB is the most that was ever resident (VmHWM), shared libraries included.
- Bits and pictures a second are of all that a program wrote; the agent's bits are those stored at the service, sealed.
  Coverage is the report's, and the least of all measurements.
- The same settings do not give the same pictures: where ours skips what is equal, the peers encode it again."""

_STARTING = """\
The files are in the page cache. The first segment cannot be stored sooner than it is long ({segment_s} s)."""

_COST = (
    *("Scene", "Program", "CPU s/min", "× ours", "Peak MB", "× ours"),
    *(f"{name} CPU s/min" for name in BESIDE.values()),
)
_OUT = ("Scene", "Program", "Stream", "kbit/s", "Pictures/s", "Least coverage %")


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that a run has given. `starts`: seconds by what was started."""

    command: str
    day: date
    machine: Mapping[str, str]
    busy_pct: float
    seconds: float
    repetitions: int
    taken: Sequence[Taken]
    starts: Mapping[str, Sequence[float]]


def document(run: Run) -> str:
    """The whole of it, as Markdown."""
    works = dict.fromkeys(each.bench.work for each in run.taken)
    parts = (
        "# Benchmarks",
        _OPENING.format(command=run.command, day=run.day),
        "## The machine",
        _listed({**run.machine, "Busy with other things before the run": _busy(run.busy_pct)}),
        "## The method",
        _method(run),
        *(part for work in works for part in _work(run, work)),
        "## Starting",
        _STARTING.format(segment_s=alike.SEGMENT_S),
        _starts(run.starts),
        "## Who does what",
        _listed({bench.name: f"{bench.does} {bench.lacks}".strip() for bench in BENCHES}),
    )
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _listed(meanings: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {meaning}" for name, meaning in meanings.items())


def _busy(pct: float) -> str:
    return f"{pct:.0f} %" + (": not idle, so these figures are provisional" if pct > BUSY_PCT else "")


def _method(run: Run) -> str:
    return _METHOD.format(
        scenes="\n".join(f"  - {name}: {meaning}" for name, meaning in SCENES.items()),
        fps=alike.FPS,
        preset=alike.PRESET,
        rate_told=alike.RATE_TOLD,
        crf=alike.CRF,
        segment_s=alike.SEGMENT_S,
        audio=alike.AUDIO_BITRATE // 1000,
        seconds=run.seconds,
        settle_s=SETTLE_S,
        repetitions=run.repetitions,
    )


def _work(run: Run, work: str) -> Iterator[str]:
    taken = [each for each in run.taken if each.bench.work == work]
    by_row: dict[tuple[str, Bench], list[Sample]] = {}
    for each in taken:
        by_row.setdefault((each.scene, each.bench), []).append(each.sample)
    ours = {scene: by_row[scene, _ours(work)] for scene, _ in by_row}
    ordered = sorted(by_row, key=lambda row: ([*SCENES].index(row[0]), BENCHES.index(row[1])))
    cost = [_cost(scene, bench, by_row[scene, bench], ours[scene]) for scene, bench in ordered]
    yield from (f"## {work}", table(_COST, cost))
    yield from ("What came out:", table(_OUT, [row for key in ordered for row in _out(*key, by_row[key])]))


def _ours(work: str) -> Bench:
    return next(bench for bench in BENCHES if bench.work == work)


def _cost(scene: str, bench: Bench, samples: list[Sample], ours: list[Sample]) -> list[Cell]:
    cpu, our_cpu = (spread([each.cpu for each in some]) for some in (samples, ours))
    peak, our_peak = (spread([each.peak_mb for each in some]).median for some in (samples, ours))
    beside: list[Cell] = [spread([each.beside[name] for each in samples]).median for name in BESIDE.values()]
    own = samples is ours
    return [
        *(scene, bench.name, _ranged(cpu), None if own else ratio(cpu.median, our_cpu.median)),
        *(peak, None if own else ratio(peak, our_peak), *beside),
    ]


def _out(scene: str, bench: Bench, samples: list[Sample]) -> Iterator[list[Cell]]:
    for stream in samples[0].outcome.streams:
        each = middle(samples, stream)
        yield [scene, bench.name, stream, each.kbit_s, each.fps, each.coverage_pct]


def _starts(starts: Mapping[str, Sequence[float]]) -> str:
    rows = [(name, _ranged(spread(values)), str(len(values))) for name, values in starts.items()]
    return table(("What", "Seconds", "Runs"), rows)


def _ranged(value: Spread) -> str:
    middle, least, most = map(three_figures, (value.median, value.least, value.most))
    return middle if least == most else f"{middle} ({least} to {most})"


def starts_of(taken: Sequence[Taken]) -> dict[str, list[float]]:
    """The start-up times that sessions gave by the way, in the order of the first."""
    found: dict[str, list[float]] = {}
    for each in taken:
        for name, seconds in each.sample.outcome.starts.items():
            found.setdefault(name, []).append(seconds)
    return found


def brief(run: Run) -> str:
    """What the terminal shows at the end: the CPU of each program."""
    works = dict.fromkeys(each.bench.work for each in run.taken)
    return "\n".join([part for work in works for part in [*_work(run, work)][:2]] + [_starts(run.starts)])
