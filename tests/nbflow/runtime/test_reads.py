"""Files that a task reads: heard when opened, and another content is another result."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbflow.runtime import reads
from nbflow.runtime.reads import FilesNow, Reads, digest_of, names_in


def test_what_is_read_is_data_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store"
    store.mkdir()
    for name in ("a.csv", "b.txt", "counter", ".secret", "code.py", "store/value", "gone"):
        (tmp_path / name).write_text("1")
    monkeypatch.chdir(tmp_path)
    heard = Reads([store])
    (tmp_path / "a.csv").read_text()  # before: not heard
    with heard:
        assert Path("a.csv").read_text() == "1"
        os.close(os.open(tmp_path / "b.txt", os.O_RDONLY))
        for name in (".secret", "code.py", "store/value", "gone", "/etc/hostname"):
            open(name).close()
        (tmp_path / "gone").unlink()
        open(tmp_path / "counter").close()
        (tmp_path / "counter").write_text("2")  # what it writes is its own
        Path("new").write_text("x")
        open("new").close()
        with pytest.raises(FileNotFoundError):
            Path("missing").read_text()
    (tmp_path / "counter").read_text()
    one = digest_of(str(tmp_path / "a.csv"))
    assert one is not None
    assert heard.files == {str(tmp_path / "a.csv"): one, str(tmp_path / "b.txt"): one}
    with heard:
        pass
    assert heard.files == {}


def test_names_in_code_and_values_may_be_files(tmp_path: Path) -> None:
    data = tmp_path / "d.parquet"
    data.write_text("1")

    def function(path: Path, text: str, number: int) -> object:
        """Reads."""
        return lambda: ("d.csv", f"{text}.npy", 1.5, b"x", "two\nlines")

    names = names_in(function, {"path": data, "text": "", "number": 1})
    assert names == [str(data), "Reads.", "d.csv", ".npy"]
    assert names_in(len, {}) == []
    heard = Reads()
    with heard.naming(names):
        pass
    assert list(heard.files) == [str(data)]


def test_a_change_is_told_whatever_the_times_say(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"abc")
    files = {str(file): digest_of(str(file)) or ""}
    now = FilesNow()
    assert now.changed(files) is None
    os.utime(file, (1, 1))
    assert now.changed(files) is None
    file.write_bytes(b"abd")
    assert now.changed(files) == f"the file {file} changed"
    file.unlink()
    assert now.changed(files) == f"the file {file} is not there"
    file.mkdir()
    assert now.changed(files) == f"the file {file} is not there"


def test_large_files_are_looked_at_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "WHOLE", 1 << 20)
    file = tmp_path / "large"
    with file.open("wb") as out:
        out.truncate(64 << 20)

    def digest_at_one_time() -> str | None:
        os.utime(file, (1, 1))
        return digest_of(str(file))

    before = digest_at_one_time()
    for at in (0, (64 << 20) - 1):
        with file.open("r+b") as part:
            part.seek(at)
            part.write(b"x")
        after = digest_at_one_time()
        assert after != before
        before = after
    os.utime(file, (2, 2))  # what changed may lie between the blocks
    assert digest_of(str(file)) != before


def test_a_file_that_changes_after_it_was_read_counts_as_changed(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"abc")
    heard = Reads()
    with heard:
        file.read_bytes()
        os.truncate(file, 1)  # by somebody else
    assert FilesNow().changed(heard.files) == f"the file {file} changed"


def test_what_is_no_data_does_not_count_among_the_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "MOST", 3)
    for number in range(6):
        (tmp_path / f".hidden{number}").write_text("x")
    (tmp_path / "data").write_text("x")
    heard = Reads()
    with heard:
        for number in range(6):
            (tmp_path / f".hidden{number}").read_text()
        for _ in range(6):
            (tmp_path / "data").read_text()
    assert list(heard.files) == [str(tmp_path / "data")]


def test_very_many_files_are_no_longer_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "MOST", 3)
    for number in range(4):
        (tmp_path / str(number)).write_text("x")
    heard = Reads()
    with heard:
        for number in range(3):
            (tmp_path / str(number)).read_text()
    assert len(heard.files) == 3
    with heard:
        for number in range(4):
            (tmp_path / str(number)).read_text()
    assert FilesNow().changed(heard.files) == "it read more than 3 files"
