"""The rules that look at windows, programs, displays, and helpers."""

import pytest

from secureproctor.contract.lockdown import RuleId
from tests.lockdown.macos.fakes import BUILT_IN, EXAM, NEW, OTHER, SCREEN, Mac, Watched, program, window


def test_a_new_window_is_told_by_its_program() -> None:
    watched = Watched(Mac(), "windows")
    watched.mac.windows.append(window(9, OTHER, layer=3))
    watched.run(1.2)
    assert watched.told("window_opened") == [{"program": "Notes", "topmost": True}]


def test_the_exams_windows_the_systems_and_tiny_ones_are_not_told() -> None:
    mac = Mac()
    mac.running[NEW] = program(NEW, "/System/Library/CoreServices/Dock.app/Contents/MacOS/Dock")
    watched = Watched(mac, "windows", "hidden_windows")
    tiny = SCREEN._replace(width=20, height=20)
    mac.windows += [
        window(9, EXAM),
        window(10, NEW, layer=20, shared=False),
        window(11, OTHER, rect=tiny, shared=False),
        window(12, OTHER, alpha=0.0, shared=False),
    ]
    watched.run(3.0)
    assert not watched.seen


def test_a_program_is_told_when_it_starts() -> None:
    mac = Mac()
    watched = Watched(mac, "windows")
    watched.run(1.0)
    mac.running[NEW] = program(NEW, "/Applications/Calculatrice.app/Contents/MacOS/Calculatrice")
    watched.run(0.5)
    assert watched.told("program_started") == [{"program": "Calculatrice"}]


def test_a_forbidden_program_is_told_within_500_ms() -> None:
    mac = Mac()
    watched = Watched(mac, "programs")
    watched.run(1.0)
    mac.running[NEW] = program(NEW, "/Applications/calc", "com.teamviewer.TeamViewer")
    watched.run(0.5)
    (told,) = watched.told("program_forbidden")
    assert (told["program"], told["by"]) == ("calc", "original_name")


def test_a_window_that_excludes_itself_from_capture_is_a_violation() -> None:
    watched = Watched(Mac(), "hidden_windows")
    watched.mac.windows.append(window(9, OTHER, shared=False))
    watched.run(2.2)
    assert watched.told("window_hidden") == [{"program": "Notes", "how": "excluded from capture"}]
    assert watched.seen[0].counts


def test_a_window_may_hide_itself_later_and_is_told_once() -> None:
    watched = Watched(Mac(), "hidden_windows")
    watched.mac.windows[1] = window(2, OTHER)
    watched.run(2.2)
    watched.mac.windows[1] = window(2, OTHER, shared=False)
    watched.run(9.0)
    assert len(watched.seen) == 1


def test_a_floating_window_is_an_observation() -> None:
    watched = Watched(Mac(), "hidden_windows")
    watched.mac.windows.append(window(9, OTHER, layer=8))
    watched.run(2.2)
    assert [(each.detail["how"], each.counts) for each in watched.seen] == [("over all others", False)]


def test_without_any_window_nothing_can_be_said_of_hidden_ones() -> None:
    assert Watched(Mac(windows=[]), "hidden_windows").probe().standing == "could_not_check"


def test_a_second_display_is_told_and_profiled_once() -> None:
    watched = Watched(Mac(), "displays")
    external = BUILT_IN._replace(number=2, internal=False, vendor=0x10AC, model=0x40F1)
    watched.mac.panels = (BUILT_IN, external)
    watched.mac.profile = {2: {"spdisplays_connection_type": "spdisplays_airplay"}}
    watched.run(5.0)
    last = watched.told("displays")[-1]
    assert (last["active"], last["allowed"]) == (2, 1)
    assert "wireless" in str(last["outputs"])
    assert "DEL-40F1" in str(last["outputs"])
    assert watched.mac.profiled == 2


def test_helpers_that_are_no_program_are_on_the_record_once() -> None:
    mac = Mac(helpers=("Zoom",))
    mac.running[NEW] = program(NEW, "/System/Library/CoreServices/VoiceOver.app/Contents/MacOS/VoiceOver")
    watched = Watched(mac, "assistive")
    watched.run(1.5)
    mac.helpers = ("Zoom", "VoiceOver", "Switch Control")
    watched.run(3.0)
    told = [(detail["program"], detail["kind"]) for detail in watched.told("assistive_technology")]
    assert told == [("Zoom", "magnifier"), ("VoiceOver", "screen_reader"), ("Switch Control", "switch")]
    assert not any(each.counts for each in watched.seen)


@pytest.mark.parametrize("rule", ["lock_screen", "switch_user", "sign_out"])
def test_what_only_the_browser_or_it_can_do_is_said_with_a_remedy(rule: RuleId) -> None:
    probed = Watched(Mac(), rule).probe()
    assert (probed.standing, bool(probed.why), bool(probed.remedy)) == ("impossible", True, True)


def test_activity_monitor_is_closed_and_force_quit_is_said_to_stay() -> None:
    mac = Mac()
    watched = Watched(mac, "task_manager")
    assert watched.probe().standing == "observed"
    assert "Force Quit" in watched.probe().why
    path = "/System/Applications/Utilities/Activity Monitor.app/Contents/MacOS/Activity Monitor"
    mac.running[NEW] = program(NEW, path, "com.apple.ActivityMonitor")
    watched.run(10.0)
    assert NEW not in mac.running


def test_the_mac_stays_awake_until_it_is_given_back() -> None:
    watched = Watched(Mac(), "power")
    assert watched.mac.awake
    assert watched.verify()
    watched.restore()
    assert not watched.mac.awake


def test_a_closed_place_leaves_nothing_running() -> None:
    watched = Watched(Mac(), "power", "keys", "focus")
    watched.place.close()
    watched.place.close()
    assert not watched.mac.awake
    assert not watched.mac.tap.is_there
    assert watched.mac.apps.changed is None
    assert watched.mac.loop.is_closed
