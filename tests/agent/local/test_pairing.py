"""The pairing file: there while the agent runs, for its own user only."""

import os
import stat
from pathlib import Path

import pytest

from secureproctor.agent.local.client import NotRunning, ask_status
from secureproctor.agent.local.pairing import Pairing, find, new_token, published

PAIRING = Pairing("ws://127.0.0.1:1/v1/page", "token", os.getpid())


def test_the_file_is_there_while_the_agent_runs_and_gone_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert find(folder) is None
    with published(folder, PAIRING):
        assert find(folder) == PAIRING
        assert [path.name for path in folder.iterdir()] == ["agent.json"]
    assert list(folder.iterdir()) == []


def test_the_file_goes_also_when_the_agent_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), published(tmp_path, PAIRING):
        raise ZeroDivisionError
    assert find(tmp_path) is None


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    before = os.umask(0)
    try:
        with published(folder, PAIRING):
            assert stat.S_IMODE((folder / "agent.json").stat().st_mode) == 0o600
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_what_a_crashed_agent_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "agent.json").write_text('{"address":"ws://127.0.0.1:2","token":"old","pid":1}')
    with published(tmp_path, PAIRING):
        assert find(tmp_path) == PAIRING


def test_an_agent_does_not_remove_the_file_of_the_one_that_came_after_it(tmp_path: Path) -> None:
    later = Pairing("ws://127.0.0.1:2/v1/page", "later", os.getpid() + 1)
    first = published(tmp_path, PAIRING)
    first.__enter__()
    with published(tmp_path, later):
        first.__exit__(None, None, None)
        assert find(tmp_path) == later


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"address":"a"}', b"\xff\xfe", b'{"address":"\xff","token":"","pid":1}']
)
def test_a_file_that_is_no_pairing_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "agent.json").write_bytes(content)
    assert find(tmp_path) is None


def test_every_token_is_another_and_long(tmp_path: Path) -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43


@pytest.mark.parametrize("address", [None, "ws://127.0.0.1:1/v1/page", "no address", "http://127.0.0.1:1"])
async def test_asking_an_agent_that_does_not_answer_is_not_running(tmp_path: Path, address: str | None) -> None:
    if address is not None:
        (tmp_path / "agent.json").write_text(f'{{"address":"{address}","token":"t","pid":1}}')
    with pytest.raises(NotRunning, match="No agent is running"):
        await ask_status(tmp_path)
