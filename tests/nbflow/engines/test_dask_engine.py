"""Runs on a real cluster of two workers: what goes well, and every way in which a task may die."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from handmade import step, write_package

from nbflow.engines.base import Engine
from nbflow.engines.cluster import LocalCluster
from nbflow.engines.dask import DaskEngine
from nbflow.errors import UserError
from nbflow.runtime.listener import Listener
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
from nbflow.store import Store, open_store
from nbflow.store.records import RunRecord

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

ROWS = step("load", "rows = list(range(n))", parameters=("n",), outputs=("rows",))


def go(
    folder: Path,
    cluster: LocalCluster,
    steps: list[dict[str, Any]],
    listener: Listener | None = None,
    *,
    n: int = 4,
    **request: Any,
) -> tuple[RunRecord, Store]:
    write_package(folder, steps, parameters={"n": n})
    engine: Engine = DaskEngine(cluster=cluster)
    run = run_flow(RunRequest(folder, store=folder, **request), listener, engine)
    return run, open_store(folder)


def fan(body: str, **more: Any) -> list[dict[str, Any]]:
    grow = step("grow", body, {"rows": "load"}, ("value",), foreach="i in rows", **more)
    return [ROWS, grow]


def statuses(store: Store, run: RunRecord, name: str = "grow") -> list[str]:
    return [task.status for task in store.tasks(run.id, name)]


def test_a_fan_out_with_its_join(tmp_path: Path, cluster: LocalCluster) -> None:
    pick = step(
        "pick",
        "best = max(grow.value); items = [b.item for b in grow]",
        {"grow": "grow"},
        ("best", "items"),
        fanouts=("grow",),
    )
    run, store = go(tmp_path, cluster, [*fan("value = i * i\nprint('at', i)"), pick], n=100)
    assert (run.status, run.metrics["best"]) == ("succeeded", 99 * 99)
    assert statuses(store, run) == ["succeeded"] * 100
    task = store.task(run.id, "grow", "7")
    assert task is not None
    assert task.log is not None
    assert task.item == 7
    picked = store.task(run.id, "pick")
    assert picked is not None
    assert store.get(picked.ref("items")) == list(range(100))
    assert not (store.root / "live" / str(run.id)).exists()


@pytest.mark.parametrize(
    ("death", "kind", "message"),
    [
        ("os._exit(3)", "ProcessExit", "exit status 3"),
        ("os.kill(os.getpid(), 11)", "ProcessDied", "SIGSEGV"),
        ("os.kill(os.getpid(), 9)", "ProcessDied", "SIGKILL"),
        ("sys.exit(2)", "SystemExit", "2"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
        ("os.kill(os.getpid(), 2)", "KeyboardInterrupt", ""),
        ("1 / 0", "ZeroDivisionError", "division by zero"),
    ],
)
def test_a_task_that_dies_is_named_and_its_siblings_finish(
    tmp_path: Path, cluster: LocalCluster, death: str, kind: str, message: str
) -> None:
    body = f"import os, sys\nprint('before', i)\nif i == 2:\n    {death}\nvalue = i"
    run, store = go(tmp_path, cluster, fan(body))
    assert run.status == "failed"
    assert statuses(store, run) == ["succeeded", "succeeded", "failed", "succeeded"]
    failed = store.task(run.id, "grow", "2")
    assert failed is not None
    assert failed.error is not None
    assert failed.log is not None
    assert failed.error["type"] == kind
    assert message in failed.error["message"]
    assert failed.artifacts == {}
    assert run.error == failed.error
    assert "before 2" in store.get_bytes(_ref(failed.log)).decode()
    if kind not in ("ProcessExit",) and "9" not in death:
        assert (failed.error["cell"], failed.error["line"]) == (1, 4)


@pytest.mark.parametrize("end", ["pass", "1 / 0", "sys.exit(3)"])
def test_a_child_that_a_task_forks_does_not_become_the_task(
    tmp_path: Path, cluster: LocalCluster, end: str
) -> None:
    body = (
        "import os, sys\npid = os.fork()\nif not pid:\n    print('child', i, flush=True)\n"
        f"    {end}\nelse:\n    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n"
        "value = (i, code) if pid else None"
    )
    run, store = go(tmp_path, cluster, fan(body))
    assert (run.status, statuses(store, run)) == ("succeeded", ["succeeded"] * 4)
    code = {"pass": 0, "1 / 0": 1, "sys.exit(3)": 3}[end]
    tasks = store.tasks(run.id, "grow")
    assert [store.get(task.ref("value")) for task in tasks] == [(i, code) for i in range(4)]
    # beside it stands, from Python 3.12 on, a warning of the fork
    logs = [store.get_bytes(_ref(task.log)).splitlines() for task in tasks]
    assert [log.count(f"child {i}".encode()) for i, log in enumerate(logs)] == [1] * 4


def _ref(data: dict[str, Any]) -> Any:
    from nbflow.values.ref import Ref

    return Ref.from_json(data)


def test_a_timeout_ends_the_task(tmp_path: Path, cluster: LocalCluster) -> None:
    body = "import time\nprint('slow', i, flush=True)\nif i == 1: time.sleep(60)\nvalue = i"
    begun = time.monotonic()
    run, store = go(tmp_path, cluster, fan(body, timeout=2.0))
    assert time.monotonic() - begun < 40
    assert statuses(store, run) == ["succeeded", "failed", "succeeded", "succeeded"]
    assert run.error is not None
    assert run.error["type"] == "TimeoutError"
    assert "2 seconds" in run.error["message"]


def test_retries_and_attempts(tmp_path: Path, cluster: LocalCluster) -> None:
    body = f"""
    import os
    mark = {str(tmp_path)!r} + f'/{{i}}'
    tries = len(open(mark).read()) if os.path.exists(mark) else 0
    open(mark, 'a').write('x')
    print('try', tries)
    if tries < 1: os._exit(1)
    value = tries
    """
    run, store = go(tmp_path, cluster, fan(body, retry=2, retry_delay=0.1), n=2)
    assert run.status == "succeeded", run.error
    assert [task.attempt for task in store.tasks(run.id, "grow")] == [2, 2]
    (attempt,) = store.attempts(run.id, "grow", "0")
    assert (attempt.attempt, attempt.status) == (1, "failed")
    assert attempt.error is not None
    assert attempt.error["type"] == "ProcessExit"


def test_a_caught_failure_has_its_error(tmp_path: Path, cluster: LocalCluster) -> None:
    pick = step(
        "pick",
        "good = [b.value for b in grow if b.error is None]; bad = [str(b.error) for b in grow"
        " if b.error is not None]",
        {"grow": "grow"},
        ("good", "bad"),
        fanouts=("grow",),
    )
    run, store = go(tmp_path, cluster, [*fan("value = 6 // i", catch=True), pick])
    assert run.status == "succeeded"
    picked = store.task(run.id, "pick")
    assert picked is not None
    assert store.get(picked.ref("good")) == [6, 3, 2]
    assert store.get(picked.ref("bad")) == ["integer division or modulo by zero"]


class When(Listener):
    """Does something as soon as a task is known to run."""

    def __init__(self, act: Callable[[RunRecord], None]) -> None:
        self.act = act
        self.done = False

    def started(self, run: RunRecord, spec: Any) -> None:
        self.run = run

    def tasks(self, records: Sequence[Any]) -> None:
        if not self.done and any(r.step == "grow" and r.status == "running" for r in records):
            self.done = True
            self.act(self.run)


def test_cancel_by_request(tmp_path: Path, cluster: LocalCluster) -> None:
    def cancel(run: RunRecord) -> None:
        open_store(tmp_path).request_cancel(run.id)

    body = "import time\nprint('begun', flush=True)\ntime.sleep(60)\nvalue = 1"
    begun = time.monotonic()
    run, store = go(tmp_path, cluster, fan(body), When(cancel), n=8)
    assert time.monotonic() - begun < 40
    assert run.status == "cancelled"
    assert set(statuses(store, run)) == {"cancelled"}
    ran = [task for task in store.tasks(run.id, "grow") if task.started]
    assert ran
    assert ran[0].log is not None


def test_a_second_interrupt_is_hard(tmp_path: Path, cluster: LocalCluster) -> None:
    def interrupt(run: RunRecord) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()

    stubborn = """
    import time
    while True:
        try: time.sleep(60)
        except KeyboardInterrupt: print('no', flush=True)
    value = 1
    """
    begun = time.monotonic()
    run, store = go(tmp_path, cluster, fan(stubborn), When(interrupt), n=2)
    assert time.monotonic() - begun < 40
    assert run.status == "cancelled"
    assert set(statuses(store, run)) == {"cancelled"}


def test_a_killed_worker_is_named(tmp_path: Path, cluster: LocalCluster) -> None:
    flag = tmp_path / "killed"

    def kill(run: RunRecord) -> None:
        workers = cluster.client.run(os.getpid)
        note = next((tmp_path / ".nbflow" / "live" / str(run.id)).glob("*.now"))
        assert note
        flag.touch()
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)

    body = f"""
    import os, time
    print('begun', i, flush=True)
    while not os.path.exists({str(flag)!r}): time.sleep(0.1)
    time.sleep(5)
    value = 1
    """
    run, store = go(tmp_path, cluster, fan(body), When(kill), n=2)
    assert run.status == "failed"
    assert run.error is not None
    assert run.error["type"] == "WorkerLost"
    for task in store.tasks(run.id, "grow"):
        assert task.status == "failed"
        assert task.log is not None


def test_a_request_that_no_worker_can_satisfy(tmp_path: Path, cluster: LocalCluster) -> None:
    steps = [step("train", "value = 1", outputs=("value",), resources={"cpu": 4096})]
    with pytest.raises(UserError, match=r"--cpu") as caught:
        go(tmp_path, cluster, steps)
    assert caught.value.diagnostics[0].code == "NBF403"
    assert open_store(tmp_path).runs() == []
    steps = [step("train", "value = 1", outputs=("value",), resources={"image": "x:1"})]
    with pytest.raises(UserError, match="image"):
        go(tmp_path, cluster, steps)


def test_an_unreachable_scheduler(tmp_path: Path) -> None:
    write_package(tmp_path, [step("a", "x = 1", outputs=("x",))])
    with pytest.raises(UserError) as caught:
        run_flow(RunRequest(tmp_path, store=tmp_path, on="tcp://127.0.0.1:9"))
    assert caught.value.diagnostics[0].code == "NBF404"


def test_a_scheduler_address(tmp_path: Path, cluster: LocalCluster) -> None:
    write_package(tmp_path, fan("value = i"), parameters={"n": 5})
    address = cluster.client.scheduler.address  # type: ignore[union-attr]
    run = run_flow(RunRequest(tmp_path, store=tmp_path, on=address))
    assert run.status == "succeeded", run.error


def test_resources_are_shared_out(tmp_path: Path, cluster: LocalCluster) -> None:
    body = "import time\nfrom pathlib import Path\nbegun = time.time()\ntime.sleep(0.3)\n"
    body += "ended = time.time()"
    grow = step(
        "grow",
        body,
        {"rows": "load"},
        ("begun", "ended"),
        foreach="i in rows",
        resources={"cpu": 2},
    )
    run, store = go(tmp_path, cluster, [ROWS, grow], n=3)
    assert run.status == "succeeded", run.error
    spans = sorted(
        (store.get(task.ref("begun")), store.get(task.ref("ended")))
        for task in store.tasks(run.id, "grow")
    )
    assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))


def test_a_step_that_leaves_its_process_changed(tmp_path: Path, cluster: LocalCluster) -> None:
    set_it = "import builtins, os\npid = os.getpid()\nbuiltins.left = 1"
    look = "import builtins, os\nseen = [hasattr(builtins, 'left'), os.getpid() == pid]"
    steps = [
        step("change", set_it, outputs=("pid",), taints=True),
        step("look", look, {"pid": "change"}, ("seen",)),
    ]
    run, store = go(tmp_path, cluster, steps)
    task = store.task(run.id, "look")
    assert task is not None
    assert store.get(task.ref("seen")) == [False, False]


def test_two_runs_at_once_in_one_store(tmp_path: Path, cluster: LocalCluster) -> None:
    write_package(tmp_path, fan("value = i"), parameters={"n": 50})
    address = cluster.client.scheduler.address  # type: ignore[union-attr]
    done: list[RunRecord] = []

    def one(seed: int) -> None:
        request = RunRequest(tmp_path, store=tmp_path, on=address, seed=seed, cache=False)
        done.append(run_flow(request))

    threads = [threading.Thread(target=one, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.number for run in done) == [1, 2]
    assert {run.status for run in done} == {"succeeded"}
    store = open_store(tmp_path)
    assert all(statuses(store, run) == ["succeeded"] * 50 for run in done)
