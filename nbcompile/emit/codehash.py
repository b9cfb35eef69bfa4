"""Code hashes: of each step's module and of what it uses of the shared modules."""

from __future__ import annotations

import ast
import warnings
from hashlib import blake2b

from nbcompile.emit.imports import bound_names
from nbcompile.emit.names import bindings
from nbcompile.flow import Step


def digest(text: str) -> str:
    """The hash of a text."""
    return blake2b(text.encode(), digest_size=32).hexdigest()


class SharedCode:
    """The statements of `common`, each with the names it binds and those it uses."""

    def __init__(self, common: str, support: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(common)
        self._units: list[tuple[str, frozenset[str]]] = []
        self._binder: dict[str, list[int]] = {}
        self._always: list[int] = []
        self._support = digest(support)
        lines = common.split("\n")
        for number, node in enumerate(tree.body):
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            decorators = getattr(node, "decorator_list", [])
            text = "\n".join([*(ast.unparse(decorator) for decorator in decorators), text])
            names = bindings([node])
            self._units.append((text, frozenset(_words(node))))
            for name in names:
                self._binder.setdefault(name, []).append(number)
            star = isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
            if star or (not names and not _says_nothing(node)):
                self._always.append(number)

    def hash_of(self, step: Step, module: str) -> str:
        """The hash of a step's code: its module and, transitively, what it uses of `common`."""
        parts = [module]
        if "common" in module or step.calls:
            used = {*self._always} if "common" in module else set()
            for name in step.calls:
                used.update(self._binder.get(name, ()))
            for reads in (step.reads, *(e.reads for e in (step.foreach, step.when) if e)):
                for name in (*reads.common, *reads.bind):
                    used.update(self._binder.get(name.partition(" ")[0], ()))
            for name in step.shared:
                used.update(self._binder.get(name, ()))
            for line in step.preamble:
                if " = common." in line:
                    used.update(self._binder.get(line.partition(" = common.")[2], ()))
            parts += [self._units[number][0] for number in sorted(self._closure(used))]
        if ".notebook import" in module or ".notebook import" in "".join(parts):
            parts.append(self._support)
        return digest("\0".join(parts))

    def _closure(self, used: set[int]) -> set[int]:
        queue = list(used)
        while queue:
            for name in self._units[queue.pop()][1]:
                for number in self._binder.get(name, ()):
                    if number not in used:
                        used.add(number)
                        queue.append(number)
        return used


def _words(node: ast.stmt) -> set[str]:
    """Every name that a statement may use, also in strings that are annotations."""
    words = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            words.update(inner.value.split()[:1] if inner.value.isidentifier() else ())
    return words


def _says_nothing(node: ast.stmt) -> bool:
    """A docstring, a declaration, an import: what is there only for others."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return bool(bound_names(ast.unparse(node)))
    declared = isinstance(node, ast.AnnAssign) and node.value is None
    return declared or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
