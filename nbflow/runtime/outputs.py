"""Outputs: which of the variables a step has bound are kept, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbflow.errors import StoreError, UserError
from nbflow.runtime.spec import StepSpec
from nbflow.values.codecs import encode_inline

if TYPE_CHECKING:
    from nbflow.store.writer import ValueWriter


class Outputs:
    """Stores what one task has made."""

    def __init__(self, step: StepSpec, writer: ValueWriter) -> None:
        self._step = step
        self._writer = writer

    def store(self, result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The refs of what is kept: what others read, what was asked for, and all small values.

        What nothing reads and nobody asked for is left out where it cannot be stored.
        """
        step = self._step
        asked = {*step.crossing, *step.keep}
        dropped = set(step.drop) - set(step.crossing)
        refs: dict[str, dict[str, Any]] = {}
        for group in step.together:
            names = [name for name in group if name in result]
            if len(names) > 1:
                values = {name: result[name] for name in names}
                together = self._writer.put_together(values, step.captured)
                refs.update((name, ref.to_json()) for name, ref in together.items())
        for name, value in result.items():
            if name in refs or name in dropped:
                continue
            small = encode_inline(value)
            if small is not None:
                refs[name] = small.to_json()
            elif name in asked:
                refs[name] = self._writer.put(value, name, step.captured).to_json()
            elif step.last:
                self._try(name, value, refs)
        return refs

    def _try(self, name: str, value: Any, refs: dict[str, dict[str, Any]]) -> None:
        try:
            refs[name] = self._writer.put(value, name, self._step.captured).to_json()
        except StoreError:
            raise
        except UserError:
            return  # a figure, a connection: nobody reads it
