"""The test cluster itself: what the other tests here stand on."""

from __future__ import annotations

import time
from typing import Any

import pytest
from kubernetes import client

from nbflow.engines.worker import nbflow_version


def run_job(
    kube: Any, command: list[str], pod: dict[str, Any] | None = None, **container: Any
) -> Any:
    """Run a Job to its end: its pod, and the log of it."""
    one = {"name": "main", "image": kube.image, "command": command, **container}
    spec = {"restartPolicy": "Never", "containers": [one], **(pod or {})}
    job = {"metadata": {"name": "try"}, "spec": {"backoffLimit": 0, "template": {"spec": spec}}}
    jobs, core = client.BatchV1Api(kube.api()), client.CoreV1Api(kube.api())
    jobs.create_namespaced_job(kube.namespace, job)
    end = time.monotonic() + 150
    while time.monotonic() < end:
        status = jobs.read_namespaced_job("try", kube.namespace).status
        if status.succeeded or status.failed:
            (pod,) = core.list_namespaced_pod(kube.namespace, label_selector="job-name=try").items
            return pod, core.read_namespaced_pod_log(pod.metadata.name, kube.namespace)
        time.sleep(0.1)
    raise AssertionError(jobs.read_namespaced_job("try", kube.namespace))


def test_a_pod_has_nbflow(kube: Any) -> None:
    pod, log = run_job(kube, ["nbflow", "--version"])
    assert (pod.status.phase, log) == ("Succeeded", f"nbflow {nbflow_version()}\n")


def test_a_pod_sees_a_folder_of_this_machine(kube: Any, tmp_path: Any) -> None:
    volume = {"name": "store", "hostPath": {"path": str(tmp_path)}}
    mounts = [{"name": "store", "mountPath": str(tmp_path)}]
    script = f"from pathlib import Path; Path('{tmp_path}/out').write_text('from a pod')"
    pod, log = run_job(kube, ["python", "-c", script], {"volumes": [volume]}, volumeMounts=mounts)
    assert (pod.status.phase, log) == ("Succeeded", "")
    assert (tmp_path / "out").read_text() == "from a pod"


def test_a_pod_reaches_the_api_server(kube: Any) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": kube.namespace}
    binding = {"metadata": {"name": "view"}, "roleRef": role, "subjects": [subject]}
    rights = client.RbacAuthorizationV1Api(kube.api())
    rights.create_namespaced_role_binding(kube.namespace, binding)
    script = (
        "from kubernetes import client, config\n"
        "config.load_incluster_config()\n"
        f"jobs = client.BatchV1Api().list_namespaced_job('{kube.namespace}').items\n"
        "print([job.metadata.name for job in jobs])\n"
    )
    pod, log = run_job(kube, ["python", "-c", script])
    assert (pod.status.phase, log) == ("Succeeded", "['try']\n")


@pytest.mark.usefixtures("real_node")
def test_a_pod_that_takes_too_much_memory_is_killed(kube: Any) -> None:
    limits = {"limits": {"memory": "64Mi"}}
    pod, _ = run_job(kube, ["python", "-c", "bytearray(300 << 20)"], resources=limits)
    end = pod.status.container_statuses[0].state.terminated
    assert (end.reason, end.exit_code) == ("OOMKilled", 137)


def pods_until(kube: Any, true: Any) -> Any:
    """The pods, once something is true of them."""
    core = client.CoreV1Api(kube.api())
    end = time.monotonic() + 150
    while time.monotonic() < end:
        pods = core.list_namespaced_pod(kube.namespace).items
        if true(pods):
            return pods
        time.sleep(0.1)
    raise AssertionError(pods)


def start_pod(kube: Any, command: list[str]) -> None:
    """Start a pod that is alone."""
    one = {"name": "main", "image": kube.image, "command": command}
    spec = {"restartPolicy": "Never", "containers": [one]}
    pod = {"metadata": {"name": "try"}, "spec": spec}
    client.CoreV1Api(kube.api()).create_namespaced_pod(kube.namespace, pod)


def test_pods_go_on_while_the_api_server_restarts(breakable: Any) -> None:
    kube = breakable.kube
    start_pod(kube, ["python", "-c", "import time; time.sleep(8); print('done')"])
    pods_until(kube, lambda pods: pods[0].status.phase == "Running")
    breakable.do("restart", "kube-apiserver", "1")
    pods_until(kube, lambda pods: pods[0].status.phase == "Succeeded")
    core = client.CoreV1Api(kube.api())
    assert core.read_namespaced_pod_log("try", kube.namespace) == "done\n"


def test_pods_of_a_node_that_falls_silent_are_given_up(breakable: Any) -> None:
    kube = breakable.kube
    start_pod(kube, ["sleep", "100"])
    pods_until(kube, lambda pods: pods[0].status.phase == "Running")
    breakable.do("silence")
    pods_until(kube, lambda pods: pods[0].metadata.deletion_timestamp is not None)
