"""The hooks: what is stopped never arrives at a window, what is not does, and whatever a program pressed is known as that."""

import threading

from secureproctor.lockdown.windows import keys
from secureproctor.lockdown.windows.api_hooks import LowLevelHooks
from tests.windows.rfb import connected
from tests.windows.stage import Actor, Stage

SHIFT, CTRL, ALT, WIN = 0xA0, 0xA2, 0xA4, 0x5B
LETTER = ord("A")

STOPPED = {
    "Alt+Tab": (ALT, 0x09),
    "Alt+Shift+Tab": (ALT, SHIFT, 0x09),
    "Alt+Esc": (ALT, 0x1B),
    "Alt+F4": (ALT, 0x73),
    "Alt+Space": (ALT, 0x20),
    "Ctrl+Esc": (CTRL, 0x1B),
    "Ctrl+Shift+Esc": (CTRL, SHIFT, 0x1B),
    "Ctrl+Alt+Tab": (CTRL, ALT, 0x09),
    "Ctrl+Alt+T": (CTRL, ALT, ord("T")),
    "Win": (WIN,),
    "Win+L": (WIN, ord("L")),
    "Win+D": (WIN, ord("D")),
    "Win+Tab": (WIN, 0x09),
    "Win+Shift+S": (WIN, SHIFT, ord("S")),
    "PrintScreen": (0x2C,),
    "Alt+PrintScreen": (ALT, 0x2C),
    "F1": (0x70,),
    "F5": (0x74,),
    "F11": (0x7A,),
    "F12": (0x7B,),
    "BrowserBack": (0xA6,),
    "Sleep": (0x5F,),
}


def test_combinations_that_lead_out_never_arrive(stage: Stage, exam: Actor, candidate: Actor) -> None:
    stage.apply("keys", exam=exam)
    exam.tell("keys")
    for name, pressed in STOPPED.items():
        stop_one(stage, exam, candidate, name, pressed)


def stop_one(stage: Stage, exam: Actor, candidate: Actor, name: str, pressed: tuple[int, ...]) -> None:
    candidate.tell("type " + " ".join(map(str, pressed)))
    candidate.tell(f"type {LETTER}")
    arrived: list[int] = []
    stage.pump_until(lambda: LETTER in more(arrived, exam), f"the letter after {name}")
    assert pressed[-1] not in arrived, name
    stage.pump_until(lambda: stage.first("key_stopped", keys=name), name)
    assert stage.first("key_stopped", keys=name, injected=True)


def test_what_people_write_arrives(stage: Stage, exam: Actor, candidate: Actor) -> None:
    stage.apply("keys", exam=exam)
    exam.tell("keys")
    for typed in ((SHIFT, LETTER), (CTRL, ord("C")), (0x09,), (0x1B,), (0x20,), (0x2E,)):
        candidate.tell("type " + " ".join(map(str, typed)))
    arrived: list[int] = []
    stage.pump_until(lambda: 0x2E in more(arrived, exam))
    assert {LETTER, ord("C"), 0x09, 0x1B, 0x20, 0x2E} <= set(arrived)
    assert "key_stopped" not in stage.kinds()


def test_a_key_of_the_keyboard_is_not_injected(stage: Stage, exam: Actor, candidate: Actor, rfb_port: int) -> None:
    """The keyboard is the X server's, whose keys come from outside of Wine."""
    stage.apply("keys", "injected_input", exam=exam)
    with connected(rfb_port) as keyboard:
        keyboard.point(100, 100)  # without a window manager, keys go to the window below the pointer
        keyboard.press(0xFFBF)  # F2
        stage.pump_until(lambda: stage.first("key_stopped", keys="F2"))
        assert stage.first("key_stopped", keys="F2", injected=False)
        assert "input_injected" not in stage.kinds()
    candidate.tell("type 114")  # F3
    stage.pump_until(lambda: stage.first("input_injected", device="keyboard"))
    assert stage.first("key_stopped", keys="F3", injected=True)


def test_a_pointer_that_a_program_moves_is_told(stage: Stage, exam: Actor, candidate: Actor) -> None:
    stage.apply("injected_input", exam=exam)
    candidate.tell("nudge")
    stage.pump_until(lambda: stage.first("input_injected", device="mouse"))


def test_the_agents_own_signs_of_life_are_no_injected_input(stage: Stage, exam: Actor) -> None:
    stage.apply("keys", "injected_input", exam=exam)
    rule = stage.rule("keys")
    stage.pump_for(2.5)
    assert rule.verify()
    assert stage.told == []


def test_hooks_that_windows_removed_are_missed_and_set_again(stage: Stage, exam: Actor, candidate: Actor) -> None:
    """As it does, silently, when a hook was too slow: its thread goes on, and nothing comes any more."""
    stage.apply("keys", exam=exam)
    rule = stage.rule("keys")
    hooks = stage.place._api.hooks
    assert isinstance(hooks, LowLevelHooks)
    hooks.close()
    stage.pump_until(lambda: not rule.verify(), "the missing hook")
    stage.apply("keys", exam=exam)
    candidate.tell("type 112")
    stage.pump_until(lambda: stage.first("key_stopped", keys="F1"))
    assert rule.verify()


def test_restored_nothing_is_stopped(stage: Stage, exam: Actor, candidate: Actor) -> None:
    stage.apply("keys", exam=exam)
    stage.rule("keys").restore({})
    assert exam.tell("front")
    exam.tell("keys")
    candidate.tell("type 116")
    arrived: list[int] = []
    stage.pump_until(lambda: 116 in more(arrived, exam))
    assert not stage.rule("keys").verify()
    assert "hooks" not in [each.name for each in threading.enumerate()]


def test_pictures_and_paper_have_rules_of_their_own(stage: Stage, exam: Actor, candidate: Actor) -> None:
    stage.apply("keys", "screenshots", "printing", exam=exam)
    candidate.tell(f"type {keys.PRINT_SCREEN}")
    candidate.tell(f"type {CTRL} {ord('P')}")
    stage.pump_until(lambda: stage.first("screenshot_tried", how="PrintScreen") and stage.first("print_tried"))
    assert stage.first("print_tried", how="Ctrl+P")
    assert "key_stopped" not in stage.kinds()


def more(seen: list[int], exam: Actor) -> list[int]:
    """The keys that the exam's window got, with those that it got by now."""
    seen += exam.tell("keys")
    return seen
