"""The calls to a cluster that do more than they seem to."""

from __future__ import annotations

from typing import Any

from kubernetes import client
from kuberun import until

from nbflow.kubernetes.access import Access


def test_a_pod_that_runs_has_its_time_to_end_beside_one_that_is_over(kube: Any) -> None:
    core = client.CoreV1Api(kube.api())

    def pod(name: str, code: str) -> dict[str, Any]:
        box = {"name": "one", "image": kube.image, "command": ["python", "-c", code]}
        spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 7, "containers": [box]}
        return {"metadata": {"name": name, "labels": {"of": "test"}}, "spec": spec}

    def found(name: str) -> Any:
        return core.read_namespaced_pod(name, kube.namespace)

    # the one that is over is the first by name, too
    core.create_namespaced_pod(kube.namespace, pod("a", "print()"))
    core.create_namespaced_pod(kube.namespace, pod("b", "import time; time.sleep(600)"))
    until("the end of one", lambda: found("a").status.phase == "Succeeded")
    until("the other", lambda: found("b").status.phase == "Running")
    access = Access(kube.api(), kube.namespace)
    access.delete_pods("of=test", hard=False)
    assert found("b").metadata.deletion_grace_period_seconds == 7
    access.delete_pods("of=test", hard=True)
    left = core.list_namespaced_pod(kube.namespace).items
    assert [one.metadata.name for one in left if one.metadata.deletion_grace_period_seconds] == []
