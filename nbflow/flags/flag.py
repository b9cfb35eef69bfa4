"""Flag: one thing that is far from what it was in earlier runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: from this weight on, a flag is a warning
WARNING = 7.0


@dataclass(frozen=True, slots=True)
class Flag:
    """A sentence, what it is about, and how much it matters.

    ``kind`` is one of `empty nan columns type failed rows shape missing metric constant skipped
    tasks mean new duration`.
    """

    kind: str
    step: str
    #: the variable; None where it is the step itself
    name: str | None
    #: the column of a frame, or the key of a dictionary
    column: str | None
    message: str
    #: the larger, the more it matters: from about 1 to 12
    weight: float
    #: columns or variables to which the same has happened
    also: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"also": list(self.also)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Flag:
        """The flag that `to_json` gave."""
        return Flag(**{**data, "also": tuple(data["also"])})


@dataclass(frozen=True, slots=True)
class Since:
    """What else has changed since the newest of the earlier runs: a cause to think of first."""

    run: str
    parameters: tuple[str, ...] = ()
    #: steps whose code changed
    code: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags of a run, what matters most first, and the runs that it was held against."""

    run: str
    #: newest first
    against: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    since: Since | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "run": self.run,
            "against": list(self.against),
            "flags": [one.to_json() for one in self.flags],
            "since": None
            if self.since is None
            else {name: _plain(value) for name, value in asdict(self.since).items()},
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Flags:
        """The flags that `to_json` gave."""
        since = data["since"]
        return Flags(
            data["run"],
            tuple(data["against"]),
            tuple(Flag.from_json(one) for one in data["flags"]),
            None if since is None else Since(**{name: _frozen(v) for name, v in since.items()}),
        )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
