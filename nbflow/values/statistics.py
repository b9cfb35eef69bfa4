"""Statistics: what is noted of an array or a column beside its first values, in bounded time.

A mapping of numbers: `min`, `max`, `mean` and `std` of the finite ones, `missing` for how many of
those looked at are missing, `sampled` for how many were looked at where that is not all of them,
`distinct` for how many values a column has that is not of numbers with a point. They are made
when a value is written: whoever compares runs later needs no value.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

#: values of one array or column that are looked at, spread over all there are
_SAMPLE = 50_000
#: and of a whole frame, with so many of a column at least
_CELLS = 1_000_000
_FEWEST = 1000
#: columns of a frame that have statistics
COLUMNS = 60
#: cells of a frame in which distinct values are counted
_DISTINCT = 100_000


def array_statistics(array: Any) -> dict[str, Any]:
    """Statistics of an array of numbers; nothing of other arrays."""
    if array.dtype.kind not in "biuf" or not array.size:
        return {}
    contiguous = array.flags.c_contiguous or array.flags.f_contiguous
    flat = array.ravel(order="K") if contiguous else array.flat
    sample = flat[:: max(1, array.size // _SAMPLE)]
    return {**_numbers(sample), **_sampled(sample.size, array.size)}


def frame_statistics(frame: Any) -> dict[str, dict[str, Any]]:
    """By column, the first ones of a wide frame, with `dtype`; of columns of one name the first."""
    rows = len(frame)
    wide = min(frame.shape[1], COLUMNS)
    looked = max(_FEWEST, min(_SAMPLE, _CELLS // max(wide, 1)))
    sample = frame.iloc[:: max(1, rows // looked), :wide]
    count = rows * wide <= _DISTINCT
    found: dict[str, dict[str, Any]] = {}
    for at, name in enumerate(frame.columns[:wide]):
        if str(name) not in found:
            found[str(name)] = _column(sample.iloc[:, at], rows, count=count)
    return found


def _column(column: Any, rows: int, *, count: bool) -> dict[str, Any]:
    dtype = column.dtype
    kind = getattr(dtype, "kind", "O")
    told: dict[str, Any] = {"dtype": str(dtype)}
    if kind in "biuf":
        told |= _numbers(_plain(column))
    else:
        told["missing"] = int(column.isna().sum())
    if count and kind != "f":
        with suppress(TypeError):  # of values that have no hash
            told["distinct"] = int(column.nunique())
    return {**told, **_sampled(len(column), rows)}


def _plain(column: Any) -> Any:
    """The column as a numpy array, what is missing in it as NaN."""
    if type(column.dtype).__module__.startswith("numpy"):
        return column.to_numpy()
    return column.to_numpy(dtype=float, na_value=math.nan)


def _numbers(values: Any) -> dict[str, Any]:
    import numpy as np

    missing = 0
    if isinstance(values, np.ma.MaskedArray):
        missing = int(values.size - values.count())
        values = values.compressed()
    if values.dtype.kind == "f":
        finite = values[np.isfinite(values)]
        if finite.size < values.size:
            missing += int(np.isnan(values).sum())
    else:
        finite = values
    if not finite.size:
        return {"missing": missing}
    with np.errstate(all="ignore"):
        found = {
            "min": finite.min().item(),
            "max": finite.max().item(),
            "mean": _rounded(finite.mean(dtype=float)),
            "std": _rounded(finite.std(dtype=float)),
        }
    return {**{name: one for name, one in found.items() if one is not None}, "missing": missing}


def _rounded(number: Any) -> float | None:
    """To as many digits as a comparison needs; None for what overflows."""
    return float(f"{number:.9g}") if math.isfinite(number) else None


def _sampled(looked: int, total: int) -> dict[str, Any]:
    return {"sampled": int(looked)} if looked < total else {}
