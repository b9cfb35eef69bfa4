"""Access: the connection to a cluster, and the few calls that nbflow makes, in dictionaries."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbflow.errors import UserError, user_error

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

    from nbflow.kubernetes.settings import Settings

Kind = Literal["jobs", "pods"]

#: seconds for a connection, and for an answer
_TIMEOUT = (5.0, 30.0)
#: seconds after which the server ends a watch, and those after which it is given up as dead
_WATCH = 120
_SILENCE = 150.0
#: where a pod finds the namespace that it is in
_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class Gone(Exception):
    """A watch cannot go on from where it was: what there is has to be listed anew."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list call found, and the version from which a watch goes on."""

    items: list[dict[str, Any]]
    version: str


class Access:
    """One namespace of a cluster. Raises `kubernetes.client.ApiException` and urllib3's errors."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        from kubernetes.client import AuthorizationV1Api, BatchV1Api, CoreV1Api, VersionApi

        self.namespace = namespace
        self.host = str(api.configuration.host)
        self.api = api
        self._core = CoreV1Api(api)
        self._batch = BatchV1Api(api)
        self._rights = AuthorizationV1Api(api)
        self._version = VersionApi(api)

    def version(self) -> tuple[int, int]:
        """The server's version, as in `(1, 29)`."""
        told = self._json(self._version.get_code)
        digits = ("".join(filter(str.isdigit, str(told[name]))) for name in ("major", "minor"))
        major, minor = (int(one or 0) for one in digits)
        return major, minor

    def create_job(self, manifest: Mapping[str, Any], *, rehearse: bool = False) -> dict[str, Any]:
        """Make a Job; one of this name that is there already is the one that was meant.

        A rehearsal makes nothing: the server only says whether it would.
        """
        more = {"dry_run": "All"} if rehearse else {}
        try:
            return self._json(
                self._batch.create_namespaced_job,
                self.namespace,
                manifest,
                field_manager="nbflow",
                **more,
            )
        except Exception as error:
            if status_of(error) != 409:
                raise
            name = manifest["metadata"]["name"]
            return self._json(self._batch.read_namespaced_job, name, self.namespace)

    def delete_job(self, name: str) -> None:
        """Delete a Job; its pods are asked to end."""
        with contextlib.suppress(_Absent):
            self._json(
                self._batch.delete_namespaced_job,
                name,
                self.namespace,
                propagation_policy="Background",
            )

    def delete_jobs(self, selector: str) -> None:
        """Delete the Jobs with these labels; their pods are asked to end."""
        self._json(
            self._batch.delete_collection_namespaced_job,
            self.namespace,
            label_selector=selector,
            propagation_policy="Background",
        )

    def delete_pods(self, selector: str, *, hard: bool) -> None:
        """Ask the pods with these labels that run to end; ``hard``: delete all of them at once."""
        # a server may give all that it deletes together the time that it gives the first of them,
        # which is none for a pod that has ended or has no node yet: those go with their Jobs
        more: dict[str, Any] = {"field_selector": "status.phase=Running"}
        if hard:
            more = {"grace_period_seconds": 0}
        self._json(
            self._core.delete_collection_namespaced_pod,
            self.namespace,
            label_selector=selector,
            **more,
        )

    def listed(self, kind: Kind, selector: str) -> Listed:
        """The Jobs or pods with these labels, and the version of the list."""
        found = self._json(self._lister(kind), self.namespace, label_selector=selector)
        return Listed(found["items"], found["metadata"]["resourceVersion"])

    @contextlib.contextmanager
    def watch(self, kind: Kind, selector: str, version: str) -> Iterator[Any]:
        """A stream of what changes after ``version``, to be read by `changes`."""
        response = self._lister(kind)(
            self.namespace,
            label_selector=selector,
            resource_version=version,
            watch=True,
            allow_watch_bookmarks=True,
            timeout_seconds=_WATCH,
            _preload_content=False,
            _request_timeout=(_TIMEOUT[0], _SILENCE),
        )
        try:
            yield response
        finally:
            response.close()

    def events(self, kind: str, name: str) -> list[dict[str, Any]]:
        """What Kubernetes has noted of an object, oldest first; nothing without the right to."""
        about = f"involvedObject.kind={kind},involvedObject.name={name}"
        try:
            found = self._json(
                self._core.list_namespaced_event, self.namespace, field_selector=about
            )
        except Exception as error:
            if status_of(error) == 403:
                return []
            raise
        items: list[dict[str, Any]] = found["items"]
        return sorted(items, key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime")))

    def log(self, pod: str, lines: int = 200) -> bytes:
        """The last lines that a pod has printed; empty where there are none to be had."""
        try:
            response: Any = self._core.read_namespaced_pod_log(
                pod,
                self.namespace,
                tail_lines=lines,
                _preload_content=False,
                _request_timeout=_TIMEOUT,
            )
        except Exception:  # the pod or its node is gone: there is no log
            return b""
        data: bytes = response.data
        return data

    def may(self, verb: str, resource: str, group: str = "") -> bool:
        """Whether one has the right to do this in the namespace."""
        body = {"spec": {"resourceAttributes": self._right(verb, resource, group)}}
        told = self._json(self._rights.create_self_subject_access_review, body)
        return bool(told["status"].get("allowed"))

    def account_may(self, account: str, verb: str, resource: str, group: str = "") -> bool | None:
        """Whether a service account of the namespace has it; None without the right to know."""
        user = f"system:serviceaccount:{self.namespace}:{account}"
        spec = {"user": user, "resourceAttributes": self._right(verb, resource, group)}
        body = {"metadata": {"namespace": self.namespace}, "spec": spec}
        call = self._rights.create_namespaced_local_subject_access_review
        try:
            told = self._json(call, self.namespace, body)
        except Exception as error:
            if status_of(error) == 403:
                return None
            raise
        return bool(told["status"].get("allowed"))

    def _right(self, verb: str, resource: str, group: str) -> dict[str, str]:
        name, _, sub = resource.partition("/")
        asked = {"namespace": self.namespace, "verb": verb, "resource": name, "group": group}
        return {**asked, "subresource": sub}

    def read(self, what: str) -> list[dict[str, Any]] | None:
        """The `nodes` of the cluster, or the namespace's `quotas`; None without the right to."""
        calls = {
            "nodes": (self._core.list_node, ()),
            "quotas": (self._core.list_namespaced_resource_quota, (self.namespace,)),
        }
        call, words = calls[what]
        try:
            items: list[dict[str, Any]] = self._json(call, *words)["items"]
        except Exception as error:
            if status_of(error) == 403:
                return None
            raise
        return items

    def exists(
        self, what: Literal["namespace", "claim", "account", "job"], name: str
    ) -> bool | None:
        """Whether the namespace has it; None without the right to know."""
        calls: dict[str, Any] = {
            "claim": self._core.read_namespaced_persistent_volume_claim,
            "account": self._core.read_namespaced_service_account,
            "job": self._batch.read_namespaced_job,
        }
        try:
            if what == "namespace":
                self._json(self._core.read_namespace, name)
            else:
                self._json(calls[what], name, self.namespace)
        except _Absent:
            return False
        except Exception as error:
            if status_of(error) == 403:
                return None
            raise
        return True

    def _lister(self, kind: Kind) -> Any:
        return {"jobs": self._batch.list_namespaced_job, "pods": self._core.list_namespaced_pod}[
            kind
        ]

    def _json(self, call: Any, *words: Any, **options: Any) -> dict[str, Any]:
        try:
            response = call(*words, **options, _preload_content=False, _request_timeout=_TIMEOUT)
        except Exception as error:
            if status_of(error) == 404:
                raise _Absent from error
            raise
        told: dict[str, Any] = json.loads(response.data)
        return told


class _Absent(LookupError):
    """There is no such object."""


def changes(response: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a watch tells as it comes: `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK`, and of what."""
    rest = b""
    for part in response.stream(amt=None, decode_content=False):
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            if line.strip():
                told = json.loads(line)
                if told["type"] == "ERROR":
                    raise Gone(str(told["object"].get("message")))
                yield told["type"], told["object"]


def status_of(error: BaseException) -> int | None:
    """The HTTP status of an answer that was an error; None where there was no answer."""
    status = getattr(error, "status", None)
    return status if isinstance(status, int) and status else None


def passing(error: BaseException) -> bool:
    """Whether the same call may well succeed in a moment: the server restarts, or is busy."""
    from urllib3.exceptions import HTTPError

    status = status_of(error)
    return isinstance(error, (HTTPError, OSError)) or status == 429 or (status or 0) >= 500


def told(error: BaseException) -> str:
    """What an error of the API says, in a sentence."""
    body = getattr(error, "body", None)
    with contextlib.suppress(TypeError, ValueError, AttributeError):
        return str(json.loads(body)["message"]).rstrip(".")  # type: ignore[arg-type]
    reason = getattr(error, "reason", None)
    return str(reason or error).rstrip(".") or type(error).__name__


def connect(settings: Settings) -> Access:
    """The cluster of the settings' context, else the one that this process runs in.

    Raises a `UserError` where none is named, or it does not answer.
    """
    try:
        from kubernetes import client
        from kubernetes import config as loader
    except ImportError as error:
        raise user_error(
            "NBF404",
            "The kubernetes engine needs the package `kubernetes`, which is not installed.",
            "Install it: pip install 'nbflow[kubernetes]'.",
        ) from error
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    config: Any = loader
    configuration: Any = client.Configuration()
    file = os.environ.get("KUBECONFIG") or "~/.kube/config"
    try:
        if settings.context is None and _inside():
            config.load_incluster_config(client_configuration=configuration)
            namespace = _NAMESPACE.read_text().strip()
        else:
            config.load_kube_config(
                config_file=file, context=settings.context, client_configuration=configuration
            )
            namespace = _namespace(config, file, settings.context) or "default"
    except (config.ConfigException, OSError, ValueError) as error:
        raise _no_config(settings, file, error) from error
    # a server that does not answer is tried again by whoever needs it
    configuration.retries = False
    access = Access(client.ApiClient(configuration), settings.namespace or namespace)
    _check_answer(access)
    return access


def _inside() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ and _NAMESPACE.exists()


def _namespace(config: Any, file: str, context: str | None) -> str | None:
    contexts, current = config.list_kube_config_contexts(config_file=file)
    chosen = next((one for one in contexts if one["name"] == context), current)
    found: str | None = chosen["context"].get("namespace")
    return found


def _no_config(settings: Settings, file: str, error: Exception) -> UserError:
    if settings.context is not None:
        return user_error(
            "NBF404",
            f"The context {settings.context!r} of {file} cannot be used: {str(error).rstrip('.')}.",
            "`kubectl config get-contexts` lists those there are.",
        )
    files = [Path(one).expanduser() for one in file.split(os.pathsep) if one]
    there = [one for one in files if one.is_file()]
    why = f"{error}" if there else f"there is no {file}"
    return user_error(
        "NBF404",
        f"No Kubernetes cluster is configured: {why.rstrip('.')}.",
        "Set KUBECONFIG, or `context` in [tool.nbflow.kubernetes]; `kubectl get pods` should work.",
    )


def _check_answer(access: Access) -> None:
    try:
        access.version()
    except Exception as error:
        if status_of(error) in (401, 403):
            raise user_error(
                "NBF404",
                f"The cluster at {access.host} does not know you: {told(error)}.",
                "Log in again, or choose another `context`; `kubectl get pods` should work.",
            ) from error
        raise user_error(
            "NBF404",
            f"The cluster at {access.host} does not answer: {_cause(error)}.",
            "Check that it runs and can be reached from here; `kubectl version` should work.",
        ) from error


def _cause(error: BaseException) -> str:
    """The innermost reason of a connection that failed, without the objects that it names."""
    reason = getattr(error, "reason", None)
    text = str(reason if isinstance(reason, BaseException) else error)
    return text.rpartition("object at 0x")[2].partition(">: ")[2] or text
