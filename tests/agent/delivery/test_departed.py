"""What has left this computer: counted when the service has acknowledged it, and kept for the next agent."""

from pathlib import Path

from secureproctor.agent.delivery.departed import Departures
from secureproctor.agent.session.folder import SessionFolder
from secureproctor.contract.page import DepartedRow
from secureproctor.contract.streams import Stream


class Clock:
    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        self.now += 10
        return self.now


def test_pieces_and_bytes_are_counted_by_kind_with_the_first_and_the_last_time() -> None:
    departures = Departures(clock=Clock())
    for key, size in (((Stream.STILLS, 0, 0), 7), ((Stream.SCREEN, 0, 0), 100), ((Stream.SCREEN, 0, 1), 200)):
        departures.delivered(key, size)
    assert departures.rows() == (DepartedRow("screen", 2, 300, 1_020, 1_030), DepartedRow("stills", 1, 7, 1_010, 1_010))


def test_a_new_agent_goes_on_counting_where_the_old_one_stopped(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    first = Departures(folder.departed(), folder.save_departed, Clock())
    assert first.rows() == ()
    first.delivered((Stream.AUDIO, 0, 0), 5)
    first.save()
    second = Departures(folder.departed(), folder.save_departed, Clock())
    assert second.rows() == first.rows()
    second.delivered((Stream.AUDIO, 0, 1), 6)
    assert second.rows() == (DepartedRow("audio", 2, 11, 1_010, 1_010),)


def test_what_has_not_changed_is_not_kept_again() -> None:
    kept: list[tuple[DepartedRow, ...]] = []
    departures = Departures(keep=kept.append, clock=Clock())
    departures.save()
    departures.delivered((Stream.AUDIO, 0, 0), 5)
    departures.save()
    departures.save()
    assert kept == [departures.rows()]


def test_a_disk_that_takes_nothing_is_tried_again() -> None:
    kept: list[tuple[DepartedRow, ...]] = []

    def keep(rows: tuple[DepartedRow, ...]) -> None:
        kept.append(rows)
        if len(kept) == 1:
            raise OSError(28, "No space left on device")

    departures = Departures(keep=keep, clock=Clock())
    departures.delivered((Stream.AUDIO, 0, 0), 5)
    departures.save()
    departures.save()
    departures.save()
    assert kept == [departures.rows()] * 2


def test_a_file_that_somebody_has_changed_is_no_count(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    for text in (b"[", b'[{"what": "screen"}]', b"{}"):
        (tmp_path / "departed").write_bytes(text)
        assert folder.departed() == ()
    (tmp_path / "departed").write_bytes(b'[{"what":"keys","pieces":1,"bytes":1,"first_ms":0,"last_ms":0}]')
    assert Departures(folder.departed()).rows() == ()
