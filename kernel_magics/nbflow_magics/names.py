"""Which names a cell reads and binds: what the kernel must know before and after it runs.

The compiler's own analysis judges a whole notebook and sees more (changes in place, calls). Here a
look at the bytecode is enough, exact for bindings, and takes microseconds.
"""

from __future__ import annotations

import ast
import dis
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType

from nbflow_magics.lines import PYTHON_BODY

_LOADS = frozenset({"LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_BINDS = frozenset({"STORE_NAME", "STORE_GLOBAL"})
_UNBINDS = frozenset({"DELETE_NAME", "DELETE_GLOBAL"})
_OF_INTEREST = {
    code: name
    for name, code in dis.opmap.items()
    if name in _LOADS | _BINDS | _UNBINDS | {"LOAD_GLOBAL", "EXTENDED_ARG"}
}


@dataclass(frozen=True, slots=True)
class Names:
    """Names from outside that a cell may read, and those it may bind, in order of appearance."""

    reads: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    awaits: bool = False


def names_of(module: ast.Module, transform: Callable[[str], str]) -> Names:
    """The names of a parsed cell; ``transform`` is IPython's, for the bodies of cell magics."""
    try:
        code = compile(module, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError):
        return Names()  # IPython is about to say so itself
    reads: dict[str, None] = {}
    binds: dict[str, None] = {}
    for name, bound in _module_names(code):
        if bound:
            binds[name] = None
        elif name not in binds:
            reads[name] = None
    awaits = bool(code.co_flags & 0x80)  # inspect.CO_COROUTINE
    for body in _magic_bodies(module, transform):
        inner = names_of(body, transform)
        reads.update(dict.fromkeys(name for name in inner.reads if name not in binds))
        binds.update(dict.fromkeys(inner.binds))
    return Names(tuple(reads), tuple(binds), awaits)


def global_reads(code: CodeType) -> frozenset[str]:
    """Names that the code of a function reads as globals when it is called."""
    return frozenset(name for name, bound in _nested_names(code) if not bound)


def _module_names(code: CodeType) -> Iterator[tuple[str, bool]]:
    """Each use of a name by the module's own code in order, then what its functions use."""
    for operation, name in _uses(code):
        if operation not in _UNBINDS:
            yield name, operation in _BINDS
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _nested_names(const)


def _nested_names(code: CodeType) -> Iterator[tuple[str, bool]]:
    own: set[str] = set()  # a class body's own names
    for operation, name in _uses(code):
        if operation == "STORE_NAME":
            own.add(name)
        elif operation not in _UNBINDS and name not in own:
            yield name, operation == "STORE_GLOBAL"
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _nested_names(const)


def _uses(code: CodeType) -> Iterator[tuple[str, str]]:
    """(operation, name) of every instruction that names something global."""
    extended = 0
    raw = code.co_code
    for at in range(0, len(raw), 2):
        operation = _OF_INTEREST.get(raw[at])
        if operation is None:
            extended = 0
            continue
        argument = extended | raw[at + 1]
        if operation == "EXTENDED_ARG":
            extended = argument << 8
            continue
        extended = 0
        # the lowest bit of LOAD_GLOBAL's argument says how the value is called
        yield operation, code.co_names[argument >> 1 if operation == "LOAD_GLOBAL" else argument]


def _magic_bodies(module: ast.Module, transform: Callable[[str], str]) -> Iterator[ast.Module]:
    """The Python inside `%%time` and its like, which reaches the shell as a string."""
    for statement in module.body:
        match statement:
            case ast.Expr(
                ast.Call(
                    ast.Attribute(attr="run_cell_magic"),
                    [ast.Constant(str(magic)), ast.Constant(str(line)), ast.Constant(str(body))],
                )
            ) if magic in PYTHON_BODY:
                try:
                    inner = ast.parse(transform(body))
                except (SyntaxError, ValueError):
                    continue
                if magic == "capture" and line.split() and not line.split()[-1].startswith("-"):
                    bound = ast.parse(f"{line.split()[-1]} = None")
                    inner.body.extend(bound.body)
                yield inner
