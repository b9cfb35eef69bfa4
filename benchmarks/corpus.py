"""Notebooks and example scripts that nobody tuned for nbflow, from source distributions.

    python benchmarks/corpus.py                  # all packages below, with what is installed here
    python benchmarks/corpus.py networkx lmfit   # these packages
    python benchmarks/corpus.py --check          # compile only, every example there is

Every code cell becomes a step by a tag in its metadata, so that no line changes. Then verify: one
kernel against the flow, every task in a process of its own. Each verdict is kept in a file of JSON
lines, so that a run goes on where it was stopped. Needs `unearth`, which finds and downloads
source distributions.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import select
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from corpus_cells import proposed, read_cells, tagged
from corpus_table import write_table

#: where the examples lie within each package's source distribution
PACKAGES = {
    "deap": ("examples/**/*.py",),
    "emcee": ("docs/tutorials/*.ipynb",),
    "hdbscan": ("notebooks/*.ipynb", "examples/*.py"),
    "imbalanced-learn": ("examples/**/plot_*.py",),
    "lmfit": ("examples/*.py",),
    "matplotlib": ("galleries/examples/**/*.py",),
    "networkx": ("examples/**/*.py",),
    "scikit-image": ("doc/examples/**/plot_*.py",),
    "scikit-learn": ("examples/**/plot_*.py",),
    "scipy": ("doc/source/tutorial/examples/*.py",),
    "seaborn": ("doc/_tutorial/*.ipynb", "doc/_docstrings/*.ipynb", "examples/*.py"),
    "simpy": ("docs/examples/code/*.py",),
    "statsmodels": ("examples/notebooks/*.ipynb",),
    "tslearn": ("docs/examples/**/plot_*.py",),
    "xarray": ("doc/examples/*.ipynb", "doc/gallery/*.py"),
}
#: what fetches data that does not come with the package
DOWNLOADS = re.compile(
    r"\bfetch_\w+|get_rdataset|webuse|load_dataset|urlopen|requests\.|DataReader|openml"
    r"|scipy.datasets|from scipy import datasets|import pooch|UCR_UEA_datasets|CachedDatasets|tutorial\.open|read_csv\([\"']https?:|[\"']https?://"
    r"|https?://[^\s\"']+\.(csv|zip|gz|xlsx?|dta)"
)
#: programs with windows, animations, keyboards
INTERACTIVE = re.compile(
    r"\binput\(|animation|tkinter|ipywidgets|wx\b|gi\.repository|PyQt|ginput|waitforbuttonpress"
    r"|matplotlib\.use\(|plotly|mayavi|mpl_connect|matplotlib\.widgets"
)


@dataclass(frozen=True, slots=True)
class Example:
    """One example: its package with version, its path within, its file."""

    package: str
    name: str
    path: Path


def examples(package: str, folder: Path) -> Iterator[Example]:
    """The examples of a package that need neither a network nor a person."""
    root = _unpacked(package, folder)
    for pattern in PACKAGES[package]:
        for path in sorted(root.glob(pattern)):
            if path.name.startswith((".", "corpus-", "_")) or ".nbflow" in path.parts:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            if not DOWNLOADS.search(text) and not INTERACTIVE.search(text):
                yield Example(root.name, path.relative_to(root).as_posix(), path)


def _unpacked(package: str, folder: Path) -> Path:
    """The folder of the installed version's source distribution, downloaded where it is not there."""
    from importlib.metadata import version

    want = f"{package}=={version(package)}"
    stem = f"{package.replace('-', '_')}-{version(package)}"
    if not (folder / stem).is_dir():
        index = os.environ.get("PIP_INDEX_URL")
        command = [sys.executable, "-m", "unearth", "--no-binary", "--download", str(folder)]
        subprocess.run([*command, *(["-i", index] if index else []), want], check=True)
        archive = next(one for one in folder.glob("*.tar.gz") if one.name.lower().startswith(stem))
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return folder / stem


@contextmanager
def placed(example: Example, notebook: dict[str, Any]) -> Iterator[Path]:
    """The notebook in a folder beside the example's, where all that lies with that is linked."""
    here = example.path.parent
    with tempfile.TemporaryDirectory(prefix="corpus-", dir=here.parent) as name:
        for one in here.iterdir():
            if not one.name.startswith("corpus-"):
                Path(name, one.name).symlink_to(one)
        path = Path(name, f"{re.sub(r'[^A-Za-z0-9]+', '_', example.path.stem)}_steps.ipynb")
        path.write_text(json.dumps(notebook), encoding="utf-8")
        yield path


def warmed(example: Example) -> None:
    """Import what the example imports, so that its tasks, which are forked, need not."""
    os.environ["MPLBACKEND"] = "agg"  # as tasks have it, and the kernel has not
    for _, source in read_cells(example.path):
        for line in source.splitlines():
            found = re.match(r"(?:import|from) ([\w.]+)", line)
            if found and found[1] != "__future__":
                with suppress(Exception):
                    import_module(found[1])
    del os.environ["MPLBACKEND"]


def verify(example: Example, warm: bool = False, init: bool = False) -> dict[str, Any]:
    """The verdict on one example, with its reason; ``init``: with the tags that init proposes."""
    from forked import ForkedEngine

    from nbflow.errors import UserError
    from nbflow.verify.check import verify_notebook

    row = compiles(example, init)
    if row["verdict"] != "compiles":
        return row
    row["warm"] = warm
    if warm:
        warmed(example)
    with placed(example, _notebook(example, init)) as path:
        os.chdir(path.parent)
        try:
            found = verify_notebook(path, engine=ForkedEngine()).to_json()
        except UserError as error:
            told = f"{error.diagnostics[0].code}: {error}"
            return row | {"verdict": "refused", "reason": told}
        finally:
            os.chdir("/")
    verdict, reason = _judge(found)
    row["doubts"] = [f"{one['step']}:{name}" for one in found["steps"] for name in one["doubtful"]]
    return row | {"verdict": verdict, "reason": reason}


def _notebook(example: Example, init: bool) -> dict[str, Any]:
    cells = read_cells(example.path)
    return proposed(cells) if init else tagged(cells)


def compiles(example: Example, init: bool = False) -> dict[str, Any]:
    """What the compiler says of one example: nothing runs."""
    from nbcompile import infer_flow, parse_notebook

    try:
        notebook = _notebook(example, init)
    except (SyntaxError, ValueError, KeyError) as error:
        return {"verdict": "unreadable", "reason": str(error)[:80], "steps": 0, "warnings": {}}
    tags = {tag for one in notebook["cells"] for tag in one["metadata"]["tags"]}
    steps = sum(tag.startswith("step:") for tag in tags)
    row: dict[str, Any] = {"steps": steps, "warnings": {}}
    try:
        flow = infer_flow(parse_notebook(json.dumps(notebook), "corpus", ".ipynb"))
    except Exception as error:  # a crash is a result
        return row | {"verdict": "crash", "reason": f"{type(error).__name__}: {error}"[:200]}
    warnings = Counter(one.code for one in flow.diagnostics if one.severity == "warning")
    row["warnings"] = dict(sorted(warnings.items()))
    error = next((one for one in flow.diagnostics if one.severity == "error"), None)
    if error is not None:
        told = f"{error.code}: {error.message} {error.fix or ''}".strip()
        return row | {"verdict": "refused", "reason": told}
    return row | {"verdict": "compiles", "reason": ""}


def _judge(found: dict[str, Any]) -> tuple[str, str]:
    """A verdict of verify in one word, and what it rests on."""
    if found["stopped"]:
        told = " ".join(found["stopped"].split())
        if "notebook itself" in told:
            return "not run", told
        return ("diagnosed" if re.search(r"\bNBF\d+: ", told) else "fails"), told
    sums = {
        what: sum(len(one[what]) for one in found["steps"])
        for what in ("same", "unread", "unsteady", "doubtful")
    }
    if found["same"]:
        parts = [f"{sums['same']} values"]
        parts += [f"{sums['unread']} not comparable"] if sums["unread"] else []
        parts += [f"{sums['doubtful']} in doubt"] if sums["doubtful"] else []
        parts += [f"{sums['unsteady']} not the same in two kernels"] if sums["unsteady"] else []
        return "same", ", ".join(parts)
    first = next(one for one in found["steps"] if one["differences"])
    one = first["differences"][0]
    told = f"{first['step']}: {one['place']}: {one['kernel']} / {one['flow']}"
    warned = all(one["cause"] for one in found["steps"] if one["differences"])
    return ("diagnosed" if warned else "DIFFERENT"), f"{told}; {first['cause']}"[:300]


class Child:
    """An example being verified in a forked process."""

    def __init__(self, example: Example, work: Callable[[Example], dict[str, Any]]) -> None:
        self.example = example
        self.began = time.monotonic()
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(read)
            _answer(example, work, os.fdopen(write, "wb"))
        os.close(write)
        self.file: BinaryIO = os.fdopen(read, "rb")

    def end(self, limit: float) -> dict[str, Any]:
        """What came of it; the process has ended or is ended."""
        spent = time.monotonic() - self.began
        late = spent > limit
        if late:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        data = b"" if late else self.file.read()
        until = time.monotonic() + 5
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > until:
                os.killpg(self.pid, signal.SIGKILL)
            time.sleep(0.05)
        self.file.close()
        row = {"verdict": "time-out", "reason": f"over {limit:.0f} s", "steps": 0, "warnings": {}}
        if not late:
            row = json.loads(data or b"{}") or row | {"verdict": "crash", "reason": "no answer"}
        one = self.example
        return {"package": one.package, "name": one.name, "seconds": round(spent, 1)} | row


def _answer(example: Example, work: Callable[[Example], Any], answer: BinaryIO) -> None:
    """In the child: do the work, send what came of it, end."""
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        try:
            row = work(example)
        except Exception as error:  # verify itself ended with an error: a result
            row = {"verdict": "crash", "reason": f"{type(error).__name__}: {error}"[:300]}
            row |= {"steps": 0, "warnings": {}}
        answer.write(json.dumps(row).encode())
        answer.flush()
    finally:
        os._exit(0)


def run_all(
    todo: Sequence[Example],
    work: Callable[[Example], dict[str, Any]],
    parallel: int,
    limit: float,
) -> Iterator[dict[str, Any]]:
    """The rows, as they come, of so many examples at a time."""
    waiting = list(reversed(todo))
    flying: list[Child] = []
    while waiting or flying:
        while waiting and len(flying) < parallel:
            flying.append(Child(waiting.pop(), work))
        ready, _, _ = select.select([one.file for one in flying], [], [], 1.0)
        for one in list(flying):
            if one.file in ready or time.monotonic() - one.began > limit:
                flying.remove(one)
                yield one.end(limit)


def _rows(log: Path) -> list[dict[str, Any]]:
    """What earlier runs have found; of each example the latest."""
    lines = log.read_text().splitlines() if log.exists() else []
    rows = [json.loads(line) for line in lines]
    return list({(one["package"], one["name"]): one for one in rows}.values())


def main() -> None:
    """Verify what is named on the command line; write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", nargs="*", help="Of these packages; all where none is named.")
    parser.add_argument("--check", action="store_true", help="Compile only; run nothing.")
    parser.add_argument("--init", action="store_true", help="The steps that init proposes.")
    parser.add_argument("--match", default="", help="Only examples whose path matches.")
    parser.add_argument("--most", type=int, default=1000, help="At most so many of each package.")
    parser.add_argument("--warm", action="store_true", help="Fork from what has the imports done.")
    parser.add_argument("--limit", type=float, default=180.0, help="Seconds for one example.")
    parser.add_argument("--parallel", type=int, default=2, help="So many at a time.")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "nbflow-corpus"))
    parser.add_argument("--table", action="store_true", help="Write the page; run nothing.")
    parser.add_argument("--retry", default="", help="Forget earlier verdicts that match.")
    options = parser.parse_args()
    logs = [f"{name}.jsonl" for name in ("results", "checks", "init-results", "init-checks")]
    if options.table:
        write_table(*(_rows(options.folder / log) for log in logs))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    log = options.folder / logs[2 * options.init + options.check]
    rows = _rows(log)
    if options.retry:
        rows = [one for one in rows if not re.search(options.retry, one["verdict"])]
    known = {(one["package"], one["name"]) for one in rows}
    chosen: list[tuple[int, Example]] = []
    for package in options.packages or PACKAGES:
        found = list(examples(package, options.folder))
        step = max(1, len(found) // options.most)  # spread over the package's folders
        chosen += enumerate(one for one in found[::step] if re.search(options.match, one.name))
    # one of each package, then the next of each
    todo = [one for _, one in sorted(chosen, key=lambda pair: pair[0])]
    todo = [one for one in todo if (one.package, one.name) not in known]
    import numpy  # noqa: F401 (once for all that is forked)

    import nbflow.verify.check  # noqa: F401

    work = partial(compiles, init=options.init)
    if not options.check:
        work = partial(verify, warm=options.warm, init=options.init)
    for row in run_all(todo, work, options.parallel, options.limit):
        rows.append(row)
        with log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(row["package"], row["name"], row["verdict"], row["reason"], sep=" | ", flush=True)
    write_table(*(_rows(options.folder / log) for log in logs))


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # as the processes of a run have it
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    main()
