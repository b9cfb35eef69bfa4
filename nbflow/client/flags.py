"""RunFlags: what is out of the ordinary in a run, to look at and to go through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import overload

from nbflow.client.html import dim, page, table, title
from nbflow.client.text import plural
from nbflow.flags.flag import WARNING, Flag, Flags, Since

_CODE = re.compile(r"`([^`]*)`")
#: names that a sentence lists
_NAMED = 4


class RunFlags(Sequence[Flag]):
    """The flags of a run, what matters most first; empty where nothing is out of the ordinary.

    `.against` are the runs that it was held against, newest first; `.since` says what else has
    changed since the newest of them.
    """

    def __init__(self, flags: Flags) -> None:
        self._flags = flags

    @property
    def run(self) -> str:
        """The run's path."""
        return self._flags.run

    @property
    def against(self) -> tuple[str, ...]:
        """The earlier runs' paths."""
        return self._flags.against

    @property
    def since(self) -> Since | None:
        """What else has changed; None where there is no earlier run."""
        return self._flags.since

    @overload
    def __getitem__(self, index: int) -> Flag: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Flag]: ...
    def __getitem__(self, index: int | slice) -> Flag | Sequence[Flag]:
        return self._flags.flags[index]

    def __len__(self) -> int:
        return len(self._flags.flags)

    def __repr__(self) -> str:
        return "\n".join([self._head(), *(one.message for one in self), *self._rest()])

    def _repr_html_(self) -> str:
        rows = [[sign(one), sentence(one.message)] for one in self]
        return page(
            title(self.run, dim(self._head())),
            table(["", ""], rows) if rows else "",
            *(f"<div>{dim(line)}</div>" for line in self._rest()),
        )

    def _head(self) -> str:
        if not self.against:
            return "no earlier run of its kind to compare with"
        told = plural(len(self), "flag") if len(self) else "nothing out of the ordinary"
        first, rest = self.against[0], len(self.against) - 1
        return f"{told}, against {first}" + (
            f" and {plural(rest, 'run')} before it" if rest else ""
        )

    def _rest(self) -> list[str]:
        return [changed_since(self.since)] if len(self) and changed_since(self.since) else []


def changed_since(since: Since | None) -> str:
    """What else changed, as a sentence; nothing where nothing did."""
    if since is None:
        return ""
    parts = [
        f"{what} {_names(names)}"
        for what, names in (
            ("parameters", since.parameters),
            ("the code of", since.code),
            ("packages", since.packages),
        )
        if names
    ]
    return f"Changed since {since.run}: {'; '.join(parts)}." if parts else ""


def sign(flag: Flag) -> str:
    """A mark for how much it matters, as HTML."""
    if flag.weight >= WARNING:
        return '<span class="nbf-status nbf-cancelled" title="far out of the ordinary">▲</span>'
    return '<span class="nbf-dim" title="out of the ordinary">△</span>'


def sentence(message: str) -> str:
    """A message as HTML, its names as code."""
    return _CODE.sub(r"<code>\1</code>", escape(message))


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    rest = len(names) - _NAMED
    return f"{shown} and {rest:,} more" if rest > 0 else shown
