"""Locks: what is asked for as exact versions with hashes; what cannot be had, in a sentence."""

from __future__ import annotations

import hashlib
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from wheels import module_wheel

from nbflow.environments.cache import cache_folder
from nbflow.environments.locks import (
    Lock,
    clean,
    distributions,
    flat,
    identities,
    lock_environments,
    locks_from_json,
    locks_to_json,
    with_runtime,
)
from nbflow.environments.uv import usual_index
from nbflow.errors import UserError

HERE = ".".join(platform.python_version_tuple()[:2])


def asking(*requirements: str, python: str | None = None) -> dict[str, Any]:
    """The manifest of a flow with one step, in the environment `old`."""
    return {
        "steps": [{"name": "score", "env": "old"}, {"name": "load"}],
        "environments": [
            {"name": "old", "requirements": list(requirements), "python": python},
            {"name": "unused", "requirements": ["nowhere"], "python": None},
        ],
    }


def lock(*requirements: str, earlier: tuple[Lock, ...] = ()) -> Lock:
    (found,) = lock_environments(asking(*requirements), (None,), earlier).values()
    return found


def refusal(*requirements: str, **more: Any) -> tuple[str, str, str | None]:
    with pytest.raises(UserError) as caught:
        lock_environments(asking(*requirements, **more), (None,))
    (said,) = caught.value.diagnostics
    return said.code, said.message, said.fix


def test_a_lock_has_exact_versions_with_hashes(wheels: Path) -> None:
    places = [module_wheel(wheels, "lathe", number) for number in ("1.0", "1.5", "2.0")]
    module_wheel(wheels, "chuck", "3.1")
    module_wheel(wheels, "bench", "0.4", needs=["chuck>=3"])
    found = lock("lathe<2", "bench")
    held = {"bench": "0.4", "chuck": "3.1", "lathe": "1.5", "cloudpickle": version("cloudpickle")}
    assert (found.name, found.python, distributions(found)) == ("old", HERE, held)
    assert hashlib.sha256(places[1].read_bytes()).hexdigest() in found.text
    assert f"--find-links {wheels}\n" in found.text


def test_a_lock_holds_until_something_else_is_asked_for(wheels: Path) -> None:
    module_wheel(wheels, "lathe", "1.0")
    first = lock("lathe")
    module_wheel(wheels, "lathe", "1.1")
    assert lock("lathe") == first  # this machine knows it
    (cache_folder() / "locks" / f"{first.asked}.txt").unlink()
    assert lock("lathe", earlier=(first,)) == first  # the last run tells it
    assert distributions(lock("lathe"))["lathe"] == "1.1"
    (cache_folder() / "locks" / f"{first.asked}.txt").unlink()
    assert distributions(lock("lathe>=1.1", earlier=(first,)))["lathe"] == "1.1"


def test_what_cannot_be_had_is_said(wheels: Path) -> None:
    module_wheel(wheels, "lathe", "1.0")
    module_wheel(wheels, "bench", "0.4", needs=["lathe<1"])
    code, message, fix = refusal("lathe==1.0", "bench")
    assert code == "NBF409"
    assert message.startswith("The environment `old` cannot be had: Because ")
    assert "lathe==1.0" in message
    assert "\n" not in message
    assert fix is not None
    assert fix.startswith("Change the line `%environment`")


def test_without_a_network_one_is_told_so(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, message, fix = refusal("lathe")
    assert (code, "package index cannot be reached" in message) == ("NBF409", True)
    assert fix is not None
    assert "UV_DEFAULT_INDEX" in fix
    monkeypatch.delenv("UV_OFFLINE")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    assert "package index cannot be reached" in refusal("lathe")[1]


def test_without_uv_one_is_told_how_to_get_it(
    wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uv", None)
    monkeypatch.setenv("PATH", str(wheels))
    said = refusal("lathe")
    assert said == (
        "NBF409",
        "Environments of steps need uv, which is not here.",
        "Install it: pip install 'nbflow[env]'.",
    )


def test_a_kept_lock_has_no_password_and_no_relative_path() -> None:
    text = (
        "--index-url https://usual.example/simple\n--extra-index-url https://ann:pw@own.example/simple\n"
        "--find-links ./w\n\nlathe==1.0 \\\n    --hash=sha256:00\n"
    )
    assert clean(text, Path("/nb"), "https://usual.example/simple") == (
        "--extra-index-url https://own.example/simple\n--find-links /nb/w\n"
        "lathe==1.0 \\\n    --hash=sha256:00\n"
    )


def test_the_usual_index_is_asked_of_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example/simple")
    usual_index.cache_clear()
    assert re.fullmatch(r"https://[^/]+/simple", usual_index())
    assert "own.example" not in usual_index()


def test_where_things_come_from_is_no_part_of_what_they_are() -> None:
    one = Lock("old", "3.11", "a", "lathe==1.0\n")
    assert one.id == Lock("old", "3.11", "b", "--index-url https://own.example/\nlathe==1.0\n").id
    assert one.id != Lock("old", "3.12", "a", "lathe==1.0\n").id
    assert one.id != Lock("old", "3.11", "a", "lathe==1.1\n").id


def test_locks_are_kept_with_the_run() -> None:
    locks = {"old": Lock("old", "3.11", "a", "lathe==1.0 \\\n    --hash=sha256:00\n")}
    recorded = {"python": "3.11.7", "packages": {"lathe": "2.0"}}
    recorded["environments"] = locks_to_json(locks)
    assert locks_from_json(recorded) == locks
    assert flat(recorded) == {
        "python": "3.11.7",
        "lathe": "2.0",
        "old: python": "3.11",
        "old: lathe": "1.0",
    }


def test_a_task_has_what_its_store_needs() -> None:
    pickle = f"cloudpickle=={version('cloudpickle')}"
    assert with_runtime(["six"], ["/nb/.nbflow", None]) == ["six", pickle]
    assert with_runtime(["Cloudpickle<4", "s3fs"], ["postgresql://h/d", "s3://b/f"]) == [
        "Cloudpickle<4",
        "s3fs",
        "psycopg[binary]",
        "fsspec",
    ]


def test_what_results_depend_on() -> None:
    asked = identities(asking("lathe"), {})
    assert asked.keys() == {"old", "unused"}
    assert asked["old"] != identities(asking("lathe<2"), {})["old"]
    lock = Lock("old", "3.11", "a", "lathe==1.0\n")
    assert identities(asking("lathe"), {"old": lock}) == asked | {"old": lock.id}
