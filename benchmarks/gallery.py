"""Notebooks that nobody tuned for nbflow: a package's gallery of examples, every cell a step.

    python benchmarks/gallery.py networkx-3.6.1/examples/*/*.py

Each script (the form of sphinx-gallery) is cut into cells at its empty lines and comments; a cell
with more than imports and definitions becomes a step; `nbflow verify` compares. Writes the table.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "gallery.md"
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def cells(source: str) -> list[str]:
    """The script cut at empty lines between its top-level statements."""
    lines = source.splitlines()
    found: list[tuple[int, int]] = []
    for statement in ast.parse(source).body:
        start = min(
            [statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))]
        )
        end = statement.end_lineno or start
        if found and not any(not line.strip() for line in lines[found[-1][1] : start - 1]):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return ["\n".join(lines[start - 1 : end]) for start, end in found]


def notebook(source: str) -> str:
    """The script as a percent-format notebook whose cells are steps."""
    parts = []
    for number, cell in enumerate(cells(source)):
        only_text = isinstance(ast.parse(cell).body[0], ast.Expr) and cell.startswith(('"""', "r'"))
        plain = only_text or all(isinstance(one, DEFINITIONS) for one in ast.parse(cell).body)
        parts.append("# %%\n" + ("" if plain else f"# nbflow: step s{number}\n") + cell)
    return "\n".join(parts) + "\n"


def verify(script: Path) -> tuple[str, str]:
    """The verdict on one script, and its reason in a few words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "gallery.py")
        path.write_text(notebook(script.read_text()))
        try:
            done = subprocess.run(
                [sys.executable, "-m", "nbflow", "verify", path, "--on", "inline", "--json"],
                capture_output=True,
                text=True,
                timeout=120,
                cwd=folder,
            )
        except subprocess.TimeoutExpired:
            return "not run", "took longer than two minutes"
    if done.returncode == 2:
        codes = Counter(word[6:12] for word in done.stderr.split() if word.startswith("error[NBF"))
        return "refused", ", ".join(sorted(codes)) or done.stderr.strip()[-80:]
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return "not run", done.stderr.strip()[-120:]
    if found["same"]:
        return "the same", f"{len(found['steps'])} steps"
    if found["stopped"]:
        own = "notebook itself" in found["stopped"]
        return "not run" if own else "fails", found["stopped"].replace("\n", " ")[:120]
    first = next(one for one in found["steps"] if one["differences"])
    return "different", f"{first['step']}: {first['differences'][0]['place']}; {first['cause']}"


def main() -> None:
    """Verify each script named on the command line."""
    if not sys.argv[1:]:
        print("name the scripts: they come with a package's source distribution")
        return
    rows = []
    for name in sys.argv[1:]:
        script = Path(name)
        verdict, reason = verify(script)
        rows.append((f"{script.parent.name}/{script.stem}", verdict, reason))
        print(*rows[-1], sep=" | ", flush=True)
    counts = Counter(verdict for _, verdict, _ in rows)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    lines = [f"| {name} | {verdict} | {reason} |" for name, verdict, reason in rows]
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(
        "# A gallery of examples, verified\n\nnetworkx's own examples, every cell a step, in one "
        f"kernel and as a flow: {told}.\n\n*Refused* notebooks get diagnostics; *not run* ones fail "
        "in the kernel too (a missing package or file).\n\n"
        "| example | verdict | |\n| --- | --- | --- |\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    main()
