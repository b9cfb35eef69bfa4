"""Dask objects: the calls that nbflow makes about dask-kubernetes' objects, in dictionaries."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from nbflow.errors import user_error
from nbflow.kubernetes.access import Access, status_of, told

GROUP, VERSION = "kubernetes.dask.org", "v1"
CLUSTERS, GROUPS = "daskclusters", "daskworkergroups"

#: what the driver of a run on Dask workers does with which resources
RIGHTS: tuple[tuple[str, str, str], ...] = (
    *((GROUP, CLUSTERS, verb) for verb in ("create", "get", "delete")),
    *((GROUP, GROUPS, verb) for verb in ("create", "get", "patch")),
    ("apps", "deployments", "delete"),
    ("", "pods", "list"),
)
#: and besides where it is not in the cluster itself
_OUTSIDE = ("", "pods/portforward", "create")

_TIMEOUT = (5.0, 30.0)


class DaskObjects:
    """The Dask clusters of a namespace."""

    def __init__(self, access: Access) -> None:
        from kubernetes.client import AppsV1Api, CoreV1Api, CustomObjectsApi

        self._access = access
        self._custom: Any = CustomObjectsApi(access.api)
        self._apps = AppsV1Api(access.api)
        self._core = CoreV1Api(access.api)

    def check(self, manifest: Mapping[str, Any], *, inside: bool) -> None:
        """Make sure that the operator's kinds are there, and that one may make such a cluster."""
        needed = RIGHTS if inside else (*RIGHTS, _OUTSIDE)
        lacking = [one for one in needed if not self._access.may(one[2], one[1], one[0])]
        try:
            self._make(CLUSTERS, manifest, dry_run="All")
        except Exception as error:
            status = status_of(error)
            if status == 404:
                raise user_error(
                    "NBF404",
                    "The cluster has no Dask operator, which `--workers` needs.",
                    "Have it installed (https://kubernetes.dask.org/en/latest/installing.html), "
                    "or leave `--workers` away: each task then has a pod of its own.",
                ) from error
            if status is None:
                raise
            if status != 403 or not lacking:
                raise user_error(
                    "NBF404",
                    f"Kubernetes refuses the Dask cluster of this run: {told(error)}.",
                    "Check what [tool.nbflow.kubernetes] says of pods.",
                ) from error
        if lacking:
            said = ", ".join(f"{verb} {resource}" for _, resource, verb in lacking)
            raise user_error(
                "NBF404",
                f"You may not do all that `--workers` needs in the namespace "
                f"{self._access.namespace} of {self._access.host}: {said}.",
                "Have the Role for Dask workers of docs/kubernetes.md given to you there, or leave "
                "`--workers` away.",
            )

    def make_cluster(self, manifest: Mapping[str, Any]) -> None:
        """Make a cluster."""
        self._make(CLUSTERS, manifest)

    def make_group(self, manifest: Mapping[str, Any]) -> None:
        """Make a group of workers of a cluster."""
        self._make(GROUPS, manifest)

    def phase(self, name: str) -> str | None:
        """How far the operator is with a cluster; None where it has not seen it yet."""
        found: Any = self._custom.get_namespaced_custom_object(*self._at(CLUSTERS), name)
        phase: str | None = found.get("status", {}).get("phase")
        return phase

    def there(self, name: str) -> bool:
        """Whether there is a group of this name."""
        try:
            self._custom.get_namespaced_custom_object(*self._at(GROUPS), name)
        except Exception as error:
            if status_of(error) == 404:
                return False
            raise
        return True

    def scale(self, group: str, number: int) -> None:
        """Say how many workers a group should have."""
        body = {"spec": {"worker": {"replicas": number}}}
        self._custom.patch_namespaced_custom_object(
            *self._at(GROUPS), group, body, _request_timeout=_TIMEOUT
        )

    def delete_worker(self, name: str) -> None:
        """Delete what keeps a worker running."""
        with _unless_gone():
            self._apps.delete_namespaced_deployment(
                name, self._access.namespace, _request_timeout=_TIMEOUT
            )

    def delete_cluster(self, name: str) -> None:
        """Delete a cluster; all that belongs to it goes with it."""
        with _unless_gone():
            self._custom.delete_namespaced_custom_object(
                *self._at(CLUSTERS),
                name,
                propagation_policy="Background",
                _request_timeout=_TIMEOUT,
            )

    def pods(self, cluster: str) -> list[dict[str, Any]]:
        """The pods of a cluster, scheduler and workers."""
        return self._access.listed("pods", f"dask.org/cluster-name={cluster}").items

    def events(self, pod: str) -> list[dict[str, Any]]:
        """What Kubernetes has noted of a pod."""
        return self._access.events("Pod", pod)

    def _make(self, kind: str, manifest: Mapping[str, Any], **more: Any) -> None:
        try:
            self._custom.create_namespaced_custom_object(
                *self._at(kind), manifest, field_manager="nbflow", _request_timeout=_TIMEOUT, **more
            )
        except Exception as error:
            if status_of(error) != 409:  # it is the one that was meant
                raise

    def _at(self, kind: str) -> tuple[str, str, str, str]:
        return GROUP, VERSION, self._access.namespace, kind


@contextlib.contextmanager
def _unless_gone() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if status_of(error) != 404:
            raise
