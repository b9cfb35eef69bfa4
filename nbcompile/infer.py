"""Inference: a notebook read as a flow, the compiler's middle.

`infer_flow` cuts the notebook into statements, executes it abstractly, resolves every name, and
puts what came out into the frozen values of `nbcompile.flow`.
"""

from __future__ import annotations

from pathlib import Path

from nbcompile.assemble import Assembly
from nbcompile.diagnostics import Diagnostic, in_order
from nbcompile.drawing import with_figures_shown
from nbcompile.environments import read_environments
from nbcompile.flow import Flow
from nbcompile.flow_options import flow_options
from nbcompile.notebook import Notebook
from nbcompile.parameters import read_parameters
from nbcompile.resolve import Resolver
from nbcompile.segments import read_segments
from nbcompile.trace import trace
from nbcompile.variants import chosen_variants


def infer_flow(notebook: Notebook, variants: dict[str, str] | None = None) -> Flow:
    """Infer the flow of a notebook; what is wrong with it is in `Flow.diagnostics`.

    ``variants`` says which alternative of a step to take, by step; the first is taken otherwise.
    One that the notebook does not have is an error.
    """
    chosen, unknown = chosen_variants(notebook, variants or {})
    segments, found = read_segments(notebook, chosen)
    segments = with_figures_shown(segments)
    resolver = Resolver(segments, trace(segments))
    resolver.run()
    tagged = [segment.tagged for segment in segments]
    parameters, wrong = read_parameters(cell for cell in tagged if cell.kind == "parameters")
    name, options, flow_wrong = flow_options(tagged, notebook.name)
    environments, env_wrong = read_environments(tagged)
    assembly = Assembly(notebook, segments, resolver)
    steps = assembly.steps()
    diagnostics = [*unknown, *found, *wrong, *flow_wrong, *env_wrong]
    diagnostics += [*resolver.diagnostics, *assembly.diagnostics]
    if not steps:
        diagnostics.append(
            Diagnostic(
                "NBF102",
                "error",
                "The notebook has no steps.",
                fix="Put %%step NAME above the cells that belong to the flow.",
            )
        )
    imports = assembly.imported(steps)
    return Flow(
        name=name,
        notebook=Path(notebook.path).name,
        steps=steps,
        parameters=parameters,
        common=assembly.common(steps),
        future=tuple(resolver.future),
        options=options,
        local_modules=_local_modules(imports, notebook.path),
        imported=imports,
        environments=environments,
        diagnostics=in_order(diagnostics),
    )


def _local_modules(imported: tuple[str, ...], path: str) -> tuple[str, ...]:
    """Modules that lie beside the notebook."""
    folder = Path(path).parent
    if not path or not folder.is_dir():
        return ()
    return tuple(
        name
        for name in imported
        if (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()
    )
