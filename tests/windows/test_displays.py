"""Real monitors, plugged in and out of the X server."""

from secureproctor.lockdown.windows import readers
from secureproctor.lockdown.windows.api_displays import DisplayConfig
from tests.windows.rfb import connected
from tests.windows.stage import Actor, Stage

ONE, SECOND = (0, 0, 1280, 800), (1280, 0, 1024, 768)


def test_a_second_monitor_is_told_when_it_comes_and_goes(stage: Stage, exam: Actor, rfb_port: int) -> None:
    with connected(rfb_port) as server:
        server.screens(ONE)
        stage.pump_until(lambda: len(DisplayConfig().paths() or ()) == 1)
        stage.apply("displays", exam=exam)
        assert stage.first("displays", active=1)
        server.screens(ONE, SECOND)
        stage.pump_until(lambda: stage.first("displays", active=2, allowed=1), "the second monitor")
        sizes = {(each.width, each.height) for each in readers.displays(DisplayConfig().paths()) or ()}
        assert sizes == {(1280, 800), (1024, 768)}
        stage.told.clear()
        server.screens(ONE)
        stage.pump_until(lambda: stage.first("displays", active=1))
