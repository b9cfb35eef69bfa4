"""Show: a run as text and as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from nbflow.client.flags import sentence, sign
from nbflow.client.html import code, dim, folded, page, rows_table, status, table, title
from nbflow.client.lost import why_lost
from nbflow.client.text import brief, duration, grid, pairs, when
from nbflow.store.records import FINAL

if TYPE_CHECKING:
    from nbflow.client.run import Run
    from nbflow.runtime.spec import StepSpec

#: order in which the counts of a step are told
ORDER = (
    "failed",
    "lost",
    "running",
    "succeeded",
    "cached",
    "skipped",
    "cancelled",
    "pending",
)


#: flags that are shown with a run
_FLAGS = 5


def more_flags(count: int, shown: int = _FLAGS) -> list[str]:
    """How many flags are not shown, where there are such."""
    return [f"and {count - shown} more: run.flags"] if count > shown else []


def step_rows(run: Run) -> list[tuple[str, dict[str, int], float | None]]:
    """Each step in notebook order, with its counts in telling order and the seconds it took."""
    summary = run.summary
    rows: list[tuple[str, dict[str, int], float | None]] = []
    for step in run.spec.steps:
        one = summary.get(step.name)
        if one is None:
            rows.append((step.name, _split_counts(run, step), None))
            continue
        counts = {name: one.counts[name] for name in ORDER if one.counts.get(name)}
        # the times of cached tasks are those of the tasks that were run
        known = one.started is not None and one.finished is not None and set(counts) != {"cached"}
        rows.append((step.name, counts, one.finished - one.started if known else None))  # type: ignore[operator]
    return rows


def _split_counts(run: Run, step: StepSpec) -> dict[str, int]:
    """Of a fan-out without tasks, how its splits ended: over no items, or skipped."""
    splits = run.store.tasks(run.id, step.line[-1], part="items") if step.line else []
    if any(split.count for split in splits):
        return {}  # there are items, of which none has begun
    return {split.status: 0 for split in splits if split.status in FINAL}


def counts_text(counts: dict[str, int]) -> str:
    """`succeeded` for one task, `3 succeeded, 1 failed` for more, `pending` for none."""
    if not counts:
        return "pending"
    if sum(counts.values()) == 1:
        return next(iter(counts))
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def run_text(run: Run) -> str:
    """The run in a few lines."""
    record = run.record
    lines = [f"{run.path}  {record.status}  {duration(run.duration)}  {when(record.created)}"]
    if record.params:
        lines.append(f"parameters  {pairs(record.params, 100)}")
    if record.tags:
        lines.append(f"tags        {' '.join(record.tags)}")
    if record.metrics:
        lines.append(f"metrics     {pairs(record.metrics, 100)}")
    rows = [(name, counts_text(counts), duration(took)) for name, counts, took in step_rows(run)]
    lines += ["", grid(("step", "tasks", "took"), rows)]
    if record.error:
        lines += ["", f"{record.error['type']}: {record.error['message']}"]
    if record.status == "lost":
        lines += ["", why_lost(run)]
    flags = run.flags
    if flags:
        lines += ["", *(one.message for one in flags[:_FLAGS]), *more_flags(len(flags))]
    return "\n".join(lines)


def run_html(run: Run) -> str:
    """The run as a display."""
    record = run.record
    rows = [
        [
            escape(name),
            " ".join(status(s, n if sum(counts.values()) != 1 else None) for s, n in counts.items())
            or status("pending"),
            dim(duration(took)),
        ]
        for name, counts, took in step_rows(run)
    ]
    more = [status(record.status), dim(duration(run.duration)), dim(when(record.created))]
    if record.engine:
        more.append(dim(f"on {record.engine}"))
    more += [dim(f"#{tag}") for tag in record.tags]
    parts = [title(run.path, *more)]
    if record.error:
        error = record.error
        said = f"{error['type']}: {error['message']}"
        parts.append(code(said))
        if error.get("traceback"):
            parts.append(folded("traceback", code(str(error["traceback"]))))
    if record.status == "lost":
        parts.append(code(why_lost(run)))
    flags = run.flags
    if flags:
        told = [[sign(one), sentence(one.message)] for one in flags[:_FLAGS]]
        parts.append(table(["", f"unlike {flags.against[0]}"], told))
        parts += [dim(line) for line in more_flags(len(flags))]
    parts.append(table(["step", "tasks", "took"], rows))
    for name, values in (("parameters", record.params), ("metrics", record.metrics)):
        if values:
            shown = rows_table([{"name": key, "value": value} for key, value in values.items()])
            parts.append(folded(name, shown, opened=len(values) <= 12))
    facts = {
        "version": record.version,
        "notebook": record.notebook,
        "git": f"{record.git or '-'}{' (changed since)' if record.dirty else ''}",
        "by": f"{record.user}@{record.host}",
        "python": run.environment.get("python", "-"),
    }
    shown = table(
        ["recorded", ""],
        [[dim(name), escape(brief(value, 100))] for name, value in facts.items()],
    )
    parts.append(folded("code and environment", shown))
    return page(*parts)
