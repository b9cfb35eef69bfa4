"""Session: nbflow in one shell, from `%load_ext` on; knows which tagged cell runs.

IPython's hooks tell when a cell starts and ends, its transformers pass the cell's text and its
parsed statements through. What is done with a cell is in `wrap`, `tasks` and `watch`.
"""

from __future__ import annotations

import ast
import builtins
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from nbcompile.diagnostics import Diagnostic, has_errors
from nbcompile.flow import Options
from nbcompile.notebook import Cell
from nbcompile.options import merge_options
from nbcompile.tags import read_tags
from nbflow.errors import UserError
from nbflow_magics.branching import FanOut
from nbflow_magics.cells import Cells
from nbflow_magics.changes import Changes
from nbflow_magics.complete import tag_matcher
from nbflow_magics.history import History, shown_text
from nbflow_magics.lines import CommentTags
from nbflow_magics.magics import register_magics, unregister_magics
from nbflow_magics.names import names_of
from nbflow_magics.notebook_path import notebook_path
from nbflow_magics.replay import Replay
from nbflow_magics.running import Running, cell_tags, elsewhere, reads_of
from nbflow_magics.say import TagError, note, say, stale_steps, tell, without_cell
from nbflow_magics.tasks import Tasks
from nbflow_magics.watch import Watch, carried_names
from nbflow_magics.wrap import TASKS, wrap

if TYPE_CHECKING:
    from IPython.core.interactiveshell import (
        ExecutionInfo,
        ExecutionResult,
        InteractiveShell,
    )

    from nbflow.store.records import Status

_SESSIONS: WeakKeyDictionary[InteractiveShell, Session] = WeakKeyDictionary()


def current(shell: InteractiveShell) -> Session | None:
    """The session of a shell, None where nbflow is not loaded."""
    return _SESSIONS.get(shell)


class Session:
    """What nbflow knows and does in one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.steps: dict[str, Options] = {}
        self.fanouts: dict[str, FanOut] = {}
        #: the notebook's file, where the front end tells
        self.path = lambda: notebook_path(shell.user_ns)
        self.cells = Cells(self.path)
        #: what ran here before; it stands in the store that serves the notebook
        self.history = History(self.path)
        #: names that a skipped step would have made
        self.skipped: dict[str, str] = {}
        self.watch = Watch(shell.user_ns, self.cells)
        self.changes = Changes(shell.user_ns, self.watch.makers, self.cells)
        self.replay: Replay | None = None
        #: what was said under each cell; a thing is said once, as long as it holds
        self._told: dict[str, set[Diagnostic]] = {}
        self._stack: list[ExecutionInfo] = []
        self.running: Running | None = None
        self._lines = CommentTags()
        self._statements = _Statements(self)
        self._matcher = tag_matcher(self._step_names, self._user_names)

    # -- coming and going ------------------------------------------------------------------

    def start(self) -> None:
        """Put transformers, hooks, magics and completions into the shell."""
        shell = self.shell
        shell.input_transformers_cleanup.append(self._lines)
        shell.ast_transformers.append(self._statements)
        shell.events.register("pre_run_cell", self._before_cell)
        shell.events.register("post_run_cell", self._after_cell)
        shell.Completer.custom_matchers.append(self._matcher)
        register_magics(shell, self)
        _SESSIONS[shell] = self

    def stop(self) -> None:
        """Take them out again."""
        shell = self.shell
        shell.input_transformers_cleanup.remove(self._lines)
        shell.ast_transformers.remove(self._statements)
        shell.events.unregister("pre_run_cell", self._before_cell)
        shell.events.unregister("post_run_cell", self._after_cell)
        shell.Completer.custom_matchers.remove(self._matcher)
        unregister_magics(shell)
        self.history.close()
        _SESSIONS.pop(shell, None)

    # -- a cell, in order of events --------------------------------------------------------

    def _before_cell(self, info: ExecutionInfo) -> None:
        self._stack.append(info)
        if len(self._stack) > 1:
            return  # a cell run by a magic inside a cell
        source = info.raw_cell or ""
        if source.rstrip().endswith("?"):  # `%%step?` asks for help
            source = ""
        tagged = read_tags(Cell(0, "code", source, cell_tags(info)))
        self.running = Running(info, tagged, merge_options([tagged]))
        metadata = getattr(info, "cell_meta", None) or {}
        self.watch.forget_cells(metadata.get("deletedCells") or ())

    def statements(self, module: ast.Module) -> ast.Module:
        """The running cell's statements as they shall run; `TagError` where its tags are wrong."""
        running = self.running
        if running is None or running.parsed:
            return module
        running.parsed = True
        wrong = (*running.tagged.diagnostics, *running.merged.diagnostics)
        if has_errors(wrong):
            running.idle = True
            raise TagError([without_cell(one) for one in wrong])
        running.names = names_of(module, self.shell.transform_cell)
        names = self.shell.user_ns
        running.before = {name: id(names.get(name)) for name in running.names.binds}
        if running.step is None:
            running.carried = carried_names(module)
            return module
        return self._step_statements(running, running.step, module)

    def _step_statements(self, running: Running, step: str, module: ast.Module) -> ast.Module:
        options, foreach, when = (
            running.merged.options,
            running.merged.foreach,
            running.merged.when,
        )
        within, continues = self._within(running, step)
        self.steps[step] = options
        targets = foreach.targets if foreach is not None else ()
        reads = reads_of(running, within)
        missing = self._skipped_input(reads)
        if missing is not None:
            note(f"{step}: skipped, as it reads `{missing}` of `{self.skipped[missing]}`.")
            self._skip(running, step)
            running.skipped = True
            return ast.Module([], [])
        if self.replay is not None:
            return self._replayed(self.replay, running, step)
        running.reads = self.watch.before(reads)
        ran = running.ran(running.names.binds)
        self.cells.look()
        self.cells.add(ran.cell, step, running.as_ran())
        running.found = self.watch.judge(ran, running.reads)
        running.found += self.changes.before(ran, running.reads)
        steers = (
            foreach is not None,
            when is not None,
            within is not None,
            options.retry,
            options.timeout is not None,
            options.catch,
        )
        if not any(steers):
            return module
        running.tasks = Tasks(
            step=step,
            options=options,
            names=self.shell.user_ns,
            binds=(*targets, *(name for name in running.names.binds if name not in targets)),
            awaits=running.names.awaits,
            cell=running.info.cell_id,
            within=within,
            around=self.fanouts,
            continues=continues,
            live=hasattr(self.shell, "kernel"),
            show=self._show,
            say=note,
        )
        self.shell.user_ns[TASKS] = running.tasks
        return wrap(module, when, foreach)

    def _replayed(self, replay: Replay, running: Running, step: str) -> ast.Module:
        """Nothing of the cell runs: its results come from a run."""
        try:
            names = replay.play(self, step, running.info.raw_cell or "")
        except UserError as error:
            running.idle = True
            raise TagError(error.diagnostics) from None
        running.before = dict.fromkeys(names, 0)
        running.idle = True
        return ast.Module([], [])

    def _within(self, running: Running, step: str) -> tuple[FanOut | None, bool]:
        """The branches that a cell runs in, and whether they are its own step's."""
        each, own = running.merged.options.each, self.fanouts.get(step)
        if each is not None and (own is None or own.cell == running.info.cell_id):
            if each not in self.fanouts:
                raise TagError([self._no_branches(each, running)])
            return self.fanouts[each], False
        if own is not None and running.merged.foreach is None and own.cell is not None:
            return (own, True) if own.cell != running.info.cell_id else (None, False)
        return None, False

    def _no_branches(self, each: str, running: Running) -> Diagnostic:
        if each in self.steps:
            message, fix = f"The step `{each}` of --each does not fan out.", None
        else:
            message = f"The step `{each}` of --each has not run in this kernel."
            fix = f"Run the cell of `{each}` first."
        return Diagnostic("NBF204", "error", message, line=running.tagged.line, fix=fix)

    def _after_cell(self, result: ExecutionResult) -> None:
        if not self._stack or result.info is not self._stack[-1]:
            return  # a cell that started before nbflow was loaded
        self._stack.pop()
        if self._stack or self.running is None:
            return
        running, self.running = self.running, None
        running.count = result.execution_count or 0
        self.cells.add(running.info.cell_id, running.step, running.as_ran())
        names = self.shell.user_ns
        names.pop(TASKS, None)
        names.pop("__nbflow_task__", None)
        if running.idle and not result.success:
            return  # its tags are wrong: nothing of it ran
        if running.step is not None and result.success and not running.idle:
            self._finish_step(running, running.step)
        bound = [
            name
            for name, before in running.before.items()
            if name in names and (result.success or id(names[name]) != before)
        ]
        tasks = running.tasks
        if running.step is not None and tasks is not None and tasks.fanout is not None:
            bound = [running.step] if result.success else []
        if running.skipped:
            bound = []
        if self.replay is not None and running.tagged.kind == "parameters":
            names.update(self.replay.recalled.parameters())
        for name in bound:
            self.skipped.pop(name, None)
        status = self._status(running, result)
        self._remember(running, bound, status)
        ran = running.ran(tuple(bound))
        stale = self.watch.after(ran, running.reads, status)
        if running.step is not None and not running.idle:
            running.found += self.changes.after(ran, running.reads, bool(result.success))
        say([*self._untold(running), *stale_steps(stale)], self.state())
        if self.watch.steps:
            tell(self.shell, running.found, self.state())
        other = elsewhere(running, self.fanouts, result.error_in_exec)
        if other is not None:
            note(other)

    def _untold(self, running: Running) -> list[Diagnostic]:
        """What was found of a cell and has not been said yet."""
        if running.step is None:
            return running.found
        cell = running.info.cell_id or f"step {running.step}"
        told = self._told.get(cell, set())
        self._told[cell] = set(running.found)
        return [one for one in dict.fromkeys(running.found) if one not in told]

    def _finish_step(self, running: Running, step: str) -> None:
        tasks = running.tasks
        if tasks is None or tasks.fanout is None:
            if not (tasks is not None and tasks.continues):
                self.fanouts.pop(step, None)
            if tasks is not None and (tasks.skipped or tasks.failed):
                if tasks.skipped:
                    note(f"{step}: skipped, as --when is false.")
                self._skip(running, step)
                running.skipped = True
            return
        tasks.fanout.cell = self.fanouts[step].cell if tasks.continues else running.info.cell_id
        self.fanouts[step] = tasks.fanout
        self.shell.user_ns[step] = tasks.fanout.sequence()

    def _status(self, running: Running, result: ExecutionResult) -> Status:
        tasks = running.tasks
        if not result.success or (tasks is not None and tasks.failed):
            return "failed"
        return "skipped" if running.skipped else "succeeded"

    def _remember(self, running: Running, bound: list[str], status: Status) -> None:
        if running.step is None or running.idle:
            return
        tasks = running.tasks
        if tasks is not None and tasks.fanout is not None:
            failed = sum(branch.error is not None for branch in tasks.fanout)
            made: dict[str, Any] = {"tasks": len(tasks.fanout.branches)}
            if failed:
                made["failed"] = failed
        else:
            values = {name: self.shell.user_ns[name] for name in bound}
            made = {n: v for n, v in values.items() if not issubclass(type(v), ModuleType)}
        outputs = getattr(self.shell.history_manager, "outputs", {})
        self.history.add(
            running.step,
            running.info.cell_id,
            running.started,
            status,
            running.info.raw_cell or "",
            made,
            shown_text(outputs.get(running.count, ())),
        )

    def _skip(self, running: Running, step: str) -> None:
        """A skipped step leaves no values, not even those of an earlier execution."""
        for name in self.watch.made_by(step):
            self.shell.user_ns.pop(name, None)
        self.skipped.update(dict.fromkeys((*running.names.binds, step), step))

    def _skipped_input(self, reads: list[str]) -> str | None:
        known = self.shell.user_ns
        return next((name for name in reads if name in self.skipped and name not in known), None)

    def state(self) -> dict[str, Any]:
        """The steps as this kernel knows them, for a front end."""
        steps = {
            name: {
                "state": run.state,
                "cells": sorted(filter(None, run.cells)),
            }
            for name, run in self.watch.steps.items()
        }
        return {"steps": steps}

    # -- small things ----------------------------------------------------------------------

    def _show(self, value: Any) -> None:
        from IPython.core.displayhook import DisplayHook
        from IPython.display import display

        quiet: Any = DisplayHook.semicolon_at_end_of_expression
        if self.running is None or not quiet(self.running.info.raw_cell):
            display(value)  # type: ignore[no-untyped-call]

    def _step_names(self) -> list[str]:
        return list(dict.fromkeys((*self.steps, *self.cells.steps())))

    def _user_names(self) -> list[str]:
        hidden = self.shell.user_ns_hidden
        return [
            name
            for name in self.shell.user_ns
            if not name.startswith("_") and name not in hidden and not hasattr(builtins, name)
        ]


class _Statements(ast.NodeTransformer):
    """Passes a cell's statements to the session, as IPython hands them out."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, ast.Module):
            return node
        alone = self._session.shell.ast_transformers == [self]
        if not alone:
            ast.fix_missing_locations(node)  # what others have put in may have no place yet
        module = self._session.statements(node)
        return _AsParsed(module) if alone and module is node else module


class _AsParsed(ast.Module):
    """A cell whose statements nobody has changed: IPython need not look for nodes without a place.

    It does so in every node of what a transformer has seen, which would take as long as all that
    nbflow does with the cell.
    """

    _fields = ()

    def __init__(self, module: ast.Module) -> None:
        ast.AST.__init__(self)  # which goes by the fields
        self.body = module.body
        self.type_ignores = module.type_ignores
