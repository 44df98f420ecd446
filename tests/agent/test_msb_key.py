"""`secureproctor msb-key` from keygen to verify, as its users call it."""

import argparse
import getpass
import io
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from secureproctor.agent import msb_key
from secureproctor.contract import jws
from secureproctor.contract.msb import MsbClaims
from secureproctor.lockdown.browser import password as passwords
from secureproctor.lockdown.browser.key import inspect
from secureproctor.lockdown.browser.password import Cost, check_password, hash_password

CHEAP = Cost(16, 1, 1)


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, object]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Say = Callable[..., Said]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """A command line, run in a folder of its own; passwords are hashed cheaply."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(msb_key, "hash_password", lambda password: hash_password(password, CHEAP))

    def run(*words: str) -> Said:
        parser = argparse.ArgumentParser()
        msb_key.add(parser)
        try:
            code = msb_key.run(parser.parse_args(words))
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def x(say: Say) -> str:
    """A key pair in key.jwk; its public part."""
    return str(say("keygen", "--out", "key.jwk", "--json").data["x"])


def sign(say: Say, *words: str) -> Said:
    return say("sign", "--key", "key.jwk", "--client", "acme", "--exam", "maths", "--out", "exam.msb", *words)


def claims() -> MsbClaims:
    return inspect(Path("exam.msb").read_text()).claims


def judge(say: Say, x: str, *words: str, client: str = "acme", exam: str = "maths") -> Said:
    return say("verify", "exam.msb", "--public", x, "--client", client, "--exam", exam, *words)


def test_a_key_pair_is_kept_private_and_told_ready_to_paste(say: Say) -> None:
    said = say("keygen", "--out", "key.jwk")
    assert said.code == 0
    assert stat.S_IMODE(Path("key.jwk").stat().st_mode) == 0o600
    whole = json.loads(Path("key.jwk").read_text())
    assert whole["d"] not in said.out + said.err
    assert f"--msb-key CLIENT={whole['x']}" in said.out
    assert f'msb_keys = ["CLIENT={whole["x"]}"]' in said.out
    assert jws.thumbprint(whole["x"]) in said.out
    assert not whole["x"].startswith("-")


def test_a_key_is_never_overwritten(say: Say, x: str) -> None:
    before = Path("key.jwk").read_bytes()
    said = say("keygen", "--out", "key.jwk")
    assert (said.code, said.out) == (1, "")
    assert "exists already" in said.err
    said = sign(say, "--out", "key.jwk")
    assert said.code == 1
    assert Path("key.jwk").read_bytes() == before


def test_what_was_signed_verifies_by_the_public_part_or_its_file(say: Say, x: str) -> None:
    assert sign(say, "--valid-hours", "5").code == 0
    for public in (x, "key.jwk"):
        said = judge(say, public)
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith("Verified")
    found = judge(say, x, "--json").data
    assert (found["verified"], found["kid"]) == (True, jws.thumbprint(x))
    assert claims().exp - claims().nbf == 5 * 3600


def test_every_option_comes_to_its_claim(say: Say, x: str) -> None:
    words = (
        "--start-url https://e.example/x --allow-url https://*.e.example/q* --allow-url https://f.example "
        "--require focus --require keys --off printing --tolerance 3 --beyond pause --programs ask --patience 7.5 "
        "--allow-program orca --forbid-program zoom --displays 2 --while-paused lifted --floor idCard --floor recording "
        "--browser path:/opt/exam/browser --browser-gone end --wait-s 9 --from 2100-01-31T09:00 --valid-hours 2"
    )
    assert sign(say, *words.split()).err == ""
    found = msgspec.to_builtins(claims())
    del found["iat"], found["jti"]
    assert found == {
        "iss": "acme",
        "exam": "maths",
        "nbf": 4105069200,
        "exp": 4105069200 + 7200,
        "startUrl": "https://e.example/x",
        "allowedUrls": ("https://*.e.example/q*", "https://f.example"),
        "lockdown": {
            "required": ("focus", "keys"),
            "off": ("printing",),
            "browsingTolerance": 3,
            "beyondTolerance": "pause",
            "programs": "ask",
            "programPatienceS": 7.5,
            "allowedPrograms": ("orca",),
            "forbiddenPrograms": ("zoom",),
            "displays": 2,
            "whilePaused": "lifted",
        },
        "floor": ("idCard", "recording"),
        "quitPasswordHash": "",
        "browsers": ("path:/opt/exam/browser",),
        "browserGone": "end",
        "waitS": 9.0,
    }


def test_options_go_over_the_claims_of_a_file(say: Say, x: str) -> None:
    """Also one that an editor on Windows has saved with a mark in front."""
    lockdown = {"required": ["keys"], "displays": 3}
    Path("claims.json").write_text("\ufeff" + json.dumps({"exam": "physics", "floor": ["photo"], "lockdown": lockdown}))
    assert sign(say, "--claims", "claims.json", "--displays", "2").code == 0
    found = claims()
    assert (found.exam, found.floor) == ("maths", ("photo",))
    assert (found.lockdown.required, found.lockdown.displays) == (("keys",), 2)


def test_without_a_file_the_key_alone_comes_to_standard_output(say: Say, x: str) -> None:
    said = say("sign", "--key", "key.jwk", "--client", "acme", "--exam", "maths")
    assert inspect(said.out).claims.exam == "maths"
    assert len(said.out.split()) == 1
    data = say("sign", "--key", "key.jwk", "--client", "acme", "--exam", "maths", "--json").data
    assert inspect(str(data["key"])).claims.jti == data["jti"]


def test_inspecting_says_loudly_that_nothing_was_verified(say: Say, x: str) -> None:
    sign(say, "--from", "2100-01-31T09:00", "--require", "focus")
    said = say("inspect", "exam.msb")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == lines[-1] == msb_key.NOT_VERIFIED
    assert "2100-01-31 09:00:00 UTC" in said.out
    assert jws.thumbprint(x) in said.out
    data = say("inspect", "exam.msb", "--json").data
    assert data["verified"] is False
    assert data["header"] == {"alg": "Ed25519", "typ": "msb+jws", "kid": jws.thumbprint(x)}


def test_a_key_can_be_piped(say: Say, x: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sign(say)
    monkeypatch.setattr("sys.stdin", io.StringIO(Path("exam.msb").read_text()))
    assert say("inspect", "-").code == 0


def test_what_a_key_says_cannot_draw_on_the_terminal(say: Say, x: str) -> None:
    assert sign(say, "--exam", "a\x1b[2Jb\nVerified").code == 0
    said = say("inspect", "exam.msb")
    assert "\x1b" not in said.out
    assert "\\x1b[2Jb\\nVerified" in said.out


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"exam": "physics"}, "msb_key_wrong_exam"),
        ({"client": "other"}, "msb_key_wrong_client"),
        ({"at": "2100-01-01"}, "msb_key_expired"),
        ({"at": "86400"}, "msb_key_early"),
        ({"public": "other"}, "msb_key_untrusted"),
    ],
)
def test_a_key_that_is_not_good_is_refused_with_the_agents_own_words(
    say: Say, x: str, how: dict[str, str], code: str
) -> None:
    sign(say)
    public = str(say("keygen", "--out", "other.jwk", "--json").data["x"]) if "public" in how else x
    words = ("--at", how["at"]) if "at" in how else ()
    names = {name: how[name] for name in ("exam", "client") if name in how}
    said = judge(say, public, *words, **names)
    assert (said.code, said.out) == (1, "")
    assert len(said.err.splitlines()) == 2, "a sentence and its remedy"
    said = judge(say, public, "--json", *words, **names)
    error = said.data["error"]
    assert isinstance(error, dict)
    assert (said.code, said.data["verified"], error["code"]) == (1, False, code)


def test_a_quit_password_is_read_from_a_file_or_a_descriptor_and_never_shown(say: Say, x: str) -> None:
    Path("password").write_text("correct horse\r\nsecond line\n")
    said = sign(say, "--quit-password-file", "password")
    assert check_password("correct horse", claims().quit_password_hash)
    readable, writable = os.pipe()
    os.write(writable, "zwölf Käfer".encode())
    os.close(writable)
    said = sign(say, "--quit-password-fd", str(readable))
    os.close(readable)
    assert said.err == ""
    assert check_password("zwölf Käfer", claims().quit_password_hash)
    assert "horse" not in said.out + Path("exam.msb").read_text()


def test_a_quit_password_is_asked_twice_on_the_terminal(say: Say, x: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ["correct horse", "correct horse", "correct horse", "correct mouse"]
    monkeypatch.setattr(getpass, "getpass", lambda _: answers.pop(0))
    assert sign(say, "--quit-password").code == 0
    assert check_password("correct horse", claims().quit_password_hash)
    assert "not the same" in sign(say, "--quit-password").err


def test_without_a_terminal_the_other_ways_are_named(say: Say, x: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", nobody)
    said = sign(say, "--quit-password")
    assert said.code == 1
    assert "--quit-password-file" in said.err


@pytest.mark.parametrize("password", ["", "short", "x" * 300])
def test_a_quit_password_that_can_be_guessed_at_home_is_refused(say: Say, x: str, password: str) -> None:
    Path("password").write_text(password)
    said = sign(say, "--quit-password-file", "password")
    assert said.code == 1
    assert f"{passwords.MIN_PASSWORD} to 256" in said.err
    assert not Path("exam.msb").exists()


FAILURES: dict[str, tuple[tuple[str, ...], str]] = {
    "no such key": (("sign", "--key", "nowhere.jwk", "--client", "a", "--exam", "b"), "nowhere.jwk"),
    "a key that is none": (("sign", "--key", "junk", "--client", "a", "--exam", "b"), "keygen"),
    "no client": (("sign", "--key", "key.jwk", "--exam", "b"), "iss"),
    "nonsense": (
        ("sign", "--key", "key.jwk", "--client", "a", "--exam", "b", "--require", "keys", "--off", "keys"),
        "both",
    ),
    "claims that are none": (("sign", "--key", "key.jwk", "--claims", "junk"), "one JSON object"),
    "claims in another encoding": (("sign", "--key", "key.jwk", "--claims", "latin"), "UTF-8"),
    "no such folder": (("sign", "--key", "key.jwk", "--client", "a", "--exam", "b", "--out", "no/where"), "no/where"),
    "no such descriptor": (("sign", "--key", "key.jwk", "--quit-password-fd", "999"), "Bad file descriptor"),
    "no such file": (("inspect", "nowhere.msb"), "nowhere.msb"),
    "no MSB Key": (("inspect", "junk"), "no MSB Key"),
    "an empty file": (("inspect", "empty"), "no MSB Key"),
    "an unsigned key": (("inspect", "unsigned"), "not signed"),
    "no public key": (("verify", "junk", "--public", "what", "--client", "a", "--exam", "b"), "neither"),
    "a file without a public key": (
        ("verify", "junk", "--public", "junk", "--client", "a", "--exam", "b"),
        "holds no public",
    ),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_is_a_sentence_with_a_remedy_and_exit_code_1(say: Say, x: str, what: str) -> None:
    Path("junk").write_text("junk")
    Path("latin").write_bytes('{"exam": "Prüfung"}'.encode("latin-1"))
    Path("empty").touch()
    sign(say)
    Path("unsigned").write_text(Path("exam.msb").read_text().rpartition(".")[0])
    words, expected = FAILURES[what]
    said = say(*words)
    assert (said.code, said.out) == (1, "")
    assert expected in said.err
    sentence, remedy = said.err.splitlines()
    assert sentence.startswith("secureproctor: ")
    assert remedy.startswith("  ")
    assert remedy.endswith((".", "keygen", "sign"))


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("sign",),
        ("keygen",),
        ("sign", "--key", "key.jwk", "--require", "gravity"),
        ("sign", "--key", "key.jwk", "--valid-hours", "-1"),
        ("sign", "--key", "key.jwk", "--valid-hours", "nan"),
        ("sign", "--key", "key.jwk", "--quit-password", "secret"),
        ("sign", "--key", "key.jwk", "--quit-password", "--quit-password-fd", "3"),
        ("verify", "exam.msb", "--public", "x", "--client", "a", "--exam", "b", "--at", "tomorrow"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(say: Say, words: tuple[str, ...]) -> None:
    said = say(*words)
    assert (said.code, said.out) == (2, "")
    assert "usage" in said.err


def test_unknown_rules_are_told_with_those_that_there_are(say: Say) -> None:
    said = say("sign", "--key", "key.jwk", "--require", "gravity")
    assert "gravity" in said.err
    assert "task_manager" in said.err


def test_a_private_key_that_others_can_read_is_told(say: Say, x: str) -> None:
    Path("key.jwk").chmod(0o644)
    said = sign(say)
    assert said.code == 0
    assert "chmod 600 key.jwk" in said.err
