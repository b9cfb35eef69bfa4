"""Process state that notebooks rely on without naming it, and how a step hands it to the next.

A notebook's cells share one process: a seed set in one is drawn from in the next, a changed
directory stays changed. Each kind of state here is treated as a variable of its own, which steps
read and write, and knows the lines that save and restore it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from nbcompile.definitions import is_literal
from nbcompile.draws import hidden_draws
from nbcompile.walking import walk

#: a hint is a call that may use the state though it does not name it
Effect = Literal["set", "use", "hint"]


@dataclass(frozen=True, slots=True)
class Ambient:
    """A kind of process state: the variable that carries it and the code that moves it."""

    variable: str
    title: str
    imports: tuple[str, ...]
    restore: tuple[str, ...]
    save: str
    #: a line before the body, for steps that save; how they save what they restored too
    prepare: str = ""
    save_again: str = ""
    #: every later step depends on a change, not only those seen to use it
    pervasive: bool = False


#: variables set since `_before` was taken, None for those removed
_CHANGED_ENVIRON = (
    "{name: os.environ.get(name) for name in _before.keys() | os.environ.keys() "
    "if os.environ.get(name) != _before.get(name)}"
)

_TORCH_STATE = (
    "(torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else {})"
)

AMBIENT: dict[str, Ambient] = {
    "random": Ambient(
        "_random",
        "the state of `random`",
        ("import random",),
        ("random.setstate(_random)",),
        "random.getstate()",
    ),
    "numpy_random": Ambient(
        "_numpy_random",
        "the state of `numpy.random`",
        ("import numpy",),
        ("numpy.random.set_state(_numpy_random)",),
        "numpy.random.get_state()",
    ),
    "torch_random": Ambient(
        "_torch_random",
        "the state of `torch`'s generators",
        ("import torch",),
        (
            "torch.set_rng_state(_torch_random[0])",
            "if _torch_random[1]:",
            "    torch.cuda.set_rng_state_all(_torch_random[1])",
            "else:",
            "    torch.cuda.manual_seed_all(torch.initial_seed())",
        ),
        _TORCH_STATE.format("[]"),
        # a step without a GPU hands on the state of those that others have
        save_again=_TORCH_STATE.format("_torch_random[1]"),
    ),
    "figure": Ambient(
        "_figure",
        "the current figure",
        ("import matplotlib.pyplot",),
        ("matplotlib.pyplot.figure(_figure)",),
        "matplotlib.pyplot.gcf()",
    ),
    "environ": Ambient(
        "_environ",
        "the environment's variables",
        ("import os",),
        (
            "for _name, _value in _environ.items():",
            "    if _value is None:",
            "        os.environ.pop(_name, None)",
            "    else:",
            "        os.environ[_name] = _value",
        ),
        # only what the step changed: the rest is each machine's own, and may be secret
        _CHANGED_ENVIRON,
        prepare="_before = dict(os.environ)",
        save_again=f"_environ | {_CHANGED_ENVIRON}",
        pervasive=True,
    ),
    "cwd": Ambient(
        "_cwd",
        "the current directory",
        ("import os",),
        ("os.chdir(_cwd)",),
        "os.getcwd()",
        pervasive=True,
    ),
    "sys_path": Ambient(
        "_sys_path",
        "the module search path",
        ("import sys",),
        ("sys.path[:] = _sys_path",),
        "list(sys.path)",
        pervasive=True,
    ),
}
#: those that are generators of random numbers
GENERATORS = frozenset(("random", "numpy_random", "torch_random"))
BY_VARIABLE = {ambient.variable: kind for kind, ambient in AMBIENT.items()}

_NOT_DRAWS = frozenset(
    "seed getstate setstate get_state set_state default_rng Generator RandomState "
    "SeedSequence PCG64 MT19937 Philox BitGenerator Random SystemRandom".split()
)
_TORCH_DRAWS = frozenset(
    "rand randn randint randperm rand_like randn_like randint_like normal bernoulli "
    "multinomial poisson".split()
)
_NEW_FIGURE = frozenset("figure subplots subplot_mosaic close switch_backend ion ioff".split())
_PYPLOT_NEUTRAL = frozenset(
    "close style rcParams rc use get_cmap cm switch_backend ion ioff".split()
)

_SETS_ENVIRON = frozenset(
    "os.environ.update os.environ.setdefault os.environ.pop os.environ.clear".split()
)

#: Calls that set an option for the whole process; repeated in later steps.
OPTION_CALLS = frozenset(
    """pandas.set_option pandas.reset_option pandas.options.display numpy.set_printoptions
    numpy.seterr matplotlib.use matplotlib.rc matplotlib.pyplot.rc matplotlib.style.use
    matplotlib.pyplot.style.use matplotlib.rcParams.update matplotlib.pyplot.rcParams.update
    matplotlib.pyplot.switch_backend seaborn.set seaborn.set_theme seaborn.set_style
    seaborn.set_context seaborn.set_palette warnings.filterwarnings warnings.simplefilter
    sklearn.set_config locale.setlocale sys.setrecursionlimit polars.Config.set_tbl_rows
    torch.set_default_dtype torch.set_num_threads torch.set_printoptions
    statsmodels.set_option xarray.set_options dask.config.set decimal.setcontext
    pandas.plotting.register_matplotlib_converters deap.creator.create""".split()
)
#: names of functions that set a library up; where a seed is set, that is no option
_SETS = re.compile(r"_?(set|enable|disable|register|use|patch)(_(?!seed|state).*)?$")
#: packages in which such a name means something else, or must not be called twice
_NOT_OPTIONS = frozenset(
    "random os sys signal asyncio multiprocessing threading faulthandler".split()
)
#: Calls that change the process in a way that nbflow only warns of.
WARNED_CALLS = frozenset(
    """os.putenv os.unsetenv logging.basicConfig logging.disable
    signal.signal socket.setdefaulttimeout os.umask os.nice
    tensorflow.random.set_seed threading.Thread
    atexit.register""".split()
)


def dotted(node: ast.AST, modules: dict[str, str]) -> str | None:
    """The full name that an expression spells, `np.random.seed` → `numpy.random.seed`.

    ``modules`` gives what each imported name stands for; None where the root is not imported.
    """
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in modules:
        return None
    return ".".join([modules[node.id], *reversed(parts)])


def effects(node: ast.AST, modules: dict[str, str]) -> Iterator[tuple[str, Effect, ast.AST]]:
    """The process state that code touches, in order: (kind, what it does, where)."""
    for inner in walk(node):
        if isinstance(inner, ast.Call):
            name = dotted(inner.func, modules)
            if name is not None:
                yield from _call_effects(name, inner)
            for kind in hidden_draws(inner, name):
                yield kind, "hint", inner
        elif isinstance(inner, ast.Subscript) and isinstance(inner.ctx, ast.Store | ast.Del):
            name = dotted(inner.value, modules)
            if name == "os.environ":
                yield "environ", "set", inner
            elif name == "sys.path":
                yield "sys_path", "set", inner
        elif isinstance(inner, ast.AugAssign):
            name = dotted(inner.target, modules)
            if name == "sys.path":
                yield "sys_path", "set", inner


def _call_effects(name: str, node: ast.Call) -> Iterator[tuple[str, Effect, ast.AST]]:
    module, _, function = name.rpartition(".")
    if module == "random" and function not in _NOT_DRAWS:
        yield "random", "use", node
    elif name in ("random.seed", "random.setstate"):
        if node.args or node.keywords:
            yield "random", "set", node
    elif module == "numpy.random" and function not in _NOT_DRAWS:
        yield "numpy_random", "use", node
    elif name in ("numpy.random.seed", "numpy.random.set_state"):
        if node.args or node.keywords:
            yield "numpy_random", "set", node
    elif name in ("torch.manual_seed", "torch.random.manual_seed", "torch.set_rng_state"):
        yield "torch_random", "set", node
    elif module == "torch" and function in _TORCH_DRAWS:
        yield "torch_random", "use", node
    elif module == "matplotlib.pyplot" and function not in _PYPLOT_NEUTRAL:
        yield "figure", "set" if function in _NEW_FIGURE else "use", node
    elif name in _SETS_ENVIRON:
        yield "environ", "set", node
    elif name == "os.chdir":
        yield "cwd", "set", node
    elif module == "sys.path" and function in ("append", "insert", "extend", "remove", "pop"):
        yield "sys_path", "set", node


def is_option_setting(node: ast.stmt, modules: dict[str, str]) -> bool:
    """Whether a statement does nothing but set an option of an imported module.

    That is a call of `pd.set_option` and its like, or an assignment to something inside a module
    (`pd.options.display.width = 80`, `plt.rcParams["figure.dpi"] = 90`, `math.pi = 3`).
    """
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if isinstance(call.func, ast.Name) and call.func.id.endswith("show") and call.args:
            inner = call.args[0]
            call = inner if isinstance(inner, ast.Call) else call
        if isinstance(call.func, ast.Attribute) and call.func.attr == "setLevel":
            return True
        name = dotted(call.func, modules) or ""
        # Matplotlib is reached through other packages too: `sns.mpl.rc(…)`
        known = name.endswith((".mpl.rc", ".plt.rc", ".rcParams.update")) or _sets_library(
            name, call
        )
        return name in OPTION_CALLS or known
    if isinstance(node, ast.Assign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(_inside_module(target, modules) for target in targets)
    return False


def calls_setter(node: ast.stmt, called: Iterable[ast.AST], modules: dict[str, str]) -> bool:
    """Whether a statement calls a function of the notebook that does nothing but set options."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    call = node.value
    if isinstance(call.func, ast.Name) and call.func.id.endswith("show") and call.args:
        inner = call.args[0]
        call = inner if isinstance(inner, ast.Call) else call
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    functions = [one for one in called if isinstance(one, ast.FunctionDef) and one.name == name]
    return (
        len(functions) == 1
        and not call.args
        and not call.keywords
        and any(is_option_setting(one, modules) for one in functions[0].body)
        and all(_only_sets(one, modules) for one in functions[0].body)
    )


def _only_sets(node: ast.stmt, modules: dict[str, str]) -> bool:
    said = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return said or isinstance(node, ast.Pass) or is_option_setting(node, modules)


def _sets_library(name: str, call: ast.Call) -> bool:
    """Whether a call says by its name and its plain arguments that it sets a library up."""
    module, _, function = name.rpartition(".")
    if module.partition(".")[0] in _NOT_OPTIONS or module == "matplotlib.pyplot":
        return False
    given = [*call.args, *(one.value for one in call.keywords)]
    return _SETS.match(function) is not None and all(map(is_literal, given))


def _inside_module(target: ast.expr, modules: dict[str, str]) -> bool:
    place: ast.AST = target
    if not isinstance(place, ast.Attribute | ast.Subscript):
        return False
    while isinstance(place, ast.Subscript):
        place = place.value
    if isinstance(place, ast.Attribute) and isinstance(place.value, ast.Call):
        # `decimal.getcontext().prec = 5`
        return dotted(place.value.func, modules) == "decimal.getcontext"
    name = dotted(place, modules)
    return name is not None and name not in ("os.environ", "sys.path")


def warned_calls(node: ast.AST, modules: dict[str, str]) -> Iterator[tuple[str, ast.Call]]:
    """Calls that change the process and are not carried to later steps."""
    for inner in walk(node):
        if isinstance(inner, ast.Call):
            name = dotted(inner.func, modules)
            if name in WARNED_CALLS:
                yield name, inner
