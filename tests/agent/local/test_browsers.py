"""Where the browsers find the host: a table of places, and what is written there and taken away."""

import base64
import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from secureproctor.agent.local.browsers import (
    ADDON_ID,
    BROWSERS,
    EXTENSION_ID,
    HOST,
    Scope,
    folder,
    install,
    install_all,
    launcher,
    manifest,
    uninstall,
    uninstall_all,
)

PACKAGING = Path(__file__).parents[3] / "packaging" / "browser"


def test_the_extensions_id_follows_from_the_key_in_its_manifest() -> None:
    """As Chromium computes it: the first half of the key's SHA-256 in the letters a to p."""
    extension = json.loads((PACKAGING / "extension" / "manifest.json").read_text())
    digest = hashlib.sha256(base64.b64decode(extension["key"])).hexdigest()[:32]
    assert "".join(chr(ord("a") + int(digit, 16)) for digit in digest) == EXTENSION_ID
    assert extension["browser_specific_settings"]["gecko"]["id"] == ADDON_ID


def test_the_extension_asks_for_nothing_but_its_host() -> None:
    extension = json.loads((PACKAGING / "extension" / "manifest.json").read_text())
    assert extension["permissions"] == ["nativeMessaging"]
    assert "host_permissions" not in extension
    assert HOST in (PACKAGING / "extension" / "background.js").read_text()


@pytest.mark.parametrize(("file", "gecko"), [("chromium.json", False), ("firefox.json", True)])
def test_the_templates_for_packages_are_what_the_installer_writes(file: str, gecko: bool) -> None:
    assert (PACKAGING / "hosts" / file).read_text() == manifest(gecko, "@LAUNCHER@")


@pytest.mark.parametrize("name", BROWSERS)
@pytest.mark.parametrize("scope", ["user", "system"])
def test_every_browser_has_a_place_of_its_own_on_every_system(name: str, scope: Scope) -> None:
    for platform in ("linux", "darwin", "win32"):
        place = folder(name, scope, platform)
        assert place.is_absolute()
        others = {folder(other, scope, platform) for other in BROWSERS if other != name}
        assert place not in others
        assert place.is_relative_to(Path.home()) == (scope == "user")
    assert "NativeMessagingHosts" in BROWSERS[name].registry


@pytest.mark.parametrize("name", BROWSERS)
def test_a_manifest_names_the_launcher_and_who_may_start_it(name: str, tmp_path: Path) -> None:
    path = install(name, tmp_path / "a" / "hosts", ids=("further",))
    assert path.name == f"{HOST}.json"
    written = json.loads(path.read_text())
    assert (written["name"], written["type"]) == (HOST, "stdio")
    assert os.access(written["path"], os.X_OK)
    if BROWSERS[name].gecko:
        assert written["allowed_extensions"] == [ADDON_ID, "further"]
    else:
        assert written["allowed_origins"] == [f"chrome-extension://{EXTENSION_ID}/", "chrome-extension://further/"]


def test_the_launcher_hands_on_settings_and_what_the_browser_says(tmp_path: Path) -> None:
    words = ["--state-dir", "/a folder/with 'quotes'", "--service-url", "https://exam.example"]
    path = install("chromium", tmp_path, words)
    program = Path(json.loads(path.read_text())["path"])
    shown = tmp_path / "shown"
    program.write_text(program.read_text().replace(shlex.quote(sys.executable), f"printf '%s\\n' > {shown} ", 1))
    subprocess.run([program, "chrome-extension://x/", "--parent-window=0"], check=True, timeout=20)
    said = shown.read_text().splitlines()
    assert said[said.index("native-host") + 1 :] == [*words, "--", "chrome-extension://x/", "--parent-window=0"]


def test_on_windows_the_launcher_is_a_batch_file() -> None:
    name, text = launcher(["--local-port", "1"], "win32")
    assert name == f"{HOST}.bat"
    assert text.startswith("@echo off\r\n")
    assert text.endswith(" native-host --local-port 1 -- %*\r\n")


def test_what_was_installed_goes_without_a_trace_and_others_stay(tmp_path: Path) -> None:
    where = tmp_path / "browser" / "hosts"
    install("chromium", where)
    install("chromium", where, ["--local-port", "1"])
    assert len(list(where.iterdir())) == 2
    assert uninstall(where)
    assert list(tmp_path.iterdir()) == []
    assert not uninstall(where)
    (where.parent / "other").mkdir(parents=True)
    install("chromium", where)
    (where / "other.json").write_text("{}")
    assert uninstall(where)
    assert [path.name for path in where.iterdir()] == ["other.json"]


def test_all_browsers_of_a_user_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    written = install_all((), "user", "", (), ())
    assert len(written) == len(BROWSERS)
    assert all(path.is_relative_to(tmp_path) and path.is_file() for path in written)
    assert {path.parent for path in written} == set(uninstall_all((), "user", ""))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_of_a_profile_in_place_of_the_browsers_own(tmp_path: Path) -> None:
    (path,) = install_all(["chromium"], "user", str(tmp_path / "profile"), (), ())
    assert path.parent == tmp_path / "profile"
    assert uninstall_all(["chromium"], "user", str(tmp_path / "profile")) == [tmp_path / "profile"]
