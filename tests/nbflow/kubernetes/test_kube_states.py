"""Pods as a real cluster has described them, in nbflow's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbflow.kubernetes.states import Ending, deleted, ending, quantity, shortage, stuck, waits_for

PODS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "recorded_pods.json").read_text()
)
PULL = {
    "reason": "Failed",
    "message": 'Failed to pull image "x": rpc error: code = NotFound desc = failed to pull and '
    'unpack image "x": not found',
}


def pod(name: str) -> dict[str, Any]:
    return PODS[name]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gpu", "waiting for a node: insufficient nvidia.com/gpu"),
        ("cpu", "waiting for a node: insufficient cpu"),
        ("selector", "waiting for a node: 1 of 1 nodes didn't match Pod's node affinity"),
        ("no-volume", 'waiting for a node: persistentvolumeclaim "nope" not found'),
        ("running", None),
        ("succeeded", None),
        ("oom", None),
    ],
)
def test_what_a_pod_waits_for(name: str, said: str | None) -> None:
    assert waits_for(pod(name)) == said


def test_a_pod_that_starts_says_what_it_is_at() -> None:
    starting = {
        "spec": {"nodeName": "n", "containers": [{"image": "registry.example/churn:1"}]},
        "status": {
            "phase": "Pending",
            "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}],
        },
    }
    assert waits_for(starting) == "starting"
    pulling = [{"reason": "Scheduled"}, {"reason": "Pulling"}]
    assert waits_for(starting, pulling) == "pulling registry.example/churn:1"
    assert waits_for(starting, [*pulling, {"reason": "Pulled"}]) == "starting"
    mount = {"reason": "FailedMount", "message": 'MountVolume failed: secret "x" not found'}
    assert waits_for(starting, [mount]) == (
        'waiting for a volume: MountVolume failed: secret "x" not found'
    )


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", "insufficient nvidia.com/gpu"),
        (
            "0/3 nodes are available: 1 Insufficient memory, 2 node(s) had untolerated taint "
            "{gpu: true}. preemption: 0/3 nodes are available: 3 Preemption is not helpful.",
            "insufficient memory on 1 of 3 nodes, 2 of 3 nodes had untolerated taint {gpu: true}",
        ),
        (
            "0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory.",
            "insufficient cpu, insufficient memory",
        ),
        ("no nodes available to schedule pods", "no nodes available to schedule pods"),
    ],
)
def test_shortages(message: str, said: str) -> None:
    assert shortage(message) == said


@pytest.mark.parametrize(
    ("name", "fate", "kind", "said"),
    [
        ("succeeded", "done", "", ""),
        ("oom-child", "done", "", ""),
        ("oom", "died", "OutOfMemory", "it may have 64MiB"),
        ("deadline", "died", "TimeoutError", "longer than its deadline"),
        ("disk", "died", "Evicted", "ephemeral local storage usage exceeds"),
        ("exit", "broken", "PodFailed", "exit status 2): bad words"),
        ("no-command", "broken", "ImageError", "executable file not found"),
    ],
)
def test_how_a_pod_has_ended(name: str, fate: str, kind: str, said: str) -> None:
    found = ending(pod(name))
    assert found is not None
    assert (found.fate, found.kind) == (fate, kind)
    assert said in found.message
    assert stuck(pod(name), 100.0) is None


@pytest.mark.parametrize("name", ["running", "gpu", "no-image", "deleted"])
def test_a_pod_that_goes_on(name: str) -> None:
    assert ending(pod(name)) is None


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("bad-image-name", "ImageNotFound", "repository name must be lowercase"),
        ("never-pull", "ImageNotFound", "is not present with pull policy of Never"),
        ("no-secret", "PodConfigError", 'secret "nope" not found'),
    ],
)
def test_a_pod_that_waits_in_vain(name: str, kind: str, said: str) -> None:
    found = stuck(pod(name), 0.0)
    assert found is not None
    assert (found.fate, found.kind) == ("broken", kind)
    assert said in found.message


def test_a_pull_that_fails_is_given_a_while_unless_the_image_is_known_not_to_be() -> None:
    assert stuck(pod("no-image"), 10.0) is None
    waits = waits_for(pod("no-image"))
    assert waits is not None
    assert waits.startswith("the image localhost/nonesuch:1 cannot be pulled, trying again")


def test_why_a_pull_fails_is_said_once_and_in_short() -> None:
    name = 'image "localhost/nonesuch:1"'
    message = (
        f"Failed to pull {name}: rpc error: code = Unknown desc = failed to pull and unpack {name}: "
        'failed to resolve reference "localhost/nonesuch:1": failed to do request: Head '
        '"http://localhost/v2/nonesuch/manifests/1": connection refused'
    )
    events = [{"reason": "Failed", "message": message}]
    why = 'Head "http://localhost/v2/nonesuch/manifests/1": connection refused'
    said = "the image localhost/nonesuch:1 cannot be pulled"
    assert waits_for(pod("no-image"), events) == f"{said}, trying again: {why}"
    found = stuck(pod("no-image"), 60.0, events)
    assert found is not None
    assert found.message.startswith(f"The image localhost/nonesuch:1 cannot be pulled: {why}. ")
    late = stuck(pod("no-image"), 100.0)
    assert late is not None
    assert late.kind == "ImageNotFound"
    known = stuck(pod("no-image"), 0.0, [PULL])
    assert known is not None
    assert "not found" in known.message
    assert "rpc error" not in known.message


def changed(name: str, **status: Any) -> dict[str, Any]:
    return {**pod(name), "status": {**pod(name)["status"], **status}}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"reason": "Preempting"}, "preempted by a pod of higher priority"),
        ({"reason": "NodeLost"}, "lost with its node"),
        ({"reason": "Shutdown"}, "ended, as its node was shut down"),
        (
            {"reason": "Evicted", "message": "The node was low on resource: memory. "},
            "evicted: The node was low on resource: memory",
        ),
        (
            {
                "conditions": [
                    {
                        "type": "DisruptionTarget",
                        "status": "True",
                        "reason": "EvictionByEvictionAPI",
                    }
                ]
            },
            "evicted",
        ),
    ],
)
def test_a_pod_that_was_taken_away(status: dict[str, Any], said: str) -> None:
    found = ending(changed("exit", **status))
    assert found is not None
    assert (found.fate, found.message) == ("taken", said)


def test_a_pod_that_is_gone() -> None:
    assert deleted(pod("running")) == Ending("taken", "PodDeleted", "deleted")
    lost = changed("running", reason="NodeLost")
    assert deleted(lost) == Ending("taken", "NodeLost", "lost with its node")


def test_who_has_deleted_a_pod_stands_in_its_events() -> None:
    events = [{"reason": "Pulled"}, {"reason": "Preempted"}, {"reason": "Killing"}]
    preempted = Ending("taken", "Preempted", "preempted by a pod of higher priority")
    assert deleted(pod("running"), events) == preempted
    one = changed("exit")
    when = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert ending({**one, "metadata": one["metadata"] | when}, events) == preempted
    # one that had ended before has its own reason
    assert ending(changed("exit"), events) == ending(pod("exit"))


def test_an_image_without_nbflow() -> None:
    state = {"terminated": {"exitCode": 1, "message": "/usr/bin/python: No module named nbflow\n"}}
    found = ending(changed("exit", containerStatuses=[{"state": state}]))
    assert found is not None
    assert found.kind == "ImageError"
    assert "registry.example/churn:1 has no nbflow" in found.message


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", 0.5),
        ("2", 2),
        ("64Mi", 64 << 20),
        ("2G", 2e9),
        ("24683068Ki", 24683068 << 10),
        ("1e3", 1000),
    ],
)
def test_quantities(text: str, number: float) -> None:
    assert quantity(text) == number


def test_what_is_no_quantity() -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        quantity("a lot")
