"""The table of pyproject.toml, and the mistakes that people make in it."""

from __future__ import annotations

from typing import Any

import pytest

from nbflow.errors import UserError
from nbflow.kubernetes.settings import Settings, Volume, Workers, read_settings


def test_nothing_said() -> None:
    assert read_settings({}) == Settings()


def test_everything_said() -> None:
    table = {
        "context": "prod",
        "namespace": "data",
        "image": "registry.example/churn:1",
        "images": {"torch": "registry.example/torch:2"},
        "pull-policy": "Always",
        "pull-secrets": ["registry"],
        "service-account": "runner",
        "driver-account": "driver",
        "node-selector": {"pool": "gpu", "spot": True},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "volumes": [
            {"mount": "/data/", "claim": "churn", "sub-path": "a", "read-only": True},
            {"mount": "/scratch", "empty-dir": "10GB"},
            {"mount": "/tmp", "empty-dir": True},
            {"mount": "/x", "source": {"nfs": {"server": "s", "path": "/"}}},
        ],
        "secrets": ["store"],
        "env": {"OMP_NUM_THREADS": 1},
        "gpu-resource": "amd.com/gpu",
        "cpu": 1,
        "memory": "2GB",
        "max-pods": 20,
        "batch": 5,
        "ttl": "1h",
        "autoscale": True,
        "store": "postgresql://db/nbflow",
        "labels": {"team": "growth"},
        "annotations": {"note": "x"},
        "pod": {"priorityClassName": "batch"},
    }
    assert read_settings(table) == Settings(
        context="prod",
        namespace="data",
        image="registry.example/churn:1",
        images={"torch": "registry.example/torch:2"},
        pull_policy="Always",
        pull_secrets=("registry",),
        service_account="runner",
        driver_account="driver",
        node_selector={"pool": "gpu", "spot": "true"},
        tolerations=({"key": "gpu", "operator": "Exists"},),
        volumes=(
            Volume("/data", {"persistentVolumeClaim": {"claimName": "churn"}}, True, "a"),
            Volume("/scratch", {"emptyDir": {"sizeLimit": "10000000000"}}),
            Volume("/tmp", {"emptyDir": {}}),
            Volume("/x", {"nfs": {"server": "s", "path": "/"}}),
        ),
        secrets=("store",),
        env={"OMP_NUM_THREADS": "1"},
        gpu_resource="amd.com/gpu",
        cpu=1.0,
        memory=2_000_000_000,
        max_pods=20,
        batch=5,
        ttl=3600.0,
        autoscale=True,
        store="postgresql://db/nbflow",
        labels={"team": "growth"},
        annotations={"note": "x"},
        pod={"priorityClassName": "batch"},
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"imgae": "x"}, "sets 'imgae', which nbflow lacks. Did you mean 'image'?"),
        ({"image": ""}, "sets image to ''. It must be a text."),
        ({"max-pods": 0}, "sets max-pods to 0. It must be a whole number from 1."),
        ({"memory": "lots"}, "It must be a size such as 512MB or 16GiB."),
        ({"ttl": "soon"}, "It must be a time such as 90s, 10m or 2h."),
        ({"secrets": "store"}, "It must be a list of texts."),
        ({"env": ["A=1"]}, "It must be a table of texts"),
        ({"autoscale": "yes"}, "It must be true or false."),
        ({"pull-policy": "Sometimes"}, "It must be one of Always, IfNotPresent, Never."),
        ({"volumes": [{"claim": "x"}]}, 'each with mount = "/path" and one of claim'),
        ({"volumes": [{"mount": "/x", "claims": "x"}]}, "one of claim, host-path"),
        (
            {"volumes": [{"mount": "/x", "claim": "x", "readonly": True}]},
            "Did you mean 'read-only'?",
        ),
        ({"tolerations": ["gpu"]}, "It must be a list of tables."),
        ({"cpu": "two"}, "It must be a number of cores."),
        ({"pod": 3}, "It must be a table."),
        ({"workers": "2:"}, "the least and the most: 2:20, or a scheduler's address."),
        ({"workers": 0}, "It must be a number such as 20"),
        ({"workers": "scheduler:8786"}, "or a scheduler's address."),
    ],
)
def test_mistakes(table: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        read_settings(table)
    assert said in str(caught.value)
    assert str(caught.value).startswith("[tool.nbflow.kubernetes] sets ")


def test_which_volumes_others_see() -> None:
    assert Volume("/a", {"persistentVolumeClaim": {"claimName": "x"}}).shared
    assert not Volume("/a", {"persistentVolumeClaim": {"claimName": "x"}}, read_only=True).shared
    assert not Volume("/a", {"emptyDir": {}}).shared


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (20, Workers(20, 20)),
        ("20", Workers(20, 20)),
        ("2:20", Workers(2, 20)),
        ("0:3", Workers(0, 3)),
        ("tcp://scheduler.dask:8786", "tcp://scheduler.dask:8786"),
    ],
)
def test_workers(said: Any, meant: Any) -> None:
    assert read_settings({"workers": said}).workers == meant
