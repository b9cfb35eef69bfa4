"""What control groups of either version say, and the sentence that comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.engines.memory import MemoryUse, memory_use, out_of_memory


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_the_second_version(tmp_path: Path) -> None:
    write(
        tmp_path,
        memory_DOT_max="67108864\n",
        memory_DOT_peak="67000000\n",
        memory_DOT_events="low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n",
    )
    assert memory_use(tmp_path) == MemoryUse(67108864, 67000000, 1)


def test_the_first_version(tmp_path: Path) -> None:
    write(
        tmp_path,
        memory__memory_DOT_limit_in_bytes="67108864\n",
        memory__memory_DOT_max_usage_in_bytes="67108864\n",
        memory__memory_DOT_oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    )
    assert memory_use(tmp_path) == MemoryUse(67108864, 67108864, 1)


def test_no_limit(tmp_path: Path) -> None:
    write(tmp_path, memory_DOT_max="max\n", memory_DOT_events="oom_kill 0\n")
    assert memory_use(tmp_path) == MemoryUse()
    write(tmp_path / "first", memory__memory_DOT_limit_in_bytes="9223372036854771712\n")
    assert memory_use(tmp_path / "first") == MemoryUse()
    assert memory_use(tmp_path / "none") == MemoryUse()


@pytest.mark.parametrize(
    ("limit", "peak", "said"),
    [
        (
            64 << 20,
            64 << 20,
            "it may have 64MiB and had 64MiB at its peak. Ask for more: `--memory 128MiB`.",
        ),
        (
            99_999_744,
            99_614_720,
            "it may have 100MB and had 95MiB at its peak. Ask for more: `--memory 200MB`.",
        ),
        (2 << 30, None, "it may have 2GiB. Ask for more: `--memory 4GiB`."),
    ],
)
def test_the_sentence(limit: int, peak: int | None, said: str) -> None:
    assert out_of_memory(limit, peak) == f"The task was out of memory: {said}"


def test_the_sentence_without_a_limit() -> None:
    assert out_of_memory(None) == "The task was out of memory. Ask for more: `--memory SIZE`."
