"""Every combination of the table, pressed by xdotool on a real X server under openbox, which holds some of them itself."""

from collections.abc import Iterator

import pytest
from Xlib import X
from Xlib.ext import xinput

from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.linux import keyboard
from secureproctor.lockdown.linux.key_table import ROWS, Combination, Row, combinations, named
from secureproctor.lockdown.linux.keyboard import Layout
from secureproctor.lockdown.linux.x11 import connect
from secureproctor.lockdown.rule import Exam, Sighting, Terms
from tests.lockdown.linux.x11_desk import Desk, Locked, Puppet, locked

MODIFIERS = {"Ctrl": "ctrl", "Alt": "alt", "Shift": "shift", "Super": "super"}
TERMS = Terms(Exam(), LockdownSettings())
OBSERVED = Terms(Exam(), LockdownSettings(), observe_only=True)


def spelt(combination: Combination) -> str:
    """As xdotool spells it."""
    held = [MODIFIERS[each] for each in ("Ctrl", "Alt", "Shift", "Super") if each in combination.modifiers]
    return "+".join((*held, combination.key))


def layout() -> Layout:
    """The keyboard's, now."""
    x = connect()
    try:
        return keyboard.read(x)
    finally:
        x.close()


def codes(*names: str) -> list[int]:
    """The keys on which these symbols lie."""
    now = layout()
    return [now.keys(name)[0] for name in names]


def on_this_keyboard(row: Row) -> list[Combination]:
    now = layout()
    wanted = {(frozenset(filter(None, held.split("+"))), key) for held in row.modifiers for key in row.keys}
    return [each for each in combinations() if (each.modifiers, each.key) in wanted and now.keys(each.key)]


@pytest.fixture(scope="module")
def keys(x11: Desk, exam: Puppet) -> Iterator[Locked]:
    with locked(x11, None, "keys") as lock:
        x11.press("Shift_L")  # the first key of a device brings a keymap, and openbox takes its keys anew
        lock.during(1.3)
        yield lock


@pytest.fixture(autouse=True)
def nothing_seen(keys: Locked) -> None:
    keys.place.pump(0)
    keys.seen.clear()


def names(sightings: list[Sighting]) -> set[object]:
    return {each.detail["keys"] for each in sightings}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.modifiers[0]}-{row.keys[0]}-{len(row.modifiers)}")
def test_every_combination_of_the_table_is_stopped_and_told(x11: Desk, exam: Puppet, keys: Locked, row: Row) -> None:
    pressed = on_this_keyboard(row)
    assert pressed
    exam.hears().clear()
    x11.press(*map(spelt, pressed))
    wanted = {each.name for each in pressed}
    keys.until(lambda: wanted <= names(keys.seen), f"{wanted - names(keys.seen)}")
    by_effect = {"stop": "key_stopped", "observe": "key_seen"}
    assert {(each.detail["keys"], each.kind) for each in keys.seen} >= {(e.name, by_effect[e.effect]) for e in pressed}
    assert all(each.detail["injected"] is True for each in keys.seen)
    stopped = {code for each in pressed for code in layout().keys(each.key)}
    assert not stopped & set(exam.keys()), "a key that was stopped came to the window"


def test_the_table_names_what_was_asked_for() -> None:
    there = {each.name for each in combinations()}
    letters = {f"Ctrl+Alt+{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    functions = {f"{held}F{number}" for held in ("", "Alt+", "Ctrl+Alt+") for number in range(1, 13)}
    plain = {
        "Alt+Tab",
        "Alt+Shift+Tab",
        "Alt+Esc",
        "Ctrl+Esc",
        "Ctrl+Shift+Esc",
        "Ctrl+Alt+Delete",
        "PrintScreen",
        "Menu",
    }
    assert letters | functions | plain | {"Ctrl+Alt+Left", "Alt+PrintScreen", "Ctrl+T", "Super+L"} <= there


def test_no_key_of_assistive_technology_is_in_the_table() -> None:
    free = {named(frozenset({"Alt", "Super"}), key) for key in ("s", "8", "minus", "equal")}
    assert not free & {each.name for each in combinations()}
    assert not {"Insert", "KP_Insert", "Caps_Lock"} & {each.key for each in combinations() if not each.modifiers}


def test_super_alone_and_what_is_pressed_with_it_goes_nowhere(x11: Desk, exam: Puppet, keys: Locked) -> None:
    exam.hears().clear()
    x11.press("super", "super+ctrl+q", "super+backslash")
    keys.until(lambda: len(keys.of("key_stopped")) >= 3)
    assert names(keys.seen) == {"Super"}
    assert not {*codes("q", "backslash")} & set(exam.keys())


@pytest.mark.parametrize("order", ["alt+super+s", "super+alt+s"])
def test_the_key_of_the_screen_reader_passes_in_either_order(x11: Desk, keys: Locked, order: str) -> None:
    """As a desktop gets it: by a grab of its own."""
    with x11.client() as desktop:
        key, held = desktop.keysym_to_keycode(ord("s")), X.Mod1Mask | X.Mod4Mask
        desktop.screen().root.grab_key(key, held, False, X.GrabModeAsync, X.GrabModeAsync)
        desktop.sync()
        first, second, last = order.split("+")
        for step in (("keydown", first), ("keydown", second)):
            x11.run("xdotool", *step)
            keys.place.pump(0.05)
        x11.run("xdotool", "key", last)
        keys.until(lambda: desktop.pending_events() > 0)
        assert desktop.next_event().detail == key
        x11.run("xdotool", "keyup", first, "keyup", second)
        keys.place.pump(0.05)


@pytest.mark.parametrize("lock", ["Num_Lock", "Caps_Lock"])
def test_locks_make_no_difference(x11: Desk, keys: Locked, lock: str) -> None:
    x11.press(lock)
    try:
        x11.press("alt+Tab", "F11", "ctrl+t")
        keys.until(lambda: {"Alt+Tab", "F11", "Ctrl+T"} <= names(keys.of("key_stopped")))
    finally:
        x11.press(lock)


def test_typing_arrives_complete_and_nothing_of_it_is_told(x11: Desk, exam: Puppet, keys: Locked) -> None:
    text = "the quick brown fox jumps over 1234567890 lazy dogs"
    wanted = codes(*("space" if each == " " else each for each in text))
    exam.hears().clear()
    x11.run("xdotool", "type", "--delay", "0", text)
    keys.until(lambda: len(exam.keys()) >= len(text))
    assert exam.keys() == wanted
    assert not keys.seen


def test_editing_keys_reach_the_exam(x11: Desk, exam: Puppet, keys: Locked) -> None:
    pressed = ("ctrl+c", "ctrl+v", "ctrl+z", "ctrl+f", "Tab", "BackSpace", "Escape", "Home", "shift+Left", "Insert")
    wanted = codes(*(each.rpartition("+")[2] for each in pressed))
    exam.hears().clear()
    x11.press(*pressed)
    keys.until(lambda: set(wanted) <= set(exam.keys()))
    assert not keys.seen


def test_a_window_manager_that_takes_its_keys_anew_is_overtaken(x11: Desk, keys: Locked) -> None:
    """At most one press gets through; it is told as seen, and puts the grabs in front again."""
    with x11.client() as rival:
        root, tab = rival.screen().root, rival.keysym_to_keycode(0xFF09)
        rival.xinput_query_version()
        root.grab_key(tab, X.Mod4Mask | X.ControlMask, False, X.GrabModeAsync, X.GrabModeAsync)
        x11.run("openbox", "--reconfigure")

        def stopped_after_seen() -> bool:
            x11.press("alt+Tab")
            keys.during(0.15)
            return keys.kinds()[-1:] == ["key_stopped"]

        keys.until(stopped_after_seen, "the grabs in front")
    assert keys.kinds().count("key_seen") <= 3


def test_a_program_that_has_taken_the_whole_keyboard_is_seen_and_cannot_be_stopped(x11: Desk, keys: Locked) -> None:
    with x11.program("normal", "grabs", name="grabber"):
        x11.press("alt+Tab")
        keys.until(lambda: "key_seen" in keys.kinds())
    assert names(keys.of("key_seen")) == {"Alt+Tab"}
    assert not keys.of("key_stopped")


def test_another_layout_keeps_the_keys_stopped(x11: Desk, exam: Puppet, keys: Locked) -> None:
    """On a Russian layout no key gives a Latin letter: browsers obey the place of the key, and so does the table."""
    x11.run("setxkbmap", "ru")
    try:
        keys.during(1.3)
        keys.seen.clear()
        x11.run("xdotool", "keydown", "Control_L", "key", "28", "keyup", "Control_L")  # where T is
        x11.press("alt+Tab")
        keys.until(lambda: {"Ctrl+T", "Alt+Tab"} <= names(keys.of("key_stopped")))
        assert "SwitchScreen" not in x11.run("xkbcomp", "-w0", x11.name, "-")
    finally:
        x11.run("setxkbmap", "us")
        keys.during(1.3)


def test_the_keys_of_other_consoles_do_nothing_while_it_is_applied(x11: Desk, keys: Locked) -> None:
    keymap = x11.run("xkbcomp", "-w0", x11.name, "-")
    assert not {"SwitchScreen", "Terminate"} & set(keymap.replace("(", " ").split())


def test_a_held_key_is_told_once(x11: Desk, keys: Locked) -> None:
    x11.run("xdotool", "keydown", "F5")
    keys.until(lambda: keys.of("key_stopped"))
    keys.during(0.9)  # it repeats after 660 ms
    x11.run("xdotool", "keyup", "F5")
    assert len(keys.of("key_stopped")) == 1


def test_after_restore_the_window_manager_has_its_keys_again(x11: Desk, exam: Puppet, keys: Locked) -> None:
    rule, image = keys.rules["keys"], keys.images["keys"]
    with x11.program() as other:
        rule.restore(image)
        keys.until(lambda: x11.active() == other.window)

        def switched() -> bool:
            x11.run("xdotool", "key", "alt+Tab")  # openbox needs its time between press and release
            keys.during(0.2)
            return x11.active() == exam.window

        keys.until(switched, "openbox to switch windows")
        assert "SwitchScreen" in x11.run("xkbcomp", "-w0", x11.name, "-")
    rule.apply(TERMS, keys.seen.append)


def test_probing_says_which_keys_another_program_holds(x11: Desk, keys: Locked) -> None:
    """One that has grabbed in both ways, before this one came."""
    keys.rules["keys"].restore({})
    try:
        with x11.client() as rival:
            root, key = rival.screen().root, rival.keysym_to_keycode(0xFFC8)  # F11
            rival.xinput_query_version()
            root.xinput_grab_keycode(xinput.AllMasterDevices, 0, key, 1, 1, False, 4, [0, X.ControlMask])
            root.grab_key(key, 0, False, X.GrabModeAsync, X.GrabModeAsync)
            rival.sync()
            probed = keys.rules["keys"].probe(TERMS)
            assert probed.standing == "observed"
            assert "F11" in probed.why
            assert "Ctrl+F11" not in probed.why, "that one is free by the other kind of grab"
    finally:
        keys.rules["keys"].apply(TERMS, keys.seen.append)


def test_grabs_of_the_first_kind_are_stopped_too(x11: Desk, keys: Locked) -> None:
    """As mutter holds its keys: by XInput 2. Then it is a core grab that wins."""
    keys.rules["keys"].restore({})
    with x11.client() as rival:
        key = rival.keysym_to_keycode(0xFFC8)
        rival.xinput_query_version()
        rival.screen().root.xinput_grab_keycode(xinput.AllMasterDevices, 0, key, 1, 1, False, 4, [X.ControlMask])
        rival.sync()
        assert keys.rules["keys"].probe(TERMS).standing == "enforced"
        keys.rules["keys"].apply(TERMS, keys.seen.append)
        x11.press("ctrl+F11")
        keys.until(lambda: "Ctrl+F11" in names(keys.of("key_stopped")))
        assert not rival.pending_events()


def test_where_nothing_is_to_be_enforced_keys_are_seen_and_go_their_way(x11: Desk, exam: Puppet, keys: Locked) -> None:
    keys.rules["keys"].restore({})
    rule = keys.rules["keys"]
    assert rule.before(OBSERVED) == {}
    rule.apply(OBSERVED, keys.seen.append)
    try:
        exam.hears().clear()
        x11.press("F9")
        keys.until(lambda: "key_seen" in keys.kinds())
        keys.until(lambda: set(codes("F9")) <= set(exam.keys()))
    finally:
        rule.restore({})
        rule.apply(TERMS, keys.seen.append)
