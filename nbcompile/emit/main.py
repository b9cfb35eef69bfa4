"""The `__main__` of a package: a command line over its parameters."""

from __future__ import annotations

from nbcompile.emit.imports import sorted_imports
from nbcompile.emit.params import option_lines
from nbcompile.flow import Flow

_VALUE = '''
def _value(text: str) -> Any:
    """The Python value that a text says, or the text itself."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text

'''
_PRINT = """
    results = {call}
    for step in {last!r}:
        for name, value in (results[step] or {{}}).items():
            if isinstance(value, bool | int | float | str):
                print(f"{{step}}/{{name}} = {{value!r}}")
"""


def main_source(flow: Flow, package: str) -> str:
    """The module `__main__`."""
    imports = ["from __future__ import annotations", "import argparse"]
    imports.append(f"from {package}.flow import run")
    lines: list[str] = []
    for parameter in flow.parameters:
        option, needed = option_lines(parameter)
        lines.extend(option)
        imports.extend(needed)
    uses_value = any("type=_value" in line for line in lines)
    if uses_value:
        imports += ["import ast", "from typing import Any"]
    description = f"Run the flow {flow.name}."
    setup = [f"parser = argparse.ArgumentParser(prog='python -m {package}', "]
    setup[0] += f"description={description!r})"
    call = "run()"
    if flow.parameters:
        imports.append(f"from {package}.params import Params")
        setup.append("defaults = Params()")
        lines.append("params = Params(**vars(parser.parse_args()))")
        call = "run(params)"
    else:
        lines.append("parser.parse_args()")
    head = "\n".join(sorted_imports(imports, package))
    body = "\n".join(f"    {line}" for line in [*setup, *lines])
    shown = _PRINT.format(call=call, last=_last(flow)) if _last(flow) else f"\n    {call}\n"
    return (
        f'"""Run the flow: `python -m {package}`."""\n\n{head}\n\n{_VALUE if uses_value else ""}\n'
        'def main() -> None:\n    """Read the parameters, run the steps, print what came out."""\n'
        f'{body}\n{shown}\n\nif __name__ == "__main__":\n    main()\n'
    )


def _last(flow: Flow) -> tuple[str, ...]:
    """The steps that nothing follows and that are no fan-outs."""
    followed = {name for step in flow.steps for name in step.depends}
    return tuple(
        step.name
        for step in flow.steps
        if step.name not in followed and not step.foreach and not step.options.each
    )
