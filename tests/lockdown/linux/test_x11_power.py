"""The screen does not darken while the rule is applied, and counts again afterwards; nothing is set in the server."""

from typing import Any

from Xlib.ext import screensaver

from tests.lockdown.linux.x11_desk import Desk, locked


def test_the_screen_saver_does_not_come_and_comes_again_afterwards(x11: Desk) -> None:
    x11.run("xset", "s", "1", "s", "noexpose")
    with x11.client() as display, locked(x11, None, "power") as lock:

        def saver() -> Any:
            return display.screen().root.screensaver_query_info()

        was = x11.run("xset", "q")
        lock.during(1.4)
        assert saver().state != screensaver.StateOn
        lock.restore()
        lock.until(lambda: saver().state == screensaver.StateOn)
        assert x11.run("xset", "q") == was
    x11.run("xset", "s", "0", "s", "reset")


def test_desktops_that_count_since_the_last_input_are_made_to_begin_anew(x11: Desk) -> None:
    with x11.client() as display:
        root = display.screen().root
        with locked(x11, None) as quiet:
            quiet.until(lambda: root.screensaver_query_info().idle >= 200)
        before = root.screensaver_query_info().idle
        with locked(x11, None, "power"):
            assert root.screensaver_query_info().idle < before


def test_it_holds_while_it_is_applied(x11: Desk) -> None:
    with locked(x11, None, "power") as lock:
        assert lock.images["power"] == {}
        rule = lock.rules["power"]
        assert rule.verify()
        lock.restore()
        assert not rule.verify()
