"""Values in an object store, served by moto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nbflow.errors import CorruptValueError
from nbflow.store import open_store
from nbflow.store.gc import plan_gc

server = pytest.importorskip("moto.server")
s3fs = pytest.importorskip("s3fs")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    served = server.ThreadedMotoServer(port=0)
    served.start()
    host, port = served.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir("nbflow-test")
    yield "s3://nbflow-test/values"
    s3fs.S3FileSystem.clear_instance_cache()
    served.stop()


# aiohttp and botocore leave warnings of their own behind
@pytest.mark.filterwarnings("ignore")
def test_values_go_to_a_bucket_and_come_back(bucket: str, tmp_path: Path) -> None:
    large, small = np.arange(1_000_000.0), np.arange(100)
    store = open_store(tmp_path / "here", objects=bucket)
    with store.writer("w") as writer:
        refs = {"large": writer.put(large, "large"), "small": writer.put(small, "small")}
    assert sorted(path.name for path in store.root.iterdir() if path.is_dir()) == []
    loaded = store.get_many(refs)
    np.testing.assert_array_equal(loaded["large"], large)
    np.testing.assert_array_equal(loaded["small"], small)
    loaded["large"][0] = -1
    assert store.get(refs["large"])[0] == 0
    assert {file.size for file in plan_gc(store, grace=-60).files} == {
        refs["large"].size,
        refs["small"].size,
    }
    # another machine reads the same bytes
    other = open_store(tmp_path / "there", objects=bucket)
    np.testing.assert_array_equal(other.get(refs["large"])[:5], large[:5])
    other.objects.remove(f"objects/{refs['large'].oid[:2]}/{refs['large'].oid}")
    with pytest.raises(CorruptValueError, match="are gone"):
        other.get(refs["large"])
    store.close()
    other.close()
