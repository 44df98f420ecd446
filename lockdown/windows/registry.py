"""Values in the registry that a rule sets and puts back: one engine for all of them.

The before-image says of each value what was there, what is put in its place, and how many of its keys did not exist:

    {"HKCU\\Software\\...\\System\\DisableTaskMgr": {"type": null, "data": null, "our_type": 4, "ours": 1, "made": 1}}

A value is put back only while it is still ours; what somebody has changed since, or what was never applied, is left as it is.
Keys that did not exist are removed again when nothing else is in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from secureproctor.lockdown.rule import ApplyFailed, Image, RestoreFailed
from secureproctor.lockdown.windows.api import Hive, Registry, Value

REG_DWORD = 4
ON, OFF = Value(REG_DWORD, 1), Value(REG_DWORD, 0)
Entry = dict[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and what it is to be."""

    hive: Hive
    path: str
    name: str
    value: Value = ON

    @property
    def key(self) -> str:
        """Its whole name."""
        return f"{self.hive}\\{self.path}\\{self.name}"


@dataclass(frozen=True, slots=True)
class RegistryPolicy:
    """Some values that belong together."""

    registry: Registry
    settings: Sequence[Setting]

    def may_write(self) -> bool:
        """Whether all of them can be set."""
        return all(self.registry.may_write(each.hive, each.path) for each in self.settings)

    def before(self) -> Image:
        """The before-image."""
        return {each.key: self._entry(each) for each in self.settings}

    def apply(self) -> None:
        """Set what is not set yet. Raises ApplyFailed."""
        try:
            for each in self.settings:
                if self.registry.get(each.hive, each.path, each.name) != each.value:
                    self.registry.put(each.hive, each.path, each.name, each.value)
        except OSError as error:
            raise ApplyFailed(f"A setting of Windows could not be changed: {error.strerror or error}.") from error
        self.registry.announce()

    def holds(self) -> bool:
        """Whether all of them are set."""
        try:
            return all(self.registry.get(each.hive, each.path, each.name) == each.value for each in self.settings)
        except OSError:
            return False

    def restore(self, image: Image) -> None:
        """Put back by the image; the rest is put back also when one of them fails. Raises RestoreFailed."""
        failures = [why for key, entry in image.items() if isinstance(entry, dict) and (why := self._try(key, entry))]
        self.registry.announce()
        if failures:
            raise RestoreFailed(f"A setting of Windows could not be put back: {failures[0]}.")

    def _entry(self, setting: Setting) -> Entry:
        was = self.registry.get(setting.hive, setting.path, setting.name)
        return {
            "type": None if was is None else was.type,
            "data": None if was is None else was.data,
            "our_type": setting.value.type,
            "ours": setting.value.data,
            "made": self._missing(setting),
        }

    def _missing(self, setting: Setting) -> int:
        missing, path = 0, setting.path
        while path and not self.registry.has(setting.hive, path):
            missing, path = missing + 1, path.rpartition("\\")[0]
        return missing

    def _try(self, key: str, entry: Entry) -> str:
        try:
            self._put_back(key, entry)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _put_back(self, key: str, entry: Entry) -> None:
        hive, path, name = _parts(key)
        if self.registry.get(hive, path, name) == _value(entry["our_type"], entry["ours"]):
            was = _value(entry["type"], entry["data"])
            if was is None:
                self.registry.remove(hive, path, name)
            else:
                self.registry.put(hive, path, name, was)
        for _ in range(int(entry["made"] or 0)):
            self.registry.prune(hive, path)
            path = path.rpartition("\\")[0]


def _value(kind: str | int | None, data: str | int | None) -> Value | None:
    return None if kind is None or data is None else Value(int(kind), data)


def _parts(key: str) -> tuple[Hive, str, str]:
    hive, _, rest = key.partition("\\")
    path, _, name = rest.rpartition("\\")
    return ("HKLM" if hive == "HKLM" else "HKCU"), path, name
