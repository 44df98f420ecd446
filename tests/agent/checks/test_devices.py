"""From what a probe saw to what it means for an exam; and the screen check against a real X server."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest
from Xlib.display import Display
from Xlib.X import CopyFromParent

from secureproctor.agent.checks.check import CheckContext
from secureproctor.agent.checks.devices import judged
from secureproctor.agent.checks.run import CHECKS, run_checks
from secureproctor.capture.probe import Probe

MakeContext = Callable[..., CheckContext]
SCREEN = tuple(check for check in CHECKS if check.id == "screen")


@pytest.mark.parametrize(
    ("check_id", "code", "status"),
    [
        ("camera", "ok", "passed"),
        ("camera", "missing", "failed"),
        ("camera", "no_permission", "failed"),
        ("camera", "busy", "failed"),
        ("camera", "stalled", "failed"),
        ("camera", "black", "failed"),
        ("camera", "frozen", "failed"),
        ("microphone", "ok", "passed"),
        ("microphone", "silent", "failed"),
        ("microphone", "quiet", "warned"),
        ("screen", "ok", "passed"),
        ("screen", "no_display", "failed"),
        ("screen", "black", "warned"),
        ("screen", "frozen", "passed"),
        ("camera", "a code of a newer probe", "could_not_check"),
    ],
)
def test_a_diagnosis_means_this_for_the_exam(check_id: str, code: str, status: str) -> None:
    outcome = judged(check_id, Probe(code, "what was seen"))
    assert (outcome.status, outcome.code, outcome.seen) == (status, code, "what was seen")


@pytest.fixture
def x_display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A small X server of its own, on whatever number is free; its screen is black."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "320x240x24", "-nolisten", "tcp", "-noreset", "-br"]
    server = subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            name = f":{answer.readline().strip()}"
        monkeypatch.setenv("DISPLAY", name)
        yield name
    finally:
        server.terminate()
        server.wait(10)


def draw_something(name: str) -> Display:
    """Half the screen in white, as long as the connection is open."""
    display = Display(name)
    screen = display.screen()
    window = screen.root.create_window(
        0, 0, 160, 240, 0, CopyFromParent, background_pixel=screen.white_pixel, override_redirect=True
    )
    window.map()
    display.sync()
    return display


async def test_a_real_screen_that_is_black_warns_and_one_with_a_picture_passes(
    make_context: MakeContext, x_display: str
) -> None:
    context = make_context(probe_s=0.2)
    (black,) = await run_checks(context, SCREEN)
    assert (black.status, black.code) == ("warned", "black")
    assert "Wayland" in black.remedy
    display = draw_something(x_display)
    try:
        (drawn,) = await run_checks(context, SCREEN)
    finally:
        display.close()
    assert (drawn.status, drawn.code, drawn.remedy) == ("passed", "ok", "")
    assert "320x240" in drawn.seen


@pytest.mark.usefixtures("x_display")
async def test_the_screen_is_given_back(make_context: MakeContext) -> None:
    """Files and connections are counted after a first check, which loads libraries, and after a second one."""
    context = make_context(probe_s=0.1)
    await run_checks(context, SCREEN)
    after_first = len(os.listdir("/proc/self/fd"))
    await run_checks(context, SCREEN)
    assert len(os.listdir("/proc/self/fd")) == after_first
    for thread in threading.enumerate():
        if thread.name.startswith("check-"):
            thread.join(10)
            assert not thread.is_alive()
