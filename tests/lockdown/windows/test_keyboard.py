"""What a hook answers, for every key: a table of what is stopped, and what may go wrong with presses and releases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.windows import keys
from secureproctor.lockdown.windows.api import Stroke
from secureproctor.lockdown.windows.keyboard import ALTGR_SCAN, WIN_LEASE_MS, Helping, Keyboard, Pressed

SHIFT, CTRL, ALT, ALTGR, WIN, TAB, L = 0xA0, 0xA2, 0xA4, 0xA5, 0x5B, 0x09, ord("L")
Typed = tuple[int, ...]
ALL: frozenset[RuleId] = frozenset({"keys", "screenshots", "printing"})


class Board:
    """A keyboard with its programs: what is not stopped, they believe."""

    def __init__(self, rules: frozenset[RuleId] = ALL, reader: bool = False) -> None:
        self.down: set[int] = set()
        self.told: list[object] = []
        self.arrived: list[tuple[int, bool]] = []
        self.keyboard = Keyboard(self.down.__contains__)
        self.keyboard.rules, self.keyboard.reader = rules, reader
        self.keyboard.start()

    def stroke(self, key: int, down: bool, scan: int = 0, at_ms: int = 0, injected: bool = False) -> bool:
        stopped, heard = self.keyboard.press(Stroke(key, down, scan, injected, at_ms))
        if heard is not None:
            self.told.append(heard)
        if not stopped:
            self.arrived.append((key, down))
            (self.down.add if down else self.down.discard)(key)
        return stopped

    def type(self, *typed: int, at_ms: int = 0) -> bool:
        """Whether the last one was stopped."""
        stopped = [self.stroke(key, True, at_ms=at_ms) for key in typed][-1]
        for key in reversed(typed):
            self.stroke(key, False, at_ms=at_ms)
        return stopped

    def names(self) -> list[tuple[str, str]]:
        return [(each.rule, each.keys) for each in self.told if isinstance(each, Pressed)]


STOPPED = [
    ((WIN,), "keys", "Win"),
    ((0x5C,), "keys", "Win"),
    ((ALT, TAB), "keys", "Alt+Tab"),
    ((ALTGR, TAB), "keys", "Alt+Tab"),
    ((ALT, SHIFT, TAB), "keys", "Alt+Shift+Tab"),
    ((ALT, 0x1B), "keys", "Alt+Esc"),
    ((ALT, 0x73), "keys", "Alt+F4"),
    ((ALT, 0x20), "keys", "Alt+Space"),
    ((CTRL, 0x1B), "keys", "Ctrl+Esc"),
    ((CTRL, SHIFT, 0x1B), "keys", "Ctrl+Shift+Esc"),
    ((CTRL, ALT, ord("T")), "keys", "Ctrl+Alt+T"),
    ((0x70,), "keys", "F1"),
    ((CTRL, 0x73), "keys", "Ctrl+F4"),
    ((0x87,), "keys", "F24"),
    ((0xAC,), "keys", "BrowserHome"),
    ((0x2C,), "screenshots", "PrintScreen"),
    ((ALT, 0x2C), "screenshots", "Alt+PrintScreen"),
    ((CTRL, ord("P")), "printing", "Ctrl+P"),
]
LET = [
    (L,),
    (SHIFT, L),
    (CTRL, ord("C")),
    (TAB,),
    (0x1B,),
    (ALT,),
    (CTRL,),
    (0x2D,),
    (0xAD,),
    (ALT, L),
    (0x0D,),
    (CTRL, TAB),
]


@pytest.mark.parametrize(("typed", "rule", "name"), STOPPED, ids=[row[2] for row in STOPPED])
def test_what_leads_out_is_stopped_and_told_by_its_name(typed: Typed, rule: str, name: str) -> None:
    board = Board()
    assert board.type(*typed)
    assert board.names() == [(rule, name)]
    assert board.down == set()


@pytest.mark.parametrize("typed", LET)
def test_what_people_write_is_let(typed: Typed) -> None:
    board = Board()
    assert not board.type(*typed)
    assert board.told == []
    assert board.arrived == [*((key, True) for key in typed), *((key, False) for key in reversed(typed))]


def test_win_and_another_key_are_both_stopped_and_nothing_stays_held() -> None:
    board = Board()
    assert board.type(WIN, L)
    assert board.names() == [("keys", "Win"), ("keys", "Win+L")]
    assert board.arrived == []


def test_a_picture_by_win_belongs_to_its_own_rule() -> None:
    board = Board()
    board.type(WIN, SHIFT, ord("S"))
    assert ("screenshots", "Win+Shift+S") in board.names()


def test_a_key_that_repeats_itself_is_told_once() -> None:
    board = Board()
    for _ in range(5):
        assert board.stroke(0x74, True)
    assert board.stroke(0x74, False)
    assert board.names() == [("keys", "F5")]


def test_altgr_writes_its_characters() -> None:
    """Windows presses a left Ctrl of its own before it."""
    board = Board()
    board.stroke(CTRL, True, scan=ALTGR_SCAN)
    board.stroke(ALTGR, True)
    assert not board.stroke(ord("Q"), True)
    assert board.told == []


def test_ctrl_and_the_right_alt_are_no_altgr_on_keyboards_without_one() -> None:
    assert Board().type(CTRL, ALTGR, ord("T"))


def test_releases_that_got_lost_on_another_desktop_leave_no_keyboard_unusable() -> None:
    """Ctrl+Alt+Delete: the hook sees Ctrl and Alt go down, and never up."""
    board = Board()
    board.stroke(CTRL, True)
    board.stroke(ALT, True)
    board.down.clear()
    assert not board.type(L)


def test_a_release_of_win_that_got_lost_is_forgotten_after_a_while() -> None:
    board = Board()
    board.stroke(WIN, True, at_ms=1000)
    assert board.stroke(L, True, at_ms=1100)
    board.stroke(L, False, at_ms=1200)
    assert not board.stroke(L, True, at_ms=1100 + WIN_LEASE_MS + 1)


def test_the_clock_may_begin_anew_while_win_is_held() -> None:
    board = Board()
    board.stroke(WIN, True, at_ms=0xFFFFFFF0)
    assert board.stroke(L, True, at_ms=5)


def test_what_was_held_before_anybody_looked_is_let_go() -> None:
    board = Board(rules=frozenset())
    board.stroke(WIN, True)
    board.keyboard.rules = ALL
    board.keyboard.start()
    assert not board.stroke(WIN, False)


def test_without_a_rule_nothing_is_stopped() -> None:
    board = Board(rules=frozenset())
    assert not any(board.type(*row[0]) for row in STOPPED)
    assert board.told == []


def test_pictures_may_be_stopped_alone() -> None:
    board = Board(rules=frozenset({"screenshots"}))
    assert board.type(0x2C)
    assert not board.type(ALT, TAB)
    assert board.type(WIN, SHIFT, ord("S"))


def test_keys_stop_pictures_where_no_other_rule_does() -> None:
    board = Board(rules=frozenset({"keys"}))
    assert board.type(0x2C)
    assert board.names() == [("keys", "PrintScreen")]


def test_the_commands_of_a_screen_reader_pass_while_one_runs() -> None:
    assert not Board(reader=True).type(keys.INSERT, 0x76)
    assert not Board(reader=True).type(keys.CAPS_LOCK, 0x76)
    assert Board(reader=False).type(keys.INSERT, 0x76)
    assert Board(reader=True).type(0x76)
    assert Board(reader=True).type(keys.INSERT, ALT, 0x73)


@pytest.mark.parametrize("typed", [(WIN, 0xBB), (WIN, 0x6D), (WIN, CTRL, keys.ENTER), (WIN, CTRL, ord("O"))])
def test_windows_own_magnifier_and_narrator_are_passed_on(typed: Typed) -> None:
    board = Board()
    assert board.type(*typed)
    assert board.told[1:] == [Helping(typed[-1])]


def test_injected_is_told() -> None:
    board = Board()
    board.stroke(0x74, True, injected=True)
    assert board.told == [Pressed("keys", "F5", injected=True)]


@given(
    st.lists(
        st.tuples(st.sampled_from([SHIFT, CTRL, ALT, ALTGR, WIN, TAB, L, 0x1B, 0x73, 0x2C]), st.booleans()), max_size=40
    )
)
def test_no_program_ever_gets_one_half_of_a_key(strokes: list[tuple[int, bool]]) -> None:
    """Whatever is pressed in whatever order: a release arrives only where its press did, and no press of Win ever does."""
    board = Board()
    held: set[int] = set()
    for key, down in strokes:
        if not down and key not in held:
            continue
        (held.add if down else held.discard)(key)
        board.stroke(key, down)
    arrived: set[int] = set()
    for key, down in board.arrived:
        assert down or key in arrived
        (arrived.add if down else arrived.discard)(key)
    assert not {key for key, _ in board.arrived} & {WIN}
