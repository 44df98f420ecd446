"""The stand-in secure browser before it is launched: the extension that makes a browser one, put together of its two halves."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from secureproctor.contract.errors import Refusal
from secureproctor.demo.locked import Client
from secureproctor.demo.securebrowser import PACKAGING, PRODUCT, Launch, assemble

START = "https://exam.example/start?of=physics"
ALLOWED = ("https://exam.example/*", "https://dictionary.example/a*")


def key(**changes: object) -> str:
    return Client().key(START, ALLOWED, **changes)


def assembled(folder: Path, launch: Launch, name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((assemble(folder / "secure", launch) / name).read_text())
    return read


def test_it_is_the_same_extension_with_more_rights_and_another_background(tmp_path: Path) -> None:
    """Its id stays, so that the native messaging host, which is installed for that id, starts for it."""
    plain = json.loads((PACKAGING / "extension" / "manifest.json").read_text())
    secure = assembled(tmp_path, Launch(key(), []), "manifest.json")
    changed = {name for name in secure if secure[name] != plain.get(name)}
    assert changed == {"name", "description", "permissions", "host_permissions", "background"}
    assert set(plain) <= set(secure)
    assert set(plain["permissions"]) < set(secure["permissions"])
    for name in (secure["background"]["service_worker"], *secure["content_scripts"][0]["js"]):
        assert (tmp_path / "secure" / name).is_file()


def test_it_knows_what_the_key_allows_and_what_the_launch_adds(tmp_path: Path) -> None:
    launch = Launch(key(), [], also=["https://help.example/*"], hands_frames=True)
    assert assembled(tmp_path, launch, "secure.json") == {
        "product": PRODUCT,
        "productVersion": "1.0",
        "startUrl": START,
        "allowedUrls": [*ALLOWED, "https://help.example/*"],
        "exams": ["https://exam.example"],
        "handsFrames": True,
    }


def test_only_the_exams_that_are_named_are_attested(tmp_path: Path) -> None:
    launch = Launch(key(), [], exams=["https://questions.example"])
    assert assembled(tmp_path, launch, "secure.json")["exams"] == ["https://questions.example"]


def test_every_entry_is_one_that_the_script_reads_and_the_readme_explains(tmp_path: Path) -> None:
    script, readme = ((PACKAGING / name).read_text() for name in ("secure/secure.js", "README.md"))
    for name in assembled(tmp_path, Launch(key(), []), "secure.json"):
        assert re.search(rf"\b{name}\b", script), name
        assert f"`{name}`" in readme, name


def test_nothing_of_an_earlier_launch_stays(tmp_path: Path) -> None:
    folder = assemble(tmp_path / "secure", Launch(key(), []))
    (folder / "left.js").write_text("")
    assert assemble(folder, Launch(key(), [])) == folder
    assert not (folder / "left.js").exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "msb_key_missing"), ("made in advance", "msb_key_malformed"), ("e30.e30.", "msb_key_unsigned")],
)
def test_what_is_no_key_launches_nothing(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        assemble(tmp_path / "secure", Launch(text, []))
    assert refused.value.code == code
    assert not (tmp_path / "secure").exists()


def test_neither_the_key_nor_the_hash_of_its_quit_password_is_in_it(tmp_path: Path) -> None:
    """The page has the key from the exam; whoever reads a browser's files has no password to guess at."""
    text = key()
    folder = assemble(tmp_path / "secure", Launch(text, []))
    told = "".join(path.read_text() for path in folder.iterdir())
    assert text not in told
    assert "scrypt" not in told
