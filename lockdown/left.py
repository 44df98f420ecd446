"""What an agent that died has left is put back: by the guardian, by the next agent, by `secureproctor unlock`.

All of them do this, in this way: be answerable for the folder (holding.py), restore from the before-images, newest first, go on
through failures, and forget what has been restored. To be told of it later, when an agent is there to put it on the record,
who restored leaves a note.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.attempt import Failed, attempt
from secureproctor.lockdown.holding import Held, holding
from secureproctor.lockdown.rule import OpenPlace, Place
from secureproctor.lockdown.undo import Left, Undo

AGENT = "agent"
NOTES = "notes"
PATIENCE_S = 10.0
"""Longer than it takes another process to restore."""

Stuck = tuple[tuple[RuleId, str], ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, what could not be and why, and the files that could not be understood (they are kept)."""

    rules: tuple[RuleId, ...] = ()
    stuck: Stuck = ()
    unreadable: tuple[Path, ...] = ()


class Note(msgspec.Struct, frozen=True):
    """That somebody (`by`) restored rules while no agent was there; `wall_ms` is milliseconds since 1970."""

    by: str
    rules: tuple[str, ...]
    wall_ms: int


def restore_left(
    folder: Path,
    open_place: OpenPlace,
    by: str,
    patience_s: float = PATIENCE_S,
    wall: Callable[[], float] = time.time,
) -> Restored:
    """Put back everything that is left in the folder, newest first. With nothing to do, nothing is opened.

    `by` is `guardian`, `agent` or `unlock`. When another process is answerable for longer than `patience_s`, everything is
    stuck, and the reason names it. Raises nothing for a rule's failures; OSError when the folder cannot be used.
    """
    undo = Undo(folder)
    if undo.is_empty:
        return _result(undo)
    try:
        with holding(folder, f"the {by}", patience_s):
            restored = restore_all(undo, undo.left(), open_place)
            if restored.rules and by != AGENT:
                with contextlib.suppress(OSError):  # a full disk: the machine is given back all the same
                    _leave_note(folder, Note(by, restored.rules, round(wall() * 1000)))
            return restored
    except Held as held:
        return _result(undo, stuck=tuple((each.rule, str(held)) for each in reversed(undo.left())))


def restore_all(undo: Undo, left: tuple[Left, ...], open_place: OpenPlace) -> Restored:
    """As `restore_left`, for who is answerable already."""
    if not left:
        return _result(undo)
    place = attempt("opening the place", open_place)
    if isinstance(place, Failed):
        return _result(undo, stuck=tuple((each.rule, place.why) for each in reversed(left)))
    try:
        ends = [(each.rule, put_back(undo, place, each)) for each in reversed(left)]
    finally:
        attempt("closing the place", place.close)
    return _result(undo, tuple(rule for rule, why in ends if not why), tuple((rule, why) for rule, why in ends if why))


def _result(undo: Undo, rules: tuple[RuleId, ...] = (), stuck: Stuck = ()) -> Restored:
    known = {rule for rule, _ in stuck}
    return Restored(rules, stuck, (*undo.aside, *(path for path in undo.files() if path.stem not in known)))


def put_back(undo: Undo, place: Place, left: Left) -> str:
    """Restore one rule and forget it; why that failed, or nothing."""
    rule = next((each for each in place.rules if each.id == left.rule), None)
    if rule is None:
        return f"It was applied on {left.place}, and this is {place.name}."

    def restore() -> None:
        rule.restore(left.image)
        undo.forget(left.rule)

    outcome = attempt(f"restoring {left.rule}", restore)
    return outcome.why if isinstance(outcome, Failed) else ""


def take_notes(folder: Path) -> tuple[Note, ...]:
    """What was restored while no agent was there, oldest first; each is told once."""
    notes = []
    for path in sorted((folder / NOTES).glob("*")):
        with contextlib.suppress(msgspec.DecodeError):  # its writer died; the restoring does not depend on it
            notes.append(msgspec.json.decode(path.read_bytes(), type=Note))
        path.unlink(missing_ok=True)
    return tuple(notes)


def _leave_note(folder: Path, note: Note) -> None:
    (folder / NOTES).mkdir(mode=0o700, exist_ok=True)
    (folder / NOTES / f"{note.wall_ms:015d}-{note.by}").write_bytes(msgspec.json.encode(note))
