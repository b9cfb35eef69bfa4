"""Dask objects: what tells dask-kubernetes' operator which scheduler and workers to make."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbflow.errors import user_error
from nbflow.kubernetes.access import passing, status_of, told
from nbflow.kubernetes.dask_manifests import (
    PORT,
    cluster_name,
    dask_cluster,
    group_name,
    worker_group,
)
from nbflow.kubernetes.forward import FORWARD
from nbflow.kubernetes.settings import TABLE

if TYPE_CHECKING:
    from nbflow.kubernetes.access import Access
    from nbflow.kubernetes.groups import Group
    from nbflow.kubernetes.manifests import Place

GROUP, VERSION = "kubernetes.dask.org", "v1"
CLUSTERS, GROUPS = "daskclusters", "daskworkergroups"

#: what the driver of a run on Dask workers does with which resources
RIGHTS: tuple[tuple[str, str, str], ...] = (
    *((GROUP, CLUSTERS, verb) for verb in ("create", "get", "delete")),
    *((GROUP, GROUPS, verb) for verb in ("create", "get", "patch")),
    ("apps", "deployments", "delete"),
    ("", "pods", "list"),
)

_TIMEOUT = (5.0, 30.0)


class OperatorKeeper:
    """Makes the objects that tell the operator what to make."""

    def __init__(self, access: Access) -> None:
        from kubernetes.client import AppsV1Api, CustomObjectsApi

        self._access = access
        self._custom: Any = CustomObjectsApi(access.api)
        self._apps = AppsV1Api(access.api)

    def usable(self, inside: bool) -> bool:
        """Whether the operator's kinds are there, and one may do with them what it takes."""
        try:
            self._custom.get_namespaced_custom_object(*self._at(CLUSTERS), "nbflow-dry-run")
        except Exception as error:
            if status_of(error) not in (403, 404):
                raise
            # without its kinds there is no such page, with them there is no such cluster
            if "daskclusters" not in told(error):
                return False
        needed = RIGHTS if inside else (*RIGHTS, *FORWARD)
        return all(self._access.may(verb, resource, group) for group, resource, verb in needed)

    def check(self, place: Place, groups: Sequence[Group]) -> None:
        """Have the server check the objects."""
        objects = [(CLUSTERS, dask_cluster(place, "nbflow-dry-run", groups[0]))]
        objects += [(GROUPS, worker_group(place, "nbflow-dry-run", group)) for group in groups]
        for kind, manifest in objects:
            try:
                self._make(kind, manifest, dry_run="All")
            except Exception as error:
                if passing(error) or status_of(error) is None:
                    raise
                raise user_error(
                    "NBF404",
                    f"Kubernetes refuses the Dask cluster of this run: {told(error)}.",
                    f"Check what {TABLE} says of pods.",
                ) from error

    def begin(self, place: Place, groups: Sequence[Group]) -> None:
        """Note which run it is."""
        self._place, self._groups = place, groups
        self._name = cluster_name(place.run)
        self._made = False
        #: how many workers each group was told to have
        self._said: dict[str, int] = {}

    def start(self) -> None:
        """Make the cluster, without workers."""
        self._made = True
        self._make(CLUSTERS, dask_cluster(self._place, self._name, self._groups[0]))

    def noticed(self) -> bool:
        """The operator writes down how far it is with a cluster."""
        found: Any = self._custom.get_namespaced_custom_object(*self._at(CLUSTERS), self._name)
        return found.get("status", {}).get("phase") is not None

    def serves(self, pod: Mapping[str, Any]) -> str | None:
        """As the operator's label says."""
        label = pod["metadata"]["labels"].get("dask.org/workergroup-name")
        named = {group_name(self._name, one): one.name for one in self._groups}
        return named.get(label)

    def pods(self) -> list[dict[str, Any]]:
        """The pods of the cluster."""
        return self._access.listed("pods", f"dask.org/cluster-name={self._name}").items

    def ready(self, scheduler: Mapping[str, Any]) -> None:
        """Make the other groups, without workers."""
        for group in self._groups[1:]:
            self._make(GROUPS, worker_group(self._place, self._name, group))

    def scale(self, group: Group, number: int) -> bool:
        """Say so in the group; the operator may not have made the first one yet."""
        if self._said.get(group.name) == number:
            return True
        body = {"spec": {"worker": {"replicas": number}}}
        try:
            self._custom.patch_namespaced_custom_object(
                *self._at(GROUPS), group_name(self._name, group), body, _request_timeout=_TIMEOUT
            )
        except Exception as error:
            if status_of(error) == 404:
                return False
            raise
        self._said[group.name] = number
        return True

    def let_go(self, group: Group, workers: Sequence[str], number: int) -> None:
        """A worker is called as its Deployment, which else starts it again."""
        for name in workers:
            with _unless_gone():
                self._apps.delete_namespaced_deployment(
                    name, self._access.namespace, _request_timeout=_TIMEOUT
                )
        self.scale(group, number)

    def inside(self) -> str:
        """The name of the Service that the operator makes."""
        return f"tcp://{self._name}-scheduler.{self._access.namespace}.svc:{PORT}"

    def close(self) -> None:
        """Delete the cluster; all that belongs to it goes with it."""
        if self._made:
            with _unless_gone():
                self._custom.delete_namespaced_custom_object(
                    *self._at(CLUSTERS),
                    self._name,
                    propagation_policy="Background",
                    _request_timeout=_TIMEOUT,
                )

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
