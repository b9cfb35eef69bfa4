"""Cases of the notebook language, by the command line, with every task in a pod."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))

from cases import PATHS, check_case, command_line, read_case
from kuberun import write_settings

#: those whose flow is run: the others are refused before there is an engine
CASES = [path for path in PATHS if "status" in read_case(path).expect]
#: those that ask most of an engine; the others say more of the compiler, and take minutes
MOST = "any_items catch nested objects order retry switch timeout traceback".split()
_REST = pytest.mark.skipif(
    not os.environ.get("NBFLOW_TEST_CASES"), reason="NBFLOW_TEST_CASES=1 has all cases run in pods"
)
#: at once: each waits for pods most of the time
_TOGETHER = 3


@pytest.fixture(scope="module")
def ends(
    module_kube: Any, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[Path, Future[None]]]:
    """How each case that was asked for ends, by its path: they are begun before the first test."""
    asked = [one.callspec.params["path"] for one in request.session.items if _is_run(one)]  # type: ignore[attr-defined]
    lean = tmp_path_factory.mktemp("lean")
    # a second of processor time: Kubernetes' client imports what only these tests have installed
    (lean / "kubernetes_validate.py").write_text("raise ImportError")
    places = os.pathsep.join(filter(None, (str(lean), os.environ.get("PYTHONPATH"))))
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(_TOGETHER) as several:
        patch.setenv("PYTHONPATH", places)
        found = {}
        for path in asked:
            folder = tmp_path_factory.mktemp(path.stem)
            found[path] = several.submit(_check, module_kube, path, folder)
        yield found
        several.shutdown(cancel_futures=True)


def _is_run(test: pytest.Item) -> bool:
    here = test.path == Path(__file__)
    return here and all(not one.args[0] for one in test.iter_markers("skipif"))


def _check(kube: Any, path: Path, folder: Path) -> None:
    notebook = Path(shutil.copy(path, folder))
    # some leave a file there for a step after them, which has another pod
    write_settings(kube, folder, f"env = {{ TMPDIR = {json.dumps(str(folder))} }}")
    check_case(read_case(notebook), notebook, "kubernetes", command_line(folder))


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=() if path.stem in MOST else _REST) for path in CASES],
)
def test_case_in_pods(path: Path, ends: dict[Path, Future[None]]) -> None:
    ends[path].result()
