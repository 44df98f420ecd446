"""Proctors' accounts: who gets in, for how long, and what they see."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from secureproctor.contract.console import (
    Failed,
    Hello,
    Issue,
    Issued,
    Open,
    ProctorAccount,
    ProctorChange,
    Read,
    Say,
    SessionGone,
    SessionSnapshot,
    Welcome,
)
from secureproctor.contract.errors import Refusal
from secureproctor.service.passwords import hashed, matches
from secureproctor.service.proctors import LOGIN_LIFETIME_S, Proctor, Proctors
from secureproctor.service.vault import Vault
from tests.service.house import House

SECRET = "correct horse"
OTHER = "battery staple"


@pytest.fixture(scope="module")
def desk(server: Any) -> dict[str, str]:
    """A super proctor and one of each of two groups: the token of each by name."""
    accounts = {"sue": ("super", []), "ada": ("proctor", ["physics"]), "bob": ("proctor", ["history", "art"])}
    for name, (role, groups) in accounts.items():
        assert server.account(name, role=role, groups=groups, password=SECRET).status_code == 200
    return {name: server.token_of(name, SECRET) for name in accounts}


@pytest.fixture
def proctors(house: House) -> Proctors:
    made = Proctors(house.store, Vault.opened(house.folder), house.clock.wall)
    made.change("ada", ProctorChange("proctor", SECRET, ("physics",)))
    return made


def code(refused: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        refused()
    return caught.value.code


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_name_and_password_give_a_token_that_opens_the_console(server: Any, desk: dict[str, str]) -> None:
    answer = server.log_in("ada", SECRET).json()
    now_ms = server.http.get("/v1/health").json()["now_ms"]
    assert (answer["name"], answer["role"]) == ("ada", "proctor")
    assert abs(answer["expires_ms"] - now_ms - LOGIN_LIFETIME_S * 1000) < 60_000
    with server.console(token=answer["token"]) as console:
        welcome = console.next()
        assert isinstance(welcome, Welcome)
        assert (welcome.name, welcome.role, welcome.groups) == ("ada", "proctor", ("physics",))


@pytest.mark.parametrize("token", ["x", "..", "a.b.c", "YWRh.99999999999.", "ada.٣.x", "YWRh.1.x", "\u00ff.1.x"])
def test_a_token_that_was_not_given_out_opens_nothing(server: Any, desk: dict[str, str], token: str) -> None:
    with server.console(token=token) as console:
        answer = console.next()
        assert isinstance(answer, Failed)
        assert answer.error.code == "login_needed"
        assert console.closed() == 1008


def test_wrong_names_and_passwords_are_told_the_same(server: Any, desk: dict[str, str]) -> None:
    answers = [
        server.log_in(name, password) for name, password in (("ada", OTHER), ("nobody", SECRET), ("link", SECRET))
    ]
    assert [error(each) for each in answers] == [(401, "login_failed")] * 3
    assert len({each.content for each in answers}) == 1


def test_whoever_guesses_is_slowed_down(launch: Any) -> None:
    server = launch()
    server.account("ada", password=SECRET)
    for _ in range(12):  # the waits double, so that one of them is longer than a slow machine takes for a try
        answer = server.log_in("ada", OTHER)
        if answer.status_code == 429:
            break
        assert error(answer) == (401, "login_failed")
    assert error(answer) == (429, "too_many_tries")
    assert 1 <= int(answer.headers["Retry-After"]) <= 30
    assert error(server.log_in("ada", SECRET)) == (429, "too_many_tries"), "nor is a right one looked at"


def test_a_proctor_sees_and_commands_the_sessions_of_their_groups_only(server: Any, desk: dict[str, str]) -> None:
    own, foreign = server.register(groupName="physics"), server.register(groupName="history")
    with own.channel() as agent, server.console(token=desk["ada"]) as console:
        assert console.expect(SessionSnapshot).group_name == "physics"
        for message in (
            Issue(foreign.id, "pause", request="r"), Say(foreign.id, "Hello"), Read(foreign.id, "1"), Open(foreign.id)
        ):  # fmt: skip
            console.send(message)
            assert console.answer().error.code == "session_unknown"
        console.send(Issue(own.id, "pause", request="r"))
        assert isinstance(console.answer(), Issued)
        agent.beat()
        seen: list[SessionSnapshot] = []
        while not seen or not seen[-1].open_commands:
            seen.append(console.expect(SessionSnapshot))
        assert {each.group_name for each in seen} == {"physics"}


def test_a_change_of_the_groups_shows_at_once_on_the_wall(own_server: Any) -> None:
    server = own_server
    server.account("max", groups=["physics"], password=SECRET)
    physics, art = server.register(groupName="physics"), server.register(groupName="art")
    with server.console(token=server.token_of("max", SECRET)) as console:
        console.snapshot(physics.id)
        server.account("max", groups=["art"])
        told: set[str] = set()
        while len(told) < 2:
            message = console.expect((SessionSnapshot, SessionGone))
            told.add(f"{type(message).__name__} {message.session_id}")
        assert told == {f"SessionGone {physics.id}", f"SessionSnapshot {art.id}"}


@pytest.mark.parametrize(
    "change",
    [{"disabled": True}, {"password": OTHER}, None],
    ids=["disabled", "another password", "removed"],
)
def test_a_log_in_ends_at_once_with_its_account(own_server: Any, change: dict[str, object] | None) -> None:
    server = own_server
    server.account("ada", role="super", password=SECRET)
    token = server.token_of("ada", SECRET)
    with server.console(token=token) as console:
        assert isinstance(console.next(), Welcome)
        if change is None:
            assert server.http.delete("/v1/proctors/ada", headers=bearer(server.proctor_key)).status_code == 204
        else:
            server.account("ada", role="super", **change)
        assert console.expect(Failed).error.code == "login_needed"
        assert console.closed() == 1008
    assert error(server.http.get("/v1/proctors", headers=bearer(token))) == (401, "login_needed")


def test_accounts_are_for_super_proctors(server: Any, desk: dict[str, str]) -> None:
    for token in (desk["sue"], server.proctor_key):
        names = [each["name"] for each in server.http.get("/v1/proctors", headers=bearer(token)).json()["proctors"]]
        assert {"ada", "bob", "sue"} <= set(names)
    assert error(server.http.get("/v1/proctors", headers=bearer(desk["ada"]))) == (403, "role_missing")
    assert error(server.account("eve", by=desk["ada"], password=SECRET)) == (403, "role_missing")
    assert error(server.http.delete("/v1/proctors/bob", headers=bearer(desk["ada"]))) == (403, "role_missing")
    assert error(server.http.get("/v1/proctors")) == (401, "login_needed")
    assert error(server.http.get("/v1/proctors", headers=bearer("wrong"))) == (401, "proctor_key_invalid")


@pytest.mark.parametrize(
    ("name", "change", "status", "told"),
    [
        ("link", {"password": SECRET}, 400, "field_invalid"),
        ("x" * 65, {"password": SECRET}, 400, "field_invalid"),
        (" eve", {"password": SECRET}, 400, "field_invalid"),
        ("eve", {}, 400, "field_missing"),
        ("eve", {"password": "short"}, 400, "field_invalid"),
        ("eve", {"password": SECRET, "role": "god"}, 400, "field_invalid"),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    server: Any, name: str, change: dict[str, object], status: int, told: str
) -> None:
    assert error(server.account(quote(name), **change)) == (status, told)


def test_nobody_removes_an_account_that_is_not_there(server: Any) -> None:
    answer = server.http.delete("/v1/proctors/nobody", headers=bearer(server.proctor_key))
    assert error(answer) == (404, "proctor_unknown")


def test_the_last_super_proctor_stays_unless_the_link_removes_them(launch: Any) -> None:
    server = launch()
    server.account("sue", role="super", password=SECRET)
    token = server.token_of("sue", SECRET)
    for change in ({"role": "proctor"}, {"role": "super", "disabled": True}):
        assert error(server.account("sue", by=token, **change)) == (409, "last_super")
    assert error(server.http.delete("/v1/proctors/sue", headers=bearer(token))) == (409, "last_super")
    server.account("tom", role="super", password=SECRET)
    assert server.http.delete("/v1/proctors/sue", headers=bearer(token)).status_code == 204
    assert server.http.delete("/v1/proctors/tom", headers=bearer(server.proctor_key)).status_code == 204


def test_a_log_in_lasts_for_twelve_hours(house: House, proctors: Proctors) -> None:
    token = proctors.token(proctors.log_in("ada", SECRET))
    proctor = proctors.admitted(Hello(token=token))
    house.now += LOGIN_LIFETIME_S - 1
    assert proctors.current(proctor) == proctor == proctors.admitted(Hello(token=token))
    house.now += 1
    assert code(lambda: proctors.current(proctor)) == "login_needed"
    assert code(lambda: proctors.admitted(Hello(token=token))) == "login_needed"


def test_an_account_of_the_same_name_does_not_inherit_log_ins(proctors: Proctors) -> None:
    token = proctors.token(proctors.log_in("ada", SECRET))
    proctors.remove("ada")
    proctors.change("ada", ProctorChange("super", SECRET))
    assert code(lambda: proctors.admitted(Hello(token=token))) == "login_needed"


def test_whoever_was_disabled_and_enabled_logs_in_again(proctors: Proctors) -> None:
    token = proctors.token(proctors.log_in("ada", SECRET))
    proctors.change("ada", ProctorChange(disabled=True))
    assert code(lambda: proctors.log_in("ada", SECRET)) == "login_failed"
    proctors.change("ada", ProctorChange())
    assert code(lambda: proctors.admitted(Hello(token=token))) == "login_needed"
    assert proctors.log_in("ada", SECRET).name == "ada"


def test_accounts_outlive_the_service_and_no_password_lies_in_the_database(house: House, proctors: Proctors) -> None:
    token = proctors.token(proctors.log_in("ada", SECRET))
    again = Proctors(house.store, Vault.opened(house.folder), house.clock.wall)
    assert again.all() == (ProctorAccount("ada", "proctor", ("physics",)),)
    assert again.admitted(Hello(token=token)).groups == ("physics",)
    house.store.close()
    assert not any(SECRET.encode() in path.read_bytes() for path in house.folder.iterdir() if path.is_file())
    house.__post_init__()


@pytest.mark.parametrize(
    ("proctor", "sees"),
    [
        (Proctor("a", "proctor", ("physics",)), {"physics"}),
        (Proctor("a", "proctor"), {"physics", "art"}),
        (Proctor("a", "super", ("physics",)), {"physics", "art"}),
    ],
)
def test_groups_say_what_is_seen(proctor: Proctor, sees: set[str]) -> None:
    assert {group for group in ("physics", "art") if proctor.sees(group)} == sees


def test_a_password_belongs_to_its_own_hash_only() -> None:
    one, again = hashed(SECRET), hashed(SECRET)
    assert one != again
    assert matches(SECRET, one)
    assert not matches(OTHER, one)
    assert not matches(SECRET, "")


def set_password(data: Path, *words: str, password: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "secureproctor.service", "proctor-password", "--data", str(data)]
    return subprocess.run([*command, *words], input=password, capture_output=True, text=True, timeout=30, check=False)


def test_a_password_is_set_from_the_command_line_while_the_service_is_stopped(launch: Any, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert set_password(data, "sue", "--super", password=f"{SECRET}\n").returncode == 0
    server = launch()
    assert server.log_in("sue", SECRET).json()["role"] == "super"
    refused = set_password(data, "sue", password=OTHER)
    assert (refused.returncode, "Another service uses the folder" in refused.stderr) == (1, True)
    server.stop()
    assert set_password(data, "sue", password=OTHER).returncode == 0
    assert "fewer than 8" in set_password(data, "sue", password="short").stderr
    assert launch().log_in("sue", OTHER).json()["role"] == "super"
