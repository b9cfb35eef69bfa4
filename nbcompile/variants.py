"""Variants: which alternative of a step was asked for, checked against those that there are."""

from __future__ import annotations

from collections.abc import Mapping

from nbcompile.diagnostics import Diagnostic
from nbcompile.grammar import did_you_mean
from nbcompile.notebook import Notebook
from nbcompile.segments import variants_of
from nbcompile.tags import read_tags


def chosen_variants(
    notebook: Notebook, asked: Mapping[str, str]
) -> tuple[dict[str, str], list[Diagnostic]]:
    """What was asked for and is there, by step, and what is to be said of the rest."""
    if not asked:
        return {}, []
    cells = [read_tags(cell) for cell in notebook.cells if cell.kind == "code"]
    known = variants_of(cells)
    chosen: dict[str, str] = {}
    wrong: list[Diagnostic] = []
    for step, name in asked.items():
        if name in known.get(step, ()):
            chosen[step] = name
        else:
            wrong.append(_unknown(step, name, known))
    return chosen, wrong


def _unknown(step: str, name: str, known: Mapping[str, list[str]]) -> Diagnostic:
    there = [f"{other}={one}" for other, names in known.items() for one in names]
    if step in known:
        said = f"`--variant {step}={name}`: the step `{step}` has no such variant."
    else:
        said = f"`--variant {step}={name}`: the notebook has no step `{step}` with variants."
    guess = did_you_mean(f"{step}={name}", there)
    if guess is not None:
        fix = f"Did you mean `{guess}`?"
    elif there:
        fix = f"There is {', '.join(f'`{one}`' for one in there)}."
    else:
        fix = "Leave it out, or give the alternatives of a step their names with `--variant NAME`."
    return Diagnostic("NBF204", "error", said, fix=fix)
