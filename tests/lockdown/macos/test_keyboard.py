"""What the event tap answers for every key: what is stopped, what goes its way, and in which layout."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.macos import keys
from secureproctor.lockdown.macos.api import Stroke
from secureproctor.lockdown.macos.keyboard import Keyboard, Pressed
from tests.lockdown.macos.fakes import CODES

ALL: dict[RuleId, bool] = {"keys": True, "screenshots": True, "printing": True}


def stroke(key: str, held: str = "", down: bool = True, text: str | None = None, **more: int) -> Stroke:
    flags = sum(keys.MODIFIERS[each] for each in held.split("+") if each)
    written = text if text is not None else key if len(key) == 1 else ""
    plain = Stroke(CODES[key], down, written, flags, 0, False)
    return plain._replace(**more)  # type: ignore[arg-type]  # fields by name


def told_of(each: Stroke, rules: dict[RuleId, bool] = ALL, stops: bool = True) -> tuple[bool, Pressed | None]:
    keyboard = Keyboard()
    keyboard.rules = rules
    return keyboard.press(each, stops)


@pytest.mark.parametrize(
    ("held", "key", "rule", "name"),
    [
        ("Cmd", "Tab", "keys", "Cmd+Tab"),
        ("Cmd", "Space", "keys", "Cmd+Space"),
        ("Cmd", "q", "keys", "Cmd+Q"),
        ("Cmd", "h", "keys", "Cmd+H"),
        ("Cmd", "m", "keys", "Cmd+M"),
        ("Cmd+Opt", "Esc", "keys", "Cmd+Opt+Esc"),
        ("Ctrl+Cmd", "q", "keys", "Ctrl+Cmd+Q"),
        ("Shift+Cmd", "q", "keys", "Cmd+Shift+Q"),
        ("Ctrl", "Up", "keys", "Ctrl+Up"),
        ("Ctrl", "Left", "keys", "Ctrl+Left"),
        ("Ctrl", "2", "keys", "Ctrl+2"),
        ("", "MissionControl", "keys", "MissionControl"),
        ("Fn", "MissionControl", "keys", "MissionControl"),
        ("Fn", "F11", "keys", "F11"),
        ("Fn", "c", "keys", "Fn+C"),
        ("Cmd+Shift", "3", "screenshots", "Cmd+Shift+3"),
        ("Ctrl+Cmd+Shift", "4", "screenshots", "Ctrl+Cmd+Shift+4"),
        ("Cmd+Shift", "5", "screenshots", "Cmd+Shift+5"),
        ("Cmd", "p", "printing", "Cmd+P"),
    ],
)
def test_what_leads_out_is_stopped_and_named(held: str, key: str, rule: RuleId, name: str) -> None:
    assert told_of(stroke(key, held)) == (True, Pressed(rule, name, injected=False, stopped=True))


@pytest.mark.parametrize(
    ("held", "key"),
    [
        ("", "q"),
        ("Shift", "q"),
        ("Cmd", "c"),
        ("Cmd", "v"),
        ("Cmd", "z"),
        ("Opt", "q"),
        ("", "Esc"),
        ("", "Tab"),
        ("Ctrl", "Space"),
        ("Fn", "Left"),
        ("Cmd+Fn", "Left"),
    ],
)
def test_writing_goes_its_way(held: str, key: str) -> None:
    assert told_of(stroke(key, held)) == (False, None)


@pytest.mark.parametrize(
    ("held", "key"),
    [
        ("Cmd+Fn", "F5"),
        ("Cmd+Opt+Fn", "F5"),
        ("Cmd+Opt", "8"),
        ("Ctrl+Opt", "Right"),
        ("Ctrl+Opt+Cmd", "h"),
        ("Ctrl+Opt+Fn", "F8"),
    ],
)
def test_the_keys_of_assistive_technology_go_their_way(held: str, key: str) -> None:
    assert told_of(stroke(key, held)) == (False, None)


def test_a_letter_is_what_the_layout_writes_not_where_the_key_is() -> None:
    """On a French keyboard, the key at the place of Q writes A, and the one at the place of A writes Q."""
    assert told_of(stroke("q", "Cmd", text="a")) == (False, None)
    assert told_of(stroke("a", "Cmd", text="q"))[1] == Pressed("keys", "Cmd+Q", False, True)
    assert told_of(stroke(",", "Cmd", text="m"))[0], "M is beside L there; its place has another name in the table"


def test_a_layout_without_latin_letters_counts_by_its_places() -> None:
    assert told_of(stroke("q", "Cmd", text="й"))[0]


def test_ctrl_makes_a_control_character_of_a_letter() -> None:
    assert told_of(stroke("q", "Ctrl+Cmd", text="\x11"))[1] == Pressed("keys", "Ctrl+Cmd+Q", False, True)


def test_a_key_that_was_stopped_has_its_release_stopped_and_no_other() -> None:
    keyboard = Keyboard()
    keyboard.rules = ALL
    assert keyboard.press(stroke("Tab", "Cmd"), stops=True)[0]
    assert keyboard.press(stroke("Tab", down=False), stops=True) == (True, None)
    assert keyboard.press(stroke("Tab", down=False), stops=True) == (False, None)


def test_a_release_that_was_never_seen_does_not_eat_a_later_one() -> None:
    """As when a password field takes the keyboard for itself in between."""
    keyboard = Keyboard()
    keyboard.rules = ALL
    keyboard.press(stroke("Tab", "Cmd"), stops=True)
    assert keyboard.press(stroke("Tab"), stops=True) == (False, None)
    assert keyboard.press(stroke("Tab", down=False), stops=True) == (False, None)


def test_a_key_that_repeats_itself_is_stopped_and_told_once() -> None:
    assert told_of(stroke("Tab", "Cmd", repeats=True)) == (True, None)


@pytest.mark.parametrize(("rules", "stops"), [({"keys": False}, True), ({"keys": True}, False)])
def test_what_is_only_heard_is_told_as_not_stopped(rules: dict[RuleId, bool], stops: bool) -> None:
    assert told_of(stroke("Tab", "Cmd"), rules, stops) == (False, Pressed("keys", "Cmd+Tab", False, stopped=False))


def test_a_rule_that_is_not_in_force_stops_nothing() -> None:
    assert told_of(stroke("3", "Cmd+Shift"), {"keys": True}) == (False, None)


def test_what_a_process_pressed_is_told_as_injected() -> None:
    pressed = told_of(stroke("Tab", "Cmd", source=42))[1]
    assert pressed is not None
    assert pressed.injected


@given(st.lists(st.tuples(st.sampled_from(sorted(CODES)), st.sampled_from(["", "Cmd", "Ctrl"]), st.booleans())))
def test_a_program_never_believes_that_a_key_is_held(course: list[tuple[str, str, bool]]) -> None:
    """Whatever is pressed and let go in whatever order: what a program saw go down, it sees come up."""
    keyboard, down = Keyboard(), set[str]()
    keyboard.rules = ALL
    for key, held, goes_down in course:
        stopped, _ = keyboard.press(stroke(key, held, goes_down), stops=True)
        if not stopped:
            (down.add if goes_down else down.discard)(key)
    assert [key for key in down if keyboard.press(stroke(key, down=False), stops=True)[0]] == []


def test_a_key_that_was_down_before_cmd_joined_it_is_let_go() -> None:
    keyboard = Keyboard()
    keyboard.rules = ALL
    assert keyboard.press(stroke("Tab"), stops=True) == (False, None)
    assert keyboard.press(stroke("Tab", "Cmd", repeats=True), stops=True) == (True, None)
    assert keyboard.press(stroke("Tab", down=False), stops=True) == (False, None)
