"""The graph of a flow, drawn in every format."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from nbcompile.compile import compile_cells
from nbcompile.flow import Flow
from nbcompile.graph import FORMATS, render
from nbcompile.notebook import parse_notebook


@pytest.fixture(scope="module")
def flow() -> Flow:
    cells = (
        "%%step end\nxs = ['<a>', \"b\"]",
        "%%step grow --foreach x in xs --gpu 1\ny = x",
        "%%step pick --when len(grow) > 0\nbest = max(grow.y)",
        "%%step last --after end\nz = 1",
    )
    text = "\n".join(f"# %%\n{cell}" for cell in cells)
    return compile_cells(parse_notebook(text, "sample", ".py"), format=False).flow


def test_text(flow: Flow) -> None:
    assert render(flow, "text") == (
        "end\n"
        "grow  [for x in xs]  ← end (xs)\n"
        "pick  [when len(grow) > 0]  ← grow (grow)\n"
        "last  ← end\n"
    )


def test_json(flow: Flow) -> None:
    content = json.loads(render(flow, "json"))
    assert [(step["name"], step["depends"]) for step in content["steps"]] == [
        ("end", []),
        ("grow", ["end"]),
        ("pick", ["grow"]),
        ("last", ["end"]),
    ]
    assert content["steps"][1]["resources"]["gpu"] == 1
    assert content["steps"][1]["foreach"] == "x in xs"


def test_mermaid(flow: Flow) -> None:
    lines = render(flow, "mermaid").split("\n")
    assert lines[0] == "flowchart TD"
    assert '    s_end["end"]' in lines
    assert '    s_end -- "xs" --> s_grow' in lines
    assert "    s_end -.-> s_last" in lines
    assert any("len(grow) &gt; 0" in line for line in lines)


def test_svg(flow: Flow) -> None:
    root = ElementTree.fromstring(render(flow, "svg"))
    texts = [
        text for node in root.iter("{http://www.w3.org/2000/svg}text") for text in node.itertext()
    ]
    assert [text for text in texts if text in ("end", "grow", "pick", "last")] == [
        "end",
        "grow",
        "pick",
        "last",
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_to_draw(format: str) -> None:
    flow = compile_cells(parse_notebook("# %%\nx = 1", "sample", ".py")).flow
    assert render(flow, format)
