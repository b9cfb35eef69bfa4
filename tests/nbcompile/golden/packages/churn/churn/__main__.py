"""Run the flow: `python -m churn`."""

from __future__ import annotations

import argparse
import ast
from typing import Any

from churn.flow import run
from churn.params import Params


def _value(text: str) -> Any:
    """The Python value that a text says, or the text itself."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def main() -> None:
    """Read the parameters, run the steps, print what came out."""
    parser = argparse.ArgumentParser(prog="python -m churn", description="Run the flow churn.")
    defaults = Params()
    parser.add_argument(
        "--alpha",
        type=float,
        default=defaults.alpha,
        help="how strong the penalty is (default: 0.1)",
    )
    parser.add_argument(
        "--countries", type=_value, default=defaults.countries, help="(default: ['FI', 'US'])"
    )
    parser.add_argument(
        "--limit",
        type=_value,
        default=defaults.limit,
        help="rows to read; all where None (default: None)",
    )
    parser.add_argument(
        "--mode", choices=["fast", "exact"], default=defaults.mode, help="(default: fast)"
    )
    params = Params(**vars(parser.parse_args()))

    results = run(params)
    for step in ("publish",):
        for name, value in (results[step] or {}).items():
            if isinstance(value, bool | int | float | str):
                print(f"{step}/{name} = {value!r}")


if __name__ == "__main__":
    main()
