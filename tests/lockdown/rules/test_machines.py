"""Machines as they are, and what is (not) raised on each: the signals are in tests/lockdown/fixtures."""

import json
from pathlib import Path

import msgspec
import pytest

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.readings import Display
from secureproctor.lockdown.rules import hardware, seat
from secureproctor.lockdown.rules.assistive import AssistiveRule
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.displays import DisplaysRule
from secureproctor.lockdown.rules.evidence import weight_of
from secureproctor.lockdown.rules.newcomers import WindowsRule
from secureproctor.lockdown.rules.programs import ProgramsRule
from secureproctor.lockdown.rules.remote_session import RemoteSessionRule
from secureproctor.lockdown.rules.virtual_machine import VirtualMachineRule
from tests.lockdown.rules.machine import Machine, Watched, terms

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures").glob("*.json"))


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A machine: its readings, and what they must lead to. `running` are name, path and original name."""

    note: str
    platform: str
    hardware: hardware.Hardware
    seat: seat.Seat
    displays: tuple[Display, ...]
    running: tuple[tuple[str, ...], ...]
    slow: dict[str, float]
    violations: tuple[str, ...]
    assistive: tuple[str, ...]
    virtual_machine_weight: tuple[float, float]


def read(path: Path) -> Given:
    return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), Given)


def watched(given: Given) -> Watched:
    machine = Machine(listing_s=given.slow.get("listing_s", 0.0), look_s=given.slow.get("look_s", 0.0))
    for pid, program in enumerate(given.running, start=100):
        fields = dict(zip(("name", "path", "original_name"), program, strict=False))
        machine.start(pid, started=1.0, **fields)
    census, names = Census(machine, machine.clock), Catalogue.shipped(given.platform)
    return Watched(
        machine,
        census,
        ProgramsRule(census, names, machine.clock),
        WindowsRule(census, names, machine.clock),
        DisplaysRule(lambda: given.displays, machine.clock),
        RemoteSessionRule(lambda: seat.signs_of(given.seat), machine.clock),
        VirtualMachineRule(lambda: hardware.signs_of(given.hardware)),
        AssistiveRule(census, names),
    )


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_only_what_is_wrong_with_a_machine_is_raised(path: Path) -> None:
    given = read(path)
    rules = watched(given)
    rules.apply(terms(programs="observe"))
    rules.run(60)
    assert {each.kind for each in rules.seen if each.counts} == set(given.violations)
    assert [each.detail["program"] for each in rules.seen if each.kind == "assistive_technology"] == list(
        given.assistive
    )
    assert rules.machine.done == []


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_signs_of_a_virtual_machine_weigh_what_they_should(path: Path) -> None:
    given = read(path)
    least, most = given.virtual_machine_weight
    assert least <= weight_of(hardware.signs_of(given.hardware)) <= most


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_candidate_is_told_at_check_system_what_is_wrong(path: Path) -> None:
    """A fault that can be mended has a remedy; where nothing could be read, that is said, and is no fault."""
    given = read(path)
    named = {rule.id: rule.probe(terms()) for rule in watched(given).rules}  # type: ignore[attr-defined]  # any rule
    for rule in ("displays", "remote_session", "virtual_machine"):
        assert bool(named[rule].remedy) is (rule in given.violations)
    unreadable = path.stem == "windows_nothing_readable"
    assert (named["virtual_machine"].standing == "could_not_check") is unreadable
    assert (named["remote_session"].standing == "could_not_check") is unreadable


def test_what_could_not_be_read_is_listed() -> None:
    signs = hardware.signs_of(hardware.Hardware(maker="Dell Inc."))
    assert set(signs.unknown) == hardware.READINGS - {"maker"}
    assert signs.found == ()


def test_the_signs_are_on_the_record_even_if_there_are_none() -> None:
    rules = watched(read(next(path for path in FIXTURES if path.stem == "notebook")))
    rules.apply(terms())
    told = [each for each in rules.seen if each.kind == "virtual_machine"]
    assert [(each.detail, each.counts) for each in told] == [({"weight": 0.0, "evidence": "", "unknown": ""}, False)]


def test_a_connection_that_comes_in_later_is_told_once_and_its_end_too() -> None:
    machine, now = Machine(), {"seat": seat.Seat(listening=((5900, "x11vnc"),), connected=(), display=":0")}
    census = Census(machine, machine.clock)
    rules = Watched(machine, census, RemoteSessionRule(lambda: seat.signs_of(now["seat"]), machine.clock))
    rules.apply(terms())
    rules.run(60)
    assert [(each.detail["weight"], each.counts) for each in rules.seen] == [(0.2, False)]
    now["seat"] = seat.Seat(listening=((5900, "x11vnc"),), connected=((5900, "x11vnc"),), display=":0")
    rules.run(60)
    assert [each.counts for each in rules.seen] == [False, True]
    now["seat"] = seat.Seat(listening=(), connected=(), display=":0")
    rules.run(60)
    assert [each.detail["weight"] for each in rules.seen] == [0.2, 0.68, 0.0]


@pytest.mark.parametrize(
    ("display", "forwarded"),
    [
        *((name, False) for name in (":0", ":1.0", "unix:0", "", "/private/tmp/org.xquartz:0")),
        *((name, True) for name in ("localhost:10.0", "pc.example:0")),
    ],
)
def test_a_display_with_a_host_in_its_name_is_elsewhere(display: str, forwarded: bool) -> None:
    assert seat.is_forwarded(display) is forwarded
