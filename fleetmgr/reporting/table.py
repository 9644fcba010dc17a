"""Aligned columns for terminals and logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def columns(
    rows: Sequence[Sequence[str]], *, indent: str = "", paint: Callable[[int, int, str], str] | None = None
) -> list[str]:
    """One line a row, two spaces between columns, nothing after the last one.

    ``paint(row, column, text)`` may colour a cell; it is called with the padded text, so that colours do
    not disturb the alignment.
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines: list[str] = []
    for number, row in enumerate(rows):
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        last = max((i for i, cell in enumerate(row) if cell), default=0)
        cells = [*padded[:last], row[last]]
        if paint is not None:
            cells = [paint(number, column, cell) for column, cell in enumerate(cells)]
        lines.append(indent + "  ".join(cells))
    return lines
