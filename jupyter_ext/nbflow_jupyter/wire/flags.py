"""Wire, flags: what is out of the ordinary in a run."""

from __future__ import annotations

from typing import TypedDict


class Flag(TypedDict):
    """One thing that is far from what it was. `message` has names between backticks.

    `kind` is one of `empty nan columns type failed rows shape missing metric constant skipped
    tasks mean new duration`. `name` is null where it is the step itself. `weight`, from about 1 to
    12, tells how much it matters; from 7 on it is a warning. `also` names columns, or variables as
    `step/name`, to which the same has happened.
    """

    kind: str
    step: str
    name: str | None
    column: str | None
    message: str
    weight: float
    also: list[str]


class Since(TypedDict):
    """What else has changed since an earlier run; `code` are the steps whose code has."""

    run: str
    parameters: list[str]
    code: list[str]
    packages: list[str]


class Flags(TypedDict):
    """What is out of the ordinary in a run, what matters most first.

    `against` are the paths of the runs that it was held against, newest first; `since` is about
    the newest. All are empty while the run goes on.
    """

    run: str
    against: list[str]
    flags: list[Flag]
    since: Since | None
