"""Tagging: what is written are tags; every cell's code stays as it is, byte for byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcompile.notebook import parse_notebook
from nbcompile.tagging import Form, tag_notebook, tag_script

FORMS: list[Form] = ["tags", "magic", "comment"]
LINES = st.sampled_from(
    [
        "x = 1",
        "",
        "   ",
        "# %%",
        '# %% Load tags=["a"]',
        "# %% [markdown]",
        '"""',
        "# a",
        "#!/bin/x",
        "# ---",
    ]
)


@given(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n"]), st.data())
def test_a_script_keeps_its_code(lines: list[str], newline: str, data: st.DataObject) -> None:
    text = newline.join(lines)
    lines = text.split(newline)
    before = parse_notebook(text, "a", ".py").cells
    code = [cell.index for cell in before if cell.kind == "code"]
    form = data.draw(st.sampled_from(FORMS))
    tags = {at: f"step:s{at}" for at in code if data.draw(st.booleans())}
    after = tag_script(text, tags, form)
    assert after.count("\r\n") == (after.count("\n") if "\r\n" in text else 0)
    now = after.replace("\r\n", "\n").split("\n")
    assert len(now) <= len(lines) + len(tags)
    kept = iter(now)
    assert all(line in kept for line in lines if not line.startswith("# %%"))
    if form == "tags":
        cells = [cell for cell in parse_notebook(after, "a", ".py").cells if cell.kind == "code"]
        found = {tag: cell.source for cell in cells for tag in cell.tags if tag.startswith("step:")}
        assert set(found) == set(tags.values())
        if before and not text.startswith("#"):
            for at, tag in tags.items():
                assert found[tag].strip() == before[at].source.strip()


@pytest.mark.parametrize(
    ("form", "line"), [("magic", "# %%step load"), ("comment", "# nbflow: step load")]
)
def test_a_first_line_in_a_script(form: Form, line: str) -> None:
    assert tag_script("# %%\nx = 1\n", {0: "step:load"}, form) == f"# %%\n{line}\nx = 1\n"
    assert parse_notebook(f"# %%\n{line}\nx = 1\n", "a", ".py").cells[0].source.endswith("x = 1")


def test_code_above_all_markers() -> None:
    text = "#!/usr/bin/python\n# coding: utf-8\n\nx = 1\n"
    assert tag_script(text, {0: "step:load"}, "comment") == text.replace(
        "x = 1", '# %% tags=["step:load"]\nx = 1'
    )


@pytest.mark.parametrize("indent", [1, 2, "\t", None])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_notebook_keeps_its_form(indent: int | str | None, end: str) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": ["x = 'é'\n", "y"], "outputs": []}
    content = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    text = json.dumps(content, indent=indent, ensure_ascii=False) + end
    made = tag_notebook(text, {0: "step:load"}, "tags")
    cell["metadata"] = {"tags": ["step:load"]}
    assert made == json.dumps(content, indent=indent, ensure_ascii=False) + end
