"""Arrays: numpy arrays in the .npy format, read in place."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from nbflow.values.layout import Encoded


def encode(value: Any) -> Encoded | None:
    """The array as a .npy file, without copying it; None for what .npy does not give back."""
    if type(value) is not np.ndarray or not _exact(value.dtype):
        return None
    if not (value.flags.c_contiguous or value.flags.f_contiguous):
        copy = np.ascontiguousarray(value)
        copy.flags.writeable = value.flags.writeable
        value = copy
    head = io.BytesIO()
    # numpy pads the header so that the data is aligned
    np.lib.format.write_array_header_2_0(head, np.lib.format.header_data_from_array_1_0(value))
    flat = value.ravel(order="K")
    codec = "numpy" if value.flags.writeable else "numpy-readonly"
    return Encoded(codec, (head.getvalue(), memoryview(flat.view(np.uint8)) if flat.size else b""))


def decode(codec: str, data: memoryview) -> Any:
    """The array, lying in `data`."""
    head = io.BytesIO(bytes(data[: 1 << 16]))
    version = np.lib.format.read_magic(head)
    assert version == (2, 0)
    shape, fortran, dtype = np.lib.format.read_array_header_2_0(head, max_header_size=1 << 16)
    array = np.ndarray(shape, dtype, buffer=data, offset=head.tell(), order="F" if fortran else "C")
    if codec == "numpy-readonly":
        array.flags.writeable = False
    return array


def _exact(dtype: Any) -> bool:
    if dtype.kind not in "biufcSUVmM" or dtype.hasobject or dtype.metadata or not dtype.itemsize:
        return False
    try:
        descr = np.lib.format.dtype_to_descr(dtype)
        again = np.lib.format.descr_to_dtype(descr)
    except (TypeError, ValueError, UserWarning):
        return False
    return bool(
        repr(descr).isascii()
        and again == dtype
        and again.isalignedstruct == dtype.isalignedstruct
        and again.byteorder == dtype.byteorder
        and again.type is dtype.type
    )
