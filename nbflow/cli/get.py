"""`nbflow get`: an artifact as text, as JSON or as a file."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from nbflow.cli.options import json_option, store_at, store_option, verb
from nbflow.errors import user_error


@verb("get")
@click.argument("path")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write to this file; its ending decides how: .pkl .npy .csv .parquet .json .txt.",
)
@store_option
@json_option
def command(path: str, output: Path | None, location: str | None, as_json: bool) -> None:
    """Get an artifact: as a file, or as plain text or JSON.

    PATH is FLOW/RUN/STEP/NAME or FLOW/RUN/STEP/TASK/NAME; of a fan-out FLOW/RUN/STEP/NAME is the
    list over all tasks.
    """
    from nbflow.cli.paths import find

    found = find(path, store_at(location))
    if found.artifact is None and found.of_all is None:
        raise user_error(
            "NBF407",
            f"{path!r} does not name an artifact.",
            f"Add its name: {path.rstrip('/')}/NAME. `nbflow show {path}` lists what there is.",
        )
    value = found.value()
    if output is not None:
        _write(value, output, path)
        click.echo(f"{path} written to {output}", err=True)
    elif as_json:
        click.echo(to_json(value, path))
    else:
        click.echo(value if isinstance(value, str) else _repr(value, path))


def _repr(value: Any, path: str) -> str:
    try:
        return repr(value)
    except Exception as error:
        raise user_error(
            "NBF407",
            f"{path} is a {type(value).__name__}, whose `repr` fails: "
            f"{type(error).__name__}: {error}",
            f"Write it to a file: nbflow get {path} -o {path.rpartition('/')[2]}.pkl",
        ) from error


def to_json(value: Any, path: str) -> str:
    """A plain value as JSON: tuples and sets as lists, scalars of numpy as numbers."""

    def plain(one: Any) -> Any:
        with suppress(Exception):  # a class of somebody's may fail when it is asked
            if isinstance(one, (set, frozenset)):
                return sorted(one, key=repr)
            if hasattr(one, "isoformat"):
                return one.isoformat()
            if hasattr(one, "tolist"):
                return one.tolist()
        raise TypeError(type(one).__name__)

    try:
        return json.dumps(_keyed(value), default=plain, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        what = "what holds itself" if isinstance(error, RecursionError) else error
        raise user_error(
            "NBF407",
            f"{path} is no plain value: JSON has nothing for {what}.",
            f"Write it to a file: nbflow get {path} -o {path.rpartition('/')[2]}.pkl",
        ) from None


def _keyed(value: Any) -> Any:
    """The value with keys that JSON can have."""
    if isinstance(value, dict):
        names = (str, int, float, bool, type(None))
        return {k if isinstance(k, names) else str(k): _keyed(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_keyed(one) for one in value]
    return value


def _write(value: Any, output: Path, path: str) -> None:
    from nbflow.errors import UserError

    try:
        write(value, output)
    except (OSError, UserError):
        raise
    except Exception as error:
        raise user_error(
            "NBF407",
            f"{path} is a {type(value).__name__} and cannot be written "
            f"as {output.suffix or 'text'}: {error}",
            f"Any value can be written as .pkl: nbflow get {path} -o {output.stem}.pkl",
        ) from error


def write(value: Any, output: Path) -> None:
    """Write a value in the format that the file's ending names."""
    kind = output.suffix.lower()
    if kind == ".json":
        output.write_text(to_json(value, str(output)) + "\n", encoding="utf-8")
    elif kind == ".npy":
        import numpy as np

        np.save(output, value)
    elif kind in (".csv", ".parquet"):
        _write_frame(value, output, kind)
    elif isinstance(value, bytes):
        output.write_bytes(value)
    elif kind == ".txt" or (isinstance(value, str) and kind != ".pkl"):
        output.write_text(value if isinstance(value, str) else repr(value), encoding="utf-8")
    else:
        import cloudpickle  # type: ignore[import-untyped,unused-ignore]

        output.write_bytes(cloudpickle.dumps(value))


def _write_frame(value: Any, output: Path, kind: str) -> None:
    import pandas as pd

    if not isinstance(value, pd.DataFrame):
        value = pd.DataFrame(value)
    if kind == ".csv":
        value.to_csv(output, index=not isinstance(value.index, pd.RangeIndex))
    else:
        value.to_parquet(output)
