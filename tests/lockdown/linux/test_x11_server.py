"""The X server, or only the connection, goes away under the lockdown; and what was left in it is put back from elsewhere."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from secureproctor.contract.lockdown import RULES, LockdownSettings, RuleId
from secureproctor.lockdown.left import restore_left
from secureproctor.lockdown.linux.place import open_place
from secureproctor.lockdown.linux.x11 import ServerGone, ServerMute, connect
from secureproctor.lockdown.rule import ApplyFailed, Exam, Image, RestoreFailed, Rule, Terms
from secureproctor.lockdown.undo import Undo
from tests.lockdown.linux.x11_desk import Desk, Locked, desk, kill, locked

X_RULES: tuple[RuleId, ...] = (*("power", "keys", "focus", "clipboard", "windows", "hidden_windows", "injected_input"),)
TERMS = Terms(Exam(), LockdownSettings())
DURABLE: tuple[RuleId, ...] = ("keys", "focus")


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Desk]:
    """A desk that a test may end."""
    (tmp_path / "desk").mkdir()
    with desk(tmp_path / "desk") as made:
        yield made


def rule_of(lock: Locked, rule: RuleId) -> Rule:
    return next(each for each in lock.place.rules if each.id == rule)


def put_back_all(images: dict[RuleId, Image], kind: str = "x11") -> None:
    """As the guardian does: another place, and the images as they are on the disk."""
    place = open_place(kind)  # type: ignore[arg-type]  # one of the three
    try:
        for rule, image in json.loads(json.dumps(images)).items():
            next(each for each in place.rules if each.id == rule).restore(image)
    finally:
        place.close()


def test_a_server_that_dies_takes_everything_with_it_and_nothing_fails(mortal: Desk) -> None:
    with mortal.program() as exam:
        lock = Locked(open_place("x11"))
        lock.apply(Terms(exam.exam, LockdownSettings()), *X_RULES)
        assert set(lock.images["keys"]) >= {"display", "server", "actions"}
        kill(mortal.pids["Xvfb"])
        with pytest.raises(ServerGone):
            lock.until(lambda: False)
        with pytest.raises(ServerGone):
            lock.place.pump(0)
        assert not any(lock.rules[rule].verify() for rule in X_RULES)
        assert lock.rules["keys"].probe(Terms(exam.exam, LockdownSettings())).standing == "could_not_check"
        with pytest.raises(ApplyFailed):
            lock.rules["keys"].apply(Terms(exam.exam, LockdownSettings()), lock.seen.append)
        images = dict(lock.images)
        lock.restore()
        lock.place.close()
        put_back_all(images)


def test_the_next_server_at_the_same_display_is_not_the_one_of_the_image(x11: Desk) -> None:
    with locked(x11, None, "keys") as lock:
        image = dict(lock.images["keys"])
        keymap = x11.run("xkbcomp", "-w0", x11.name, "-")
        rule_of(lock, "keys").restore({**image, "server": "1:1:another"})
        assert x11.run("xkbcomp", "-w0", x11.name, "-") == keymap
        assert "SwitchScreen" not in keymap
        rule_of(lock, "keys").restore(image)
        assert "SwitchScreen" in x11.run("xkbcomp", "-w0", x11.name, "-")


def test_a_connection_that_was_cut_is_told_and_the_rest_is_put_back_by_another(x11: Desk) -> None:
    """As xkill does: the server lives on, and so does what was changed in it."""
    with x11.program() as exam:
        was = x11.snapshot(exam.window)()
        lock = Locked(open_place("x11", agent=x11.pids["Xvfb"]))
        lock.apply(Terms(exam.exam, LockdownSettings()), *DURABLE)
        ours = lock.place._parts.server.x.display.screen().root.create_window(0, 0, 1, 1, 0, 0)
        lock.place._parts.server.x.sync()
        with x11.client() as rival:
            rival.create_resource_object("window", ours.id).kill_client()
            rival.sync()
        with pytest.raises(ServerGone):
            lock.until(lambda: False)
        assert not lock.rules["keys"].verify()
        lock.restore()
        lock.place.close()
        assert x11.snapshot(exam.window)() == was


@pytest.mark.parametrize("kind", ["x11", "wayland", "console"])
def test_what_an_agent_left_is_put_back_from_every_kind_of_place(x11: Desk, kind: str) -> None:
    with x11.program() as exam:
        was = x11.snapshot(exam.window)()
        lock = Locked(open_place("x11", agent=x11.pids["Xvfb"]))
        lock.apply(Terms(exam.exam, LockdownSettings()), *DURABLE)
        lock.place.close()  # without a word
        assert x11.snapshot(exam.window)() != was
        with pytest.MonkeyPatch.context() as patch:
            if kind == "console":  # `secureproctor unlock` there knows no display
                patch.delenv("DISPLAY")
                patch.delenv("XAUTHORITY")
            put_back_all(lock.images, kind)
        assert x11.snapshot(exam.window)() == was


@contextmanager
def deaf_server() -> Iterator[str]:
    """A display at which somebody listens, and hangs up on everybody."""
    number = next(n for n in range(3000, 4000) if not Path(f"/tmp/.X11-unix/X{n}").exists())
    path = Path(f"/tmp/.X11-unix/X{number}")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()

        def hang_up() -> None:
            with suppress(OSError):
                while True:
                    door.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            yield f":{number}"
        finally:
            door.shutdown(socket.SHUT_RDWR)
            thread.join()
            path.unlink()


def test_a_server_that_does_not_answer_is_unknown_and_the_image_is_kept(x11: Desk) -> None:
    with locked(x11, None, "keys") as lock, deaf_server() as name:
        with pytest.raises(RestoreFailed):
            put_back_all({"keys": {**lock.images["keys"], "display": name}})
        assert os.environ["XAUTHORITY"] == x11.environment["XAUTHORITY"]


def test_an_agent_that_is_killed_leaves_what_the_next_one_restores(x11: Desk, tmp_path: Path) -> None:
    with x11.program() as exam:
        was = x11.snapshot(exam.window)()
        code = f"""
import json, signal, sys
from pathlib import Path
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.linux.place import open_place
from secureproctor.lockdown.rule import Exam, Terms
from secureproctor.lockdown.undo import Undo
place = open_place("x11")
terms = Terms(Exam({exam.process.pid}, {exam.window}), LockdownSettings())
for rule in place.rules:
    if rule.id in {DURABLE!r}:
        Undo(Path({str(tmp_path)!r}), place.name).keep(rule.id, rule.before(terms))
        rule.apply(terms, lambda _: None)
sys.stdout.write("applied\\n"); sys.stdout.flush(); signal.pause()
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as agent:
            assert agent.stdout is not None
            assert agent.stdout.readline() == b"applied\n"
            assert x11.snapshot(exam.window)() != was
            agent.send_signal(signal.SIGKILL)
        restored = restore_left(tmp_path, open_place, "agent")
        assert set(restored.rules) == set(DURABLE)
        assert not restored.stuck
        assert Undo(tmp_path).is_empty
        assert x11.snapshot(exam.window)() == was


def test_without_a_display_everything_says_so_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ServerMute):
        connect()
    place = open_place("x11")
    try:
        for rule in (each for each in place.rules if each.id in X_RULES):
            assert rule.probe(TERMS).standing == "could_not_check"
            assert rule.before(TERMS) == {}
            with pytest.raises(ApplyFailed):
                rule.apply(TERMS, lambda _: None)
            rule.restore({})
        place.pump(0)
    finally:
        place.close()


def test_a_display_of_nobody_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServerGone):
        connect(":59999")


def test_every_kind_has_all_rules(x11: Desk) -> None:
    for kind in ("x11", "wayland", "console"):
        place = open_place(kind)
        assert tuple(rule.id for rule in place.rules) == tuple(RULES)
        assert place.name == f"linux/{kind}"
        place.close()
