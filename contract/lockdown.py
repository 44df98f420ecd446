"""What lockdown is, in the words of the exam, the agent, the proctor and the report: its rules, and how each one stands.

A rule never claims more than it does. On every machine it has a standing: `enforced` (what it forbids cannot be done, or is
undone at once), `observed` (it can be done, and is on the record), `impossible` (this system offers no way), or
`could_not_check` (finding out failed; that is neither a pass nor a fault of the candidate).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

RuleId = Literal[
    "power",
    "lock_screen",
    "switch_user",
    "sign_out",
    "task_manager",
    "keys",
    "focus",
    "clipboard",
    "programs",
    "windows",
    "hidden_windows",
    "screenshots",
    "printing",
    "displays",
    "remote_session",
    "virtual_machine",
    "injected_input",
    "assistive",
]
Standing = Literal["enforced", "observed", "impossible", "could_not_check"]
STANDINGS: dict[Standing, str] = {
    "enforced": "It cannot be done, or is undone at once.",
    "observed": "It can be done, and is on the record.",
    "impossible": "This system offers no way to prevent or to see it.",
    "could_not_check": "It could not be found out here.",
}


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule's name and its meaning, for people. `observes`: it is there to observe, and cannot stand higher."""

    name: str
    meaning: str
    observes: bool = False


RULES: dict[RuleId, RuleText] = {
    "power": RuleText(
        "Power and screen saver", "The computer does not sleep or darken by itself; power options are away."
    ),
    "lock_screen": RuleText("Lock", "The screen cannot be locked by the candidate during the exam."),
    "switch_user": RuleText("Switch user", "Nobody else can be switched to."),
    "sign_out": RuleText("Sign out", "The candidate cannot be signed out by a key or a menu."),
    "task_manager": RuleText("Task manager", "The system's task manager cannot be opened."),
    "keys": RuleText("System keys", "Keys and shortcuts that lead out of the exam do nothing."),
    "focus": RuleText("Exam window", "The exam window is in front and full screen; leaving it is counted."),
    "clipboard": RuleText("Clipboard", "Nothing is brought in or carried out by the clipboard."),
    "programs": RuleText("Forbidden programs", "Programs that help to cheat are asked to be closed, then closed."),
    "windows": RuleText(
        "New windows", "Windows and programs that appear during the exam are on the record.", observes=True
    ),
    "hidden_windows": RuleText(
        "Hidden windows", "Windows that exclude themselves from capture are found.", observes=True
    ),
    "screenshots": RuleText("Screenshots", "Pictures of the screen cannot be taken."),
    "printing": RuleText("Printing", "Nothing is printed."),
    "displays": RuleText("Displays", "No more displays than allowed, none of them mirrored or split.", observes=True),
    "remote_session": RuleText("Remote session", "Nobody else sees or controls this computer.", observes=True),
    "virtual_machine": RuleText(
        "Virtual machine", "The exam runs on a real computer, by weighted evidence.", observes=True
    ),
    "injected_input": RuleText("Injected input", "Keys and clicks come from a person's hands.", observes=True),
    "assistive": RuleText(
        "Assistive technology", "It keeps working, and what is used is on the record.", observes=True
    ),
}
"""Every rule, in the order in which they are applied; they are restored in the reverse order."""

ProgramsPolicy = Literal["observe", "ask", "close"]
BeyondTolerance = Literal["record", "pause", "end"]
Names = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=128)], ...], Meta(max_length=200)]


class LockdownSettings(msgspec.Struct, frozen=True, rename="camel"):
    """What an exam wants of the lockdown.

    `required`: without these the exam does not start, unless a proctor overrides. `off`: these are not wanted at all.
    `browsing_tolerance` is how often the candidate may leave the exam window (None: as often as they like); the next time,
    `beyond_tolerance` happens. `allowed_programs` and `forbidden_programs` are names of programs (contract of the list:
    docs/it-guide.md), on top of the list that comes with the agent. `programs`: forbidden ones are only put on the record,
    asked to be closed, or asked for `program_patience_s` seconds and then closed. `displays` is how many are allowed.
    `while_paused`: whether the candidate has the machine back while the test is paused.
    """

    required: Annotated[tuple[RuleId, ...], Meta(max_length=32)] = ()
    off: Annotated[tuple[RuleId, ...], Meta(max_length=32)] = ()
    browsing_tolerance: Annotated[int, Meta(ge=0, le=1000)] | None = None
    beyond_tolerance: BeyondTolerance = "record"
    programs: ProgramsPolicy = "close"
    program_patience_s: Annotated[float, Meta(ge=0, le=600)] = 20.0
    allowed_programs: Names = ()
    forbidden_programs: Names = ()
    displays: Annotated[int, Meta(ge=1, le=16)] = 1
    while_paused: Literal["kept", "lifted"] = "kept"

    @property
    def wanted(self) -> tuple[RuleId, ...]:
        """The rules that are wanted, in the order in which they are applied. What is required is wanted."""
        return tuple(rule for rule in RULES if rule in self.required or rule not in self.off)


def strictest(one: LockdownSettings, other: LockdownSettings) -> LockdownSettings:
    """What satisfies both: neither Init nor an MSB Key can soften the other."""
    tolerances = [each.browsing_tolerance for each in (one, other) if each.browsing_tolerance is not None]
    beyond: tuple[BeyondTolerance, ...] = ("record", "pause", "end")
    policies: tuple[ProgramsPolicy, ...] = ("observe", "ask", "close")
    return LockdownSettings(
        required=tuple(rule for rule in RULES if rule in one.required or rule in other.required),
        off=tuple(rule for rule in RULES if rule in one.off and rule in other.off),
        browsing_tolerance=min(tolerances, default=None),
        beyond_tolerance=max(one.beyond_tolerance, other.beyond_tolerance, key=beyond.index),
        programs=max(one.programs, other.programs, key=policies.index),
        program_patience_s=min(one.program_patience_s, other.program_patience_s),
        allowed_programs=tuple(name for name in one.allowed_programs if name in other.allowed_programs),
        forbidden_programs=tuple(dict.fromkeys((*one.forbidden_programs, *other.forbidden_programs))),
        displays=min(one.displays, other.displays),
        while_paused="lifted" if one.while_paused == other.while_paused == "lifted" else "kept",
    )


class RuleStatus(msgspec.Struct, frozen=True):
    """How a rule stands on this machine. `holds`: it is in place now (always False before the start and after the end, and
    for what is not `enforced` or `observed`). `why` and `remedy` are sentences; `sightings` counts what it saw or stopped."""

    rule: RuleId
    standing: Standing
    required: bool = False
    holds: bool = False
    why: str = ""
    remedy: str = ""
    sightings: int = 0
    overridden: bool = False

    @property
    def stops_start(self) -> bool:
        """Whether the exam cannot start because of it. For a rule that only ever observes, to observe is enough."""
        enough = ("enforced", "observed") if RULES[self.rule].observes else ("enforced",)
        return self.required and not self.overridden and self.standing not in enough


Phase = Literal["off", "probed", "locked", "lifted", "released", "stuck"]
PHASES: dict[Phase, str] = {
    "off": "The exam has no lockdown.",
    "probed": "It is known how each rule stands; nothing is applied yet.",
    "locked": "The rules are applied.",
    "lifted": "The rules are restored for a while: the test is paused, or the secure browser is gone.",
    "released": "The machine has been given back.",
    "stuck": "A rule could not be restored; it is tried again, and `secureproctor unlock` does it, too.",
}


def stopping(rules: Iterable[RuleStatus]) -> tuple[RuleStatus, ...]:
    """The rules because of which the exam cannot start."""
    return tuple(each for each in rules if each.stops_start)
