"""What holds manifests against Kubernetes as it is and as it was.

The schemas of many versions know every field of today, and refuse what none of them has. The API
server of the tests, of an older version, drops such fields but knows the rules between fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

#: the oldest that clouds still run, and the newest with a schema at hand
VERSIONS = ("1.27", "1.30", "1.33", "1.37")
#: kinds that the tests' API server knows by an older version only
_OLDER = {("batch/v1", "CronJob"): "batch/v1beta1"}


def strictly_valid(manifest: dict[str, Any], versions: Sequence[str] = VERSIONS) -> None:
    """Raise an AssertionError that names all that these versions refuse in a manifest.

    A field that the version does not know is refused too.
    """
    found = [
        f"{version}: {'.'.join(map(str, error.absolute_path))}: {error.message}"
        for version in versions
        for error in _validator(version, manifest["apiVersion"], manifest["kind"]).iter_errors(
            manifest
        )
    ]
    if found:
        name = manifest["metadata"].get("name")
        raise AssertionError("\n".join([f"{manifest['kind']} {name}", *found]))


def accepted(api: Any, namespace: str, manifest: dict[str, Any]) -> None:
    """Have the API server go through with it, but for writing it down.

    A `kubernetes.client.ApiException` says what it refuses.
    """
    from kubernetes import dynamic

    kind = (manifest["apiVersion"], manifest["kind"])
    manifest = manifest | {"apiVersion": _OLDER.get(kind, kind[0])}
    resources = dynamic.DynamicClient(api).resources
    resource = resources.get(api_version=manifest["apiVersion"], kind=kind[1])
    namespace = manifest["metadata"].get("namespace", namespace)
    where = {"namespace": namespace} if resource.namespaced else {}
    resource.create(body=manifest, query_params=[("dryRun", "All")], **where)


@cache
def _validator(version: str, api_version: str, kind: str) -> Any:
    import jsonschema
    from kubernetes_validate import utils
    from referencing import Resource

    carried = max(v for v in utils.all_versions() if utils.major_minor(v) == version)
    group, _, name = api_version.rpartition("/")
    file = f"{kind.lower()}-{group.partition('.')[0]}{'-' if group else ''}{name}.json"
    schema = utils.schema_contents(_path(carried, file), version)
    registry = Resource.from_contents(schema) @ _definitions(carried)
    return jsonschema.validators.Draft202012Validator(schema, registry=registry)


@cache
def _definitions(carried: str) -> Any:
    """All that the schemas of a version refer to."""
    from kubernetes_validate import utils
    from referencing import Registry, Resource

    contents = utils.schema_contents(_path(carried, "_definitions.json"), carried)
    return Resource.from_contents(contents) @ Registry()


def _path(carried: str, file: str) -> str:
    return f"kubernetes-json-schema/v{carried}-local-strict/{file}"
