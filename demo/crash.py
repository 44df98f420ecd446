"""The figures of an agent that is killed again and again: what was lost each time, and what must never be. Pure."""

from itertools import pairwise
from statistics import median

from secureproctor.contract.report import Report
from secureproctor.contract.streams import MEDIA
from secureproctor.demo.account import Account, Figures, Life, holes, positions

OVERLAP_S = 0.05
"""Segments that share less than this are neighbours on the grid of their time stamps."""

FIGURES: dict[str, str] = {
    "kills": "how often the agent was killed",
    "kill_at_s": "the moments, in seconds of the session",
    "missing_screen_s": "what was captured of the screen before each kill, and is lost",
    "missing_webcam_s": "the same of the webcam",
    "missing_audio_s": "the same of the sound",
    "missing_median_s": "over all kills and streams",
    "missing_max_s": "over all kills and streams",
    "restart_s": "from each kill until an agent could be reached again; without those that met it while it started",
    "restart_median_s": "over all kills",
    "restart_max_s": "over all kills",
    "killed_while_starting": "kills that met an agent which could not be reached yet",
    "restarts_on_record": "how often the record says that the agent came back",
    "sessions": "sessions that were seen; 1 when it always was the same one",
    "acknowledged_lost": "records that the service held before a kill, and does not hold at the end",
    "stored_twice": "segments that show again what another one of their stream shows",
    "left_behind": "records that the service would not take",
    "gaps_without_cause": "gaps that no record explains",
    "records_damaged": "records that were found missing or damaged in the spool",
}
"""Each figure's meaning; one that could not be measured is missing."""
DAMAGE = ("record_missing", "record_damaged")


def figures(account: Account, report: Report) -> Figures:
    """The figures of crashes."""
    zero = (report.started_ms or 0) / 1000
    killed = [life for life in account.lives if life.killed is not None]
    kinds = [event.kind for event in report.events]
    sessions = {status.session_id for _, status in account.statuses if status.session_id} | {report.session_id}
    held = set().union(*map(positions, account.acknowledged))
    found: Figures = {
        "kills": len(killed),
        "kill_at_s": [life.killed - zero for life in killed if life.killed is not None],
        "killed_while_starting": sum(life.up is None for life in killed),
        "restarts_on_record": kinds.count("agent_restarted"),
        "sessions": len(sessions),
        "acknowledged_lost": len(held - positions(account.stored)),
        "stored_twice": sum(map(_overlaps, account.spans.values())),
        "left_behind": account.statuses[-1][1].waiting_segments if account.statuses else 0,
        "gaps_without_cause": sum(gap.cause == "unknown" for gap in report.gaps),
        "records_damaged": sum(map(kinds.count, DAMAGE)),
    }
    return found | _missing(killed, report, zero) | _restarts(account.lives)


def _missing(killed: list[Life], report: Report, zero: float) -> Figures:
    lost = {stream: [_lost_s(life, report, stream, zero) for life in killed] for stream in MEDIA}
    every = [each for stream in lost.values() for each in stream]
    found: Figures = {f"missing_{stream}_s": each for stream, each in lost.items()}
    return found | ({"missing_median_s": median(every), "missing_max_s": max(every)} if every else {})


def _lost_s(life: Life, report: Report, stream: str, zero: float) -> float:
    """From the last evidence before the kill to the kill; a source that had not begun yet has lost nothing."""
    born, died = life.began - zero, (life.killed or 0.0) - zero
    begun = [e.at_s for e in report.events if e.kind == "source_started" and e.stream == stream]
    hole = next((start for start, end in holes(report, stream) if start <= died <= end), died)
    return died - max((at for at in (hole, *begun) if born < at <= died), default=died)


def _restarts(lives: list[Life]) -> Figures:
    after = [heir.up - life.killed for life, heir in pairwise(lives) if life.killed is not None and heir.up is not None]
    found: Figures = {"restart_s": after}
    return found | ({"restart_median_s": median(after), "restart_max_s": max(after)} if after else {})


def _overlaps(spans: list[tuple[float, float]]) -> int:
    return sum(one[1] - other[0] > OVERLAP_S for one, other in pairwise(sorted(spans)))
