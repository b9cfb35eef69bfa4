"""Diff: what changed from one run to another: code, parameters, environment, data, metrics."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbflow.client.artifact import Artifact
from nbflow.client.html import dim, folded, page, table, title
from nbflow.client.run import Run
from nbflow.client.text import brief, grid

if TYPE_CHECKING:
    from nbflow.store import Store

Change = tuple[Any, Any]

#: what stands for a value that one of the two does not have
ABSENT = "(none)"


def diff(a: Run | str, b: Run | str, store: Store | str | Path | None = None) -> Diff:
    """What changed from run ``a`` to run ``b``."""
    first = a if isinstance(a, Run) else Run(a, store)
    second = b if isinstance(b, Run) else Run(b, store or first.store)
    return Diff(
        first.path,
        second.path,
        code=_code(first, second),
        parameters=_changes(first.params, second.params),
        environment=_changes(_flat(first.environment), _flat(second.environment)),
        data=_data(first, second),
        metrics=_changes(first.metrics, second.metrics),
    )


@dataclass(frozen=True, slots=True)
class Diff:
    """Each part maps a name to what it was and what it is; `code` a step to a unified diff."""

    a: str
    b: str
    code: dict[str, str]
    parameters: dict[str, Change]
    environment: dict[str, Change]
    #: `step/variable` of stored values whose contents differ, in short
    data: dict[str, Change]
    metrics: dict[str, Change]

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.code or self.parameters or self.environment or self.data or self.metrics)

    def to_json(self) -> dict[str, Any]:
        """The parts as JSON; a change is a list of two."""
        parts = {name: getattr(self, name) for name in PARTS}
        return {
            "a": self.a,
            "b": self.b,
            "code": self.code,
            **{name: {k: list(v) for k, v in part.items()} for name, part in parts.items()},
        }

    def __repr__(self) -> str:
        lines = [f"{self.a} → {self.b}"]
        for name in PARTS:
            part: Mapping[str, Change] = getattr(self, name)
            if part:
                rows = [(k, *map(brief, pair), delta(*pair)) for k, pair in part.items()]
                lines += ["", grid((name, self.a, self.b, ""), rows)]
        for step, text in self.code.items():
            lines += ["", f"code of {step}", text.rstrip()]
        if not self:
            lines.append("nothing changed")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [title(f"{self.a} → {self.b}")]
        for name in PARTS:
            part: Mapping[str, Change] = getattr(self, name)
            rows = [
                [
                    escape(key),
                    f"<del>{escape(brief(old, 80))}</del>",
                    f"<ins>{escape(brief(new, 80))}</ins>",
                    dim(delta(old, new)),
                ]
                for key, (old, new) in part.items()
            ]
            if rows:
                parts.append(table([name, self.a, self.b, ""], rows))
        parts += [folded(f"code of {k}", _coloured(v), opened=True) for k, v in self.code.items()]
        return page(*parts, "" if self else dim("nothing changed"))


PARTS = ("parameters", "metrics", "data", "environment")


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Change]:
    return {
        name: (a.get(name, ABSENT), b.get(name, ABSENT))
        for name in dict.fromkeys([*a, *b])
        if a.get(name, ABSENT) != b.get(name, ABSENT)
    }


def _flat(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Packages by their own names, beside the rest."""
    rest = {name: value for name, value in environment.items() if name != "packages"}
    return {**rest, **environment.get("packages", {})}


def _code(a: Run, b: Run) -> dict[str, str]:
    if a.version == b.version:
        return {}
    before, after = _sources(a), _sources(b)
    texts = {
        name: "".join(
            difflib.unified_diff(
                before.get(name, "").splitlines(keepends=True),
                after.get(name, "").splitlines(keepends=True),
                a.path,
                b.path,
            )
        )
        for name in dict.fromkeys([*after, *before])
    }
    return {name: text for name, text in texts.items() if text}


def _sources(run: Run) -> dict[str, str]:
    """The text of each step's module by the step's name, and the other modules by theirs."""
    steps = {
        step.call.function.partition(":")[0].replace(".", "/") + ".py": step.name
        for step in run.spec.steps
    }
    package = f"{run.spec.package}/"
    return {
        steps.get(path, path.removeprefix(package).removesuffix(".py")): text
        for path, text in run.files.items()
        if path.endswith(".py") and (path in steps or path.removeprefix(package) in _MODULES)
    }


_MODULES = ("common.py", "params.py")


def _data(a: Run, b: Run) -> dict[str, Change]:
    before, after = _artifacts(a), _artifacts(b)
    shown: dict[str, Change] = {}
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old is not None and new is not None and old.ref.identity == new.ref.identity:
            continue
        # small values are told as metrics
        if any(one is not None and not one.plain for one in (old, new)):
            shown[name] = (_short(old), _short(new))
    return shown


def _short(artifact: Artifact | None) -> str:
    return ABSENT if artifact is None else artifact.text()


def _artifacts(run: Run) -> dict[str, Artifact]:
    """What the steps that do not fan out have kept."""
    return {
        f"{step.name}/{name}": artifact
        for step in run.spec.steps
        if not step.line
        for task in run[step.name]
        for name, artifact in task.artifacts.items()
    }


def delta(old: Any, new: Any) -> str:
    """The difference of two numbers, and nothing for other values."""
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (old, new))
    return f"{new - old:+.4g}" if numbers else ""


def _coloured(text: str) -> str:
    lines = [_line(line) for line in text.splitlines()]
    return f"<pre>{chr(10).join(lines)}</pre>"


def _line(line: str) -> str:
    if line.startswith("+"):
        return f"<ins>{escape(line)}</ins>"
    if line.startswith("-"):
        return f"<del>{escape(line)}</del>"
    return escape(line)
