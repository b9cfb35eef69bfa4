"""What storing 200 MB costs: beside a raw write with a hash, `np.save`, and Metaflow's datastore.

Takes turns between all of them on the same disk and keeps the best of each, in wall seconds;
prints ratios and writes the table.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "values.md"
MEGABYTES = 200
ROUNDS = 7


def values() -> dict[str, Callable[[], Any]]:
    """What is stored."""
    import numpy as np
    import pandas as pd

    count = MEGABYTES * 1_000_000 // 8
    random = np.random.default_rng(0)
    return {
        "numpy": lambda: random.random(count),
        "pandas": lambda: pd.DataFrame(
            {
                **{f"x{n}": random.random(count // 20) for n in range(15)},
                **{f"n{n}": random.integers(0, 9, count // 20) for n in range(5)},
            }
        ),
        "compressible": lambda: np.repeat(np.arange(count // 1000), 1000),
    }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Wall seconds, and what the work gave."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def raw(value: Any, folder: Path) -> None:
    """The least that a checked store does: hash the value's memory and write it."""
    blocks = [block.values for block in value._mgr.blocks] if hasattr(value, "_mgr") else [value]
    buffers = [memoryview(block.reshape(-1)).cast("B") for block in blocks]
    digest = blake2b(digest_size=32)
    for buffer in buffers:
        digest.update(buffer)
    with open(folder / digest.hexdigest(), "wb", buffering=0) as file:
        for buffer in buffers:
            while buffer.nbytes:
                buffer = buffer[file.write(buffer) :]


def total(value: Any) -> float:
    """Touches every byte."""
    return float(value.to_numpy().sum() if hasattr(value, "_mgr") else value.sum())


def in_nbflow(value: Any, folder: Path) -> dict[str, float]:
    """Seconds to put, to get, and to get and touch."""
    from nbflow.store import open_store

    store = open_store(folder)

    def put() -> Any:
        with store.writer("bench") as writer:
            return writer.put(value, "value")

    write, ref = timed(put)
    read, _ = timed(lambda: store.get(ref))
    touch, _ = timed(lambda: total(store.get(ref)))
    store.close()
    return {"write": write, "read": read, "touch": touch}


def in_numpy(value: Any, folder: Path) -> dict[str, float]:
    """The same by `np.save` and a memory map; a frame by pickle, as `to_pickle` does."""
    import numpy as np
    import pandas as pd

    if hasattr(value, "_mgr"):
        write, _ = timed(lambda: value.to_pickle(folder / "value.pkl"))
        load: Callable[[], Any] = lambda: pd.read_pickle(folder / "value.pkl")  # noqa: E731
    else:
        write, _ = timed(lambda: np.save(folder / "value.npy", value))
        load = lambda: np.load(folder / "value.npy", mmap_mode="c")  # noqa: E731
    read, _ = timed(load)
    touch, _ = timed(lambda: total(load()))
    return {"write": write, "read": read, "touch": touch}


def in_metaflow(value: Any, folder: Path) -> dict[str, float]:
    """The same by the datastore that Metaflow's local runs use."""
    from metaflow.datastore import FlowDataStore
    from metaflow.plugins.datastores.local_storage import LocalStorage

    flow = FlowDataStore(
        "Bench",
        environment=None,
        metadata=None,
        storage_impl=LocalStorage,
        ds_root=str(folder),
    )
    task = flow.get_task_datastore("1", "start", "1", attempt=0, mode="w")

    def put() -> None:
        task.init_task()
        task.save_artifacts([("value", value)])
        task.done()

    def get() -> Any:
        done = flow.get_task_datastore("1", "start", "1", attempt=0, mode="r")
        return dict(done.load_artifacts(["value"]))["value"]

    write, _ = timed(put)
    read, _ = timed(get)
    touch, _ = timed(lambda: total(get()))
    return {"write": write, "read": read, "touch": touch}


def print_metaflow(kind: str, folder: str) -> None:
    """Run in a process of its own, as Metaflow changes the process that imports it."""
    print(json.dumps(in_metaflow(values()[kind](), Path(folder))))


def print_growth(kind: str, folder: str) -> None:
    """Run in a process of its own: how far its peak memory rises while it puts a value."""
    value = values()[kind]()
    in_nbflow(value[:1000], Path(folder, "warm"))
    # the peak so far may be that of making the value: reach it again, so that more shows
    held = [value.copy()]
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > _resident() + 8000:
        held.append(_block())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    from nbflow.store import open_store

    with open_store(Path(folder, "cold")).writer("bench") as writer:
        writer.put(value, "value")
    print(json.dumps((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000))


def _resident() -> int:
    """Kilobytes of memory in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


def _block() -> bytearray:
    return bytearray(b"x" * 4_000_000)


def apart(function: str, kind: str, folder: Path) -> Any:
    """What one of the functions above prints, run in a process of its own."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", f"import values; values.{function}({kind!r}, {str(folder)!r})"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(kind: str, value: Any, folder: Path) -> dict[str, dict[str, float]]:
    """The best seconds of each way, taking turns."""
    best: dict[str, dict[str, float]] = {}

    def note(name: str, seconds: dict[str, float]) -> None:
        held = best.setdefault(name, seconds)
        best[name] = {what: min(held[what], seconds[what]) for what in seconds}

    for _ in range(ROUNDS):
        for name, work in (("nbflow", in_nbflow), ("numpy / pandas", in_numpy), ("raw", None)):
            place = Path(tempfile.mkdtemp(dir=folder))
            if work is None:
                note(name, {"write": timed(lambda p=place: raw(value, p))[0]})
            else:
                note(name, work(value, place))
            shutil.rmtree(place)
    note("Metaflow", apart("print_metaflow", kind, folder / f"metaflow-{kind}"))
    return best


def main() -> None:
    """Print and save the table."""
    lines = [
        "# Storing 200 MB",
        "",
        "`python benchmarks/values.py`: best of "
        f"{ROUNDS} (Metaflow: of 1), taking turns, wall seconds. *raw* hashes the value's memory "
        "(BLAKE2b) and writes it to a file; ratios are to it. *read* gives the value back, "
        "*touch* sums it up as well. *growth* is how far peak memory rises during the write.",
        "",
        "| value | way | write s | ratio to raw | read ms | read and touch s | growth MB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, make in values().items():
            best = measure(kind, make(), folder)
            growth = apart("print_growth", kind, folder / f"growth-{kind}")
            for way, seconds in best.items():
                ratio = seconds["write"] / best["raw"]["write"]
                read = f"{seconds['read'] * 1000:.1f}" if "read" in seconds else ""
                touch = f"{seconds['touch']:.3f}" if "touch" in seconds else ""
                grown = f"{growth:.0f}" if way == "nbflow" else ""
                lines.append(
                    f"| {kind} | {way} | {seconds['write']:.3f} | {ratio:.2f} |"
                    f" {read} | {touch} | {grown} |"
                )
                print(lines[-1], flush=True)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
