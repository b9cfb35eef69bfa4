"""Values as the store keeps them: exact, checked, the reader's own, and never half written."""

from __future__ import annotations

import errno
import gc
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nbflow.errors import CorruptValueError, StoreError, UserError
from nbflow.store import Store, open_store
from nbflow.store.writer import HASHED, PACKED
from nbflow.values.ref import Ref

LARGE = np.arange(HASHED // 4, dtype="f8")


# aiohttp and botocore leave warnings of their own behind
@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.filterwarnings("ignore"))])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    objects = None if request.param == "local" else request.getfixturevalue("bucket") + "/values"
    store = open_store(tmp_path, objects=objects)
    yield store
    store.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store whose values are files in it."""
    store = open_store(tmp_path)
    yield store
    store.close()


def put(store: Store, value: Any) -> Ref:
    with store.writer("test") as writer:
        ref = writer.put(value, "value")
    again = Ref.from_json(ref.to_json())
    assert again == ref
    return again


def files(store: Store) -> list[Path]:
    return [p for top in ("objects", "packs") for p in (store.root / top).rglob("*") if p.is_file()]


VALUES: list[Any] = [
    None,
    3.5,
    "x" * 5000,
    "☃" * 5000,
    b"\x00" * 5000,
    "\ud800",
    list(range(5000)),
    {"a": [1, (2, {3})]},
    np.arange(10),
    np.asfortranarray(np.arange(1200.0).reshape(30, 40)),
    np.arange(100.0)[::-3],
    np.zeros((0, 3), "i2"),
    np.array(7.5),
    np.array(["a", None], dtype=object),
    np.array([("x", 1)], dtype=[("name", "U3"), ("n", ">i4")]),
    np.array(["2026-01-01"], "M8[D]"),
    np.ma.masked_array([1, 2], [True, False]),
    LARGE,
    pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.Categorical(["u", "v"])}),
    pd.Series([1.5, None], name="s", index=["a", "b"]),
    pd.date_range("2026", periods=3, tz="Europe/Helsinki"),
    pd.Timestamp("2026-01-01"),
    range(5),
    {1.5: Ellipsis},
]


def equal(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        return bool(
            left.dtype == right.dtype
            and left.shape == right.shape
            and left.flags.f_contiguous == np.array(right, order="K").flags.f_contiguous
            and np.array_equal(np.ma.filled(left, 0), np.ma.filled(right, 0))
        )
    if isinstance(left, pd.DataFrame):
        pd.testing.assert_frame_equal(left, right)
        return True
    if isinstance(left, pd.Series):
        pd.testing.assert_series_equal(left, right)
        return True
    return left.equals(right) if isinstance(left, pd.Index) else bool(left == right)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{type(value).__name__}")
def test_round_trip(either: Store, value: Any) -> None:
    ref = put(either, value)
    assert equal(either.get(ref), value)
    either.verify(ref)
    if ref.at:
        assert len(either.get_bytes(ref)) == ref.size


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        hnp.arrays(
            hnp.scalar_dtypes() | hnp.array_dtypes(max_size=2),
            hnp.array_shapes(min_dims=0, min_side=0, max_side=4),
        ),
        hnp.arrays("f8", (5, 6)).map(lambda a: a[::2, ::-1]),
        hnp.arrays("f4", (3, 4)).map(np.asfortranarray),
    )
)
def test_any_array(store: Store, array: Any) -> None:
    loaded = store.get(put(store, array))
    assert loaded.dtype == array.dtype
    assert type(loaded) is type(array)
    assert loaded.tobytes() == array.tobytes()
    if loaded.size:
        loaded[...] = loaded.flat[0]


def test_what_is_read_may_be_changed_privately(either: Store) -> None:
    frame = pd.DataFrame({"a": np.arange(300_000.0), "b": ["x"] * 300_000})
    for value in (LARGE, frame):
        ref = put(either, value)
        one, two = either.get(ref), either.get(ref)
        if isinstance(one, pd.DataFrame):
            one.iloc[0, 0] = -1
            one["new"] = 1
            one.loc[1, "b"] = "changed"
        else:
            one[0] = -1
        assert equal(two, value)
        assert equal(either.get(ref), value)
        either.verify(ref)


def test_a_read_only_array_stays_so(store: Store) -> None:
    array = np.arange(50_000)
    array.flags.writeable = False
    loaded = store.get(put(store, array))
    with pytest.raises(ValueError, match="read-only"):
        loaded[0] = 1


def test_large_arrays_are_mapped_not_read(store: Store) -> None:
    ref = put(store, LARGE)
    loaded = store.get(ref)
    assert not loaded.flags.owndata
    path = store.root / "objects" / ref.oid[:2] / ref.oid
    np.testing.assert_array_equal(np.load(path), LARGE)
    assert path.stat().st_mode & 0o222 == 0


def test_sharing_survives_across_variables(either: Store) -> None:
    frame = pd.DataFrame({"a": range(1000)})
    base = np.arange(100_000.0)
    values = {"frame": frame, "all": [frame], "base": base, "part": base[10:]}
    with either.writer("test") as writer:
        refs = writer.put_together(values)
        alone = writer.put(3, "alone")
        numbers = writer.put_together({"n": 1, "items": [1], "x": np.float64(0.5)})
    loaded = either.get_many({**refs, "alone": alone})
    assert list(loaded) == [*values, "alone"]
    assert loaded["all"][0] is loaded["frame"]
    loaded["base"][10] = -1
    assert loaded["part"][0] == -1
    assert either.get(refs["part"])[0] == 10
    assert len({ref.at for ref in refs.values()}) == 1
    assert [ref.inline is not None for ref in numbers.values()] == [True, True, True]
    assert list(either.get_many(numbers).values()) == [1, [1], 0.5]
    assert len({ref.identity for ref in refs.values()}) == 4
    assert refs["part"].type == "numpy.ndarray"


def test_items_are_loaded_one_by_one(either: Store) -> None:
    items = [("FI", 1), {"a": np.arange(200)}, ("FI", 1), "x" * 500]
    with either.writer("test") as writer:
        ref = writer.put_items(iter(items), "train")
        empty = writer.put_items([], "train")
    loaded = either.items(ref)
    assert len(loaded) == 4
    assert loaded[0] == ("FI", 1)
    np.testing.assert_array_equal(loaded[1]["a"], np.arange(200))
    loaded[1]["a"][:] = 0
    assert loaded[1]["a"][1] == 1
    assert loaded.digest(0) == loaded.digest(2) != loaded.digest(3)
    assert loaded.label(1).startswith("{'a': array(")
    assert len(loaded.label(3)) <= 200
    assert len(either.items(empty)) == 0
    with pytest.raises(IndexError):
        loaded[4]
    with pytest.raises(UserError, match=r"`train\[1\]`"):
        writer.put_items([1, (i for i in range(3))], "train")


def test_small_values_add_no_files(store: Store) -> None:
    with store.writer("run/1 host") as writer:
        refs = [writer.put(np.arange(i), "x") for i in range(500)]
        refs += [writer.put({"score": i / 7}, "x") for i in range(500)]
        logs = [writer.put_bytes(b"log", "text") for _ in range(500)]
    assert len(files(store)) == 1
    assert len({ref.at for ref in logs}) == 1
    assert len(store.get(refs[499])) == 499
    assert store.get(logs[0]) == "log"


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_any_sharing_comes_back(data: Any) -> None:
    """Lists within lists, at random, circles too: the same ones are the same again."""
    count = data.draw(st.integers(1, 5))
    lists: list[list[Any]] = [[] for _ in range(count)]
    for held in lists:
        for choice in data.draw(st.lists(st.integers(0, count + 2), max_size=4)):
            held.append(lists[choice] if choice < count else choice)

    def shape(root: Any) -> Any:
        numbers: dict[int, int] = {}
        found: list[Any] = []

        def walk(node: Any) -> Any:
            if not isinstance(node, list):
                return node
            if id(node) not in numbers:
                numbers[id(node)] = len(numbers)
                found.append([])
                found[numbers[id(node)]] += [walk(item) for item in node]
            return f"list {numbers[id(node)]}"

        return [*(walk(node) for node in root), found]

    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        with store.writer("test") as writer:
            refs = writer.put_together({f"x{n}": held for n, held in enumerate(lists)})
            alone = writer.put(lists[0], "x0")
        assert shape(store.get_many(refs).values()) == shape(lists)
        assert shape([store.get(alone)]) == shape(lists[:1])
        store.close()


def test_large_values_are_written_once(store: Store) -> None:
    assert put(store, LARGE) == put(store, LARGE.copy())
    assert len(files(store)) == 1


@pytest.mark.parametrize("size", [PACKED // 8, HASHED // 16, 2 * HASHED // 8])
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_damage_is_noticed(store: Store, size: int, how: str) -> None:
    ref = put(store, np.arange(size, dtype="f8"))
    (path,) = files(store)
    path.chmod(0o644)
    if how == "gone":
        path.unlink()
    elif how == "cut":
        os.truncate(path, path.stat().st_size // 2)
    else:
        data = bytearray(path.read_bytes())
        data[-100] ^= 1
        path.write_bytes(data)
    with pytest.raises(CorruptValueError) as caught:
        store.get(ref)
    assert "--no-cache" in (caught.value.diagnostics[0].fix or "")
    with pytest.raises(CorruptValueError):
        store.verify(ref)


def test_verify_sees_what_a_spot_check_misses(store: Store) -> None:
    ref = put(store, LARGE)
    (path,) = files(store)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[10_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptValueError):
        store.verify(ref)


def test_a_full_disk_leaves_nothing_half_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = put(store, np.arange(100))
    real = os.write
    room = 10_000

    def write(descriptor: int, data: Any) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, memoryview(data)[:room])
        room -= written
        return written

    before = [(path, path.read_bytes()) for path in files(store)]
    writer = store.writer("test")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(StoreError, match="disk that holds the store is full"):
            writer.put(LARGE, "large")
        room = 300
        small = writer.put(np.arange(200), "small")
        with pytest.raises(StoreError, match="full"):
            writer.flush()
    assert [(path, path.read_bytes()) for path in files(store) if path.stat().st_size] == before
    # there is room again
    again = writer.put(np.arange(200), "small")
    writer.flush()
    assert again.at != small.at
    assert len(store.get(again)) == 200
    assert len(store.get(kept)) == 100


def test_a_limit_on_file_sizes_is_a_full_disk_too(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys, numpy as np; from nbflow.store import open_store\n"
        "from nbflow.errors import StoreError\n"
        "from nbflow.store.records import TaskRecord\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "s = open_store(sys.argv[1]); run = s.create_run('churn', 'v')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "for attempt in (lambda: s.writer('w').put(np.zeros(100_000), 'x'),\n"
        "  lambda: s.publish(run.id, [TaskRecord('a' * 500, str(i), 'failed') for i in range(999)])):\n"
        "    try: attempt()\n"
        "    except StoreError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.count("full") == 2, done.stdout + done.stderr
    store = open_store(tmp_path)
    assert store.tasks(store.run("churn/1").id) == []
    assert files(store) == []
    store.close()


def test_many_maps_do_not_use_up_open_files(store: Store) -> None:
    refs = [put(store, np.full(PACKED // 4, i)) for i in range(60)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()
    # the limit is on the numbers of descriptors, not on how many there are
    used = max(int(number) for number in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 40, hard))
    try:
        loaded = [store.get(ref) for ref in refs]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [array[0] for array in loaded] == list(range(60))


def test_values_can_lie_in_another_folder(tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk"
    store = open_store(tmp_path, objects=f"file://{elsewhere}")
    ref = put(store, LARGE)
    assert (elsewhere / "objects" / ref.oid[:2] / ref.oid).stat().st_size == ref.size
    assert files(store) == []
    assert not store.get(ref).flags.owndata
    store.close()


def test_printed_bytes_need_not_be_text(store: Store) -> None:
    with store.writer("test") as writer:
        ref = writer.put_bytes(b"caf\xe9", "text")
    assert store.get(ref) == "caf\ufffd"
    assert store.get_bytes(ref) == b"caf\xe9"


def test_a_store_keeps_its_address(tmp_path: Path) -> None:
    store = open_store(tmp_path, objects=f"memory://{tmp_path}")
    ref = put(store, LARGE)
    store.close()
    again = open_store(tmp_path)
    np.testing.assert_array_equal(again.get(ref), LARGE)
    again.close()
    with pytest.raises(StoreError, match="keeps its values at"):
        open_store(tmp_path, objects="memory://elsewhere")


def test_values_cannot_be_kept_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "values").touch()
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path / "here", objects=str(tmp_path / "values"))
    assert str(caught.value) == (
        f"Values cannot be kept in {tmp_path}/values: File exists. Take a folder that can be made "
        "and written: `objects` or NBFLOW_OBJECTS names it."
    )
    assert not (tmp_path / "here").exists()
