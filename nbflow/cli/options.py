"""Options that several verbs share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from nbflow.store import Store

F = TypeVar("F", bound=Callable[..., Any])

#: characters of a tag or of a branch's name
_LONGEST = 100


class _Name(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A tag or a branch's name: a short text that can be seen."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text itself; a usage error where it is empty or nothing that a line can show."""
        if not value.strip() or not value.isprintable() or len(value) > _LONGEST:
            self.fail(f"{value[:20]!r} is no short printable text.", param, ctx)
        return value


NAME = _Name()

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")

store_option = click.option(
    "--store",
    "location",
    metavar="STORE",
    envvar="NBFLOW_STORE",
    help="The store to use, a folder or postgresql://HOST/NAME, instead of the .nbflow here.",
)


def _variants(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """Each `STEP=NAME` taken apart."""
    chosen = {}
    for text in given:
        step, _, name = text.partition("=")
        if not step or not name:
            said = f"--variant {text}: write STEP=NAME, as in `--variant train=fast`."
            raise click.UsageError(said)
        chosen[step] = name
    return chosen


variant_option = click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="STEP=NAME",
    callback=_variants,
    help="Which variant of a step to take.",
)


def verb(name: str) -> Callable[[F], click.Command]:
    """A command of this name, with the options that all have."""

    def make(function: F) -> click.Command:
        debug = click.option(
            "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
        )
        settings = {"help_option_names": ["-h", "--help"]}
        command: click.Command = click.command(name, context_settings=settings)(debug(function))
        return command

    return make


def store_at(location: str | None, start: Path | None = None, *, create: bool = False) -> Store:
    """The store that `--store` names, or the one that serves ``start``."""
    from nbflow.config import find_store

    return find_store(start, location, create=create)


def elsewhere(store: Store) -> str:
    """What a command for this folder must add to mean the store: nothing, or ` --store PATH`."""
    import os
    import shlex

    from nbflow.config import load_config
    from nbflow.store.address import without_secrets
    from nbflow.store.store import find_store

    named = load_config().store
    if store.folder is None:
        return "" if named and without_secrets(named) == store.url else f" --store {store.url}"
    root = store.root
    usual = find_store(Path.cwd())
    if named:
        usual = Path(named).absolute()
    if root in (usual, usual / ".nbflow"):
        return ""
    place = os.path.relpath(root.parent if root.name == ".nbflow" else root)
    return f" --store {shlex.quote(place)}"
