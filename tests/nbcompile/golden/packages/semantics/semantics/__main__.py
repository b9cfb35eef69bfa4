"""Run the flow: `python -m semantics`."""

from __future__ import annotations

import argparse

from semantics.flow import run


def main() -> None:
    """Read the parameters, run the steps, print what came out."""
    parser = argparse.ArgumentParser(
        prog="python -m semantics", description="Run the flow semantics."
    )
    parser.parse_args()

    results = run()
    for step in ("end",):
        for name, value in (results[step] or {}).items():
            if isinstance(value, bool | int | float | str):
                print(f"{step}/{name} = {value!r}")


if __name__ == "__main__":
    main()
