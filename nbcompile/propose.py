"""Proposals: tags for an untagged notebook, from its headings, its heavy cells and its dataflow.

Nothing is rewritten: the proposal is a tag for each cell, tried on the compiler. Cells that could
not stand in steps of their own are joined to the step before.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from nbcompile.diagnostics import Diagnostic
from nbcompile.freenames import imported_name
from nbcompile.grammar import suggest_name, usable_name
from nbcompile.infer import infer_flow
from nbcompile.lower import Lowered, lower
from nbcompile.notebook import Cell, Notebook
from nbcompile.parameters import read_parameters
from nbcompile.tags import read_tags

Role = Literal["step", "setup", "parameters"]

#: what a called name says about a cell, in order of weight: the step's name where no heading is
_ROLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("train", re.compile(r"fit|fit_transform|train|compile|GridSearchCV|cross_val_\w+|minimize")),
    ("split", re.compile(r"train_test_split")),
    ("load", re.compile(r"read_\w+|load\w*|fetch_\w+|open|loadtxt|get_dataset|make_\w+|download")),
    ("evaluate", re.compile(r"\w*_score|score|predict\w*|confusion_matrix|classification_report")),
    ("save", re.compile(r"to_(csv|parquet|json|excel|pickle|sql)|save\w*|dump")),
    ("plot", re.compile(r"plot\w*|hist|scatter|imshow|bar|barh|boxplot|subplots|figure")),
    ("prepare", re.compile(r"merge|join|groupby|dropna|fillna|concat|apply|assign|pivot\w*|map")),
)
#: calls that fetch what may be something else tomorrow, and not from files that a run notes
_FETCHES = re.compile(
    r"read_(sql\w*|html|hdf|gbq|clipboard)|urlopen|urlretrieve|iterdir|listdir|scandir|walk|i?r?glob"
)
_ADDRESS = re.compile(r"[a-z][a-z0-9+]+://")
_SETTINGS = re.compile(
    r"set_option|set_theme|set_style|filterwarnings|simplefilter|basicConfig|seed|use|"
    r"set_printoptions|set_palette|set_context|update|register_matplotlib_converters"
)
#: what makes of constants something that is no constant to Python
_QUICK = frozenset(
    "Path PurePath expanduser resolve join compile timedelta Decimal Fraction namedtuple TypeVar "
    "NewType getLogger".split()
)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: methods that only look at a value
_LOOKS = frozenset({"head", "tail", "info", "describe", "sample", "value_counts", "nunique"})
#: errors that go away when what makes a value and what reads it are one step
_JOINABLE = frozenset({"NBF201", "NBF202", "NBF207", "NBF208", "NBF210", "NBF211"})
#: those of them that stand at the maker of the value: its readers are in the steps after it
_AT_MAKER = frozenset({"NBF208", "NBF210"})
_SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "for",
        "from",
        "in",
        "into",
        "of",
        "on",
        "or",
        "our",
        "the",
        "to",
        "we",
        "with",
        "your",
    ]
)


@dataclass(frozen=True, slots=True)
class Proposed:
    """What is proposed for one code cell: a tag or none, and why."""

    cell: int
    role: Role | None
    step: str | None
    why: str
    #: whether it fetches what no run sees change: its step is never taken from the cache
    fetches: bool = False

    @property
    def tag(self) -> str | None:
        """The tag as cell metadata: `step:train`, `step:load --no-cache`, `parameters`, `setup`."""
        if self.role != "step":
            return self.role
        return f"step:{self.step}{' --no-cache' if self.fetches else ''}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A tag for each code cell, and what the compiler says of the notebook with these tags."""

    cells: tuple[Proposed, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps, in order."""
        return tuple(dict.fromkeys(one.step for one in self.cells if one.step is not None))


def propose_tags(notebook: Notebook) -> Proposal:
    """Tags that make a flow of the notebook; cells that have tags keep them."""
    cells = tuple(_Walk(notebook).cells())
    while True:
        diagnostics = infer_flow(apply_tags(notebook, cells)).diagnostics
        joined = _join(cells, diagnostics)
        if joined is None:
            return Proposal(cells, diagnostics)
        cells = joined


def apply_tags(notebook: Notebook, cells: tuple[Proposed, ...]) -> Notebook:
    """The notebook with proposed tags as cell metadata; its sources as they are."""
    tags = {one.cell: one.tag for one in cells if one.tag is not None}
    return replace(
        notebook,
        cells=tuple(
            replace(cell, tags=(*cell.tags, tags[cell.index])) if cell.index in tags else cell
            for cell in notebook.cells
        ),
    )


def _join(
    cells: tuple[Proposed, ...], diagnostics: tuple[Diagnostic, ...]
) -> tuple[Proposed, ...] | None:
    """The first two steps that must be one, as one; None where no error asks for it."""
    order = list(dict.fromkeys(one.step for one in cells if one.step is not None))
    of_cell = {one.cell: one.step for one in cells}
    for found in diagnostics:
        step = of_cell.get(found.cell) if found.cell is not None else None
        if found.severity != "error" or found.code not in _JOINABLE or step is None:
            continue
        at = order.index(step) + (found.code in _AT_MAKER)
        if not 0 < at < len(order):
            continue
        first, second = order[at - 1 : at + 1]
        why = f"goes with `{first}`: {found.message}"
        return tuple(
            replace(one, step=first, why=why) if one.step == second else one for one in cells
        )
    return None


class _Walk:
    """Goes through a notebook from the top and decides cell by cell."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._names: dict[str, int] = {}
        self._heading: str | None = None
        self._step: str | None = None
        self._role = ""
        #: the names that the cells so far bind
        self._bound: set[str] = set()
        self._headed = sum(bool(_headings(cell)) for cell in notebook.cells) > 1

    def cells(self) -> Iterator[Proposed]:
        for cell in self._notebook.cells:
            if cell.kind == "markdown":
                self._take_heading(cell)
            elif cell.kind == "code":
                yield self._decide(cell)

    def _take_heading(self, cell: Cell) -> None:
        found = _headings(cell)
        if found and cell.index > 0:
            self._heading = found[-1]

    def _decide(self, cell: Cell) -> Proposed:
        tagged = read_tags(cell)
        if tagged.kind is not None:
            self._step = tagged.step or self._step
            return Proposed(cell.index, None, None, f"is tagged `{tagged.kind}` already")
        lowered = lower(tagged.body, cell.index)
        tree = lowered.tree
        body = [one for one in tree.body if not _is_text(one)]
        if not body:
            return Proposed(cell.index, None, None, _nothing(tagged.body, lowered))
        names = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        again = names & self._bound
        self._bound |= names
        if all(map(_is_definition, body)):
            if again and not any(isinstance(one, _DEFINITIONS) for one in body):
                return self._part(cell, "", f"gives `{min(again)}` a new value")
            return self._definitions(cell, body)
        if self._step is None and _sets_up(body):
            return Proposed(cell.index, "setup", None, "prepares what all steps need")
        if all(map(_only_looks, body)):
            return Proposed(cell.index, None, None, "only looks at a value")
        role = _role(tree)
        part = self._part(cell, role, f"seems to {role}" if role else "goes on with the step")
        if not _fetches(tree):
            return part
        why = f"{part.why}; it reads what may have changed unseen, so it always runs"
        return replace(part, fetches=True, why=why)

    def _definitions(self, cell: Cell, body: list[ast.stmt]) -> Proposed:
        if self._step is None and all(isinstance(one, ast.Assign | ast.AnnAssign) for one in body):
            trial = replace(cell, tags=("parameters",))
            parameters, wrong = read_parameters([read_tags(trial)])
            if parameters and not wrong:
                return Proposed(cell.index, "parameters", None, "has only constants")
        return Proposed(cell.index, None, None, "is taken along by the steps that use it")

    def _part(self, cell: Cell, role: str, why: str) -> Proposed:
        """A cell of a step: of a new one below a heading, or where the work changes."""
        if self._heading is not None:
            why = f"stands under `{self._heading}`"
            self._step, self._role = self._fresh(_slug(self._heading) or role), role
            self._heading = None
        elif self._step is None or (not self._headed and role and role != self._role):
            self._step, self._role = self._fresh(role or "start"), role
        else:
            self._role = self._role or role
        return Proposed(cell.index, "step", self._step, why)

    def _fresh(self, name: str) -> str:
        name = name or "step"
        name = suggest_name(name) if usable_name(name) else name
        self._names[name] = self._names.get(name, 0) + 1
        return name if self._names[name] == 1 else f"{name}_{self._names[name]}"


def _nothing(source: str, lowered: Lowered) -> str:
    """Why nothing of a cell would be in a flow."""
    wrong = next((one for one in lowered.diagnostics if one.severity == "error"), None)
    if wrong is not None and wrong.message.startswith("The cell "):
        return wrong.message.removeprefix("The cell ").rstrip(".")
    if wrong is not None:
        return f"cannot be in a flow: {wrong.message.rstrip('.')}"
    lines = (line.strip() for line in source.splitlines())
    return (
        "is for the kernel only" if any(line.startswith("%") for line in lines) else "has no code"
    )


def _headings(cell: Cell) -> list[str]:
    if cell.kind != "markdown":
        return []
    found = re.findall(r"^#{1,6}\s+(.+?)\s*#*\s*$", cell.source, re.MULTILINE)
    return [re.sub(r"[*_`]|<[^>]+>", "", one).strip() for one in found]


def _slug(heading: str) -> str:
    """`2.1 Load the data` → `load_data`."""
    words = re.findall(r"[^\W\d_]\w*", heading.lower())
    kept = [word for word in words if word not in _SMALL_WORDS] or words
    return "_".join(kept[:4])


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    ) or isinstance(statement, ast.Pass)


def _is_definition(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom():
            return True
        case _ if isinstance(statement, _DEFINITIONS):
            return True
        case ast.Assign([ast.Name()], value) | ast.AnnAssign(ast.Name(), value=ast.expr() as value):
            return _is_literal(value)
    return False


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _sets_up(body: list[ast.stmt]) -> bool:
    """Whether a cell is so quick, and the same each time, that every process may run it anew."""
    known: set[str] = set()
    for statement in body:
        match statement:
            case ast.Import(names) | ast.ImportFrom(names=names):
                known |= {imported_name(alias) for alias in names}
            case ast.Assign([ast.Name(name)], value) if _is_quick(value, known):
                known.add(name)
            case _ if not (_is_definition(statement) or _is_setting(statement)):
                return False
    return True


def _is_quick(value: ast.expr, known: set[str]) -> bool:
    """Constants, and paths, patterns and the like that are made of them and of what is known."""
    match value:
        case ast.Name(name) | ast.Attribute(ast.Name(name)):
            return name in known
        case ast.BinOp(left, ast.Div(), right) if not _is_literal(left):  # DATA / "raw.csv"
            return _is_quick(left, known) and _is_quick(right, known)
        case ast.Call(ast.Name(name) | ast.Attribute(attr=name), given, keywords):
            parts = [*given, *(one.value for one in keywords)]
            return name in _QUICK and all(_is_quick(one, known) for one in parts)
    return _is_literal(value)


def _is_setting(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(attr=name))):
            return bool(_SETTINGS.fullmatch(name))
        case ast.Assign([ast.Subscript(ast.Attribute(attr="rcParams" | "environ"))]):
            return True
        case ast.Assign([ast.Attribute()], value):  # pd.options.display.width = 100
            return _is_literal(value)
    return False


def _only_looks(statement: ast.stmt) -> bool:
    """A bare value, as the last line of a cell shows it: a name, `df.head()`, `df.x.describe()`."""
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        if value.func.id not in ("show", "display", "describe", "len", "type") or value.keywords:
            return False
        return all(map(_is_value, value.args))
    return _is_value(value)


def _is_value(value: ast.expr) -> bool:
    match value:
        case ast.Name() | ast.Constant():
            return True
        case ast.Attribute(inner) | ast.Subscript(inner):
            return _is_value(inner)
        case ast.Call(ast.Attribute(inner, attr=name)):
            return name in _LOOKS and _is_value(inner)
    return False


def _fetches(tree: ast.Module) -> bool:
    """Whether a cell reads a page, a database or a folder's list, whose changes no run sees.

    Files are not among them: a run notes those that a task has read.
    """
    for one in ast.walk(tree):
        if not isinstance(one, ast.Call):
            continue
        if isinstance(one.func, ast.Attribute) and _FETCHES.fullmatch(one.func.attr):
            return True
        first = one.args[0] if one.args else None
        text = first.value if isinstance(first, ast.Constant) else None
        if isinstance(text, str) and _ADDRESS.match(text):
            return True
    return False


def _role(tree: ast.Module) -> str:
    """What the heaviest call of a cell says that it does."""
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    }
    for role, pattern in _ROLES:
        if any(pattern.fullmatch(name) for name in called):
            return role
    return ""
