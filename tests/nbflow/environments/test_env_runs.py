"""Runs on Dask whose steps have environments: built, honoured, part of the cache key, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from wheels import module_wheel, offline

from nbflow.client.diff import diff
from nbflow.client.run import Run
from nbflow.engines.cluster import LocalCluster
from nbflow.engines.dask import DaskEngine
from nbflow.engines.inline import InlineEngine
from nbflow.environments.cache import cache_folder
from nbflow.environments.locks import distributions, locks_from_json
from nbflow.errors import UserError
from nbflow.runtime.request import RunRequest
from nbflow.runtime.run import run_flow
from nbflow.store import Store, open_store
from nbflow.store.records import RunRecord

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

LOAD = "# nbflow: step load\nrows = [1, 2, 3]"
OLD = (
    "# nbflow: step old --env old\nimport lathe, sys\nmade = lathe.__version__\n"
    "base = sys.prefix\ntotal = sum(rows)\nprint('with', made)"
)
AFTER = "# nbflow: step after\nsaid = f'{made} {total}'"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, LocalCluster]]:
    """A folder of wheels, and workers that look there as well."""
    with pytest.MonkeyPatch.context() as patch:
        wheels = offline(tmp_path_factory.mktemp("environments"), patch)
        for number in ("1.0", "1.5", "2.0"):
            module_wheel(wheels, "lathe", number)
        cluster = LocalCluster(2)
        yield wheels, cluster
        cluster.close()


@pytest.fixture
def cluster(places: tuple[Path, LocalCluster]) -> LocalCluster:
    return places[1]


def go(folder: Path, cluster: LocalCluster, *cells: str) -> tuple[RunRecord, Store]:
    notebook = folder / "shop.py"
    notebook.write_text("\n\n".join(f"# %%\n{cell}" for cell in cells))
    request = RunRequest(notebook, store=folder)
    run = run_flow(request, None, DaskEngine(cluster=cluster))
    return run, open_store(folder)


def statuses(store: Store, run: RunRecord) -> dict[str, str]:
    return {task.step: task.status for task in store.tasks(run.id)}


def test_a_step_runs_in_its_environment(tmp_path: Path, cluster: LocalCluster) -> None:
    cells = ('# nbflow: environment old "lathe<2"', LOAD, OLD, AFTER)
    run, store = go(tmp_path, cluster, *cells)
    assert (run.status, run.error) == ("succeeded", None)
    assert run.metrics["said"] == "1.5 6"
    old = store.task(run.id, "old")
    assert old is not None
    assert Path(store.get(old.ref("base"))).parent == cache_folder()
    (lock,) = locks_from_json(store.environment(run)).values()
    assert distributions(lock)["lathe"] == "1.5"


def test_workers_of_a_cluster_build_it_themselves(
    tmp_path: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = tmp_path / "shop.py"
    cells = ("# nbflow: environment old lathe==1.0", LOAD, OLD)
    notebook.write_text("\n\n".join(f"# %%\n{cell}" for cell in cells))
    address = cluster.client.scheduler.address
    # what the workers have built is not the driver's
    theirs = cache_folder()
    monkeypatch.setenv("NBFLOW_CACHE", str(tmp_path / "cache"))
    run = run_flow(RunRequest(notebook, store=tmp_path, on=address))
    assert (run.status, run.error) == ("succeeded", None)
    assert run.metrics["made"] == "1.0"
    store = open_store(tmp_path)
    old = store.task(run.id, "old")
    assert old is not None
    assert Path(store.get(old.ref("base"))).parent == theirs
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["locks"]


def test_its_lock_is_part_of_the_cache_key(tmp_path: Path, cluster: LocalCluster) -> None:
    first, _ = go(tmp_path, cluster, '# nbflow: environment old "lathe<2"', LOAD, OLD, AFTER)
    same, store = go(tmp_path, cluster, '# nbflow: environment old "lathe<2"', LOAD, OLD, AFTER)
    assert statuses(store, same) == dict.fromkeys(("load", "old", "after"), "cached")
    other, store = go(tmp_path, cluster, '# nbflow: environment old "lathe<1.5"', LOAD, OLD, AFTER)
    assert statuses(store, other) == {"load": "cached", "old": "succeeded", "after": "succeeded"}
    old = store.task(other.id, "old")
    assert old is not None
    assert old.reason == "the environment changed"
    assert other.metrics["said"] == "1.0 6"
    found = diff(Run(first, store), Run(other, store)).environment
    assert found == {"old: lathe": ("1.5", "1.0")}


def test_a_missing_module_is_named_with_the_line_to_add(
    tmp_path: Path, cluster: LocalCluster
) -> None:
    hidden = (
        "# nbflow: step old --env bare\nimport importlib\nx = 1\nimportlib.import_module('yaml')"
    )
    run, _ = go(tmp_path, cluster, "# nbflow: environment bare", hidden)
    error = run.error
    assert error is not None
    import yaml

    assert (error["type"], error["cell"], error["line"]) == ("ModuleNotFoundError", 1, 4)
    assert error["message"] == (
        "No module named 'yaml': the environment `bare` that `old` runs in lacks it. "
        f"Add it: %environment bare pyyaml=={yaml.__version__}"
    )
    assert error["traceback"].endswith(f"ModuleNotFoundError: {error['message']}")
    added, _ = go(
        tmp_path, cluster, "# nbflow: environment bare lathe", hidden.replace("yaml", "lathe")
    )
    assert added.status == "succeeded"


def test_a_value_of_what_the_environment_lacks(tmp_path: Path, cluster: LocalCluster) -> None:
    load = "# nbflow: step load\nimport yaml\nrows = [yaml.nodes.ScalarNode('a', 'b')]"
    old = "# nbflow: step old --env bare\nn = len(rows)"
    run, _ = go(tmp_path, cluster, "# nbflow: environment bare", load, old)
    error = run.error
    assert error is not None
    assert error["step"] == "old"
    assert "the environment `bare` that `old` runs in lacks it" in error["message"]


def test_an_environment_that_cannot_be_built_fails_its_tasks_only(
    tmp_path: Path, cluster: LocalCluster
) -> None:
    line = "# nbflow: environment old lathe --python 3.99"
    aside = "# nbflow: step aside\ny = 2"
    run, store = go(tmp_path, cluster, line, LOAD, OLD, aside)
    assert statuses(store, run) == {"load": "succeeded", "old": "failed", "aside": "succeeded"}
    error = run.error
    assert error is not None
    assert error["type"] == "NoEnvironment"
    assert error["message"].startswith(
        "The environment `old` cannot be built: its Python is not here."
    )
    assert "Install that Python" in error["message"]


def test_what_cannot_be_had_is_said_before_the_run(tmp_path: Path, cluster: LocalCluster) -> None:
    with pytest.raises(UserError, match="The environment `old` cannot be had"):
        go(tmp_path, cluster, '# nbflow: environment old "lathe>2"', LOAD, OLD)
    assert not list(open_store(tmp_path).runs())


def test_one_process_has_one_environment(tmp_path: Path) -> None:
    notebook = tmp_path / "shop.py"
    notebook.write_text(f"# %%\n# nbflow: environment old lathe\n\n# %%\n{LOAD}\n\n# %%\n{OLD}")
    with pytest.raises(UserError) as caught:
        run_flow(RunRequest(notebook, store=tmp_path, on="inline"), None, InlineEngine())
    (said,) = caught.value.diagnostics
    assert (said.code, said.cell) == ("NBF403", 2)
    assert said.message == (
        "The inline engine cannot honour `--env` of `old`: it runs all tasks in this process."
    )
