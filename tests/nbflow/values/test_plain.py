"""Small plain values come back exactly as they were, types included."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.values.codecs import decode_inline, encode_inline
from nbflow.values.plain import NotPlain, decode_plain, encode_plain, in_order
from nbflow.values.ref import Ref

hashable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.binary(max_size=8)
    | st.complex_numbers(allow_nan=False),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=6,
)
plain = st.recursive(
    hashable,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(hashable, inner, max_size=4)
        | st.sets(hashable, max_size=4)
    ),
    max_leaves=12,
)


def same(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return math.copysign(1, left) == math.copysign(1, right) and left == right
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return same(list(left), list(right)) and same(list(left.values()), list(right.values()))
    if isinstance(left, set | frozenset):
        kinds = {(type(item), item) for item in left}
        return kinds == {(type(item), item) for item in right}
    return bool(left == right)


@given(plain)
def test_round_trip(value: Any) -> None:
    try:
        encoded = encode_plain(value)
    except NotPlain:
        return
    text = json.dumps(encoded, allow_nan=False)
    assert same(decode_plain(json.loads(text)), value)


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        {"a": (1, 2.5), 3: {"x"}},
        {"$": "float", "v": 1},
        -0.0,
        2**100,
        "snow ☃",
        b"\x00\xff",
        [],
        (),
        {},
        set(),
        frozenset({1}),
        np.float64(0.1),
        np.float32(0.1),
        np.int8(-3),
        np.bool_(True),
        [np.float64(2.0), 1],
    ],
    ids=repr,
)
def test_these_are_inline(value: Any) -> None:
    ref = encode_inline(value)
    assert ref is not None
    again = decode_inline(Ref.from_json(json.loads(json.dumps(ref.to_json()))))
    assert same(again, value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_floats_that_json_lacks(value: float) -> None:
    again = decode_plain(json.loads(json.dumps(encode_plain(value), allow_nan=False)))
    assert type(again) is type(value)
    assert repr(again) == repr(value)


class Text(str):
    __slots__ = ()


shared: list[int] = [1]
circle: list[Any] = []
circle.append(circle)


@pytest.mark.parametrize(
    "value",
    [
        Text("a"),
        OrderedDict(a=1),
        [shared, shared],
        circle,
        "x" * 2000,
        list(range(300)),
        1 << 5000,
        "\ud83d\ude00"[0] + "\ude00",
        np.datetime64("2026-01-01"),
        np.longdouble(1),
        object(),
        range(3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_these_are_not(value: Any) -> None:
    with pytest.raises(NotPlain):
        encode_plain(value)


def test_types_tell_contents_apart() -> None:
    assert encode_inline(True).identity != encode_inline(1).identity  # type: ignore[union-attr]


@given(st.lists(st.text(max_size=3), max_size=6, unique=True))
def test_a_small_set_is_met_in_the_same_order_again(elements: list[str]) -> None:
    value = set()
    for element in elements:
        value.add(element)
    assert list(set(in_order(value))) == list(value)
