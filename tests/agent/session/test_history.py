"""What a journal says to the agent that takes its session over."""

import msgspec
import pytest

from secureproctor.agent.session.authorization import Authorization
from secureproctor.agent.session.history import History, replay
from secureproctor.agent.session.journal import (
    AcknowledgementSwitched,
    AuthorizationMoved,
    ChatMarked,
    ChatTaken,
    CommandMoved,
    EndOrdered,
    Entry,
    KeyVerified,
    QualityAsked,
    QuitTried,
    Registered,
    RuleOverridden,
    SnapshotBegun,
    Started,
    StateEntered,
    WindowLeft,
)
from secureproctor.agent.session.lockdown import lockdown_of
from secureproctor.agent.session.machine import State
from secureproctor.contract.channel import Chat, Command, CommandStatus
from secureproctor.contract.http import InitData, ProctoringSettings
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.contract.msb import MsbClaims
from secureproctor.contract.page import ChatMessage

DATA = InitData("token", "0f-id", 300, ProctoringSettings(), "a2V5", (), (), 1, 3600, "user", "group")
BEGUN: list[Entry] = [
    Registered(DATA, "http://127.0.0.1:1", 1),
    StateEntered("registered", 1),
    StateEntered("ready", 2),
    Started(5_000_000, 3, "boot"),
    StateEntered("starting", 3, 10),
    StateEntered("running", 4, 400_000),
]


@pytest.mark.parametrize(
    ("last", "resumed"),
    [
        ("registered", State.REGISTERED),
        ("awaiting_authorization", State.AWAITING_AUTHORIZATION),
        ("ready", State.READY),
        ("starting", State.READY),
        ("running", State.RUNNING),
        ("paused", State.PAUSED),
        ("ending", State.ENDING),
        ("draining", State.DRAINING),
        ("ended", State.DRAINING),
    ],
)
def test_a_session_is_taken_up_where_it_was_left(last: str, resumed: State) -> None:
    history = replay([BEGUN[0], StateEntered(last, 5, 7)])
    assert history is not None
    assert history.resumed_state is resumed


def test_the_running_time_begins_once_however_often_the_agent_came_back() -> None:
    again = [StateEntered("paused", 6, 9_000_000), StateEntered("running", 7, 12_000_000)]
    history = replay([*BEGUN, *again])
    assert history is not None
    assert (history.running_since_us, history.over, history.started) == (400_000, False, BEGUN[3])


def test_the_first_ending_is_the_end() -> None:
    history = replay([*BEGUN, StateEntered("ending", 8, 60, "stopped"), StateEntered("draining", 9, 61, "expired")])
    assert history is not None
    assert (history.over, history.ended_us, history.over_ms, history.end_reason) == (True, 60, 8, "stopped")


def told(*entries: Entry, data: InitData = DATA) -> History:
    """The history of a session that has begun, and then these entries."""
    history = replay([Registered(data, "http://127.0.0.1:1", 1), *BEGUN[1:], *entries])
    assert history is not None
    return history


def test_a_request_that_took_effect_waits_for_its_acknowledgement_still() -> None:
    steps: list[CommandStatus] = ["received", "applied"]
    moved = [CommandMoved(each, "pause", status, 5) for each in ("a", "b") for status in steps]
    history = told(*moved, CommandMoved("a", "pause", "acknowledged", 6), AcknowledgementSwitched(True))
    assert {each.id: (each.status, each.waits, each.applied_ms) for each in history.commands.values()} == {
        "a": ("acknowledged", False, 5), "b": ("applied", True, 5),
    }  # fmt: skip
    assert history.automatic
    assert history.last_moved == CommandMoved("a", "pause", "acknowledged", 6)


def test_a_request_whose_lack_was_reported_still_waits() -> None:
    steps: list[CommandStatus] = ["received", "applied", "unacknowledged"]
    course = told(*[CommandMoved("a", "end", status, 5) for status in steps]).commands["a"]
    assert (course.waits, course.owes_an_answer) == (True, False)


PAUSE = Command("c-1", "pause", 7, 300, "please", by="Ada")


@pytest.mark.parametrize(
    "effect",
    [
        StateEntered("paused", 5, 6, command="c-1"),
        AuthorizationMoved("authorized", 5, (), "fine", "Ada", "c-1"),
        QualityAsked("least", "c-1"),
        RuleOverridden("keys", 5, "Ada", "fine", "c-1"),
    ],
    ids=lambda entry: type(entry).__name__,
)
def test_a_command_whose_effect_is_there_is_done_whatever_was_noted_of_it(effect: Entry) -> None:
    received = CommandMoved("c-1", "pause", "received", 5, whole=PAUSE)
    before, after = told(received).commands["c-1"], told(received, effect).commands["c-1"]
    assert (before.whole, before.status, before.done) == (PAUSE, "received", False)
    assert (after.whole, after.status, after.done) == (PAUSE, "received", True)


def test_a_picture_that_was_begun_is_neither_done_nor_undone() -> None:
    course = told(CommandMoved("c-1", "snapshot", "received", 5), SnapshotBegun("c-1")).commands["c-1"]
    assert (course.begun, course.done) == (True, False)


def test_authorization_is_where_it_was_and_knows_its_steps() -> None:
    data = msgspec.structs.replace(DATA, settings=ProctoringSettings(authorization=True, skip_id=True))
    capture = AuthorizationMoved("capture", 5, ("photo",))
    again = AuthorizationMoved("capture", 7, ("photo",), "Too dark.", "Ada", "c-1")
    history = told(capture, AuthorizationMoved("submitted", 6), again, data=data)
    assert history.authorization == Authorization(("photo",), "capture", ("photo",), "Too dark.", "Ada")
    assert [before for _, before in history.steps] == ["consent", "capture", "submitted"]
    assert told().authorization is None


def test_the_conversation_is_there_with_its_marks() -> None:
    chats = [Chat("m-1", "proctor", "Hello", 5, "Ada"), Chat("m-2", "candidate", "Hi", 6)]
    history = told(
        *(ChatTaken(chat, chat.at_ms + 2) for chat in chats),
        ChatMarked("m-1", "read", 9),
        ChatMarked("m-2", "delivered", 8),
    )
    assert history.conversation.messages == (
        ChatMessage("m-1", "proctor", "Hello", 5, "Ada", delivered_ms=7, read_ms=9),
        ChatMessage("m-2", "candidate", "Hi", 6, delivered_ms=8),
    )


def test_quality_and_an_end_that_was_ordered_are_remembered() -> None:
    history = told(QualityAsked("reduced", "c-1"), QualityAsked("least", "c-2"), EndOrdered("expired"))
    assert (history.quality, history.end_ordered) == ("least", "expired")


KEY = KeyVerified(MsbClaims("client", "group", 1, 1, 2, "j", lockdown=LockdownSettings(required=("focus",))), "kid", 2)


def test_the_lockdown_is_what_init_and_key_asked_for_and_knows_what_happened() -> None:
    wanted = LockdownSettings(required=("keys",), browsing_tolerance=3)
    data = msgspec.structs.replace(DATA, settings=ProctoringSettings(msb=True, lockdown=wanted))
    entries: list[Entry] = [
        KEY,
        RuleOverridden("keys", 5, "Ada", "fine", "c-1"),
        WindowLeft(1),
        WindowLeft(2),
        QuitTried(7),
    ]
    lockdown = lockdown_of(data.settings, told(*entries, data=data))
    assert lockdown is not None
    assert (lockdown.settings.required, lockdown.claims, lockdown.needs_browser) == (
        ("keys", "focus"),
        KEY.claims,
        True,
    )
    assert (lockdown.overridden, lockdown.tolerance.times, lockdown.tolerance.left) == ({"keys"}, 2, 1)
    assert lockdown_of(DATA.settings, told()) is None


@pytest.mark.parametrize("entries", [[], [StateEntered("running", 1)]])
def test_a_journal_without_a_registration_tells_no_history(entries: list[Entry]) -> None:
    assert replay(entries) is None
