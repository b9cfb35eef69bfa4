"""Layout: code moved to the right, what is in its strings left alone."""

from __future__ import annotations

import pytest

from nbcompile.layout import indent


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a\n\nb", "    a\n\n    b"),
        ("x = '''\n a\n'''\ny", "    x = '''\n a\n'''\n    y"),
        ("x = f'''\n {a}\n b {c!r:>{w}}\n'''\ny", "    x = f'''\n {a}\n b {c!r:>{w}}\n'''\n    y"),
        ("x = 'a\\\n b'\ny", "    x = 'a\\\n b'\n    y"),
        ("x = [\n  1,\n  '''\n''',\n]", "    x = [\n      1,\n      '''\n''',\n    ]"),
        ("x = 1 + \\\n  2", "    x = 1 + \\\n      2"),
        ("# '''\nx", "    # '''\n    x"),
    ],
)
def test_indent(code: str, expected: str) -> None:
    assert indent(code) == expected
