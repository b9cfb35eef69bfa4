"""Ledger: the resources of this machine, shared out among the batches that run on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from nbflow.engines.base import Work


@dataclass(slots=True)
class Ledger:
    """What there is, and who has what. A task that names no cores has one."""

    there: dict[str, float]
    devices: tuple[str, ...] = ()
    _held: dict[int, tuple[dict[str, float], tuple[str, ...] | None]] = field(default_factory=dict)

    def lacks(self, work: Work) -> list[str]:
        """The names of what is taken, of what a task of this kind needs."""
        return [
            name
            for name, amount in needs(work).items()
            if amount > self.there.get(name, 0.0) - self._used(name) + 1e-9
        ]

    def hold(self, number: int, work: Work) -> None:
        """A batch of this kind was started."""
        self._held[number] = (needs(work), self.pick(work))

    def pick(self, work: Work) -> tuple[str, ...] | None:
        """The GPUs that the next batch of this kind gets; None where it asked for none."""
        wanted = int(needs(work).get("gpu", 0))
        if not wanted or not self.devices:
            return None
        taken = {one for _, devices in self._held.values() for one in devices or ()}
        free = [one for one in self.devices if one not in taken]
        return tuple(free[:wanted])

    def release(self, number: int) -> None:
        """The batch has ended."""
        self._held.pop(number, None)

    def _used(self, name: str) -> float:
        return sum(amounts.get(name, 0.0) for amounts, _ in self._held.values())


def needs(work: Work) -> dict[str, float]:
    """What a task of this kind takes; a split takes a core, whatever the tasks ask for."""
    amounts = work.step.resources.amounts() if work.part == "main" else {}
    return {"cpu": 1.0, **amounts}
