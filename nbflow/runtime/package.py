"""Package: a compiled flow imported in this process, and kept clean between tasks."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nbflow.runtime.generators import Generators
from nbflow.runtime.spec import FlowSpec, StepSpec

if TYPE_CHECKING:
    from nbflow.runtime.capture import Capture


class LoadedPackage:
    """The modules of one version.

    Steps run in the same process one after another, as the tasks of a fan-out do. What a step sets
    in `common` (late-bound names) must not be seen by the next task: `reset` takes it back.
    """

    def __init__(self, spec: FlowSpec, folder: Path) -> None:
        self.spec = spec
        self._name = spec.package
        self._path = str(folder)
        # another version may have been imported in this process
        self._others = self._forget()
        sys.path.insert(0, self._path)
        self._finder = _AsMain(spec.package)
        sys.meta_path.insert(0, self._finder)
        self._held_show: Any = None
        self._held_columns = False
        self._functions: dict[str, Callable[..., Any]] = {}
        self.generators = Generators(folder / spec.package / "common.py")
        self.common = self._import_optional(f"{spec.package}.common")
        self.notebook = self._import_optional(f"{spec.package}.notebook")
        self.generators.after_setup()
        self._fresh = dict(vars(self.common)) if self.common else {}

    def function(self, path: str) -> Callable[..., Any]:
        """The function that `module:name` means."""
        function = self._functions.get(path)
        if function is None:
            module, _, name = path.partition(":")
            function = getattr(importlib.import_module(module), name)
            self._functions[path] = function
        return function

    def load(self, step: StepSpec) -> None:
        """Import the module of a step."""
        self.function(step.call.function)

    def hook(self, capture: Capture) -> None:
        """Have shown values and figures go to the task's outputs."""
        if self.notebook is not None:
            self.notebook._emit = capture.show  # type: ignore[attr-defined]
            self.notebook._echo = capture.echo  # type: ignore[attr-defined]
            self.notebook._figures = capture.show_figures  # type: ignore[attr-defined]
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None and self._held_show is None:
            self._held_show = pyplot.show

            # a plain function: matplotlib sets attributes of it
            def show(*_: Any, **__: Any) -> None:
                # the notebook's own hook is one that `%%capture` takes over
                hooked = vars(self.notebook)["_figures"] if self.notebook else capture.show_figures
                hooked(ended=False)

            pyplot.show = show  # type: ignore[attr-defined]

        self._hook_pandas()

    def _hook_pandas(self) -> None:
        """Have frames shown as wide as in a notebook: pandas takes a task for a terminal."""
        pandas = sys.modules.get("pandas")
        if pandas is not None and pandas.get_option("display.max_columns") == 0:
            pandas.set_option("display.max_columns", 20)
            self._held_columns = True

    def close(self) -> None:
        """Leave the process as it was before the import."""
        self._forget()
        sys.modules.update(self._others)
        sys.meta_path.remove(self._finder)
        with contextlib.suppress(ValueError):
            sys.path.remove(self._path)
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None and self._held_show is not None:
            pyplot.show = self._held_show  # type: ignore[attr-defined]
        if self._held_columns:
            sys.modules["pandas"].set_option("display.max_columns", 0)

    def _forget(self) -> dict[str, ModuleType]:
        """Take the package's modules away; returns them."""
        names = [n for n in sys.modules if n.partition(".")[0] == self._name]
        return {name: sys.modules.pop(name) for name in names}

    @contextmanager
    def as_main(self) -> Iterator[None]:
        """The module of the user's definitions is `__main__` meanwhile, as in the notebook."""
        if self.common is None:
            yield
            return
        held = sys.modules["__main__"]
        sys.modules["__main__"] = self.common
        try:
            yield
        finally:
            sys.modules["__main__"] = held

    def reset(self) -> None:
        """Put the names of `common` back as they were after its import."""
        if self.common is None:
            return
        names = vars(self.common)
        if len(names) != len(self._fresh) or any(
            value is not self._fresh.get(name, self) for name, value in names.items()
        ):
            names.clear()
            names.update(self._fresh)

    def _import_optional(self, name: str) -> ModuleType | None:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            return None


class _AsMain(MetaPathFinder):
    """Runs the modules that hold the user's cells as `__main__`, which they are in a notebook.

    So classes print as there, and `if __name__ == "__main__"` holds.
    """

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of the package's own modules, and nobody else's."""
        if fullname != f"{self._package}.common" and not fullname.startswith(
            f"{self._package}.steps."
        ):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _MainLoader(fullname, spec.origin)
        return spec


class _MainLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        code = self.get_code(self.name)
        assert code is not None
        module.__name__ = "__main__"
        exec(code, vars(module))
