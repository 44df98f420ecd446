"""Tables as Markdown, aligned so that they can also be read as they are. Pure."""

from collections.abc import Iterable, Sequence

Cell = str | float | None
"""A text; a number, written with three figures; None for what is not known or does not apply."""

NOTHING = "–"


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table with a heading. A column of numbers stands to the right. Raises ValueError for a row of another length."""
    cells = [list(row) for row in rows]
    if any(len(row) != len(head) for row in cells):
        raise ValueError(f"a row has not {len(head)} cells")
    right = [all(not isinstance(row[i], str) for row in cells) for i in range(len(head))]
    texts = [[escaped(each) for each in head], *([written(each) for each in row] for row in cells)]
    widths = [max(3, *(len(row[i]) for row in texts)) for i in range(len(head))]
    rule = [
        ("-" * (width - 1) + ":") if to_right else "-" * width for width, to_right in zip(widths, right, strict=True)
    ]
    lines = [[_padded(*each) for each in zip(row, widths, right, strict=True)] for row in texts]
    return "".join(f"| {' | '.join(line)} |\n" for line in (lines[0], rule, *lines[1:]))


def written(cell: Cell) -> str:
    """A cell's text."""
    match cell:
        case None:
            return NOTHING
        case str():
            return escaped(cell)
        case _:
            return three_figures(cell)


def three_figures(value: float) -> str:
    """Three significant figures, without an exponent: no measurement here is better than that."""
    digits = max(0, 2 - _magnitude(value))
    return f"{value:.{digits}f}"


def escaped(text: str) -> str:
    """A text that stays in its cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def _magnitude(value: float) -> int:
    """The power of ten of the first figure, after rounding; of 0, 0."""
    return int(f"{value:.2e}".partition("e")[2])


def _padded(text: str, width: int, to_right: bool) -> str:
    return text.rjust(width) if to_right else text.ljust(width)
