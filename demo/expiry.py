"""The figures of an outage that outlasts the session expiry time: when each end ended it, and what still arrived. Pure."""

from secureproctor.contract.report import Report
from secureproctor.contract.streams import MEDIA
from secureproctor.demo.account import Account, Figures, holes
from secureproctor.demo.outage import news, resumed

FIGURES: dict[str, str] = {
    "outage_s": "how long the link was silent",
    "expiry_s": "the session expiry time",
    "offline_told_s": "after what time the page told that the service is away",
    "countdown_first_s": "the first value of the page's countdown",
    "countdown_last_s": "the last value of the page's countdown",
    "expired_told_s": "from the last contact until the page told that the session has ended",
    "agent_ended_after_s": "from the last contact to the end at the agent",
    "service_ended_after_s": "from the last contact to the end at the service",
    "ends_apart_s": "how far both ends lie apart",
    "agent_off_by_s": "how far the end at the agent is off the expiry time",
    "service_off_by_s": "how far the end at the service is off the expiry time",
    "late_segments": "media segments that arrived after the link's return, and so after the end",
    "late_bytes": "their bytes",
    "delivered_after_s": "from the link's return until nothing waited at the agent any more",
    "evidence_short_s": "by how much the evidence of the shortest stream falls short of the session's end",
}
"""Each figure's meaning; one that could not be measured is missing."""
OVER = frozenset({"ending", "draining", "ended"})


def figures(account: Account, report: Report) -> Figures:
    """The figures of an expiry."""
    marks = account.marks
    found: Figures = {"outage_s": marks["back"] - marks["cut"], "expiry_s": account.terms.expiry_s}
    return found | news(account) | _ends(account) | _late(account, marks["back"]) | _short(report)


def _ends(account: Account) -> Figures:
    contact, expiry_s = account.marks["contact"], account.terms.expiry_s
    found: Figures = {}
    told = next((at for at, each in account.told if each.kind == "expired"), None)
    agent = next((at for at, each in account.statuses_since(contact) if each.state in OVER), None)
    service = next((at for at, each in account.snapshots if at >= contact and each.state in OVER), None)
    if told:
        found["expired_told_s"] = told - contact
    if agent:
        found |= {"agent_ended_after_s": agent - contact, "agent_off_by_s": agent - contact - expiry_s}
    if service:
        found |= {"service_ended_after_s": service - contact, "service_off_by_s": service - contact - expiry_s}
    if agent and service:
        found["ends_apart_s"] = abs(agent - service)
    return found


def _late(account: Account, back: float) -> Figures:
    before = [each for at, each in account.snapshots if at <= back]
    if not before:
        return {}
    first, last = before[-1].streams, account.snapshots[-1][1].streams
    streams = [each for each in MEDIA if each in last]
    begun = resumed(account, back)
    done = next((at for at, each in account.statuses_since(begun or back) if not each.waiting_segments), None)
    found: Figures = {
        "late_segments": sum(last[each].segments - (first[each].segments if each in first else 0) for each in streams),
        "late_bytes": sum(last[each].bytes - (first[each].bytes if each in first else 0) for each in streams),
    }
    return found | ({"delivered_after_s": done - back} if done else {})


def _short(report: Report) -> Figures:
    """The last gap of a stream, where it reaches to the end."""
    last = [holes(report, each.stream)[-1:] for each in report.streams]
    short = [end - start for gaps in last for start, end in gaps if end >= report.running_until_s]
    return {"evidence_short_s": max(short, default=0.0)}
