"""Tag lines become comments; everything else stays where it is."""

from __future__ import annotations

import pytest
from nbflow_magics.lines import comment_tags, has_tags


@pytest.mark.parametrize(
    ("cell", "seen"),
    [
        ("%%step a\nx = 1\n", "# %%step a\nx = 1\n"),
        ("%%resources --gpu 1\n%%step a\nx\n", "# %%resources --gpu 1\n# %%step a\nx\n"),
        ("%%step a\n%%time\nx\n", "%%time\n# %%step a\nx\n"),
        ("%%time\n%%step a\nx\n", "%%time\n# %%step a\nx\n"),
        ("%%step a\n\n# why\n%%time\nx\n", "%%time\n# %%step a\n\n# why\nx\n"),
        ("# nbflow: step a\nx\n", "# nbflow: step a\nx\n"),
        ("# nbflow: step a\n%%time\nx\n", "%%time\n# nbflow: step a\nx\n"),
        ("%%step a\n%%writefile f.txt\n# text\n", "%%writefile f.txt\n# text\n"),
        ("%%parameters\nn = 1\n", "# %%parameters\nn = 1\n"),
        ("%%setup\nimport os\n", "# %%setup\nimport os\n"),
    ],
)
def test_tags_become_comments(cell: str, seen: str) -> None:
    assert "".join(comment_tags(cell.splitlines(keepends=True))) == seen
    assert has_tags(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "x = 1\n",
        "%%time\nx\n",
        "%%step?\n",
        "%%steps a\nx\n",
        "x = 1\n%%step a\n",
        "%%writefile nb.py\n# %%\n%%step load\nx\n",
        '"""\n%%step a\n"""\n',
    ],
)
def test_other_cells_are_left_alone(cell: str) -> None:
    lines = cell.splitlines(keepends=True)
    assert comment_tags(lines) == lines
    assert not has_tags(cell)
