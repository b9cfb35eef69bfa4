"""Kernel: the notebook run from its top in a fresh kernel, what its steps leave and print kept."""

from __future__ import annotations

import os
import pickle
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbcompile.notebook import Notebook
from nbcompile.spelling import with_comment_tags
from nbflow.errors import user_error
from nbflow.kernels import private_connection
from nbflow.verify.budget import Budget
from nbflow.verify.pictures import picture_of

#: outputs that nbflow itself shows in the kernel: progress bars, notes
_OURS = "application/vnd.nbflow.cell+json"
_WIDGET = "application/vnd.jupyter.widget-view+json"
#: seconds that a kernel may take to start
_START = 60


@dataclass(slots=True)
class KernelStep:
    """A step as it was in the kernel: its variables at its end, what its cells printed."""

    values: dict[str, Any] = field(default_factory=dict)
    printed: str = ""
    #: shown pictures, as `picture_of` has them
    pictures: list[str] = field(default_factory=list)
    #: whether warnings and the like were printed, which name other files and lines in a flow
    noisy: bool = False
    #: whether widgets were shown, such as progress bars, which are text in a flow
    widgets: bool = False


@dataclass(frozen=True, slots=True)
class KernelRun:
    """A notebook's run in a kernel; ``error`` says where it stopped."""

    steps: dict[str, KernelStep]
    error: str | None = None
    #: the cell that failed
    cell: int | None = None


def run_in_kernel(
    notebook: Notebook,
    steps: Mapping[str, tuple[Sequence[int], Sequence[str]]],
    folder: Path,
    scratch: Path,
    hash_seed: int = 0,
    bound: Mapping[int, Mapping[str, Any]] | None = None,
    budget: Budget | None = None,
) -> KernelRun:
    """Run every code cell; ``steps`` gives each step's cells and variables.

    ``hash_seed`` decides the order of sets, which differs from process to process otherwise.
    ``bound`` are names that have another value once the cell of that number has run.
    """
    try:
        from jupyter_client.manager import KernelManager
    except ImportError:
        raise user_error(
            "NBF403",
            "To verify, nbflow starts a kernel, which is not installed here.",
            "pip install ipykernel jupyter_client",
        ) from None
    with private_connection() as connection:
        manager: Any = KernelManager(kernel_name="python3", **connection)
        manager.start_kernel(
            cwd=str(folder),
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        )
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=_START)
            return _Session(client, steps, scratch, bound or {}, budget or Budget()).run(notebook)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


class _Session:
    def __init__(
        self,
        client: Any,
        steps: Mapping[str, tuple[Sequence[int], Sequence[str]]],
        scratch: Path,
        bound: Mapping[int, Mapping[str, Any]],
        budget: Budget,
    ) -> None:
        self._client = client
        self._steps = steps
        self._scratch = scratch
        self._bound = bound
        self._budget = budget
        self._of_cell = {cell: name for name, (cells, _) in steps.items() for cell in cells}

    def run(self, notebook: Notebook) -> KernelRun:
        run = KernelRun({name: KernelStep() for name in self._steps})
        self._silently("import os; os.environ['NBFLOW_HISTORY'] = '0'\n%load_ext nbflow")
        self._silently("__import__('nbflow.verify.pipes').verify.pipes.use_pipes(get_ipython())")
        for cell in notebook.cells:
            if cell.kind != "code" or not cell.source.strip():
                continue
            messages: list[Any] = []
            try:
                reply = self._client.execute_interactive(
                    with_comment_tags(cell),
                    output_hook=messages.append,
                    allow_stdin=False,
                    timeout=self._budget.left(),
                )["content"]
            except TimeoutError:
                late = self._budget.sentence("it")
                return KernelRun(run.steps, late, cell.index)
            if cell.index in self._bound:
                self._bind(self._bound[cell.index])
            step = self._of_cell.get(cell.index)
            if step is not None:
                self._take(run.steps[step], messages)
            if reply["status"] != "ok":
                told = f"{reply.get('ename', 'Error')}: {reply.get('evalue', '')}"
                return KernelRun(run.steps, told.strip(": "), cell.index)
            if step is not None and cell.index == max(self._steps[step][0]):
                run.steps[step].values = self._values(step)
        return run

    def _take(self, step: KernelStep, messages: list[Any]) -> None:
        for message in messages:
            content = message["content"]
            if message["msg_type"] == "stream":
                step.printed += content["text"] if content["name"] == "stdout" else ""
                step.noisy = step.noisy or content["name"] == "stderr"
            elif message["msg_type"] in ("display_data", "execute_result"):
                data = content["data"]
                picture = picture_of(data)
                if picture is not None:
                    step.pictures.append(picture)
                elif _WIDGET in data:
                    step.widgets = True
                elif _OURS not in data and "<progress " not in data.get("text/html", ""):
                    step.printed += f"{data.get('text/plain', '')}\n"

    def _values(self, step: str) -> dict[str, Any]:
        from nbflow.verify.dump import load

        path = self._scratch / f"{step}.pickle"
        names = [*self._steps[step][1], step]
        module = "__import__('nbflow.verify.dump').verify.dump"
        self._silently(f"{module}.dump(globals(), {names!r}, {str(path)!r})")
        return load(path) if path.exists() else {}

    def _bind(self, values: Mapping[str, Any]) -> None:
        data = pickle.dumps(dict(values))
        self._silently(f"globals().update(__import__('pickle').loads({data!r}))")

    def _silently(self, code: str) -> None:
        self._client.execute_interactive(
            code, silent=True, store_history=False, output_hook=lambda _: None, timeout=120
        )
