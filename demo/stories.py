"""The stories: courses of a session as data. What happens when, what it needs, what it measures, what it promises.

A new story is a row in STORIES. Its figures and their meanings are in a module of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from secureproctor.contract.channel import LINK_LOST_AFTER_S
from secureproctor.contract.report import Report
from secureproctor.demo import crash, expiry, msb, outage
from secureproctor.demo.account import Account, Figures
from secureproctor.demo.hands import WAYS_OUT
from secureproctor.demo.promises import COURSE, Limit, Promise, covered, ended, without_gaps
from secureproctor.demo.story import Step
from secureproctor.demo.supervision import AFTER_KILLS_S, BEFORE_KILLS_S
from secureproctor.demo.terms import Terms

PER_KILL_S = 5.5
LEAST_AROUND_S = 10.0
BEFORE_SHARE = 0.4
"""Of the time around an outage, what lies before it."""


@dataclass(frozen=True, slots=True)
class Story:
    """A story. `usual` are the terms that it takes, with what holds when nothing is said; `complete` fills in the others.

    `wrong` says what does not fit together, empty when all does. `before` is played before Start: with it, authorization is on.
    `by_link`: agent and service talk through a link that can be cut; `supervised`: the agent is started again when it is
    killed; `secure`: the candidate sits in the secure browser. `meanings` explains each of the `figures`.
    """

    meaning: str
    usual: Mapping[str, float]
    script: Callable[[Terms], tuple[Step, ...]]
    promises: tuple[Promise, ...]
    complete: Callable[[Terms], Terms] = lambda terms: terms
    wrong: Callable[[Terms], str] = lambda _: ""
    before: tuple[Step, ...] = ()
    by_link: bool = False
    supervised: bool = False
    secure: bool = False
    figures: Callable[[Account, Report], Figures] = lambda _account, _report: {}
    meanings: Mapping[str, str] = field(default_factory=dict)

    def terms(self, given: Mapping[str, float]) -> Terms:
        """The terms of a course, of what was said. Raises ValueError with a sentence when they do not fit."""
        terms = self.complete(msgspec.convert({**self.usual, **given}, Terms))
        if sentence := self.wrong(terms):
            raise ValueError(sentence)
        return terms


AUTHORIZATION = (
    Step(0, "agree", "The candidate agrees to be proctored"),
    Step(0, "show photo", "The candidate takes a photo"),
    Step(0, "show card", "The candidate holds an ID card before the camera"),
    Step(0, "hand in", "The candidate hands both in"),
    Step(0, "allow", "The proctor looks at them, and lets the candidate start"),
)


def _plain(terms: Terms) -> tuple[Step, ...]:
    whole = terms.duration_s
    return (
        Step(0.08 * whole, "look at the wall", "The proctor looks at the wall of candidates"),
        Step(0.20 * whole, "proctor says", "The proctor greets the candidate"),
        Step(0.28 * whole, "candidate says", "The candidate answers"),
        Step(0.40 * whole, "pause", "The proctor pauses the test"),
        Step(0.55 * whole, "resume", "The proctor resumes the test"),
        Step(0.65 * whole, "snapshot", "The proctor asks for a picture of the webcam"),
        Step(0.75 * whole, "picture candidate", "The proctor watches the candidate live"),
        Step(0.90 * whole, "departed", "The candidate looks at what has left the computer"),
        Step(1.00 * whole, "stop", "The candidate stops"),
    )


def _before_s(terms: Terms) -> float:
    """When the outage begins."""
    return (terms.duration_s - terms.outage_s) * BEFORE_SHARE


def _rate(terms: Terms) -> str:
    return f", at {terms.rate_mbit:g} Mbit/s" if terms.rate_mbit else ""


def _silence(terms: Terms) -> str:
    return f"The link goes silent for {terms.outage_s:g} s; the session may last {terms.expiry_s:g} s without it"


def _outage(terms: Terms) -> tuple[Step, ...]:
    cut, back = _before_s(terms), _before_s(terms) + terms.outage_s
    look = max(cut + 0.7 * terms.outage_s, min(cut + LINK_LOST_AFTER_S + 2, back - 1))
    return (
        Step(0.5 * cut, "proctor says", "The proctor greets the candidate"),
        Step(cut, "cut", _silence(terms)),
        Step(look, "picture offline", "The candidate's page says how long the session holds out"),
        Step(back, "mend", f"The link is back{_rate(terms)}"),
        Step(back, "picture drain", "What waited is delivered, and the live view goes on beside it"),
        Step(terms.duration_s, "stop", "The candidate stops"),
    )


def _complete_outage(terms: Terms) -> Terms:
    return replace(terms, duration_s=terms.duration_s or terms.outage_s + 150)


def _outage_wrong(terms: Terms) -> str:
    if terms.outage_s >= terms.expiry_s:
        return (
            f"An outage of {terms.outage_s:g} s outlasts an expiry of {terms.expiry_s:g} s: that is the story expiry."
        )
    return _too_short(terms)


def _too_short(terms: Terms) -> str:
    least = terms.outage_s + LEAST_AROUND_S
    return f"An outage of {terms.outage_s:g} s needs a duration of {least:g} s." if terms.duration_s < least else ""


def _expiry(terms: Terms) -> tuple[Step, ...]:
    cut, back = _before_s(terms), _before_s(terms) + terms.outage_s
    look = cut + max(0.7 * terms.expiry_s, min(LINK_LOST_AFTER_S + 2, terms.expiry_s - 2))
    return (
        Step(0.5 * cut, "proctor says", "The proctor greets the candidate"),
        Step(cut, "cut", _silence(terms)),
        Step(look, "picture offline", "The candidate's page counts down to the end"),
        Step(cut + terms.expiry_s + 3, "picture expired", "The session has expired; its evidence is kept"),
        Step(back, "mend", f"The link is back{_rate(terms)}"),
        Step(back, "wait for delivery", "What was captured until the end is delivered"),
    )


def _complete_expiry(terms: Terms) -> Terms:
    outage_s = terms.outage_s or terms.expiry_s + 30
    return replace(terms, outage_s=outage_s, duration_s=terms.duration_s or outage_s + 50)


def _expiry_wrong(terms: Terms) -> str:
    if terms.outage_s < terms.expiry_s + 5:
        return f"The outage must outlast the expiry of {terms.expiry_s:g} s by 5 s: else that is the story outage."
    return _too_short(terms)


def _crash(terms: Terms) -> tuple[Step, ...]:
    return (
        Step(0.5 * BEFORE_KILLS_S, "proctor says", "The proctor greets the candidate"),
        Step(BEFORE_KILLS_S, "kills", f"kill -9 of the agent, {terms.kills:g} times; its supervisor starts it again"),
        Step(terms.duration_s, "stop", "The candidate stops"),
    )


def _complete_crash(terms: Terms) -> Terms:
    usual_s = BEFORE_KILLS_S + terms.kills * PER_KILL_S + AFTER_KILLS_S
    return replace(terms, duration_s=terms.duration_s or usual_s)


def _crash_wrong(terms: Terms) -> str:
    least = BEFORE_KILLS_S + terms.kills + AFTER_KILLS_S
    return f"{terms.kills:g} kills need a duration of {least:g} s." if terms.duration_s < least else ""


def _msb(terms: Terms) -> tuple[Step, ...]:
    whole = terms.duration_s
    return (
        Step(0.05 * whole, "ways out", "The candidate tries the keys that lead out: Alt+Tab, Super, Print, …"),
        Step(0.20 * whole, "window", "Another program's window comes to the front"),
        Step(0.28 * whole, "picture locked", "The exam window is back; the proctor sees each rule and what it saw"),
        Step(0.35 * whole, "clipboard", "Another program fills the clipboard"),
        Step(
            0.42 * whole, "forbidden", "A program that the exam forbids is started; the candidate is asked to close it"
        ),
        Step(0.65 * whole, "questions", "The exam's server lets in whom the service vouches for, and nobody else"),
        Step(0.75 * whole, "pause", "The proctor pauses the test"),
        Step(0.85 * whole, "resume", "The proctor resumes the test"),
        Step(1.00 * whole, "stop", "The candidate stops, and has the machine back"),
    )


STORIES: dict[str, Story] = {
    "plain": Story(
        "authorization, chat, pause, resume, a picture, stop",
        {"duration_s": 60},
        _plain,
        (covered(98.0), ended("stopped"), *COURSE),
        before=AUTHORIZATION,
    ),
    "outage": Story(
        "the link is silent for a while; the session survives, and nothing is missing",
        {"duration_s": 0, "outage_s": 180, "expiry_s": 300, "rate_mbit": 4},
        _outage,
        (
            covered(99.9),
            without_gaps,
            ended("stopped"),
            *COURSE,
            Limit("drain_link_pct", "The backlog took only {value:.0f} % of what the link carries.", least=90),
            Limit("live_age_max_s", "The live view was up to {value:.1f} s old while the backlog drained.", most=6),
        ),
        _complete_outage,
        _outage_wrong,
        by_link=True,
        figures=outage.figures,
        meanings=outage.FIGURES,
    ),
    "expiry": Story(
        "the link is silent for too long; the session ends at both ends, and its evidence arrives afterwards",
        {"duration_s": 0, "outage_s": 0, "expiry_s": 60, "rate_mbit": 0},
        _expiry,
        (
            covered(99.9),
            without_gaps,
            ended("expired"),
            *COURSE,
            Limit("agent_off_by_s", "The agent ended the session {value:+.1f} s off its expiry.", least=-1, most=1),
            Limit("service_off_by_s", "The service ended the session {value:+.1f} s off its expiry.", least=-1, most=1),
            Limit("countdown_last_s", "The page's countdown stopped at {value:.0f} s.", most=2),
            Limit("expired_told_s", "The page was told of the end only after {value:.0f} s."),
            Limit("late_segments", "No evidence arrived after the link's return.", least=1),
            Limit("evidence_short_s", "The evidence ends {value:.1f} s before the session.", most=1),
        ),
        _complete_expiry,
        _expiry_wrong,
        by_link=True,
        figures=expiry.figures,
        meanings=expiry.FIGURES,
    ),
    "crash": Story(
        "the agent is killed again and again at random moments; the session goes on",
        {"duration_s": 0, "kills": 20, "seed": 1},
        _crash,
        (
            ended("stopped"),
            *COURSE,
            Limit("missing_max_s", "A kill cost {value:.2f} s of evidence.", most=2),
            Limit("sessions", "{value} sessions were seen in place of one.", most=1),
            Limit("acknowledged_lost", "{value} records that the service had stored are gone.", most=0),
            Limit("stored_twice", "{value} segments were stored twice.", most=0),
            Limit("left_behind", "{value} records were not taken by the service.", most=0),
            Limit("gaps_without_cause", "{value} gaps have no cause on the record.", most=0),
            Limit("records_damaged", "{value} records in the spool were missing or damaged.", most=0),
        ),
        _complete_crash,
        _crash_wrong,
        supervised=True,
        figures=crash.figures,
        meanings=crash.FIGURES,
    ),
    "msb": Story(
        "an exam in the secure browser, locked down; the candidate tries what one tries, and has the machine back",
        {"duration_s": 45},
        _msb,
        (
            covered(98.0),
            ended("stopped"),
            *COURSE,
            Limit("keys_stopped", "Only {value:.0f} of the keys were stopped.", least=len(WAYS_OUT)),
            Limit("theft_recovered_ms", "The exam window was back only after {value:.0f} ms.", most=300),
            Limit("program_reported_ms", "A forbidden program was on the record only after {value:.0f} ms.", most=500),
            Limit("program_closed_s", "A forbidden program ran for {value:.0f} s.", most=15),
            Limit("requests_let_in", "The exam's server let in only {value:.0f} requests of the exam.", least=2),
            Limit("requests_refused", "The exam's server refused only {value:.0f} requests of others.", least=2),
            Limit("attested", "There were only {value:.0f} good attestations.", least=1),
            Limit("locked_pct", "The lockdown was applied for only {value:.0f} % of the time.", least=98),
            Limit("unlocked_ms", "The machine was given back only after {value:.0f} ms.", most=2000),
        ),
        secure=True,
        figures=msb.figures,
        meanings=msb.FIGURES,
    ),
}
"""Every story, by its name."""
