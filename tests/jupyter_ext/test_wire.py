"""The wire shapes: mirrored by the front end, described by OpenAPI, told in the docs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

pytest.importorskip("jupyter_server")

from nbflow_jupyter import wire
from nbflow_jupyter.openapi import shapes
from nbflow_jupyter.routes import ROUTES, document

ROOT = Path(__file__).parents[2]
MIRROR = ROOT / "labextension/src/wire"

_INTERFACE = re.compile(r"^export interface I(\w+)(?: extends \w+)? \{\n(.*?)^\}", re.M | re.S)
_FIELD = re.compile(r"^  (\w+)(\??):", re.M)


def mirrored() -> dict[str, dict[str, bool]]:
    """The fields of each interface of the front end, and whether they may be left out."""
    files = sorted(MIRROR.glob("*.ts"))
    if not files:
        pytest.skip("labextension/src/wire is not there")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return {
        name: {field: bool(optional) for field, optional in _FIELD.findall(body)}
        for name, body in _INTERFACE.findall(text)
    }


@pytest.mark.parametrize("name", sorted(shapes()))
def test_the_front_end_has_the_same_fields(name: str) -> None:
    found = mirrored()
    if name not in found:
        # shapes that it has no use for
        assert name in {"Changes", "Stores"}
        return
    shape = shapes()[name]
    wanted = {field: field in shape.__optional_keys__ for field in get_type_hints(shape)}
    assert found[name] == wanted


def test_the_front_end_has_no_shapes_of_its_own() -> None:
    assert set(mirrored()) <= set(shapes())


def test_the_description_is_up_to_date() -> None:
    held = json.loads((ROOT / "docs/server.openapi.json").read_text(encoding="utf-8"))
    described = json.loads(json.dumps(document()))
    held["info"].pop("version")
    described["info"].pop("version")
    assert held == described, "python -m nbflow_jupyter.routes > docs/server.openapi.json"


def test_the_description_refers_to_what_it_has() -> None:
    described = document()
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.update(one for key, one in value.items() if key == "$ref")
            list(map(walk, value.values()))
        elif isinstance(value, list):
            list(map(walk, value))

    walk(described)
    names = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert found <= names
    for path, operations in described["paths"].items():
        for operation in operations.values():
            named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))


def test_every_handler_has_the_methods_that_are_described() -> None:
    for route in ROUTES:
        for method in ("get", "post", "delete", "put", "patch"):
            described = any(one.method == method for one in route.operations)
            defined = method in vars(route.handler)
            assert described == defined, (route.path, method)


def test_every_route_is_told_in_the_docs() -> None:
    text = (ROOT / "docs/server.md").read_text(encoding="utf-8")
    for route in ROUTES:
        for one in route.operations:
            method = "WS" if route.path == "stream" else one.method.upper()
            assert f"`{method} {route.path}`" in text, route.path


def test_every_status_has_its_own_letter() -> None:
    assert len(set(wire.LETTERS.values())) == len(wire.LETTERS)
    assert set(wire.LETTERS) == set(wire.TaskStatus.__args__)


def test_installing_enables_the_extension() -> None:
    import tomllib

    config = ROOT / "jupyter_ext/jupyter-config/server-config"
    held = json.loads((config / "nbflow_jupyter.json").read_text(encoding="utf-8"))
    assert held == {"ServerApp": {"jpserver_extensions": {"nbflow_jupyter": True}}}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    source = config.relative_to(ROOT).as_posix()
    assert wheel["shared-data"][source] == "etc/jupyter/jupyter_server_config.d"
    assert "jupyter_ext/nbflow_jupyter" in wheel["packages"]
