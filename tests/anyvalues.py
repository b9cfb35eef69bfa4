"""Any value that a notebook may make, for tests that must hold whatever it is."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.extra import numpy as extra

#: of this machine's byte order: numpy's pickles lose the other one where an array is empty
_KINDS = (
    extra.boolean_dtypes()
    | extra.integer_dtypes(endianness="=")
    | extra.unsigned_integer_dtypes(endianness="=")
    | extra.floating_dtypes(endianness="=")
    | extra.complex_number_dtypes(endianness="=")
    | extra.datetime64_dtypes(endianness="=")
    | extra.timedelta64_dtypes(endianness="=")
    | extra.unicode_string_dtypes(endianness="=")
    | extra.byte_string_dtypes(endianness="=")
)
ARRAYS = extra.arrays(
    _KINDS | extra.array_dtypes(_KINDS), extra.array_shapes(min_side=0, max_side=3)
)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.just(Decimal("NaN"))
    | st.datetimes()
    | st.timedeltas()
    | st.fractions()
)
VALUES = st.recursive(
    PLAIN | ARRAYS | st.frozensets(PLAIN),
    lambda inner: st.lists(inner) | st.dictionaries(PLAIN, inner) | st.tuples(inner, inner),
    max_leaves=8,
)
