"""Who drives a run, and what drivers and tasks elsewhere leave for each other."""

from __future__ import annotations

import threading

import pytest

from nbflow.errors import LeaseLostError, UserError
from nbflow.store import Store
from nbflow.store.records import HEARTBEAT, AttemptRecord, LiveTask, RunRecord, TaskRecord

FULL = TaskRecord(
    step="train",
    key="3.10",
    status="failed",
    attempt=2,
    started=1.0,
    finished=2.0,
    cache_key="k",
    artifacts={"score": {"oid": "1", "codec": "json", "type": "int", "size": 1, "inline": 1}},
    item=["FI", "\x00\ud800"],
    log={"at": "p/x/0/1"},
    outputs={"at": "p/x/1/1"},
    error={"type": "ValueError", "message": "a \x00 in it"},
    worker="w1",
    reason="its code changed",
    changed=("df",),
)


def silence(store: Store, run: RunRecord, seconds: float) -> None:
    store.db.execute("UPDATE runs SET heartbeat = heartbeat - ? WHERE id = ?", (seconds, run.id))


@pytest.fixture
def run(store: Store) -> RunRecord:
    return store.create_run("churn", "0+abc")


def test_a_run_has_one_driver(store: Store, run: RunRecord) -> None:
    assert store.claim(run.id, "one")
    assert store.claim(run.id, "one")
    assert not store.claim(run.id, "two")
    silence(store, run, 2 * HEARTBEAT + 1)
    assert store.claim(run.id, "two")
    assert not store.claim(run.id, "one")
    store.release(run.id, "one")
    assert not store.claim(run.id, "one")
    store.release(run.id, "two")
    assert store.claim(run.id, "one")
    store.update_run(run.id, driver="one", status="succeeded")
    store.release(run.id, "one")
    assert not store.claim(run.id, "two")


def test_of_many_that_claim_at_once_one_wins(store: Store, run: RunRecord) -> None:
    won: list[str] = []

    def claim(token: str) -> None:
        if store.claim(run.id, token):
            won.append(token)

    threads = [threading.Thread(target=claim, args=(f"d{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.heartbeat(run.id, won[0]) is False


def test_a_former_driver_changes_nothing_more(store: Store, run: RunRecord) -> None:
    store.claim(run.id, "one")
    store.publish(run.id, [TaskRecord("a", "", "succeeded")], "one")
    silence(store, run, 2 * HEARTBEAT + 1)
    assert store.claim(run.id, "two")
    refused = "The run churn/1 is driven by two"
    with pytest.raises(LeaseLostError, match=refused):
        store.publish(run.id, [TaskRecord("b", "", "succeeded")], "one")
    with pytest.raises(LeaseLostError, match=refused):
        store.add_attempts(run.id, [AttemptRecord("b", "", 1, "failed")], "one")
    with pytest.raises(LeaseLostError, match=refused):
        store.update_run(run.id, driver="one", status="failed")
    with pytest.raises(LeaseLostError, match=refused):
        store.heartbeat(run.id, "one")
    assert [task.step for task in store.tasks(run.id)] == ["a"]
    assert store.attempts(run.id, "b") == []
    assert store.run(run.id).status == "pending"


def test_a_lost_run_goes_on_with_another_driver(store: Store, run: RunRecord) -> None:
    store.claim(run.id, "one")
    store.update_run(run.id, driver="one", status="running")
    silence(store, run, 2 * HEARTBEAT + 1)
    assert store.run(run.id).status == "lost"
    assert store.claim(run.id, "two")
    assert (store.run(run.id).status, store.run(run.id).finished) == ("running", None)
    # asked to end while nobody drove it
    assert store.request_cancel(run.id)
    assert store.heartbeat(run.id, "two") is True


def test_a_run_whose_driver_is_still_to_come_is_not_lost(store: Store) -> None:
    run = store.create_run("churn", "0+abc", patience=60)
    silence(store, run, 2 * HEARTBEAT + 1)
    assert store.run(run.id).status == "pending"
    assert store.claim(run.id, "pod")
    silence(store, run, 2 * HEARTBEAT + 1)
    assert store.run(run.id).status == "lost"


def test_orders_are_kept_until_the_run_is_over(store: Store, run: RunRecord) -> None:
    order = {"step": "train", "part": "main", "attempt": 1, "keys": [["0", "1"], ["2"]]}
    store.put_order(run.id, "train-1", {"step": "old"})
    store.put_order(run.id, "train-1", order)
    assert store.order(run.id, "train-1") == order
    store.clear_posted(run.id)
    with pytest.raises(UserError, match="no order 'train-1'"):
        store.order(run.id, "train-1")


def test_posts_are_taken_once_each(store: Store, run: RunRecord) -> None:
    store.post(run.id, "job-1", [FULL, TaskRecord("train", "1", "succeeded")])
    store.post(run.id, "job-2", [TaskRecord("train", "0", "succeeded")])
    store.post(run.id, "job-1", [TaskRecord("train", "1", "failed")])
    taken = store.take_posted(run.id)
    assert taken == [
        ("job-1", FULL),
        ("job-1", TaskRecord("train", "1", "succeeded")),
        ("job-2", TaskRecord("train", "0", "succeeded")),
    ]
    assert store.take_posted(run.id) == []
    store.post(run.id, "job-3", [TaskRecord("train", "2", "succeeded")])
    assert [record.key for _, record in store.take_posted(run.id)] == ["2"]


def test_what_a_driver_took_and_never_published_is_taken_by_the_next(
    store: Store, run: RunRecord
) -> None:
    store.claim(run.id, "one")
    failed = TaskRecord("train", "2", "failed", attempt=1)
    done = [TaskRecord("train", key, "succeeded") for key in ("0", "1")]
    store.post(run.id, "job", [*done, failed])
    store.take_posted(run.id)
    store.publish(run.id, done[:1], "one")
    store.add_attempts(run.id, [AttemptRecord("train", "2", 1, "failed")], "one")
    silence(store, run, 2 * HEARTBEAT + 1)
    assert store.claim(run.id, "two")
    assert store.take_posted(run.id) == [("job", done[1])]


def test_a_driver_that_has_lost_the_run_takes_nothing_from_the_next(
    store: Store, run: RunRecord
) -> None:
    done = TaskRecord("train", "0", "succeeded")
    store.claim(run.id, "one")
    silence(store, run, 2 * HEARTBEAT + 1)
    assert store.claim(run.id, "two")
    store.post(run.id, "job", [done])
    with pytest.raises(LeaseLostError, match="driven by two"):
        store.take_posted(run.id, "one")
    assert store.take_posted(run.id, "two") == [("job", done)]


def test_the_output_of_a_running_task_is_there_until_its_record_is(
    store: Store, run: RunRecord
) -> None:
    one = LiveTask("train", "main", "0", 1, "pod-a", 5.0)
    two = LiveTask("train", "main", "1", 2, "pod-b", 6.0)
    large = bytes(range(256)) * 600
    store.live_write(run.id, one, 0, b"epoch 1\n")
    store.live_write(run.id, two, 0, b"")
    store.live_write(run.id, one, 8, large)
    store.live_write(run.id, one, 8, large)
    seen = {
        task.key: (task.worker, task.attempt, task.started) for task in store.live_tasks(run.id)
    }
    assert seen == {"0": ("pod-a", 1, 5.0), "1": ("pod-b", 2, 6.0)}
    whole = b"epoch 1\n" + large
    assert store.live_read(run.id, one) == whole
    for since in (3, 8, 70_000, len(whole) - 1, len(whole), len(whole) + 9):
        assert store.live_read(run.id, one, since) == whole[since:]
    assert store.live_read(run.id, two) == b""
    store.publish(run.id, [TaskRecord("train", "0", "running")])
    assert store.live_read(run.id, one) == whole
    store.publish(run.id, [TaskRecord("train", "0", "succeeded")])
    assert [task.key for task in store.live_tasks(run.id)] == ["1"]
    assert store.live_read(run.id, one) == b""
    store.clear_live(run.id)
    assert store.live_tasks(run.id) == []


def test_the_signs_of_life_of_a_task_move_on(store: Store, run: RunRecord) -> None:
    task = LiveTask("load", "main", "", 1, "pod", 5.0)
    store.live_write(run.id, task, 0, b"")
    (first,) = store.live_tasks(run.id)
    store.live_write(run.id, task, 0, b"")
    (second,) = store.live_tasks(run.id)
    assert second.seen > first.seen
