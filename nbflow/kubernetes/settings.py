"""Settings: what `[tool.nbflow.kubernetes]` says of the cluster and of the pods.

```toml
[tool.nbflow.kubernetes]
image = "registry.example/churn:1"
namespace = "data"
secrets = ["nbflow-store"]                        # each becomes environment variables of the pods
volumes = [{ mount = "/data", claim = "churn-data" }]
```
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from nbcompile.units import parse_size, parse_time
from nbflow.errors import UserError, user_error

TABLE = "[tool.nbflow.kubernetes]"
#: pods at once where nobody says how many
MAX_PODS = 50


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of every pod, and where it is mounted."""

    mount: str
    #: what Kubernetes calls it, as in `{"persistentVolumeClaim": {"claimName": "data"}}`
    source: Mapping[str, Any]
    read_only: bool = False
    sub_path: str | None = None

    @property
    def shared(self) -> bool:
        """Whether what one pod writes there, others can read."""
        outside = {"persistentVolumeClaim", "hostPath", "nfs", "csi"}
        return not self.read_only and bool(outside & set(self.source))


@dataclass(frozen=True, slots=True)
class Workers:
    """How many Dask workers a run has: never fewer, and never more."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Settings:
    """The cluster, and what all pods have in common; what is unset is left to Kubernetes."""

    #: of the kubeconfig; None: its current one
    context: str | None = None
    #: None: the context's
    namespace: str | None = None
    #: of steps that do not name one
    image: str | None = None
    #: by the name that `--env` gives
    images: Mapping[str, str] = field(default_factory=dict)
    pull_policy: str | None = None
    pull_secrets: tuple[str, ...] = ()
    service_account: str | None = None
    #: of the driver's pod, which makes Jobs; None: as the tasks'
    driver_account: str | None = None
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    volumes: tuple[Volume, ...] = ()
    #: names of Secrets whose keys become environment variables
    secrets: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    gpu_resource: str = "nvidia.com/gpu"
    #: cores and bytes of tasks that do not say what they need
    cpu: float | None = None
    memory: int | None = None
    max_pods: int = MAX_PODS
    #: Dask workers to run the tasks on, or the address of a scheduler that has some; None: a pod
    #: for each task
    workers: Workers | str | None = None
    #: tasks in one pod; None: as many as make its start worthwhile
    batch: int | None = None
    #: seconds for which a finished Job is kept
    ttl: float = 600.0
    #: nodes come when they are needed: a request that none has now is no mistake
    autoscale: bool = False
    #: the address of the store as pods see it, where that is another one
    store: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    #: anything else of the pods' `spec`, as Kubernetes writes it
    pod: Mapping[str, Any] = field(default_factory=dict)


def read_settings(table: Mapping[str, Any]) -> Settings:
    """The settings of a table; a `UserError` names what is wrong in it."""
    values: dict[str, Any] = {}
    for name, value in table.items():
        read = _READERS.get(name)
        if read is None:
            raise _wrong(f"sets {name!r}, which nbflow lacks", _meant(name, _READERS))
        try:
            values[name.replace("-", "_")] = read(value)
        except ValueError as error:
            raise _wrong(f"sets {name} to {value!r}", f"It must be {error}.") from error
    return Settings(**values)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("a list of texts")
    return tuple(value)


def _map(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or any(
        isinstance(one, (list, dict)) for one in value.values()
    ):
        raise ValueError('a table of texts, such as { name = "value" }')
    # Kubernetes takes texts only, and people write numbers
    return {str(key): _plain(one) for key, one in value.items()}


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("a table")
    return dict(value)


def _tables(value: Any) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise ValueError("a list of tables")
    return tuple(dict(one) for one in value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a whole number from 1")
    return value


def parse_workers(value: Any) -> Workers | str:
    """`20`, `2:20` or a scheduler's address; a ValueError says what it must be."""
    if isinstance(value, str) and re.fullmatch(r"[a-z]+://\S+", value):
        return value
    least, colon, most = str(value).partition(":")
    try:
        found = Workers(int(least), int(most) if colon else int(least))
    except ValueError:
        found = Workers(1, 0)
    if isinstance(value, bool) or not 0 <= found.least <= found.most or found.most < 1:
        raise ValueError(
            "a number such as 20, the least and the most: 2:20, or a scheduler's address"
        )
    return found


def _cores(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0:
        raise ValueError("a number of cores")
    return float(value)


def _bytes(value: Any) -> int:
    try:
        return parse_size(str(value))
    except ValueError:
        raise ValueError("a size such as 512MB or 16GiB") from None


def _seconds(value: Any) -> float:
    try:
        return parse_time(str(value))
    except ValueError:
        raise ValueError("a time such as 90s, 10m or 2h") from None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _policy(value: Any) -> str:
    known = ("Always", "IfNotPresent", "Never")
    if value not in known:
        raise ValueError(f"one of {', '.join(known)}")
    return str(value)


def _volumes(value: Any) -> tuple[Volume, ...]:
    return tuple(map(_volume, _tables(value)))


#: the kinds of volumes that have a short name, and how Kubernetes writes them
_SOURCES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "claim": lambda name: {"persistentVolumeClaim": {"claimName": _text(name)}},
    "host-path": lambda path: {"hostPath": {"path": _text(path)}},
    "config-map": lambda name: {"configMap": {"name": _text(name)}},
    "secret": lambda name: {"secret": {"secretName": _text(name)}},
    "memory": lambda size: {"emptyDir": {"medium": "Memory", "sizeLimit": str(_bytes(size))}},
    "empty-dir": lambda size: {
        "emptyDir": {} if size is True else {"sizeLimit": str(_bytes(size))}
    },
    "source": _table,
}


def _volume(table: Mapping[str, Any]) -> Volume:
    kinds = [name for name in _SOURCES if name in table]
    mount = table.get("mount")
    if len(kinds) != 1 or not isinstance(mount, str) or not mount.startswith("/"):
        known = ", ".join(_SOURCES)
        raise ValueError(f'a list of tables, each with mount = "/path" and one of {known}')
    for name in table:
        if name not in (*_SOURCES, "mount", "read-only", "sub-path"):
            raise ValueError(
                f"a list of volumes, and {name!r} says nothing of one. "
                + _meant(name, [*_SOURCES, "mount", "read-only", "sub-path"]).rstrip(".")
            )
    source = _SOURCES[kinds[0]](table[kinds[0]])
    read_only, sub_path = _flag(table.get("read-only", False)), table.get("sub-path")
    return Volume(mount.rstrip("/") or "/", source, read_only, sub_path and _text(sub_path))


_READERS: dict[str, Callable[[Any], Any]] = {
    "context": _text,
    "namespace": _text,
    "image": _text,
    "images": _map,
    "pull-policy": _policy,
    "pull-secrets": _texts,
    "service-account": _text,
    "driver-account": _text,
    "node-selector": _map,
    "tolerations": _tables,
    "volumes": _volumes,
    "secrets": _texts,
    "env": _map,
    "gpu-resource": _text,
    "cpu": _cores,
    "memory": _bytes,
    "max-pods": _count,
    "workers": parse_workers,
    "batch": _count,
    "ttl": _seconds,
    "autoscale": _flag,
    "store": _text,
    "labels": _map,
    "annotations": _map,
    "pod": _table,
}


def _meant(name: str, known: Any) -> str:
    close = get_close_matches(name, list(known), 1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."


def _wrong(what: str, fix: str) -> UserError:
    return user_error("NBF406", f"{TABLE} {what}.", fix)
