"""The list of programs, and how it is matched."""

import re
from collections import defaultdict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.lockdown.catalogue import KEYS, Assistive, Catalogue, Listing, Program, System, listing
from secureproctor.lockdown.readings import Running

PLATFORMS: dict[System, str] = {"linux": "linux", "windows": "win32", "macos": "darwin"}
EVERY: tuple[Program | Assistive, ...] = (*listing().programs, *listing().task_managers, *listing().assistive)
NAMES: list[tuple[System, str, str]] = sorted(
    (system, name, each.id) for each in listing().programs for system, names in each.names.items() for name in names
)
WHOLE: list[tuple[System, str, str]] = [row for row in NAMES if "*" not in row[1]]
LETTERS = st.text("abcdefghijklmnopqrstuvwxyz-. ", min_size=1, max_size=4)


def running(name: str, path: str = "/opt/x/x", original_name: str = "", signer: str = "", own: bool = True) -> Running:
    return Running(1, name, path, original_name, signer, own=own)


def found(catalogue: Catalogue, process: Running) -> tuple[str, str] | None:
    match = catalogue.forbidden(process)
    return None if match is None else (match.program.id, match.by)


def test_the_list_is_long_and_covers_every_category() -> None:
    categories = {each.category for each in listing().programs}
    assert len(listing().programs) >= 120
    assert categories == {
        "remote_control",
        "screen_sharing",
        "recording",
        "virtual_camera",
        "messaging",
        "ai_overlay",
        "virtual_machine",
        "automation",
    }


def test_every_entry_has_an_id_of_its_own_and_a_name_somewhere() -> None:
    ids = [each.id for each in EVERY]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9_]+", each.id) and each.names and all(each.names.values()) for each in EVERY)


def test_no_name_stands_for_two_entries() -> None:
    who: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in EVERY:
        for system, names in each.names.items():
            for name in names:
                who[system, KEYS[system](name)].add(each.id)
        for name in each.original_names:
            who["original", name.casefold()].add(each.id)
        for name in each.signers:
            who["signer", name.casefold()].add(each.id)
    assert {key: ids for key, ids in who.items() if len(ids) > 1} == {}


def test_a_pattern_is_never_so_short_that_it_matches_strangers() -> None:
    patterns = [name for each in EVERY for names in each.names.values() for name in names if "*" in name]
    assert patterns
    assert all(len(name.partition("*")[0]) >= 5 or len(name.replace("*", "")) >= 8 for name in patterns)


def test_no_program_on_the_list_is_one_that_the_system_needs() -> None:
    for system, platform in PLATFORMS.items():
        catalogue = Catalogue.shipped(platform)
        of_system = listing().system[system]
        folder = of_system.folders[0]
        named = [name for each in EVERY for name in each.names.get(system, ())]
        assert [name for name in named if catalogue.is_system(running(name, folder + name))] == []


def test_an_entry_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(
            b'{"version":1,"programs":[],"assistive":[],"task_managers":[],"system":{},"x":1}', type=Listing
        )


@pytest.mark.parametrize("system", PLATFORMS)
def test_every_name_finds_its_program(system: System) -> None:
    catalogue = Catalogue.shipped(PLATFORMS[system])
    wrong = [row for row in WHOLE if row[0] == system and found(catalogue, running(row[1])) != (row[2], "name")]
    assert wrong == []


@given(st.sampled_from(WHOLE), LETTERS, LETTERS)
def test_no_program_is_found_by_a_part_of_its_name(row: tuple[System, str, str], before: str, after: str) -> None:
    """`obstacle` is not `obs`, and what has a listed name within it is not listed."""
    system, name, _ = row
    catalogue = Catalogue.shipped(PLATFORMS[system])
    longer = f"{before}{name}{after}"
    also = {KEYS[system](listed) for of, listed, _ in NAMES if of == system or system == "linux"}
    patterns = [listed.partition("*")[0] for _, listed, _ in NAMES if "*" in listed]
    if KEYS[system](longer) not in also and not longer.startswith(tuple(patterns)):
        assert found(catalogue, running(longer)) is None


@pytest.mark.parametrize(
    "name", ["obstacle", "observer", "zoomed", "lineage", "slackware", "codiscord", "signald", "teamster"]
)
def test_harmless_names_that_contain_a_listed_one_are_not_found(name: str) -> None:
    for platform in PLATFORMS.values():
        assert found(Catalogue.shipped(platform), running(name)) is None


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_text_can_be_matched(name: str, original: str, signer: str) -> None:
    match = Catalogue.shipped("win32").forbidden(running(name, original_name=original, signer=signer))
    assert match is None or match.by in ("name", "original_name", "signer")


def test_a_renamed_program_is_found_by_the_name_that_its_makers_gave_it() -> None:
    catalogue = Catalogue.shipped("win32")
    assert found(catalogue, running("calc.exe", original_name="TeamViewer.exe")) == ("teamviewer", "original_name")
    assert found(catalogue, running("calc.exe", signer="TeamViewer Germany GmbH")) == ("teamviewer", "signer")


@pytest.mark.parametrize(
    ("platform", "name", "is_found"),
    [
        ("win32", "TEAMVIEWER.EXE", True),
        ("win32", "teamviewer", True),
        ("darwin", "ANYDESK", True),
        ("linux", "discord", True),
        ("linux", "ANYDESK", False),
        ("linux", "TeamViewer.exe", True),
        ("linux", "TEAMVIEWER.EXE", True),
    ],
)
def test_case_counts_as_it_does_for_the_systems_file_names(platform: str, name: str, is_found: bool) -> None:
    assert (found(Catalogue.shipped(platform), running(name)) is not None) is is_found


def test_names_with_changing_parts_are_found() -> None:
    assert found(Catalogue.shipped("win32"), running("AnyDesk-1a2b3c4d.exe")) == ("anydesk", "name")
    assert found(Catalogue.shipped("linux"), running("qemu-system-x86_64")) == ("qemu", "name")
    assert found(Catalogue.shipped("linux"), running("my-qemu-system-x86_64")) is None


def test_on_macos_a_program_is_known_by_its_bundle_too() -> None:
    path = "/Applications/zoom.us.app/Contents/Frameworks/caphost.app/Contents/MacOS/caphost"
    assert found(Catalogue.shipped("darwin"), running("caphost", path)) == ("zoom", "name")


def test_on_linux_a_name_that_the_kernel_cut_off_is_found_where_nothing_else_is_known() -> None:
    catalogue = Catalogue.shipped("linux")
    assert found(catalogue, running("simplescreenrec", path="")) == ("simplescreenrecorder", "name")
    assert found(catalogue, running("simplescreenrec", path="/opt/simplescreenrec")) is None
    assert found(catalogue, running("simplescreen", path="")) is None


def test_what_is_allowed_beats_the_list_by_any_of_its_names() -> None:
    process = running("ms-teams.exe")
    for name in ("teams", "Microsoft Teams", "MS-Teams", "ms-teams.exe"):
        assert found(Catalogue.shipped("win32").for_exam((), (name,)), process) is None
    assert found(Catalogue.shipped("win32").for_exam((), ("slack",)), process) == ("teams", "name")


def test_to_be_renamed_to_an_allowed_program_helps_nobody() -> None:
    catalogue = Catalogue.shipped("win32").for_exam((), ("calc.exe", "zoom"))
    assert found(catalogue, running("calc.exe", original_name="TeamViewer.exe")) == ("teamviewer", "original_name")
    assert found(catalogue, running("nvda.exe", original_name="TeamViewer.exe")) == ("teamviewer", "original_name")
    assert catalogue.assistive(running("nvda.exe", original_name="TeamViewer.exe")) is None


@pytest.mark.parametrize("written", ["gedit", "GEdit", " gedit ", "gedit.exe"])
def test_what_the_exam_forbids_is_added_however_it_is_written(written: str) -> None:
    for platform in PLATFORMS.values():
        match = Catalogue.shipped(platform).for_exam((written,), ()).forbidden(running("gedit"))
        assert match is not None
        assert match.program.category == "exam"
        assert found(Catalogue.shipped(platform), running("gedit")) is None


def test_what_the_exam_forbids_beats_what_is_allowed_and_not_assistive_technology() -> None:
    catalogue = Catalogue.shipped("linux").for_exam(("zoom", "orca", "orc*"), ("zoom",))
    assert found(catalogue, running("zoom")) == ("zoom", "name")
    assert found(catalogue, running("orca")) is None


def test_an_exams_name_with_a_star_stands_for_many() -> None:
    catalogue = Catalogue.shipped("linux").for_exam(("libreoffice*",), ())
    assert found(catalogue, running("libreoffice7.4")) == ("libreoffice*", "name")
    assert found(catalogue, running("mylibreoffice")) is None


@pytest.mark.parametrize("written", ["*", "**", "a*", "*.*"])
def test_an_exams_name_that_would_stand_for_nearly_all_stands_for_none(written: str) -> None:
    assert found(Catalogue.shipped("linux").for_exam((written,), ()), running("a.b")) is None


@pytest.mark.parametrize(
    "each", listing().assistive, ids=lambda each: each.id if isinstance(each, Assistive) else str(each)
)
def test_assistive_technology_is_known_and_never_forbidden(each: Assistive) -> None:
    for system, names in each.names.items():
        catalogue = Catalogue.shipped(PLATFORMS[system])
        for name in names:
            assert catalogue.assistive(running(name)) == each
            assert catalogue.forbidden(running(name)) is None


def test_what_the_system_needs_is_that_only_where_the_system_lies() -> None:
    linux, windows = Catalogue.shipped("linux"), Catalogue.shipped("win32")
    assert linux.is_system(running("gnome-shell", "/usr/bin/gnome-shell"))
    assert linux.is_system(running("gsd-power", "/usr/libexec/gsd-power"))
    assert not linux.is_system(running("gnome-shell", "/home/me/gnome-shell"))
    assert windows.is_system(running("Explorer.EXE", "C:\\WINDOWS\\Explorer.EXE"))
    assert not windows.is_system(running("explorer.exe", "C:\\Users\\me\\explorer.exe"))


def test_a_catalogue_of_ones_own_needs_nothing_else() -> None:
    program = Program("x", "X", "exam", {"linux": ("x",)})
    system = listing().system["linux"]
    assert found(Catalogue((program,), (), system, "linux"), running("x")) == ("x", "name")
