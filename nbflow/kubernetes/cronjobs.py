"""CronJobs: the calls that nbflow makes about them, in dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbflow.errors import user_error
from nbflow.kubernetes.access import Access, status_of, told
from nbflow.kubernetes.cron import api_version


class CronJobs:
    """The CronJobs of a namespace, whichever version of them the server has."""

    def __init__(self, access: Access) -> None:
        from kubernetes import dynamic

        self._access = access
        library: Any = dynamic
        known = library.DynamicClient(access.api).resources
        self._resource = known.get(api_version=api_version(access.version()), kind="CronJob")

    def apply(self, manifest: Mapping[str, Any], *, rehearse: bool = False) -> dict[str, Any]:
        """Make or change one by server-side apply; a rehearsal changes nothing.

        A `UserError` says why the server refuses.
        """
        try:
            made = self._resource.server_side_apply(
                body=dict(manifest),
                namespace=self._access.namespace,
                field_manager="nbflow",
                force_conflicts=True,
                **({"dry_run": "All"} if rehearse else {}),
            )
        except Exception as error:
            status = status_of(error)
            if status == 403:
                raise user_error(
                    "NBF410",
                    f"You may not deploy to the namespace {self._access.namespace} of "
                    f"{self._access.host}: {told(error)}.",
                    "Choose another `namespace`, or have the Role for deployments of "
                    "docs/kubernetes.md given to you there.",
                ) from error
            if status is None or status >= 500:
                raise
            raise user_error(
                "NBF410",
                f"Kubernetes refuses the CronJob: {told(error)}.",
                "Check the schedule, as in `--schedule '0 6 * * mon-fri'`, and what "
                "[tool.nbflow.kubernetes] says of pods.",
            ) from error
        found: dict[str, Any] = made.to_dict()
        return found

    def get(self, name: str) -> dict[str, Any] | None:
        """The one of this name; None where there is none."""
        try:
            found = self._resource.get(name=name, namespace=self._access.namespace)
        except Exception as error:
            if status_of(error) == 404:
                return None
            raise
        one: dict[str, Any] = found.to_dict()
        return one

    def delete(self, name: str) -> bool:
        """Delete it; runs that are going on go on. False where there was none."""
        try:
            self._resource.delete(
                name=name,
                namespace=self._access.namespace,
                body={"propagationPolicy": "Orphan"},
            )
        except Exception as error:
            if status_of(error) == 404:
                return False
            raise
        return True
