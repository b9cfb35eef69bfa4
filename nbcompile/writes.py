"""Writes: the names that each step binds or changes in place, whether or not anybody reads them."""

from __future__ import annotations

from collections.abc import Mapping

from nbcompile.notebook import Notebook
from nbcompile.resolve import Resolver
from nbcompile.segments import read_segments
from nbcompile.trace import trace


def step_writes(notebook: Notebook) -> Mapping[str, frozenset[str]]:
    """By step: every name that the compiler has it bind or change in place."""
    segments, _ = read_segments(notebook, {})
    resolver = Resolver(segments, trace(segments))
    resolver.run()
    return {
        name: frozenset({*state.writes, *state.changes, *state.global_writes})
        for name, state in resolver.steps.items()
    }
