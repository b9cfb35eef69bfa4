"""The table of the newest 50 runs: from a store of 500, of 50,000 and of 100,000 runs.

Prints the milliseconds of each question, best of some, and their ratio to the smallest store;
writes the table. First of stores in a folder; then, where it is installed, in PostgreSQL. A word
after the command, `folder` or `postgres`, chooses one.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbflow.store import Store, open_store
from nbflow.store.browse import count_runs

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "docs" / "benchmarks"
SIZES = {"folder": (500, 50_000, 100_000), "postgres": (500, 100_000)}
ROUNDS = 7


def fill(store: Store, runs: int) -> None:
    """Runs of ten flows with parameters, tags and metrics, nearly all of them finished."""
    chance = random.Random(0)
    environment = {"python": "3.11", "packages": {f"package{n}": "1.0" for n in range(200)}}
    with store.db.transaction():
        for n in range(runs):
            run = store.create_run(
                f"flow{n % 10}",
                f"0+{n % 100:012x}",
                params={"alpha": chance.random(), "countries": ["FI", "US"]},
                tags=[f"tag{n % 7}"] if n % 3 == 0 else [],
                branch="main" if n % 5 == 0 else None,
                user=chance.choice(["ada", "bob", "eve"]),
                host="box",
                engine="dask",
                environment=environment,
                notebook="flow.ipynb",
            )
            status = "failed" if n % 20 == 0 else "succeeded"
            metrics = {f"score{m}": chance.random() for m in range(10)}
            store.update_run(run.id, status=status, started=1.0, finished=2.0, metrics=metrics)


def questions(store: Store, runs: int) -> dict[str, Callable[[], list[Any]]]:
    """What a table of runs asks for."""
    return {
        "newest 50": lambda: store.runs(),
        "newest 50 of a flow": lambda: store.runs(flow="flow3"),
        "newest 50 failed": lambda: store.runs(status="failed"),
        "newest 50 with a tag": lambda: store.runs(tag="tag4"),
        "newest 50 of a branch": lambda: store.runs(branch="main"),
        "50 in the middle": lambda: store.runs(before=runs // 2),
        "search, many found": lambda: store.runs(search="eve flow1"),
        "search, none found": lambda: store.runs(search="nowhere"),
        "how many of a flow": lambda: [count_runs(store, flow="flow3")],
    }


def milliseconds(work: Callable[[], list[Any]]) -> float:
    """The best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1000


@contextmanager
def folders() -> Iterator[Callable[[int], str]]:
    """Where stores go that are folders."""
    with tempfile.TemporaryDirectory() as folder:
        yield lambda size: str(Path(folder, str(size)))


@contextmanager
def databases() -> Iterator[Callable[[int], str]]:
    """Where stores go in a PostgreSQL server of their own, on this machine."""
    sys.path.insert(0, str(ROOT / "tests"))
    import psycopg
    from pgserver import PASSWORD, PostgresServer

    server = PostgresServer()

    def create(size: int) -> str:
        with psycopg.connect(server.url("postgres", PASSWORD), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE runs{size}".encode())
        return server.url(f"runs{size}", PASSWORD)

    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"NBFLOW_OBJECTS": folder, "XDG_CACHE_HOME": folder}
        try:
            server.start()
            yield create
        finally:
            server.close()


def measure(kind: str) -> None:
    """Print and save the table of one kind of store."""
    sizes = SIZES[kind]
    found: dict[str, list[float]] = {}
    with (folders if kind == "folder" else databases)() as place:
        for size in sizes:
            store = open_store(place(size))
            fill(store, size)
            for name, work in questions(store, size).items():
                found.setdefault(name, []).append(milliseconds(work))
            store.close()
    titles = [f"{size:,} runs" for size in sizes]
    where = "a folder" if kind == "folder" else "a PostgreSQL server on the same machine"
    lines = [
        f"# The table of runs, of a store in {where}",
        "",
        f"`python benchmarks/run_table.py {kind}`: milliseconds, best of {ROUNDS}, from the"
        " question to the records; the ratio is of the largest store to the smallest.",
        "",
        f"| question | {' | '.join(titles)} | ratio |",
        f"| --- |{' --- |' * (len(sizes) + 1)}",
    ]
    for name, times in found.items():
        cells = " | ".join(f"{ms:.2f}" for ms in times)
        lines.append(f"| {name} | {cells} | {times[-1] / times[0]:.1f} |")
    print("\n".join(lines[4:]))
    TABLES.mkdir(parents=True, exist_ok=True)
    name = "run_table.md" if kind == "folder" else "run_table_postgres.md"
    (TABLES / name).write_text("\n".join(lines) + "\n")


def main() -> None:
    """Measure what was asked for, or all that there is."""
    for kind in sys.argv[1:] or SIZES:
        if kind == "postgres" and not _has_postgres():
            print("PostgreSQL is not installed: `make servers` installs it on Debian.")
            continue
        measure(kind)


def _has_postgres() -> bool:
    sys.path.insert(0, str(ROOT / "tests"))
    from pgserver import programs

    return programs() is not None


if __name__ == "__main__":
    main()
