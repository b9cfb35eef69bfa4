"""The page on the client is true: its code runs, in order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "client.md"


@pytest.mark.usefixtures("churn")
def test_the_page_runs() -> None:
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.S | re.M):
        exec(compile(block, str(PAGE), "exec"), names)
    assert names["best"].path == "churn/1/train/2"
    assert names["changed"].parameters == {"alpha": (0.1, 0.5)}
