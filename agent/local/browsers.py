"""Where each browser looks for native messaging hosts, and how ours is made known there and taken away again.

A browser knows a host by a manifest: a JSON file in a folder of its own (Linux, macOS), or one that the registry names
(Windows). A manifest can name a program, but no arguments for it: so a launcher of two lines lies beside each, and nothing
is shared between browsers. Only Linux was run; the places of macOS and Windows are those of the browsers' documentation
(developer.chrome.com/docs/extensions/develop/concepts/native-messaging, learn.microsoft.com/microsoft-edge/extensions,
developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/Native_manifests), and were not tried there.
"""

import contextlib
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

HOST = "secureproctor.agent"
EXTENSION_ID = "ocmboddokoifihdfpbnmkoldnnicgoki"
"""Of the extension in packaging/browser, by the key in its manifest (Chromium, Chrome, Edge)."""
ADDON_ID = "@secureproctor"
"""Of the same in Firefox, by `browser_specific_settings`."""

Scope = Literal["user", "system"]
Platform = Literal["linux", "darwin", "win32"]


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser's places: folders by platform and scope (`~` is the user's home), and its key in the registry of Windows."""

    folders: dict[tuple[Platform, Scope], str]
    registry: str
    gecko: bool = False


BROWSERS: dict[str, Browser] = {
    "chromium": Browser(
        {
            ("linux", "user"): "~/.config/chromium/NativeMessagingHosts",
            ("linux", "system"): "/etc/chromium/native-messaging-hosts",
            ("darwin", "user"): "~/Library/Application Support/Chromium/NativeMessagingHosts",
            ("darwin", "system"): "/Library/Application Support/Chromium/NativeMessagingHosts",
        },
        r"Software\Chromium\NativeMessagingHosts",
    ),
    "chrome": Browser(
        {
            ("linux", "user"): "~/.config/google-chrome/NativeMessagingHosts",
            ("linux", "system"): "/etc/opt/chrome/native-messaging-hosts",
            ("darwin", "user"): "~/Library/Application Support/Google/Chrome/NativeMessagingHosts",
            ("darwin", "system"): "/Library/Google/Chrome/NativeMessagingHosts",
        },
        r"Software\Google\Chrome\NativeMessagingHosts",
    ),
    "edge": Browser(
        {
            ("linux", "user"): "~/.config/microsoft-edge/NativeMessagingHosts",
            ("linux", "system"): "/etc/opt/edge/native-messaging-hosts",
            ("darwin", "user"): "~/Library/Application Support/Microsoft Edge/NativeMessagingHosts",
            ("darwin", "system"): "/Library/Microsoft/Edge/NativeMessagingHosts",
        },
        r"Software\Microsoft\Edge\NativeMessagingHosts",
    ),
    "firefox": Browser(
        {
            ("linux", "user"): "~/.mozilla/native-messaging-hosts",
            ("linux", "system"): "/usr/lib/mozilla/native-messaging-hosts",
            ("darwin", "user"): "~/Library/Application Support/Mozilla/NativeMessagingHosts",
            ("darwin", "system"): "/Library/Application Support/Mozilla/NativeMessagingHosts",
        },
        r"Software\Mozilla\NativeMessagingHosts",
        gecko=True,
    ),
}


def folder(name: str, scope: Scope, platform: str = sys.platform) -> Path:
    """The folder in which manifest and launcher of a browser lie."""
    for (its, which), path in BROWSERS[name].folders.items():
        if (its, which) == (platform, scope):
            return Path(path).expanduser()
    data = platformdirs.user_data_dir if scope == "user" else platformdirs.site_data_dir
    return Path(data("secureproctor", appauthor=False)) / "native-messaging" / name


def manifest(gecko: bool, launcher: str, ids: Sequence[str] = ()) -> str:
    """What a browser reads. `ids` are further extensions that may start the host."""
    callers = (
        {"allowed_extensions": [ADDON_ID, *ids]}
        if gecko
        else {"allowed_origins": [f"chrome-extension://{each}/" for each in (EXTENSION_ID, *ids)]}
    )
    about = {"name": HOST, "description": "SecureProctor agent", "path": launcher, "type": "stdio"}
    return json.dumps({**about, **callers}, indent=2) + "\n"


def launcher(words: Sequence[str], platform: str = sys.platform) -> tuple[str, str]:
    """A launcher's file name and its text. `words` are settings for host and agent."""
    # -P: what lies in the folder where the browser was started is no part of the host
    command = [sys.executable, "-P", "-m", "secureproctor.agent", "native-host", *words, "--"]
    if platform == "win32":
        return f"{HOST}.bat", f"@echo off\r\n{subprocess.list2cmdline(command)} %*\r\n"
    return HOST, f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'


def install(name: str, where: Path, words: Sequence[str] = (), ids: Sequence[str] = ()) -> Path:
    """Write launcher and manifest for a browser; gives the manifest. Raises OSError."""
    where.mkdir(parents=True, exist_ok=True)
    program, text = launcher(words)
    # removed first: a browser may be running the old one
    (where / program).unlink(missing_ok=True)
    (where / program).write_bytes(text.encode())
    (where / program).chmod(0o755)
    path = where / f"{HOST}.json"
    path.write_text(manifest(BROWSERS[name].gecko, str(where / program), ids), encoding="utf-8")
    return path


def uninstall(where: Path) -> bool:
    """Remove what `install` wrote, and folders that are empty then; whether there was anything. Raises OSError."""
    paths = [where / f"{HOST}.json", where / launcher(())[0]]
    found = any(path.exists() for path in paths)
    for path in paths:
        path.unlink(missing_ok=True)
    for each in (where, where.parent) if found else ():
        with contextlib.suppress(OSError):  # not empty: others use it
            each.rmdir()
    return found


if sys.platform == "win32":
    import winreg

    ROOTS = {"user": winreg.HKEY_CURRENT_USER, "system": winreg.HKEY_LOCAL_MACHINE}

    def register(name: str, scope: Scope, path: Path) -> None:
        """Name the manifest in the registry. Raises OSError."""
        with winreg.CreateKey(ROOTS[scope], rf"{BROWSERS[name].registry}\{HOST}") as key:
            winreg.SetValueEx(key, "", 0, winreg.REG_SZ, str(path))

    def unregister(name: str, scope: Scope) -> None:
        """Take the name away. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            winreg.DeleteKey(ROOTS[scope], rf"{BROWSERS[name].registry}\{HOST}")

else:

    def register(name: str, scope: Scope, path: Path) -> None:
        """Nothing: the folder is the register."""

    def unregister(name: str, scope: Scope) -> None:
        """Nothing: the folder is the register."""


def each_place(names: Sequence[str], scope: Scope, into: str) -> list[tuple[str, Path]]:
    """Browsers and folders; `into` is one folder in place of the browsers' own, of a browser profile for example."""
    return [(name, Path(into).absolute() if into else folder(name, scope)) for name in names or BROWSERS]


def install_all(names: Sequence[str], scope: Scope, into: str, words: Sequence[str], ids: Sequence[str]) -> list[Path]:
    """Make the host known to browsers (none: to all); the manifests. Raises OSError."""
    written = []
    for name, where in each_place(names, scope, into):
        written.append(install(name, where, words, ids))
        if not into:
            register(name, scope, written[-1])
    return written


def uninstall_all(names: Sequence[str], scope: Scope, into: str) -> list[Path]:
    """Take the host away from browsers (none: from all); the folders where it was. Raises OSError."""
    removed = []
    for name, where in each_place(names, scope, into):
        if not into:
            unregister(name, scope)
        if uninstall(where):
            removed.append(where)
    return removed
