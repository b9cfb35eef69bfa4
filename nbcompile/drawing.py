"""Drawing: the cells at whose end a step shows its figures and closes them, as a notebook does.

So the next cell begins with no figure, also where the package runs without nbflow. A run shows and
closes what is still open when a step ends.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from nbcompile.ambient import dotted, effects
from nbcompile.flow import Piece
from nbcompile.freenames import imported_name
from nbcompile.scopes import statement_facts
from nbcompile.segments import Segment, Statement
from nbcompile.walking import walk

#: functions and methods that draw, as libraries name them: `df.plot.bar`, `qqplot`, `nx.draw`
_DRAWS = re.compile(
    r"plot|draw|(?<!con)figure|scatter|imshow|specshow|heatmap|dendrogram|refline|Display\b|\bhist(2d)?$"
)
#: where no cell has any of these, nothing draws
_MAY_DRAW = re.compile(
    r"plot|draw|figure|scatter|imshow|specshow|heatmap|dendrogram|Display|hist|seaborn|pylab"
)
#: what of seaborn does not draw
_SETTING = re.compile(r"(re)?set|load_dataset|get_dataset|\w*palette|axes_style|plotting_context")
#: what of pyplot draws, where it is named only; calls are told by `effects`
_PYPLOT = re.compile(
    r"pyplot\.(?!close|style|rc|use|cm|colormaps|get_cmap|switch_|ion|ioff)[a-z]\w*$"
)
#: libraries with figures of their own, which are no pictures of pyplot's
_OTHERS = frozenset("plotly bokeh altair holoviews hvplot pyecharts numpy plotnine".split())
#: a cell that says so has other figures than those of `%matplotlib inline`: they stay open
_STAY = re.compile(
    r"^\s*%matplotlib +(?!inline)\w|\b(matplotlib|mpl)\.use\(|switch_backend\(|close_figures",
    re.MULTILINE,
)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def with_figures_shown(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments of steps that may leave figures open with a call at their end."""
    texts = [one.tagged.body for one in segments]
    if not any(map(_MAY_DRAW.search, texts)) or any(map(_STAY.search, texts)):
        return segments
    statements = [one for segment in segments for one in segment.statements]
    drawing = _Drawing([one.node for one in statements])
    taken = any("show_figures" in one.facts.writes for one in statements)
    name = "nb_show_figures" if taken else "show_figures"
    result = list(segments)
    for at, segment in enumerate(segments):
        if segment.kind == "step" and drawing.leaves_figures([s.node for s in segment.statements]):
            # numbered from below, so that all other statements keep their numbers
            result[at] = _with_call(segment, name, -1 - at)
    return tuple(result)


def _with_call(segment: Segment, name: str, index: int) -> Segment:
    code = f"{name}()"
    node = ast.parse(code).body[0]
    piece = Piece(segment.cell, code, segment.statements[-1].piece.lines[-1:])
    end = Statement(node, statement_facts(node), piece, index, segment.cell)
    support = (*segment.support, name)
    return replace(segment, statements=(*segment.statements, end), support=support)


class _Drawing:
    """What of a notebook's code draws; ``nodes`` are the statements of all its cells."""

    def __init__(self, nodes: Sequence[ast.stmt]) -> None:
        self._modules: dict[str, str] = {}
        #: `from pylab import *`: any name may draw
        self._any = False
        for node in _below(nodes):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.name if alias.asname else imported_name(alias)
                    self._modules[imported_name(alias)] = name
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self._modules[imported_name(alias)] = f"{node.module}.{alias.name}"
                    star = alias.name == "*" and node.module in ("pylab", "matplotlib.pyplot")
                    self._any = self._any or star
        roots = {full.partition(".")[0] for full in self._modules.values()}
        #: something is imported that may bring pyplot along
        self._in_play = not roots <= {*sys.stdlib_module_names, *_OTHERS}
        self._own = self._functions(nodes) if self._in_play else frozenset()

    def leaves_figures(self, cell: Sequence[ast.stmt]) -> bool:
        """Whether a cell may leave figures open: it draws, and not only to say `plt.show()`."""
        if not self._in_play:
            return False
        made = [n for n in cell if not isinstance(n, _DEFINITIONS) and self._draws(n)]
        last = made[-1] if made else None
        if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
            return dotted(last.value.func, self._modules) != "matplotlib.pyplot.show"
        return last is not None

    def _functions(self, nodes: Iterable[ast.stmt]) -> frozenset[str]:
        """The notebook's own functions and methods that draw, directly or through others."""
        made = [node for node in _below(nodes) if isinstance(node, _DEFINITIONS)]
        found: frozenset[str] = frozenset()
        while True:
            self._own = found
            more = frozenset(node.name for node in made if self._draws(node))
            if more == found:
                return found
            found = more

    def _draws(self, statement: ast.stmt) -> bool:
        for node in walk(statement):
            if isinstance(node, ast.Call) and self._call_draws(node):
                return True
            if isinstance(node, ast.Name | ast.Attribute):
                # handed to another function it may be called there: `grid.map(plt.hist, "x")`
                if (node.id if isinstance(node, ast.Name) else node.attr) in self._own:
                    return True
                if self._name_draws(dotted(node, self._modules) or ""):
                    return True
        return any(kind == "figure" for kind, _, _ in effects(statement, self._modules))

    def _call_draws(self, call: ast.Call) -> bool:
        full = dotted(call.func, self._modules)
        if full is None:
            named = isinstance(call.func, ast.Name)
            return (named and self._any) or _DRAWS.search(_spelled(call.func)) is not None
        return self._name_draws(full)

    def _name_draws(self, full: str) -> bool:
        """Whether a function of a library draws, by its dotted name."""
        root, _, rest = full.partition(".")
        if not rest or root in _OTHERS:
            return False
        if root == "seaborn":
            return _SETTING.match(rest) is None
        if root == "matplotlib":
            return _PYPLOT.match(rest) is not None
        return root == "pylab" or _DRAWS.search(rest) is not None


def _below(nodes: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    return (inner for node in nodes for inner in walk(node))


def _spelled(function: ast.expr) -> str:
    """What a call says that it does: `df.groupby("a").x.plot.bar` → `x.plot.bar`."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name) and not parts:
        parts.append(function.id)
    return ".".join(reversed(parts))
