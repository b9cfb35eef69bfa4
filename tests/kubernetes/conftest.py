"""A Kubernetes cluster, and for each test a namespace of its own in it."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubecache import building
from kubecluster import Child, Facts, Tier, lacking, running_by_hand
from kubestore import SharedStore, StoreServers, own_address

#: `node` or `process`: a cluster of our own of this form only
_FORM = os.environ.get("NBFLOW_TEST_CLUSTER", "")
#: seconds to wait for binaries that are being built beside the tests
_BUILD = 600.0
#: the documented rights
_RIGHTS = Path(__file__).parents[2] / "docs" / "kubernetes-rbac.yaml"


@dataclass(frozen=True, slots=True)
class Kube:
    """A namespace of a cluster; `KUBECONFIG` points there while the test runs."""

    tier: Tier
    namespace: str
    #: a configuration whose context has this namespace
    kubeconfig: Path
    #: the task image, with nbflow as it stands in the checkout
    image: str
    #: this machine, as pods reach it
    host: str

    def api(self) -> Any:
        """A connection as the administrator, for `kubernetes.client`."""
        from kubernetes import config

        return config.new_client_from_config(str(self.kubeconfig))


@dataclass(frozen=True, slots=True)
class Breakable:
    """A namespace of a cluster that nobody else uses, and what can be done to that cluster.

    `do("restart", "kube-apiserver", "3")` kills it and starts it 3 seconds later;
    `do("silence")` is as if the node's machine had lost power.
    """

    kube: Kube
    do: Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time for what takes time on a cluster."""
    for item in items:
        # the first of them waits for the cluster, so fixtures take as long as they take
        here = Path(__file__).parent in item.path.parents
        if here and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300, func_only=True))


def _by_hand() -> Facts | None:
    return None if _FORM else running_by_hand()


def _reasons() -> dict[Tier, str | None]:
    """Why a form of cluster cannot be had, None where it can; the best first."""
    forms: tuple[Tier, ...] = ("node", "process")
    return {form: lacking(form) if _FORM in ("", form) else "not asked for" for form in forms}


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Facts]:
    """The cluster of this session: one that runs by hand, else our own."""
    forms = {"node": "a real node: kubelet and containers", "process": "pods were processes"}
    facts = _by_hand()
    if facts is not None:
        _say(pytestconfig, f"{forms[facts.tier]} (a cluster that runs by hand)")
        yield facts
        return
    tier, hindrance = _tier()
    if tier is None:
        _say(pytestconfig, f"none, its tests were skipped: {hindrance}")
        pytest.skip(f"no Kubernetes: {hindrance}")
    child = Child(tier)
    why = f"; no real node: {hindrance}" if hindrance else ""
    _say(pytestconfig, f"{forms[tier]}, up in {child.seconds:.0f} s{why}")
    try:
        yield child.facts
    finally:
        child.close()


def _say(config: pytest.Config, what: str) -> None:
    """For the end of the run: which form of cluster there was."""
    config.stash[config.nbflow_cluster_key] = what  # type: ignore[attr-defined]


def _tier() -> tuple[Tier | None, str | None]:
    """The best form that can be had, and why there is no better one."""
    end = time.monotonic() + _BUILD
    while True:
        reasons = _reasons()
        if reasons["node"] is None:
            return "node", None
        if reasons["process"] is None:
            return "process", reasons["node"]
        if not building():
            return None, reasons["process"]
        if time.monotonic() > end:
            return None, f"its binaries are still being built after {_BUILD:.0f} s"
        time.sleep(1)


@contextmanager
def _namespace(facts: Facts) -> Iterator[str]:
    from kubernetes import client, config

    core = client.CoreV1Api(config.new_client_from_config(facts.kubeconfig))
    name = f"test-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    try:
        # pods are refused until the default account and its token are there
        while not _has_token(core, name):
            time.sleep(0.02)
        yield name
    finally:
        core.delete_namespace(name)


def _has_token(core: Any, namespace: str) -> bool:
    accounts = core.list_namespaced_service_account(namespace).items
    return any(account.secrets for account in accounts)


@pytest.fixture(scope="session")
def task_image(cluster: Facts) -> str:
    """The task image."""
    return cluster.image()


@pytest.fixture
def kube(
    cluster: Facts, task_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kube]:
    """A namespace of this test's own; what is in it goes with it."""
    with _kube(cluster, task_image, tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture(scope="module")
def module_kube(
    cluster: Facts, task_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kube]:
    """The same for all tests of a module."""
    folder = tmp_path_factory.mktemp("kube")
    with pytest.MonkeyPatch.context() as patch, _kube(cluster, task_image, folder, patch) as found:
        yield found


@contextmanager
def _kube(
    cluster: Facts, image: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kube]:
    with _namespace(cluster) as name:
        path = _configuration(cluster, name, folder)
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield Kube(cluster.tier, name, path, image, cluster.host)


@pytest.fixture(scope="session")
def store_servers(cluster: Facts) -> Iterator[StoreServers]:
    """PostgreSQL and S3 where pods reach them."""
    from pgserver import programs

    if programs() is None:
        pytest.skip("PostgreSQL is not installed (`make servers` installs it on Debian)")
    host = cluster.host if cluster.tier == "node" else own_address()
    if host is None:
        pytest.skip("this machine has no address but that of itself")
    servers = StoreServers(host)
    servers.start()
    try:
        yield servers
    finally:
        servers.close()


@pytest.fixture
def shared(
    kube: Kube, store_servers: StoreServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SharedStore]:
    """An empty store that pods reach over the network, and the Secret for it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    with store_servers.store(kube, monkeypatch) as store:
        yield store


@pytest.fixture
def account(kube: Any) -> str:
    """The account that the documented manifest makes."""
    import yaml
    from kubernetes import utils

    objects = list(yaml.safe_load_all(_RIGHTS.read_text()))
    for one in objects:
        utils.create_from_dict(kube.api(), one, namespace=kube.namespace)
    return "nbflow-driver"


@pytest.fixture
def operator(kube: Kube, real_node: None) -> None:
    """dask-kubernetes' operator; needs the pods' network."""
    from kubedask import install_operator

    install_operator(kube.api(), kube.image)


@pytest.fixture
def breakable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Breakable]:
    """A cluster of this test's own: a control plane, and a node that is a process.

    A node that says nothing for some seconds is given up, and its pods with it.
    """
    reason = lacking("process")
    if reason is not None:
        pytest.skip(reason)
    child = Child("process", "--grace", "6")
    try:
        facts = child.facts
        with _namespace(facts) as name:
            path = _configuration(facts, name, tmp_path)
            monkeypatch.setenv("KUBECONFIG", str(path))
            kube = Kube(facts.tier, name, path, facts.image(), facts.host)
            yield Breakable(kube, child.do)
    finally:
        child.close()


def _configuration(facts: Facts, namespace: str, folder: Path) -> Path:
    value = json.loads(Path(facts.kubeconfig).read_text())
    value["contexts"][0]["context"]["namespace"] = namespace
    path = folder / "kubeconfig"
    path.write_text(json.dumps(value))
    return path


@pytest.fixture
def real_node(cluster: Facts) -> None:
    """For tests of what only real containers do: limits, images, the pods' network."""
    if cluster.tier != "node":
        pytest.skip("needs a real node")
