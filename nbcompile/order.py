"""Order: circles among steps, cells of one step that enclose others, files as hidden edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from nbcompile.diagnostics import Diagnostic
from nbcompile.flow import Step
from nbcompile.resolve import Resolver
from nbcompile.segments import Segment


def circles(steps: list[Step], cell_of: Callable[[str], int]) -> list[Diagnostic]:
    """An error where steps wait for each other."""
    sorter = TopologicalSorter({step.name: step.depends for step in steps})
    try:
        sorter.prepare()
    except CycleError as error:
        names = list(reversed(error.args[1]))
        return [
            Diagnostic(
                "NBF205",
                "error",
                f"Steps wait for each other: {' → '.join(names)}.",
                cell_of(names[0]),
                1,
                fix="A step's cells run together: give the later cells a step name of their own, "
                "or remove an --after.",
            )
        ]
    return []


def enclosed_reads(resolver: Resolver, segments: tuple[Segment, ...]) -> list[Diagnostic]:
    """Errors where a step's later cell changes what a step between its cells has read."""
    found: dict[tuple[str, str, str], Diagnostic] = {}
    for reader, step, position, name, cell in resolver.uses:
        for later in resolver.steps[step].segments:
            if later <= position or segments[later].cell < cell or reader == step:
                continue
            for statement in segments[later].statements:
                trace = resolver.traces.statements[statement.index]
                if name in statement.facts.writes or name in trace.changed:
                    found[(reader, step, name)] = Diagnostic(
                        "NBF205",
                        "error",
                        f"Step `{reader}` reads `{name}` as cell {segments[position].cell} left "
                        f"it, but all cells of step `{step}` run together and this one changes it.",
                        statement.cell,
                        statement.line(),
                        fix="Give this cell a step name of its own.",
                    )
    return list(found.values())


def file_order(
    steps: list[Step], resolver: Resolver, segments: tuple[Segment, ...]
) -> tuple[list[Step], list[Diagnostic]]:
    """Let a step that reads a file wait for the step that writes it, and say so."""
    written: dict[str, str] = {}
    waits: dict[str, set[str]] = {}
    diagnostics = []
    known = {step.name: step for step in steps}
    for segment in segments:
        for statement in segment.statements if segment.kind == "step" else ():
            trace = resolver.traces.statements[statement.index]
            for file in trace.reads_files:
                writer = written.get(file)
                if writer is None or writer == segment.step:
                    continue
                if writer not in known[segment.step].depends:
                    waits.setdefault(segment.step, set()).add(writer)
                    diagnostics.append(
                        Diagnostic(
                            "NBF304",
                            "warning",
                            f"`{file}` is written by step `{writer}` and read here; the file is "
                            "no artifact, and is there only if both run on the same disk.",
                            statement.cell,
                            statement.line(),
                            fix=f"Add `--after {writer}`, or pass the data in a variable.",
                        )
                    )
            for file in trace.writes_files:
                written[file] = segment.step
    place = {step.name: number for number, step in enumerate(steps)}
    ordered = [
        replace(
            step, depends=tuple(sorted({*step.depends, *waits[step.name]}, key=place.__getitem__))
        )
        if step.name in waits
        else step
        for step in steps
    ]
    return ordered, diagnostics
