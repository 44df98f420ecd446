"""Which programs help to cheat, which ones are assistive technology, and which belong to the system: data, and a pure matcher.

The data is programs.json. A program is known by its file's name, by the name that its makers gave it (a TeamViewer.exe that
was renamed to calc.exe is found), or by its signer. Names match as a whole, or by a `*` that the list spells out: a program
`obstacle` is not `obs`. Names of the list match as the system compares file names; what people wrote (the exam, IT) matches
in any case, with or without `.exe`.

What wins: assistive technology and what somebody allowed beat the list; what the exam itself forbids beats what is allowed.
To be renamed to an allowed or assistive program's name helps nobody: what is found by more than its name is judged by that.
"""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Generic, Literal, TypeVar

import msgspec

from secureproctor.lockdown.readings import Running

VERSION = 1
COMM_LENGTH = 15
"""What Linux keeps of a program's name where nothing else is readable (proc_pid_comm(5): TASK_COMM_LEN less its NUL)."""

LEAST = 3
"""A name with a `*` that an exam forbids has at least so many letters and digits."""

System = Literal["linux", "windows", "macos"]
By = Literal["name", "original_name", "signer"]
Category = Literal[
    "remote_control",
    "screen_sharing",
    "recording",
    "virtual_camera",
    "messaging",
    "ai_overlay",
    "virtual_machine",
    "automation",
    "task_manager",
    "exam",
]
Kind = Literal["screen_reader", "magnifier", "speech", "keyboard", "voice_control", "braille", "switch", "reading"]
SYSTEMS: Mapping[str, System] = {"win32": "windows", "darwin": "macos"}
"""By sys.platform; everything else is a Linux."""


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program that helps to cheat. `names` are names of its files by system (`*` stands for anything), `original_names`
    those of its version resource (on macOS its bundle's identifier), `signers` the names in its makers' certificates: only
    where they make nothing else that matters. `category` is `exam` for what an exam forbids."""

    id: str
    name: str
    category: Category
    names: dict[System, tuple[str, ...]]
    original_names: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    note: str = ""


class Assistive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Assistive technology: never closed, and on the record."""

    id: str
    name: str
    kind: Kind
    names: dict[System, tuple[str, ...]]
    original_names: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    note: str = ""


class SystemPrograms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the system cannot do without: these `names`, when they lie under these `folders`. Programs under `folders`, by
    any name, came with the system or by its package manager."""

    names: tuple[str, ...]
    folders: tuple[str, ...]


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of programs.json."""

    version: int
    programs: tuple[Program, ...]
    assistive: tuple[Assistive, ...]
    task_managers: tuple[Program, ...]
    system: dict[System, SystemPrograms]


@dataclass(frozen=True, slots=True)
class Found:
    """A forbidden program, and by what it was recognised."""

    program: Program
    by: By


K = TypeVar("K", Program, Assistive)
V = TypeVar("V")


@cache
def listing() -> Listing:
    """What comes with this package. Raises msgspec.ValidationError when it does not keep to its schema."""
    text = resources.files("secureproctor.lockdown").joinpath("programs.json").read_bytes()
    read = msgspec.json.decode(text, type=Listing)
    if read.version != VERSION:
        raise ValueError(f"programs.json has version {read.version}, and this reads {VERSION}")
    return read


def _by_system(text: str) -> str:
    """Windows and macOS do not care for case; macOS decomposes what people type."""
    return unicodedata.normalize("NFC", text).casefold().removesuffix(".exe")


def _by_linux(text: str) -> str:
    """Linux does care, but for what runs under Wine."""
    text = unicodedata.normalize("NFC", text)
    return text.casefold() if text[-4:].casefold() == ".exe" else text


def _by_people(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold().removesuffix(".exe").removesuffix(".app")


Key = Callable[[str], str]
KEYS: Mapping[System, Key] = {"linux": _by_linux, "windows": _by_system, "macos": _by_system}
READS: Mapping[System, tuple[System, ...]] = {
    "linux": ("linux", "windows"),  # Windows programs run under Wine, and keep their names
    "windows": ("windows",),
    "macos": ("macos",),
}


class Names(Generic[V]):
    """Whole names, and names with `*`, each with what it names."""

    def __init__(self, pairs: Iterable[tuple[str, V]], key: Key) -> None:
        self._key = key
        self._whole: dict[str, V] = {}
        self._patterns: list[tuple[re.Pattern[str], V]] = []
        for name, known in pairs:
            if "*" in name:
                self._patterns.append((_pattern(key(name)), known))
            else:
                self._whole.setdefault(key(name), known)
        self._cut: dict[str, V] = {
            name[:COMM_LENGTH]: known for name, known in self._whole.items() if len(name) > COMM_LENGTH
        }

    def find(self, name: str) -> V | None:
        """What has this name."""
        key = self._key(name)
        return self._whole.get(key) or next(
            (known for pattern, known in self._patterns if pattern.fullmatch(key)), None
        )

    def find_cut(self, name: str) -> V | None:
        """What has a name that begins with this one, of which the system kept only so much."""
        return self._cut.get(self._key(name)) if len(name) == COMM_LENGTH else None


class Index(Generic[K]):
    """Programs by all that they may be known by."""

    def __init__(self, known: Iterable[K], of: System, key: Key | None = None) -> None:
        known = tuple(known)
        self._of = of
        names = ((name, each) for each in known for system in READS[of] for name in each.names.get(system, ()))
        self._names: Names[K] = Names(names, key or KEYS[of])
        self._original: Names[K] = Names(((name, each) for each in known for name in each.original_names), _by_people)
        self._signers: Names[K] = Names(((name, each) for each in known for name in each.signers), _by_people)

    def find(self, running: Running) -> tuple[K, By] | None:
        """What this process runs, and by what it was recognised: by its name first."""
        for name in self._worn(running):
            if (known := self._names.find(name)) is not None:
                return known, "name"
        if not running.path and (known := self._names.find_cut(running.name)) is not None:
            return known, "name"
        if running.original_name and (known := self._original.find(running.original_name)) is not None:
            return known, "original_name"
        if running.signer and (known := self._signers.find(running.signer)) is not None:
            return known, "signer"
        return None

    def _worn(self, running: Running) -> tuple[str, ...]:
        """On macOS a program is known by the bundles that it lies in, too: `zoom.us.app` has many programs."""
        if self._of != "macos":
            return (running.name,)
        bundles: list[str] = [part.removesuffix(".app") for part in running.path.split("/") if part.endswith(".app")]
        return (running.name, *bundles)


class Catalogue:
    """The list as one system and one exam see it. Immutable."""

    def __init__(
        self, programs: Iterable[Program], assistive: Iterable[Assistive], system: SystemPrograms, of: System
    ) -> None:
        self._programs, self._assisting, self._system, self._of = tuple(programs), tuple(assistive), system, of
        self._listed = Index(self._programs, of)
        self._helping = Index(self._assisting, of)
        self._forbidden: Index[Program] = Index((), of)
        self._allowed: frozenset[str] = frozenset()
        key = KEYS[of]
        self._needed = Names(((name, True) for name in system.names), key)
        self._folders = tuple(map(key, system.folders))

    @classmethod
    def shipped(cls, platform: str = sys.platform) -> "Catalogue":
        """The list that comes with the agent."""
        of, read = SYSTEMS.get(platform, "linux"), listing()
        return cls(read.programs, read.assistive, read.system[of], of)

    @classmethod
    def task_managers(cls, platform: str = sys.platform) -> "Catalogue":
        """The system's task managers and their like, for the rule `task_manager`."""
        of, read = SYSTEMS.get(platform, "linux"), listing()
        return cls(read.task_managers, (), read.system[of], of)

    def for_exam(self, forbidden: Iterable[str], allowed: Iterable[str]) -> "Catalogue":
        """With what the exam forbids, and what the exam or IT allows."""
        made = Catalogue(self._programs, self._assisting, self._system, self._of)
        made._forbidden = Index(map(_of_exam, filter(_is_a_name, forbidden)), self._of, _by_people)
        made._allowed = frozenset(map(_by_people, allowed))
        return made

    def forbidden(self, running: Running) -> Found | None:
        """The program that this is, if it is forbidden."""
        if self.assistive(running) is not None:
            return None
        listed = self._listed.find(running)
        exam = self._forbidden.find(running)
        if exam is not None:
            return Found(*(listed or exam))
        return None if listed is None or self._allows(running, Found(*listed)) else Found(*listed)

    def assistive(self, running: Running) -> Assistive | None:
        """The assistive technology that this is. One that is a listed program by more than its name is that program."""
        found, listed = self._helping.find(running), self._listed.find(running)
        if found is None or (found[1] == "name" and listed is not None and listed[1] != "name"):
            return None
        return found[0]

    def is_system(self, running: Running) -> bool:
        """Whether the system needs it: it is never closed. A program elsewhere with such a name is not it."""
        named = self._needed.find(running.name) is not None
        return named and (not running.path or self.came_with(running))

    def came_with(self, running: Running) -> bool:
        """Whether it lies where the system and its packages do."""
        return KEYS[self._of](running.path).startswith(self._folders)

    def _allows(self, running: Running, found: Found) -> bool:
        worn = {running.name} if found.by == "name" else set[str]()
        return not self._allowed.isdisjoint(map(_by_people, worn | _all_names(found.program)))


def _all_names(program: Program) -> set[str]:
    of_files = {name for names in program.names.values() for name in names}
    return {program.id, program.name, *of_files, *program.original_names}


def _of_exam(name: str) -> Program:
    everywhere: dict[System, tuple[str, ...]] = dict.fromkeys(READS, (name,))
    return Program(name, name, "exam", everywhere, (name,))


def _is_a_name(text: str) -> bool:
    """Without a `*`, or with so much beside it that it does not stand for nearly every program."""
    return "*" not in text or sum(map(str.isalnum, text)) >= LEAST


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))))
