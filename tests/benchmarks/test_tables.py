"""The table writer: what a reader of the document sees."""

import pytest

from secureproctor.benchmarks.tables import Cell, table, three_figures


def test_numbers_stand_to_the_right_and_texts_to_the_left() -> None:
    written = table(("Program", "CPU"), [("ours", 5.0), ("a peer", 10.25)])
    assert written == (
        "| Program |  CPU |\n"
        "| ------- | ---: |\n"
        "| ours    | 5.00 |\n"
        "| a peer  | 10.2 |\n"
    )  # fmt: skip


def test_what_is_not_known_is_a_dash_and_does_not_make_a_column_of_texts() -> None:
    assert table(("Ratio",), [(None,), (2.0,)]).splitlines()[1:] == ["| ----: |", "|     – |", "|  2.00 |"]


def test_a_cell_cannot_break_out_of_its_table() -> None:
    assert table(("What",), [("a|b\nc",)]).splitlines()[2] == "| a\\|b c |"


def test_every_line_has_the_same_length() -> None:
    lines = table(("A", "B"), [("×", 1.0), ("long text", None)]).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        table(("A", "B"), [("only one",)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00"),
        (0.02371, "0.0237"),
        (0.9996, "1.00"),
        (5.597, "5.60"),
        (10.84, "10.8"),
        (213.4, "213"),
        (9996, "9996"),
    ],
)
def test_numbers_have_three_figures(value: Cell, text: str) -> None:
    assert isinstance(value, int | float)
    assert three_figures(value) == text
