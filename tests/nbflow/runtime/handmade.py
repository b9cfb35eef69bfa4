"""Packages written by hand, as the compiler would write them, for tests of the runtime."""

from __future__ import annotations

import json
import textwrap
from hashlib import blake2b
from pathlib import Path
from typing import Any


def step(
    name: str,
    body: str = "",
    inputs: dict[str, str | list[str]] | None = None,
    outputs: tuple[str, ...] = (),
    *,
    fanouts: tuple[str, ...] = (),
    parameters: tuple[str, ...] = (),
    foreach: str | None = None,
    items: dict[str, str] | None = None,
    when: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """An entry of the manifest; `body` is the function's body, `inputs` names each input's step.

    ``items`` are the inputs of the fan-out's expression, where they are not those of the body.
    """
    read = {n: [s] if isinstance(s, str) else s for n, s in (inputs or {}).items()}
    entries = [
        {"name": n, "sources": s, "kind": "fanout" if n in fanouts else "value"}
        for n, s in read.items()
    ]
    read_by_items = [{"name": n, "sources": [s], "kind": "value"} for n, s in (items or {}).items()]
    call = {"inputs": entries, "parameters": list(parameters)}
    targets = [n.strip(" ()") for n in foreach.split(" in ")[0].split(",")] if foreach else []
    return {
        "name": name,
        "cells": [1],
        **call,
        "outputs": list(outputs),
        "crossing": list(outputs),
        "targets": targets,
        "foreach": {"source": foreach, **call, **({"inputs": read_by_items} if items else {})}
        if foreach
        else None,
        "when": {"source": when, **call} if when else None,
        "body": body,
        **more,
    }


def write_package(
    folder: Path,
    steps: list[dict[str, Any]],
    *,
    name: str = "churn",
    parameters: dict[str, Any] | None = None,
    common: str = "",
) -> Path:
    """Write the package; returns its folder, which can be run."""
    package = folder / name
    (package / "steps").mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "steps" / "__init__.py").write_text("")
    (package / "common.py").write_text(common)
    (package / "notebook.py").write_text("def _emit(value): print(repr(value))\n")
    entries = []
    for one in steps:
        entry = dict(one)
        entries.append(entry)
        text, lines = _module(entry, name)
        (package / "steps" / f"{one['name']}.py").write_text(text)
        entry["code"] = blake2b((text + common).encode(), digest_size=8).hexdigest()
        entry["lines"] = {f"{name}/steps/{one['name']}.py": lines}
        entry.setdefault(
            "depends",
            sorted({s for i in _inputs(entry) for s in i["sources"] if s}),
        )
    manifest = {
        "schema": 1,
        "name": name,
        "package": name,
        "dependencies": [],
        "parameters": [
            {
                "name": n,
                "source": repr(v),
                "default": v,
                "annotation": None,
                "help": "",
                "cell": 0,
                "line": 1,
            }
            for n, v in (parameters or {}).items()
        ],
        "steps": entries,
        "lines": {},
    }
    content = json.dumps(manifest, sort_keys=True).encode()
    manifest["version"] = "0+" + blake2b(content, digest_size=6).hexdigest()
    (package / "flow.json").write_text(json.dumps(manifest))
    return folder


def _inputs(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [*entry["inputs"], *(entry["foreach"] or {}).get("inputs", ())]


def _module(entry: dict[str, Any], package: str) -> tuple[str, list[list[int]]]:
    name, body = entry["name"], entry.pop("body")
    reads = [one["name"] for one in entry["inputs"]] + entry["parameters"]
    module = f"{package}.steps.{name}"
    entry["function"] = f"{module}:{name}"
    arguments = ", ".join(dict.fromkeys([*reads, *entry["targets"]]))
    # the hook is looked up when called: the runtime replaces it
    head = [f"from {package} import common, notebook", "", f"def {name}({arguments}):"]
    written = textwrap.dedent(body).strip("\n").split("\n") if body else ["pass"]
    lines = [[len(head) + at, entry["cells"][-1], at] for at in range(1, len(written) + 1)]
    outputs = ", ".join(f'"{one}": {one}' for one in entry["outputs"])
    text = "\n".join([*head, *(f"    {line}" for line in written), f"    return {{{outputs}}}"])
    for option in ("foreach", "when"):
        if entry[option]:
            source = entry[option]["source"]
            expression = source.split(" in ", 1)[1] if option == "foreach" else source
            suffix = "items" if option == "foreach" else "when"
            entry[option]["function"] = f"{module}:{name}_{suffix}"
            read = [one["name"] for one in entry[option]["inputs"]] + entry["parameters"]
            text += f"\n\ndef {name}_{suffix}({', '.join(read)}):\n    return {expression}"
    return text + "\n", lines
