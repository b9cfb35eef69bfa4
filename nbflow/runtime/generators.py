"""Generators: the process-wide random generators, as each task finds and leaves them."""

from __future__ import annotations

import contextlib
import importlib
import random
import sys
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

#: by the compiler's word for it: the module, and what in setup code tells that it is seeded there
_MODULES = {"numpy_random": ("numpy.random", "seed"), "torch_random": ("torch", "manual_seed")}


class Generators:
    """Starts the generators of each task at a state that depends on nothing but the task.

    To be made before the flow's setup code is imported: setup that seeds a generator means it, and
    every task then starts from that state.
    """

    def __init__(self, common: Path) -> None:
        setup = common.read_text(encoding="utf-8") if common.is_file() else ""
        for module, word in _MODULES.values():
            # there before setup seeds it, so that one can tell that it did
            if word in setup and module.partition(".")[0] in setup:
                with contextlib.suppress(ImportError):
                    importlib.import_module(module)
        self._before = _states()
        self._start: dict[str, Any] = {}
        self._number = 0
        #: the state that setup has seeded, by generator
        self.seeded: dict[str, Any] = {}

    def after_setup(self) -> None:
        """Note what setup code has seeded."""
        self.seeded = _moved(self._before, _states())

    def seed(self, seed: int, step: str, key: str) -> None:
        """Start the generators of a task, from the run's seed and the task's name."""
        mixed = blake2b(f"{seed}/{step}/{key}".encode(), digest_size=8).digest()
        self._number = int.from_bytes(mixed, "big")
        self._start = {}
        self.seed_late()

    def seed_late(self) -> None:
        """Start those too whose modules came with the task's inputs."""
        present = _present()
        for kind in present.keys() - self._start.keys():
            read, restore, sow = present[kind]
            if kind in self.seeded:
                restore(self.seeded[kind])
            else:
                sow(self._number)
            self._start[kind] = read()

    def moved(self) -> frozenset[str]:
        """The generators that have been drawn from since the task began."""
        return frozenset(_moved(self._start, _states()))


def title(kind: str) -> str:
    """How users know a generator's state."""
    module = _MODULES[kind][0] if kind in _MODULES else kind
    return f"the state of {module}"


def _present() -> dict[str, tuple[Callable[[], Any], Callable[[Any], Any], Callable[[int], Any]]]:
    """Of each generator in this process: how its state is read, restored and seeded."""
    found: dict[str, Any] = {"random": (random.getstate, random.setstate, random.seed)}
    if "numpy" in sys.modules:
        draws = importlib.import_module("numpy.random")  # which numpy itself puts off
        found["numpy_random"] = (
            draws.get_state,
            draws.set_state,
            lambda number: draws.seed(number & 0xFFFFFFFF),
        )
    torch = sys.modules.get("torch")
    # half imported while another module imports it
    if torch is not None and hasattr(torch, "manual_seed"):
        found["torch_random"] = (
            torch.get_rng_state,
            torch.set_rng_state,
            lambda number: torch.manual_seed(number >> 1),
        )
    return found


def _states() -> dict[str, Any]:
    return {kind: read() for kind, (read, _, _) in _present().items()}


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {
        kind: state
        for kind, state in after.items()
        if kind in before and not _same(before[kind], state)
    }


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and len(one) > 1 and hasattr(one[1], "tobytes"):
        return bool(one[1].tobytes() == other[1].tobytes() and one[2:] == other[2:])
    return bool((one == other).all()) if hasattr(one, "all") else bool(one == other)
