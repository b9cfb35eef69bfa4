"""Whether a live value could cross to another step, found out within a bound of time and size."""

from __future__ import annotations

import io
import time
from types import FunctionType, ModuleType
from typing import Any

from nbcompile.diagnostics import Diagnostic

#: after this many bytes or seconds a value is taken to be fine: a run would find out
_BYTES = 1 << 20
_SECONDS = 0.02
#: nothing in values of these types can fail
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def crossing_problem(value: Any, name: str) -> Diagnostic | None:
    """Why a step of a run could not hand ``value`` to another one; None where nothing is known."""
    if issubclass(type(value), (*_PLAIN, ModuleType, FunctionType, type)):
        return None  # code travels as source, plain values always
    from nbflow.errors import UserError
    from nbflow.values.pickling import dump

    if _can_pickle(value):
        return None
    try:
        dump(value, name)
    except UserError as error:
        told = error.diagnostics[0]
        return Diagnostic(told.code, "warning", told.message, fix=told.fix)
    return None


def _can_pickle(value: Any) -> bool:
    from nbflow.values.pickling import ValuePickler
    from nbflow.values.sharing import ArraySharing
    from nbflow.values.tensors import TensorSharing

    deadline = time.monotonic() + _SECONDS

    class Probe(ValuePickler):
        """Pickles to nowhere; takes the notebook's own code for granted, as it goes by name."""

        def reducer_override(self, obj: Any) -> Any:
            if time.monotonic() > deadline:
                raise _Enough
            if isinstance(obj, FunctionType | type) and obj.__module__ == "__main__":
                return _nothing, ()
            return super().reducer_override(obj)

    try:
        sharing = (ArraySharing(), TensorSharing())
        Probe(_Sink(), lambda buffer: False, frozenset(), *sharing).dump(value)
    except _Enough:
        return True
    except Exception:
        return False
    return True


class _Sink(io.BytesIO):
    """A file that keeps nothing and has had enough at some point."""

    def __init__(self) -> None:
        super().__init__()
        self._written = 0

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        self._written += size
        if self._written > _BYTES:
            raise _Enough
        return size


class _Enough(BaseException):
    pass


def _nothing() -> None:
    return None
