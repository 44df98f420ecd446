"""The benchmark of the backlog, with a small one: it measures a real spool, prints its tables and leaves nothing."""

from pathlib import Path

import pytest

from secureproctor.agent.delivery.spool import Spool
from secureproctor.benchmarks.backlog import RECORD_BYTES, fill, main
from secureproctor.contract.streams import MEDIA


def test_the_backlog_is_one_that_a_spool_finds(tmp_path: Path) -> None:
    fill(tmp_path / "spool", 10)
    spool = Spool(tmp_path / "spool").open()
    assert spool.waiting == (10, 10 * RECORD_BYTES)
    assert [len(list(spool.oldest(stream))) for stream in MEDIA] == [4, 3, 3]


def test_each_size_has_a_row_in_both_tables_and_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--records", "30", "60", "--times", "5", "--folder", str(tmp_path)])
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [row[1].strip() for row in rows] == ["Records", "-------", "30", "60"] * 2
    assert all(float(cell) >= 0 for row in rows[2:4] + rows[6:] for cell in row[1:-1])
    assert list(tmp_path.iterdir()) == []
