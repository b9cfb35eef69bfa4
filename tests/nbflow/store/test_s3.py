"""Values in an object store, served by moto; test_stored_values.py has what all stores share."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbflow.errors import CorruptValueError, StoreError
from nbflow.store import open_store
from nbflow.store.gc import apply_gc, plan_gc

s3fs = pytest.importorskip("s3fs")

# aiohttp and botocore leave warnings of their own behind
pytestmark = pytest.mark.filterwarnings("ignore")

NOTEBOOK = """\
# %%
import numpy as np
# %%
%%step load
rows = list(range(4))
large = np.arange(200_000.0)
# %%
%%step grow --foreach i in rows
print("growing", i)
part = np.full(60_000, i)
# %%
%%step pick
best = sum(int(one[0]) for one in grow.part) + int(large[-1])
"""


def nbflow(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nbflow", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_values_go_to_a_bucket_and_come_back(bucket: str, tmp_path: Path) -> None:
    large, small = np.arange(1_000_000.0), np.arange(100)
    store = open_store(tmp_path / "here", objects=f"{bucket}/values")
    with store.writer("w") as writer:
        refs = {"large": writer.put(large, "large"), "small": writer.put(small, "small")}
    assert sorted(path.name for path in store.root.iterdir() if path.is_dir()) == []
    loaded = store.get_many(refs)
    np.testing.assert_array_equal(loaded["large"], large)
    np.testing.assert_array_equal(loaded["small"], small)
    loaded["large"][0] = -1
    assert store.get(refs["large"])[0] == 0
    # another machine reads the same bytes
    other = open_store(tmp_path / "there", objects=f"{bucket}/values")
    np.testing.assert_array_equal(other.get(refs["large"])[:5], large[:5])
    other.objects.remove(f"objects/{refs['large'].oid[:2]}/{refs['large'].oid}")
    with pytest.raises(CorruptValueError, match="are gone"):
        other.get(refs["large"])
    store.close()
    other.close()


def test_what_no_run_needs_is_freed(bucket: str, tmp_path: Path) -> None:
    store = open_store(tmp_path, objects=bucket)
    with store.writer("w") as writer:
        refs = [writer.put(np.full(100_000, n), "x") for n in range(3)]
        writer.put(np.arange(10), "small")
    loaded = [store.get(ref) for ref in refs]
    assert [one[0] for one in loaded] == [0, 1, 2]
    # what was just written is left alone
    assert plan_gc(store).files == ()
    plan = plan_gc(store, grace=-60)
    assert len(plan.files) == 4
    store.objects.write(f"objects/{refs[0].oid[:2]}/{refs[0].oid}", [store.view(refs[0])])
    time.sleep(1.1)  # the times of S3 are of whole seconds
    store.objects.write(f"objects/{refs[1].oid[:2]}/{refs[1].oid}", [store.view(refs[1])])
    freed = apply_gc(store, plan)
    # someone has written it anew since the plan was made
    assert np.array_equal(store.get(refs[1]), np.full(100_000, 1))
    assert {file.name for file in plan.files} - {file.name for file in freed.files} >= {
        f"objects/{refs[1].oid[:2]}/{refs[1].oid}"
    }
    with pytest.raises(CorruptValueError, match="are gone"):
        store.get(refs[2])
    store.close()


@pytest.mark.parametrize("records", ["folder", "postgres"])
def test_a_flow_from_run_to_gc(
    bucket: str, records: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: Any
) -> None:
    if records == "postgres":
        monkeypatch.setenv("NBFLOW_STORE", request.getfixturevalue("database"))
    monkeypatch.setenv("NBFLOW_OBJECTS", f"{bucket}/some/folder")
    (tmp_path / "churn.py").write_text(NOTEBOOK)
    for number, on in (1, "dask" if records == "postgres" else "inline"), (2, "inline"):
        ran = nbflow(tmp_path, "run", "churn.py", "--on", on, "--json")
        assert ran.returncode == 0, ran.stderr
        told = json.loads(ran.stdout)
        assert (told["run"], told["status"]) == (f"churn/{number}", "succeeded")
        assert told["steps"]["grow"]["cached"] == (4 if number == 2 else 0)
    assert nbflow(tmp_path, "get", "churn/2/pick/best", "--json").stdout == "200005\n"
    # another machine, with caches of its own
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("NBFLOW_OBJECTS")
    logs = nbflow(tmp_path, "logs", "churn/1/grow")
    lines = (line for i in range(4) for line in (f"== churn/1/grow/{i}", f"growing {i}"))
    assert logs.stdout.splitlines() == list(lines)
    got = nbflow(tmp_path, "get", "churn/2/load/large", "-o", "large.npy")
    assert got.returncode == 0, got.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "large.npy"), np.arange(200_000.0))
    names = [path.split("/", 1)[1] for path in s3fs.S3FileSystem().find(bucket)]
    assert {name.split("/")[2] for name in names} == {"README.txt", "objects", "packs"}
    left = nbflow(tmp_path, "gc", "--json")
    assert left.returncode == 0, left.stderr
    assert json.loads(left.stdout)["bytes"] == 0


@pytest.mark.parametrize(
    ("objects", "variables", "said"),
    [
        (
            "s3://not-there/x",
            {},
            "There is no bucket for the values at s3://not-there/x.",
        ),
        (
            "s3://not there!/x",
            {},
            "The values at s3://not there!/x cannot be written: Parameter validation failed: Invalid "
            'bucket name "not there!"',
        ),
        (
            "s3://bucket/x",
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "cannot be written: Unable to locate credentials. "
            "Check the keys (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE) and what "
            "they are allowed to do.",
        ),
        (
            "s3://bucket/x",
            {"AWS_PROFILE": "nobody"},
            "The config profile (nobody) could not be found. Check the keys",
        ),
        (
            "s3://bucket/x",
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
            'Could not connect to the endpoint URL: "http://127.0.0.1:1/bucket/README.txt". '
            "Check the address and AWS_ENDPOINT_URL, and whether its server answers.",
        ),
        (
            "s4://bucket/x",
            {},
            "The values at s4://bucket/x cannot be reached: Protocol not known: s4. "
            "Take an address such as s3://BUCKET/FOLDER, or a folder.",
        ),
        ("gs://bucket/x", {}, "`pip install 'gcsfs'`, here and where tasks run."),
        ("s3://me:secret@bucket/x", {}, "has a key in it, and would be kept with it. Give keys by"),
    ],
)
def test_mistakes(
    bucket: str,
    objects: str,
    variables: dict[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
        if not value:
            monkeypatch.delenv(name)
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path, objects=objects.replace("s3://bucket", bucket))
    told = str(caught.value).replace(bucket.removeprefix("s3://"), "bucket").replace("/x/R", "/R")
    assert said in " ".join(told.split())
    assert "secret" not in told.lower().replace("aws_secret_access_key", "")
    # a new store is none before its values have a place: the next try may name another
    assert list(tmp_path.iterdir()) == []


def test_a_run_says_at_once_that_its_values_are_out_of_reach(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "churn.py").write_text(NOTEBOOK)
    open_store(tmp_path, objects=bucket).close()
    s3fs.S3FileSystem().rm(bucket, recursive=True)
    ran = nbflow(tmp_path, "run", "churn.py", "--on", "inline")
    assert ran.returncode == 2
    assert ran.stderr == (
        f"error[NBF406]: There is no bucket for the values at {bucket}.\n    Make it, or take "
        "another: where values lie is settled when a store is made.\n"
    )
    # what is recorded can be read all the same
    assert nbflow(tmp_path, "runs").returncode == 0


def test_an_interrupted_write_is_never_seen(bucket: str, tmp_path: Path) -> None:
    # Ctrl-C comes when a part of the upload has arrived, and the others have not; where the tests
    # run in the background of a shell, it is ignored from the start
    script = (
        "import os, signal, sys, numpy as np\nfrom s3fs.core import S3File\n"
        "from nbflow.store import open_store\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "store = open_store(sys.argv[1], objects=sys.argv[2])\n"
        "upload = S3File._upload_chunk\n"
        "def once(file, final=False):\n"
        "    S3File._upload_chunk = upload\n"
        "    done = upload(file, final)\n"
        "    print(len(file.parts) > 0, final, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return done\n"
        "S3File._upload_chunk = once\n"
        "try:\n    with store.writer('w') as writer: writer.put(np.arange(2e7), 'x')\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path), bucket]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "True False\ninterrupted\n", done.stderr
    system = s3fs.S3FileSystem(use_listings_cache=False)
    assert system.find(bucket) == [f"{bucket.removeprefix('s3://')}/README.txt"]
    held = system.call_s3("list_multipart_uploads", Bucket=bucket.removeprefix("s3://"))
    assert held.get("Uploads", []) == []
