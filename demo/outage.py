"""The figures of an outage that the session survives: what waited, how it drained, and how live the live view stayed. Pure."""

from statistics import median

from secureproctor.contract.page import Status
from secureproctor.contract.report import Report
from secureproctor.demo.account import Account, Figures, evidence_bytes

LIVE_SEGMENTS = 8
"""So few that wait are those of the moment: a segment or two of each stream, and events."""
FLOWING = (0.9, 0.1)
"""Between these shares of the backlog its flow is measured."""
SETTLED_S = 4.0
"""The live view is judged from so long after it began: a segment lasts two seconds, and the next one has to arrive."""

FIGURES: dict[str, str] = {
    "outage_s": "how long the link was silent",
    "offline_told_s": "after what time the page told that the service is away",
    "countdown_first_s": "the first value of the page's countdown",
    "countdown_last_s": "the last value of the page's countdown",
    "waiting_segments_max": "most segments that waited at the agent",
    "waiting_bytes_max": "most bytes that waited at the agent",
    "backlog_segments": "segments that waited when the link came back",
    "backlog_bytes": "bytes that waited when the link came back",
    "resumed_after_s": "from the link's return to the first evidence at the service",
    "drain_s": "from the first evidence until nothing waited but what was just captured",
    "drain_bytes_per_s": "what arrived at the service, live evidence included, from a tenth to nine tenths of the backlog",
    "link_bytes_per_s": "what a plain copy through the same link carries, with nothing else on it",
    "drain_link_pct": "the share of the link that this is",
    "live_age_median_s": "how old the newest part was that a proctor could watch, while the backlog drained",
    "live_age_max_s": "the same of the worst moment and stream",
}
"""Each figure's meaning; one that could not be measured is missing."""


def figures(account: Account, report: Report) -> Figures:
    """The figures of an outage."""
    cut, back = account.marks["cut"], account.marks["back"]
    return {"outage_s": back - cut} | news(account) | _backlog(account, back) | _drain(account, back)


def news(account: Account) -> Figures:
    """What the page told between the cut and the return."""
    cut, back = account.marks["cut"], account.marks["back"]
    told = [(at, each) for at, each in account.told if cut <= at <= back]
    offline = [at - cut for at, each in told if each.kind == "offline"]
    countdown = [each.countdown_s for _, each in told if each.countdown_s is not None]
    found: Figures = {}
    if offline:
        found["offline_told_s"] = offline[0]
    if countdown:
        found |= {"countdown_first_s": countdown[0], "countdown_last_s": countdown[-1]}
    return found


def _backlog(account: Account, back: float) -> Figures:
    waiting = [(at, each.waiting_segments, each.waiting_bytes) for at, each in account.statuses]
    at_return = [each for each in waiting if each[0] <= back]
    if not at_return:
        return {}
    return {
        "waiting_segments_max": max(each[1] for each in waiting),
        "waiting_bytes_max": max(each[2] for each in waiting),
        "backlog_segments": at_return[-1][1],
        "backlog_bytes": at_return[-1][2],
    }


def _drain(account: Account, back: float) -> Figures:
    begun = resumed(account, back)
    over = next((at for at, each in account.statuses_since(begun or back) if _drained(each)), None)
    if begun is None or over is None:
        return {}
    return {"resumed_after_s": begun - back, "drain_s": over - begun} | _flow(account, back, over)


def _flow(account: Account, back: float, over: float) -> Figures:
    """The rate in the middle of the drain: what a silent link held in its buffers, and the last few records, are no measure."""
    most, least = (_fallen(account, back, share) for share in FLOWING)
    if most is None or least is None or least <= most:
        return {}
    rate = (account.bytes_at(least) - account.bytes_at(most)) / (least - most)
    found: Figures = {"drain_bytes_per_s": rate}
    if account.link_bytes_per_s:
        found["link_bytes_per_s"] = account.link_bytes_per_s
        found["drain_link_pct"] = 100 * rate / account.link_bytes_per_s
    return found | _live(account, most + SETTLED_S, max(over, least))


def _fallen(account: Account, back: float, share: float) -> float | None:
    """When no more than this share of the backlog waited."""
    backlog = next((each.waiting_bytes for at, each in reversed(account.statuses) if at <= back), 0)
    return next((at for at, each in account.statuses_since(back) if each.waiting_bytes <= share * backlog), None)


def resumed(account: Account, back: float) -> float | None:
    """When the first evidence arrived at the service after the link's return."""
    before = account.bytes_at(back)
    return next((at for at, each in account.snapshots if at > back and evidence_bytes(each) > before), None)


def _drained(status: Status) -> bool:
    return status.waiting_segments <= LIVE_SEGMENTS and status.drain is None


def _live(account: Account, since: float, until: float) -> Figures:
    ages = [age for at, streams in account.ages if since <= at <= until for age in streams.values()]
    return {"live_age_median_s": median(ages), "live_age_max_s": max(ages)} if ages else {}
