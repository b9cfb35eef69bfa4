"""Preview: what a viewer shows of a value, made when it is written, in bounded time.

A JSON object with a `kind`: `frame`, `series`, `array`, `image`, `container` or `object`; what else
it has is said by the function that makes it. Nothing that shows runs ever loads the value itself.
"""

from __future__ import annotations

import dataclasses
import io
import math
import reprlib
import sys
import warnings
from collections.abc import Callable
from typing import Any

from nbflow.values.statistics import array_statistics, frame_statistics

#: characters of a repr, and of one cell of a table
_TEXT = 500
_CELL = 60
#: rows and columns of a table, values of an array
_ROWS = 5
_COLUMNS = 20
_HEAD = 10
#: values of a tensor that statistics are of
_SAMPLE = 1 << 18
#: pixels of an image's longer side
_PIXELS = 480

PutImage = Callable[[bytes], dict[str, Any]]


def preview(value: Any, put_image: PutImage) -> dict[str, Any] | None:
    """A small JSON object; None where the value can't be shown. ``put_image`` stores a PNG."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _preview(value, put_image)
    except Exception:
        # a value that fails to show itself is still a value
        return None


def _preview(value: Any, put_image: PutImage) -> dict[str, Any]:
    if _is_a(value, "numpy", "ndarray"):
        return _array(value)
    if _is_a(value, "torch", "Tensor"):
        return _tensor(value)
    if _is_a(value, "torch.nn", "Module"):
        return {"kind": "object", "repr": f"{_parameters(value)}\n{value}"[:_TEXT]}
    if _is_a(value, "pandas", "DataFrame"):
        return _frame(value)
    if _is_a(value, "pandas", "Series"):
        return {**_frame(value.to_frame()), "kind": "series"}
    if _is_a(value, "matplotlib.figure", "Figure"):
        return _image(value, _figure(value), put_image)
    if _is_a(value, "PIL.Image", "Image"):
        return _image(value, _thumbnail(value), put_image)
    shown = {"repr": _repr(value)}
    if isinstance(value, list | tuple | dict | set | frozenset | str | bytes):
        return {"kind": "container", "length": len(value), **shown}
    return {"kind": "object", **shown}


def _is_a(value: Any, module: str, name: str) -> bool:
    """Whether it is an instance of a class whose module is loaded: nothing is imported for this."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _array(array: Any) -> dict[str, Any]:
    """`shape`, `dtype`, `head`: the first values in order, and `stats` of numbers."""
    shown: dict[str, Any] = {
        "kind": "array",
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "head": [_cell(item) for item in array.flat[:_HEAD]],
    }
    stats = array_statistics(array)
    return {**shown, "stats": stats} if stats else shown


def _tensor(tensor: Any) -> dict[str, Any]:
    """As an array; `device` where it is not the CPU."""
    flat = tensor.detach().reshape(-1)
    # a sample comes over from a GPU, not gigabytes
    sample = flat[:: max(1, len(flat) // _SAMPLE)].cpu()
    exact = sample if str(sample.dtype) != "torch.bfloat16" else sample.float()
    shown = _array(exact.numpy())
    shown |= {"shape": list(tensor.shape), "dtype": str(tensor.dtype)}
    shown["head"] = [_cell(item) for item in flat[:_HEAD].cpu()]
    return shown if tensor.device.type == "cpu" else {**shown, "device": str(tensor.device)}


def _parameters(module: Any) -> str:
    count = sum(parameter.numel() for parameter in module.parameters())
    return f"{count:,} parameters"


def _frame(frame: Any) -> dict[str, Any]:
    """`shape`, `columns` as [name, dtype], `index` and `rows` of its head, `stats` by column."""
    narrow = frame.iloc[:, :_COLUMNS]
    head = narrow.iloc[:_ROWS]
    return {
        "kind": "frame",
        "shape": list(frame.shape),
        "columns": [
            [_cut(str(name)), str(dtype)]
            for name, dtype in zip(narrow.columns, narrow.dtypes, strict=True)
        ],
        "index": [_cell(item) for item in head.index],
        "rows": [
            [_cell(head.iat[row, column]) for column in range(head.shape[1])]
            for row in range(len(head))
        ],
        "stats": {_cut(name): one for name, one in frame_statistics(frame).items()},
    }


def _image(value: Any, png: bytes, put_image: PutImage) -> dict[str, Any]:
    """`image`: the ref of a PNG, in its JSON form."""
    return {"kind": "image", "image": put_image(png), "repr": _repr(value)}


def _figure(figure: Any) -> bytes:
    """Drawn just as it is shown, since drawing leaves its mark on a figure, then made smaller."""
    from PIL import Image

    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    return _thumbnail(Image.open(file))


def _thumbnail(image: Any) -> bytes:
    small = image.copy()
    small.thumbnail((_PIXELS, _PIXELS))
    file = io.BytesIO()
    small.save(file, format="png")
    return file.getvalue()


def _cell(value: Any) -> Any:
    """A value of a table: as it is in JSON, else its text."""
    masked = type(value).__name__ == "MaskedConstant"
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0 and not masked:
        value = value.item()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _cut(value if isinstance(value, str) else str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


class _Repr(reprlib.Repr):
    """reprlib's, which is bounded, also for dataclasses, whose own repr is not."""

    def repr_instance(self, x: Any, level: int) -> str:
        if not dataclasses.is_dataclass(x) or isinstance(x, type):
            return super().repr_instance(x, level)
        fields = [
            f"{field.name}={self.repr1(getattr(x, field.name, None), level - 1)}"
            for field in dataclasses.fields(x)[: self.maxdict]
            if field.repr
        ]
        return f"{type(x).__qualname__}({', '.join(fields)})" if level > 0 else "…"


_bounded = _Repr()
_bounded.maxstring = _bounded.maxother = 200
_bounded.maxlist = _bounded.maxtuple = _bounded.maxdict = _bounded.maxset = 12


def _repr(value: Any) -> str:
    return _bounded.repr(value)[:_TEXT]
