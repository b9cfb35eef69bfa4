"""The live view of a run: its steps with counts and bars, errors, metrics, and a cancel button.

Drawn with ipywidgets where they are installed, else as an output that is updated. A thread of its
own watches the store; the run itself knows nothing of it.
"""

from __future__ import annotations

import subprocess
import threading
import time
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.errors import StoreError
from nbflow.store.records import FINAL

if TYPE_CHECKING:
    from nbflow.client.run import Run

#: seconds between two looks at the store
_PACE = 0.5
#: seconds for which the store may be away
_PATIENCE = 60.0
#: rows of a fan-out in the table of metrics
_ROWS = 8


class RunView:
    """Follows a run that is being started, until it has ended."""

    def __init__(self, folder: Path, location: str | None = None) -> None:
        self._folder = folder
        self._location = location
        self.path: str | None = None
        self.status = "starting"
        #: where it did not succeed: why, as far as that is known
        self.why = ""
        self._ended = threading.Event()
        self._unwanted = False
        self._place = _place(self.cancel)
        self._place.draw("Compiling the notebook and starting its run…", "")

    def follow(self, started: subprocess.Popen[bytes] | str) -> None:
        """Watch a run, or the process that starts one, in a thread: returns at once."""
        threading.Thread(target=self._watch, args=(started,), daemon=True).start()

    def wait(self) -> str:
        """Wait for the run's end; its status."""
        self._ended.wait()
        return self.status

    def cancel(self) -> None:
        """Ask the run to stop, as soon as it is there."""
        self._unwanted = True
        if self.path is not None:
            self._cancel(self.path)

    def _cancel(self, path: str) -> None:
        from nbflow.client.run import Run

        Run(path, self._store()).cancel()

    def _watch(self, started: subprocess.Popen[bytes] | str) -> None:
        from nbflow_magics.start import read_answer

        try:
            self.path, why = (started, "") if isinstance(started, str) else read_answer(started)
            if self.path is None:
                self.status, self.why = "failed", why
                self._place.draw(why, f"<pre>{escape(why)}</pre>", over=True)
                return
            if self._unwanted:  # cancelled before it had a path; asking twice does no harm
                self._cancel(self.path)
            self._follow_run()
        except Exception as error:  # a view that breaks must not stay silent in its thread
            again = f"`%nbflow watch {self.path}` looks again." if self.path else ""
            self.why = f"The view of the run has failed: {error or repr(error)} {again}".strip()
            self._place.draw(self.why, "", over=True)
        finally:
            self._ended.set()

    def _follow_run(self) -> None:
        from nbflow.client.run import Run

        assert self.path is not None
        run = Run(self.path, self._store())
        heard = time.monotonic()
        while True:
            try:
                self.status = run.status
                over = self.status in FINAL
                self._place.draw(repr(run), live_html(run), over)
                heard = time.monotonic()
            except StoreError:  # it is busy or away for a while: the run goes on
                if time.monotonic() - heard > _PATIENCE:
                    raise
                over = False
            if over:
                self.why = _reason(run)
                return
            self._ended.wait(_PACE)

    def _store(self) -> Any:
        # each thread has its own: SQLite's connections are not shared
        from nbflow.config import find_store

        return find_store(self._folder, self._location)


def live_html(run: Run) -> str:
    """The run as it stands now."""
    from nbflow.client.html import code, dim, page, rows_table, status, table, title
    from nbflow.client.show import step_rows
    from nbflow.client.text import duration

    totals = _totals(run)
    rows = []
    for name, counts, seconds in step_rows(run):
        done = sum(count for state, count in counts.items() if state in FINAL)
        total = max(totals.get(name, 1), sum(counts.values()))
        bar = f'<progress value="{done}" max="{max(total, 1)}"></progress>'
        told = " ".join(status(state, count) for state, count in counts.items())
        rows.append((escape(name), bar, f"{done:,} of {total:,}", told, dim(duration(seconds))))
    parts = [
        title(run.path, status(run.status), dim(duration(run.duration))),
        table(("step", "", "tasks", "", "took"), rows),
    ]
    said = _error(run)
    if said:
        parts.append(code(said))
    parts += [rows_table(metrics) for metrics in _metrics(run)]
    return page(*parts)


def _error(run: Run) -> str:
    """What went wrong, and where; nothing where nothing is known to."""
    error = run.record.error
    if error is not None:
        where = "" if error.get("cell") is None else f", cell {error['cell']}, line {error['line']}"
        task = "/".join(filter(None, (error["step"], error["task"])))
        return f"{task}{where}: {error['type']}: {error['message']}".removeprefix(": ")
    if run.status == "lost":
        from nbflow.client.lost import why_lost

        return why_lost(run)
    return ""


def _reason(run: Run) -> str:
    """Why a run did not succeed, for who waits for it."""
    if run.status == "succeeded":
        return ""
    told = "was" if run.status in ("cancelled", "lost") else "has"
    said = _error(run)
    return f"{run.path} {told} {run.status}{f': {said}' if said else '.'}"


def _totals(run: Run) -> dict[str, int]:
    """How many tasks each fan-out has, as far as its items are known."""
    from nbflow.store.browse import splits

    found = splits(run.store, run.id)
    return {
        step.name: found[step.line[-1]].items
        for step in run.spec.steps
        if step.line and step.line[-1] in found
    }


def _metrics(run: Run) -> list[list[dict[str, Any]]]:
    """The small numbers that tasks have left so far: a row for all plain steps, then fan-outs."""
    from nbflow.runtime.spec import key_text, read_key
    from nbflow.values.codecs import decode_inline
    from nbflow.values.ref import Ref

    plain: dict[str, Any] = {}
    tables: list[list[dict[str, Any]]] = []
    for step in run.spec.steps:
        rows = []
        for record in run.store.tasks(run.id, step.name, limit=_ROWS):
            refs = {name: Ref.from_json(data) for name, data in record.artifacts.items()}
            small = {name: decode_inline(ref) for name, ref in refs.items() if not ref.at}
            numbers = {
                name: value
                for name, value in small.items()
                if isinstance(value, (int, float)) and not isinstance(value, bool)
            }
            if not step.line:
                plain.update(numbers)
            elif numbers:
                key = key_text(read_key(record.key))
                rows.append({step.name: key, "item": record.item, **numbers})
        if rows:
            tables.append(rows)
    return [*([[plain]] if plain else []), *tables]


class _Widgets:
    """The view as widgets: its content, and a button that works while the kernel is idle."""

    def __init__(self, widgets: Any, cancel: Any) -> None:
        from IPython.display import display

        self._html = widgets.HTML()
        self._button = widgets.Button(description="Cancel", tooltip="Ask the run to stop")
        self._button.on_click(lambda _: cancel())
        display(widgets.VBox([self._html, self._button]))  # type: ignore[no-untyped-call]
        self._last = ""

    def draw(self, text: str, markup: str, over: bool = False) -> None:
        """Show this instead of what was shown."""
        content = markup or escape(text)
        if content != self._last:
            self._html.value = self._last = content
        if over:
            self._button.layout.display = "none"


class _Output:
    """The view as an output that is updated, where there are no widgets."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._last = ""

    def draw(self, text: str, markup: str, over: bool = False) -> None:
        """Show this instead of what was shown."""
        from IPython.display import display

        if text + markup == self._last:
            return
        self._last = text + markup
        bundle = {"text/plain": text, "text/html": markup or escape(text)}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)


def _place(cancel: Any) -> _Widgets | _Output:
    from IPython.core.getipython import get_ipython

    if hasattr(get_ipython(), "kernel"):
        try:
            import ipywidgets  # type: ignore[import-untyped]
        except ImportError:
            return _Output()
        return _Widgets(ipywidgets, cancel)
    return _Output()
