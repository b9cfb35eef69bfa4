"""Text: lines that fit a terminal."""

from __future__ import annotations

import pytest

from nbflow.client.text import fold


@pytest.mark.parametrize(
    ("line", "folded"),
    [
        ("short enough", "short enough"),
        ("load   ← first (aaaa), then (bbbb)", "load   ← first (aaaa), then\n       (bbbb)"),
        ("a long line of words = 123456", "a long line of words =\n    123456"),
        ("x" * 40, "x" * 40),
    ],
)
def test_lines_fold_between_words(line: str, folded: str) -> None:
    assert fold(line, 28) == folded
