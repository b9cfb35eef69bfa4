"""The runner of a package: its graph as code that a person can read and run, in plain Python.

It means what a run means: an input is the value of the nearest step that ran and bound it; a step
whose input nobody made is skipped; each task of a fan-out has its own values.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from nbcompile.emit.imports import sorted_imports
from nbcompile.emit.step import argument_names, expression_arguments, function_name
from nbcompile.flow import Expression, Flow, Input, Step

_SKIP = '''
class Skipped(Exception):
    """The steps that make an input were skipped."""


def first(name: str, *sources: Any) -> Any:
    """The value of a name from the nearest step that ran and bound it."""
    for source in sources:
        if source is not None and name in source:
            return source[name]
    raise Skipped(name)

'''
_JOIN = '''
def joined(name: str, fan_out: FanOut | None) -> Branches:
    """The branches of a fan-out, unless all of it was skipped."""
    if fan_out is None:
        raise Skipped(name)
    return fan_out.branches

'''
_RETRY = '''
def retried(function: Callable[..., Any], times: int, delay: float) -> Callable[..., Any]:
    """The function, tried again when it fails."""

    def call(**inputs: Any) -> Any:
        for _ in range(times):
            try:
                return function(**inputs)
            except Exception as error:
                print(f"{function.__name__} failed, trying again: {error!r}")
                time.sleep(delay)
        return function(**inputs)

    return call

'''


def runner_source(flow: Flow, package: str) -> str:
    """The module `flow`."""
    return _Runner(flow, package).source()


def fanout_lines(flow: Flow) -> dict[str, tuple[str, ...]]:
    """For each step the fan-outs that a task of it is in, outermost first."""
    lines: dict[str, tuple[str, ...]] = {}
    for step in flow.steps:
        outer = lines.get(step.options.each, ()) if step.options.each else ()
        lines[step.name] = (*outer, step.name) if step.foreach else outer
    return lines


class _Runner:
    """Writes `run`, step by step."""

    def __init__(self, flow: Flow, package: str) -> None:
        self.flow = flow
        self.package = package
        self.steps = {step.name: step for step in flow.steps}
        self.lines_of = fanout_lines(flow)
        self.skippable: set[str] = set()
        self.used: set[str] = set()
        for step in flow.steps:
            if self._may_skip(step):
                self.skippable.add(step.name)
        self.reserved = {"params", "index", "item", "items", "branch", "values", "error", "run"}
        for step in flow.steps:
            names = (function_name(step), f"{step.name}_items", f"{step.name}_when")
            self.reserved.update((*names, self._made(step.name)))

    def source(self) -> str:
        body = [line for step in self.flow.steps for line in self._step(step)]
        imports = ["from __future__ import annotations", "from typing import Any"]
        for step in self.flow.steps:
            names = [function_name(step)]
            names += [f"{step.name}_items"] if step.foreach else []
            names += [f"{step.name}_when"] if step.when else []
            imports += [f"from {self.package}.steps.{step.name} import {name}" for name in names]
        if self.flow.parameters:
            imports.append(f"from {self.package}.params import Params")
        helpers = ""
        if {"first", "joined"} & self.used or "Skipped" in self.used:
            helpers += _SKIP
        if "joined" in self.used:
            helpers += _JOIN
        if "retried" in self.used:
            helpers += _RETRY
            imports += ["import time", "from collections.abc import Callable"]
        if "suppress" in self.used:
            imports.append("from contextlib import suppress")
        if "copy" in self.used:
            imports.append("import copy")
        if any(self.lines_of.values()):
            classes = "Branches, FanOut" if "joined" in self.used else "FanOut"
            imports.append(f"from {self.package}.branches import {classes}")
        head = "\n".join(sorted_imports(imports, self.package))
        argument = "params: Params | None = None" if self.flow.parameters else ""
        results = ", ".join(f'"{s.name}": {self._result(s)}' for s in self.flow.steps)
        start = "    params = params or Params()\n" if self.flow.parameters else ""
        indented = "\n".join(f"    {line}".rstrip() for line in body)
        return (
            f'"""The flow {self.flow.name}: its steps, in order, and what passes between them."""\n'
            f"\n{head}\n\n{helpers}\n"
            f"def run({argument}) -> dict[str, Any]:\n"
            '    """Run every step; what each one made."""\n'
            f"{start}{indented}\n    return {{{results}}}\n"
        )

    # -- what may be missing ---------------------------------------------------------------

    def _may_skip(self, step: Step) -> bool:
        if step.when is not None or step.options.catch:
            return True
        return any(not self._surely(step, one) for one in self._all_inputs(step))

    def _all_inputs(self, step: Step) -> Iterator[Input]:
        for expression in (step.foreach, step.when):
            if expression is not None:
                yield from expression.reads.inputs
        yield from step.reads.inputs

    def _surely(self, step: Step, one: Input) -> bool:
        """Whether an input has a value however the run goes."""
        if one.kind == "fanout":
            return self._always_made(one.sources[0])
        return any(
            not source
            or (source not in self.skippable and one.name not in self.steps[source].maybe)
            for source in one.sources
        )

    # -- one step --------------------------------------------------------------------------

    def _step(self, step: Step) -> Iterator[str]:
        if self.lines_of[step.name]:
            yield from self._fanout(step)
            return
        made = self._made(step.name)
        call = f"{made} = {self._call(step)}"
        lines = [call]
        if step.when is not None:
            lines = [f"if {self._when(step)}:", *_inside([call])]
        if step.name in self.skippable:
            yield f"{made} = None"
            lines = list(self._guarded(step, lines, in_branches=False))
        yield from lines

    def _fanout(self, step: Step) -> Iterator[str]:
        made, each = self._made(step.name), step.options.each
        start = f'{made} = FanOut("{step.name}")'
        inner = list(self._split(step) if step.foreach else self._branch(step))
        if each:
            outer = f"for branch in {self._made(each)}.succeeded():"
            if not self._always_made(each):
                made_each = self._made(each)
                outer = f"for branch in {made_each}.succeeded() if {made_each} else ():"
            if step.when is not None:
                inner = [f"if {self._when(step)}:", *_inside(inner)]
            if step.name in self.skippable and not step.options.catch:
                inner = list(self._guarded(step, inner, in_branches=True))
            yield start
            yield outer
            yield from _inside(inner)
            return
        if not self._may_miss(step):
            inner = [start, *inner]
        if step.when is not None:
            inner = [f"if {self._when(step)}:", *_inside(inner)]
        if step.name in self.skippable:
            yield f"{made} = None"
            inner = list(self._guarded(step, inner, in_branches=True))
        yield from inner

    def _split(self, step: Step) -> Iterator[str]:
        assert step.foreach is not None
        renamed = self._renamed_targets(step)
        items = self._expression_call(step, step.foreach, "items")
        single = step.foreach.target in renamed
        item = renamed.get(step.foreach.target, "item")
        if self._may_miss(step):
            # made only when the items are known: a fan-out without items is none
            yield f"items = {items}"
            yield f'{self._made(step.name)} = FanOut("{step.name}")'
            items = "items"
        yield f"for index, {item} in enumerate({items}):"
        if not single:
            target = step.foreach.target
            if any(name != local for name, local in renamed.items()):
                target = _retarget(target, renamed)
            yield f"    {target} = item"
        key = "(*branch.key, index)" if step.options.each else "(index,)"
        parent = ", branch" if step.options.each else ""
        # what the step returns has them too, where other steps read them
        names = [name for name in step.foreach.targets if name not in step.outputs]
        bound = ", ".join(f'"{name}": {renamed[name]}' for name in names)
        bound = f"{{{bound}}}" if bound else ""
        yield from _inside(self._task(step, key, item, parent, bound, renamed))

    def _may_miss(self, step: Step) -> bool:
        """Whether the items of a fan-out that is in no other may have no input."""
        expression = step.foreach if step.options.each is None else None
        inputs = expression.reads.inputs if expression else ()
        return any(not self._surely(step, one) for one in inputs)

    def _branch(self, step: Step) -> Iterator[str]:
        return self._task(step, "branch.key", "branch.item", ", branch.parent", "", {})

    def _task(
        self, step: Step, key: str, item: str, parent: str, bound: str, renamed: dict[str, str]
    ) -> Iterator[str]:
        made = self._made(step.name)
        call = self._call(step, renamed)
        merged = f"{bound} | values" if bound else "values"
        if not step.options.catch:
            yield f"values = {call}"
            yield f"{made}.add({key}, {item}, {merged}{parent})"
            return
        yield "try:"
        yield f"    values = {call}"
        if not self._reads_surely(step):
            self.used.add("Skipped")
            yield "except Skipped:"
            yield "    continue"
        yield "except Exception as error:"
        yield f"    {made}.add({key}, {item}, {bound or '{}'}{parent}, error=error)"
        yield "else:"
        yield f"    {made}.add({key}, {item}, {merged}{parent})"

    def _reads_surely(self, step: Step) -> bool:
        return all(self._surely(step, one) for one in self._all_inputs(step))

    def _guarded(self, step: Step, lines: list[str], in_branches: bool) -> Iterator[str]:
        """The lines, the step being skipped where an input is missing, or where it may fail."""
        sure = self._reads_surely(step)
        if not sure:
            self.used.add("Skipped")
        if step.options.catch and not in_branches:
            yield "try:"
            yield from _inside(lines)
            yield from () if sure else ("except Skipped:", "    pass")
            yield "except Exception as error:"
            yield f'    print(f"{step.name} failed: {{error!r}}")'
        elif sure:
            yield from lines
        else:
            self.used.add("suppress")
            yield "with suppress(Skipped):"
            yield from _inside(lines)

    # -- calls -----------------------------------------------------------------------------

    def _call(self, step: Step, renamed: dict[str, str] | None = None) -> str:
        inputs = {one.name: one for one in step.reads.inputs}
        targets = renamed or {}
        passed = []
        for name in argument_names(step):
            if name in targets:
                value = targets[name]
            elif name in inputs:
                value = self._input(step, inputs[name])
                if self._is_changed_apart(step, inputs[name]):
                    self.used.add("copy")
                    value = f"copy.deepcopy({value})"
            else:
                value = f"params.{name}"
            passed.append(f"{name}={value}")
        function = function_name(step)
        if step.options.retry:
            self.used.add("retried")
            function = f"retried({function}, {step.options.retry}, {step.options.retry_delay})"
        return f"{function}({', '.join(passed)})"

    def _is_changed_apart(self, step: Step, one: Input) -> bool:
        """Whether tasks of a fan-out that run apart would see each other's changes."""
        line = self.lines_of[step.name]
        own = any(source and self.lines_of[source] == line for source in one.sources)
        return bool(line) and one.name in step.outputs and one.kind == "value" and not own

    def _when(self, step: Step) -> str:
        assert step.when is not None
        return self._expression_call(step, step.when, "when")

    def _expression_call(self, step: Step, expression: Expression, suffix: str) -> str:
        inputs = {one.name: one for one in expression.reads.inputs}
        passed = ", ".join(
            f"{name}={self._input(step, inputs[name]) if name in inputs else f'params.{name}'}"
            for name in expression_arguments(expression)
        )
        return f"{step.name}_{suffix}({passed})"

    def _input(self, step: Step, one: Input) -> str:
        if one.kind == "fanout":
            made = self._made(one.sources[0])
            if self._always_made(one.sources[0]):
                return f"{made}.branches"
            self.used.add("joined")
            return f'joined("{one.name}", {made})'
        sources = [self._source(step, source, one.name) for source in one.sources]
        if len(sources) == 1 and self._surely(step, one):
            return f'{sources[0]}["{one.name}"]' if one.sources[0] else f"params.{one.name}"
        self.used.add("first")
        return f'first("{one.name}", {", ".join(sources)})'

    def _source(self, step: Step, source: str, name: str) -> str:
        if not source:
            return f'{{"{name}": params.{name}}}'
        line = self.lines_of[source]
        if not line:
            return self._made(source)
        if source == step.options.each:
            return "branch"
        return f"{self._made(source)}.at(branch.key)"

    def _made(self, step: str) -> str:
        """The variable that holds what a step made."""
        return f"{step}_made"

    def _always_made(self, fanout: str) -> bool:
        """Whether the fan-out is there, be it without tasks: only its split can be skipped."""
        return fanout not in self.skippable or self.steps[fanout].options.each is not None

    def _result(self, step: Step) -> str:
        made = self._made(step.name)
        if not self.lines_of[step.name]:
            return made
        return f"{made}.branches" if self._always_made(step.name) else f"{made} and {made}.branches"

    def _renamed_targets(self, step: Step) -> dict[str, str]:
        """A local name for each variable of the fan-out, which must not hide anything of ours."""
        assert step.foreach is not None
        return {
            name: f"{name}_" if name in self.reserved else name for name in step.foreach.targets
        }


def _inside(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _retarget(target: str, renamed: dict[str, str]) -> str:
    loop = ast.parse(f"for {target} in x: pass").body[0]
    assert isinstance(loop, ast.For)
    for node in ast.walk(loop.target):
        if isinstance(node, ast.Name):
            node.id = renamed.get(node.id, node.id)
    return ast.unparse(loop.target)
