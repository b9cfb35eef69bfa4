"""The flow: what the compiler infers from a notebook, the contract with everything after it.

The values here are plain and frozen. `infer_flow` makes a `Flow`, `emit_package` turns it into
source files, and the runtime reads its JSON form (`flow.json`), never these classes' private parts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from nbcompile.diagnostics import Diagnostic

SCHEMA_VERSION = 1

InputKind = Literal["value", "fanout"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of lowered Python from one cell, kept as the user wrote them.

    ``lines[i]`` is the line in the cell (from 1) that line ``i`` of ``code`` came from.
    """

    cell: int
    code: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """A name that a step reads and where its value comes from.

    ``sources`` are the steps that may have written it, nearest first: the first of them that ran
    and bound the name supplies the value. A ``fanout`` input is the step ``sources[0]`` itself,
    read by its name: the lazy sequence of its branches. A source that fans out and is not a
    ``fanout`` input is read in the same branch.
    """

    name: str
    sources: tuple[str, ...]
    kind: InputKind = "value"


@dataclass(frozen=True, slots=True)
class Reads:
    """What a piece of code needs from outside: the arguments of the function it becomes."""

    inputs: tuple[Input, ...] = ()
    parameters: tuple[str, ...] = ()
    #: import statements for the head of the module, each one line (`import pandas as pd`)
    imports: tuple[str, ...] = ()
    #: names taken from the package's `common` module
    common: tuple[str, ...] = ()
    #: names taken from the package's `notebook` support module (`display`, `show`, …)
    support: tuple[str, ...] = ()
    #: inputs or parameters that functions in `common` read when called: set there first
    bind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """The expression of a `--foreach` or `--when` option, compiled to a function of its own."""

    code: str
    cell: int
    line: int
    reads: Reads
    #: `--foreach` only: the names bound to each item
    targets: tuple[str, ...] = ()
    #: `--foreach` only: the target as written, `country` or `(number, letter)`
    target: str = ""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a task asks for: cores, bytes of memory and disk, GPUs, a container image."""

    cpu: float | None = None
    memory: int | None = None
    gpu: int | None = None
    disk: int | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a step, parsed: durations in seconds, sizes in bytes."""

    after: tuple[str, ...] = ()
    each: str | None = None
    resources: Resources = Resources()
    retry: int = 0
    retry_delay: float = 0.0
    timeout: float | None = None
    catch: bool = False
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    cache: bool = True
    env: str | None = None
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment that steps may run in; ``python`` is a version, `3.12`, where one is named."""

    name: str
    requirements: tuple[str, ...] = ()
    python: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the flow; ``default`` is its source text, ``annotation`` too where given."""

    name: str
    default: str
    annotation: str | None
    help: str
    cell: int
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its code, what it reads and writes, and how it is to run."""

    name: str
    cells: tuple[int, ...]
    doc: str
    body: tuple[Piece, ...]
    reads: Reads
    #: every name the step binds, in order of first binding
    outputs: tuple[str, ...]
    #: outputs that may be unbound at the end of the step
    maybe: tuple[str, ...]
    #: outputs that a later step reads
    crossing: tuple[str, ...]
    #: outputs that may share identity and of which one is changed later: stored together
    together: tuple[tuple[str, ...], ...]
    #: names that live in `common` while the step runs, as functions there read or write them
    shared: tuple[str, ...]
    #: steps that must have ended before this one starts: data, `--after`, fan-outs
    depends: tuple[str, ...]
    options: Options
    foreach: Expression | None = None
    when: Expression | None = None
    #: definitions in `common` that the step may call, directly or through values it reads
    calls: tuple[str, ...] = ()
    #: names that an inner function of this step captures and that a later step binds anew
    captured: tuple[str, ...] = ()
    #: inputs that a later step reads too: changing them unseen would differ from the notebook
    unchanged: tuple[str, ...] = ()
    #: process state (`random`, `numpy.random`, `environ`, …) that the step takes over / hands on
    restores: tuple[str, ...] = ()
    saves: tuple[str, ...] = ()
    #: the process-wide random generators that are seeded and that it was seen to use
    draws: tuple[str, ...] = ()
    #: lines before the body: names that begin with the shared module's value, late imports
    preamble: tuple[str, ...] = ()
    #: option settings made by earlier steps (`pd.set_option(…)`), repeated before the body
    settings: tuple[Piece, ...] = ()
    #: the step leaves its process changed: do not run another task in it afterwards
    taints: bool = False
    #: the body awaits at top level
    awaits: bool = False


@dataclass(frozen=True, slots=True)
class Common:
    """The shared module: setup, and the definitions that steps use, in notebook order."""

    pieces: tuple[Piece, ...] = ()
    imports: tuple[str, ...] = ()
    support: tuple[str, ...] = ()
    #: names that functions here read or write as globals and that steps set before calling
    late: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """A whole notebook, understood."""

    name: str
    notebook: str
    steps: tuple[Step, ...]
    parameters: tuple[Parameter, ...]
    common: Common
    #: `from __future__` features in force, and flow-wide options of `%flow`
    future: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    #: local modules that the notebook imports: top-level module or package names
    local_modules: tuple[str, ...] = ()
    #: top-level names of everything imported, for the package's dependencies
    imported: tuple[str, ...] = ()
    environments: tuple[Environment, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    def step(self, name: str) -> Step:
        """The step of that name; KeyError where there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)
