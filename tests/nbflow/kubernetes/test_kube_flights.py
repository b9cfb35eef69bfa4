"""What becomes of a chunk of tasks, by what is seen of its Job and its pod."""

from __future__ import annotations

from typing import Any

import pytest

from nbflow.engines.base import Batch
from nbflow.kubernetes.flights import Flight, judge, wonders
from nbflow.kubernetes.states import Ending
from nbflow.kubernetes.watch import Seen

JOB = {"metadata": {"name": "job"}, "status": {"active": 1}}
FAILED = {
    "metadata": {"name": "job"},
    "status": {"conditions": [{"type": "Failed", "status": "True"}]},
}
DELETED = Ending("taken", "PodDeleted", "deleted")
NO_JOB = Ending("taken", "JobDeleted", "deleted with its Job")


def pod(phase: str, *, leaving: bool = False, code: int | None = None, reason: str = "") -> Any:
    about: dict[str, Any] = {"name": "pod"}
    if leaving:
        about |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 15}
    status: dict[str, Any] = {"phase": phase}
    if code is not None:
        ended = {"exitCode": code, "reason": reason}
        status["containerStatuses"] = [{"state": {"terminated": ended}}]
    return {"metadata": about, "spec": {"containers": [{"image": "i:1"}]}, "status": status}


def flight() -> Flight:
    made = Flight(Batch(1, "grow", "main", 1, ("0",)), None, "job", "order", 0)  # type: ignore[arg-type]
    made.sent = 1000.0
    return made


def seen(body: Any, there: bool = True) -> Seen:
    return Seen(body, there)


def test_a_pod_that_runs() -> None:
    one = flight()
    assert judge(one, seen(JOB), seen(pod("Running")), True, 1003.0) is None
    assert (one.waits, one.began) == (None, 1003.0)


@pytest.mark.parametrize(
    ("last", "there"),
    [
        (pod("Running", leaving=True), False),
        (pod("Failed", leaving=True, code=137), True),
        (pod("Failed", leaving=True, code=143), True),
        (pod("Succeeded", leaving=True, code=0), True),
    ],
)
def test_a_deleted_pod_is_replaced_by_its_job_or_it_was_taken(last: Any, there: bool) -> None:
    one = flight()
    judge(one, seen(JOB), seen(pod("Running")), True, 1003.0)
    assert judge(one, seen(JOB), seen(last, there), True, 1010.0) is None
    assert one.state == "its pod was deleted: waiting for another"
    # there is another one
    assert judge(one, seen(JOB), seen(pod("Pending")), True, 1011.0) is None
    assert one.state == "its pod was deleted: waiting for a node"
    assert judge(one, seen(JOB), seen(pod("Running")), True, 1012.0) is None
    assert one.state is None
    # that one too, and now there is none for long
    assert judge(one, seen(JOB), seen(last, there), True, 1020.0) is None
    assert judge(one, seen(JOB), seen(last, there), True, 1031.0) == DELETED


def test_a_job_that_has_ended_makes_no_other_pod() -> None:
    last = seen(pod("Failed", leaving=True, code=143), False)
    assert judge(flight(), seen(FAILED), last, True, 1010.0) == DELETED
    assert judge(flight(), seen(JOB, False), last, True, 1010.0) == DELETED


def test_a_pod_that_was_out_of_memory_before_it_was_deleted() -> None:
    last = pod("Failed", leaving=True, code=137, reason="OOMKilled")
    ended = judge(flight(), seen(JOB), seen(last), True, 1010.0)
    assert ended is not None
    assert (ended.fate, ended.kind) == ("died", "OutOfMemory")


def test_a_pod_of_a_node_that_is_gone_never_says_that_it_ended() -> None:
    one, last = flight(), seen(pod("Running", leaving=True))
    assert judge(one, seen(JOB), last, True, 1010.0) is None
    assert judge(one, seen(JOB), last, True, 1034.0) is None
    assert judge(one, seen(JOB), last, True, 1036.0) == DELETED


def test_a_job_that_is_not_seen_is_gone_in_the_end() -> None:
    assert judge(flight(), None, None, True, 1030.0) is None
    # what is not seen may be there while the server is away
    assert judge(flight(), None, None, False, 1100.0) is None
    assert judge(flight(), None, None, True, 1100.0) == NO_JOB
    assert judge(flight(), seen(JOB, False), None, True, 1001.0) == NO_JOB


def test_a_pod_that_was_replaced_before_one_had_looked() -> None:
    one, new = flight(), seen(pod("Pending"))
    one.follow("pod", 1001.0)
    assert judge(one, seen(JOB), seen(pod("Running")), True, 1001.0) is None
    one.follow("another", 1002.0)
    assert wonders(one, new, 1002.0) == ("Pod", "pod")
    assert judge(one, seen(JOB), new, True, 1002.0) is None
    assert one.state == "its pod was deleted: waiting for a node"
    # whoever has deleted it says so a moment after
    one.asked = 1002.0
    assert wonders(one, new, 1002.1) is None
    assert wonders(one, new, 1003.0) == ("Pod", "pod")
    one.events = [{"reason": "Preempted"}]
    judge(one, seen(JOB), new, True, 1003.0)
    assert one.state == "its pod was preempted by a pod of higher priority: waiting for a node"
    # what is known of the new one changes nothing of that
    one.events = [{"reason": "Pulling"}]
    judge(one, seen(JOB), new, True, 1006.0)
    assert one.state == "its pod was preempted by a pod of higher priority: waiting for a node"
    judge(one, seen(JOB), seen(pod("Running")), True, 1007.0)
    assert one.state is None
