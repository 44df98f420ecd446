"""How far a proctor command came. Pure; the journal makes it durable (following.py writes, history.py reads).

    received → expired | refused | failed
    received → applied → acknowledged
    received → applied → unacknowledged → acknowledged      nobody acknowledged it in time

A status says what was noted last, which is not always what happened last: an agent may be killed between an effect and the
note of it. So what an effect leaves in the journal counts as well: `done` when it is there, `begun` when it may be.
"""

from dataclasses import dataclass

from secureproctor.contract.channel import COMMANDS, FINAL, Command, CommandRule, CommandStatus

RULES: dict[str, CommandRule] = {str(kind): rule for kind, rule in COMMANDS.items()}
WAITING: frozenset[str] = frozenset({"applied", "unacknowledged"})


@dataclass(slots=True)
class Course:
    """One command. Times in microseconds of the boot clock (`_us`) and in milliseconds since 1970 (`_ms`)."""

    id: str
    kind: str
    whole: Command | None = None
    """The command as it came; an agent of before noted only its id."""
    status: CommandStatus | None = None
    """None: nothing is noted of it yet."""
    begun: bool = False
    done: bool = False
    applied_ms: int = 0
    applied_us: int = 0
    reminders: int = 0
    """How often the page has been asked again."""

    @property
    def asks_page(self) -> bool:
        """Whether it is the page that acknowledges it."""
        return self.kind in RULES and RULES[self.kind].asks_page

    @property
    def waits(self) -> bool:
        """Whether it took effect and was not acknowledged."""
        return self.status in WAITING

    @property
    def owes_an_answer(self) -> bool:
        """Whether the proctor has not been told the outcome yet."""
        return self.status not in FINAL and self.status != "unacknowledged"

    @property
    def text(self) -> str:
        """The proctor's words with it."""
        return self.whole.text if self.whole else ""
