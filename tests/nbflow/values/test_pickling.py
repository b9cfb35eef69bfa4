"""Pickles keep sharing and live globals, and name what they can't hold."""

from __future__ import annotations

import copyreg
import io
import pickle
import random
import socket
import sqlite3
import sys
import threading
import types
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nbflow.errors import UserError
from nbflow.values import pickling
from nbflow.values.references import importing


def again(value: Any, name: str = "value") -> Any:
    encoded = pickling.dump(value, name)
    return pickling.load(memoryview(bytearray(b"".join(encoded.parts))))


def test_lists_that_hold_one_frame_twice() -> None:
    frame = pd.DataFrame({"a": range(100), "b": list("xy" * 50)})
    one, two = again([frame, frame])
    assert one is two
    pd.testing.assert_frame_equal(one, frame)


def test_the_generators_of_the_process_are_those_of_the_process() -> None:
    hidden, method, draw = again([np.random.mtrand._rand, np.random.normal, random.random])
    assert hidden is np.random.mtrand._rand
    assert method.__self__ is hidden
    assert draw == random.random
    own, other = np.random.RandomState(1), random.Random(1)
    mine, another = again([own, other])
    assert (mine.rand(), another.random()) == (own.rand(), other.random())
    assert mine is not own


def test_frames_that_pandas_shares_lazily_stay_apart() -> None:
    frame = pd.DataFrame({"a": np.arange(1000.0), "b": ["x"] * 1000})
    one, two, column = again([frame, frame.copy(deep=False), frame["a"]])
    one.iloc[0, 0] = 99
    one.iloc[0, 1] = "changed"
    assert two.iloc[0, 0] == 0
    assert two.iloc[0, 1] == "x"
    assert column[0] == 0


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[2:],
        lambda a: a[::-1],
        lambda a: a.reshape(10, 10),
        lambda a: a.reshape(10, 10).T[3:, ::2],
        lambda a: a.view(np.uint8)[8:],
        lambda a: a[5:6],
        lambda a: a[:0],
    ],
)
@pytest.mark.parametrize("root_first", [True, False])
def test_a_view_and_its_array_share_again(view: Callable[[Any], Any], root_first: bool) -> None:
    array = np.arange(100.0)
    values = [array, view(array)] if root_first else [view(array), array]
    loaded = again(values)
    array2, view2 = loaded if root_first else reversed(loaded)
    np.testing.assert_array_equal(array2, array)
    np.testing.assert_array_equal(view2, view(array))
    array2[:] = -1
    np.testing.assert_array_equal(view2, view(array2))
    assert view2.flags.writeable


def test_two_views_share_though_their_array_is_not_there() -> None:
    array = np.arange(100.0)
    low, high = again((array[:60], array[40:]))
    low[50] = -5
    assert high[10] == -5


def test_only_the_memory_that_is_shared_is_stored() -> None:
    array = np.arange(1_000_000.0).reshape(1000, 1000)
    rows = [array[3], array[3, 10:20], array[5], array[7:9], array[8:10, ::2]]
    assert pickling.dump(rows, "rows").size < 100_000
    one, two, three, four, five = again(rows)
    for loaded, original in zip((one, two, three, four, five), rows, strict=True):
        np.testing.assert_array_equal(loaded, original)
    one[10] = four[1, 2] = -1
    assert (two[0], five[0, 1]) == (-1, -1)
    assert three[0] == 5000


@given(st.data())
def test_any_views_share_as_the_originals_do(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=6))
    order = data.draw(st.sampled_from("CF"))
    array = np.arange(np.prod(shape)).astype("f8").reshape(shape, order=order)
    indices = hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
    views = [np.asarray(array[data.draw(indices)]) for _ in range(3)]
    if data.draw(st.booleans()):
        views.append(array)
    loaded = again(views)
    for chosen in range(len(views)):
        for values in (views, loaded):
            values[chosen][...] = -1.0 - chosen
        for before, after in zip(views, loaded, strict=True):
            np.testing.assert_array_equal(after, before)


def test_views_of_object_arrays_share() -> None:
    array = np.array([{"a": 1}, None, "x"], dtype=object)
    whole, part = again((array, array[1:]))
    whole[1] = 7
    assert part[0] == 7


def test_a_read_only_view_stays_read_only() -> None:
    array = np.arange(100.0)
    view = array[3:]
    view.flags.writeable = False
    whole, part = again((array, view))
    whole[3] = 8
    assert part[0] == 8
    with pytest.raises(ValueError, match="read-only"):
        part[0] = 1


@given(hnp.arrays(st.sampled_from(["f8", "i4", "?", "U3", "M8[ns]"]), hnp.array_shapes()))
def test_arrays_in_containers(array: Any) -> None:
    loaded = again({"array": array, "step": array[..., ::2]})
    np.testing.assert_array_equal(loaded["array"], array)
    np.testing.assert_array_equal(loaded["step"], array[..., ::2])
    assert loaded["array"].dtype == array.dtype


def test_objects_that_know_each_other() -> None:
    model = types.SimpleNamespace(weights=np.zeros(1000))
    optimizer = types.SimpleNamespace(model=model, weights=model.weights)
    model2, optimizer2 = again((model, optimizer))
    assert optimizer2.model is model2
    assert optimizer2.weights is model2.weights


def test_views_of_a_dictionary_follow_it() -> None:
    held = {"a": 1}
    loaded, keys, values = again((held, held.keys(), held.values()))
    loaded["b"] = 2
    assert list(keys) == ["a", "b"]
    assert list(values) == [1, 2]


def module(name: str, code: str, monkeypatch: pytest.MonkeyPatch, as_main: bool) -> Any:
    made = types.ModuleType(name)
    if as_main:
        made.__name__ = "__main__"
        monkeypatch.setitem(sys.modules, "__main__", made)
    monkeypatch.setitem(sys.modules, name, made)
    exec(code, vars(made))
    return made


CODE = """
weight = 7
def predict(x):
    return weight * x
class Doubler:
    def __init__(self, n):
        self.n = n
    def __call__(self):
        return self.n * weight
shorter = lambda x: x - weight
def fit(offset):
    class Inner:
        def go(self):
            return weight + offset
    return {"late": lambda x: x * weight, "closed": lambda x: x + offset, "inner": Inner()}
"""


@pytest.mark.parametrize("as_main", [False, True])
def test_globals_are_the_live_ones(monkeypatch: pytest.MonkeyPatch, as_main: bool) -> None:
    made = module("flow_a_common", CODE, monkeypatch, as_main)
    data = {"predict": made.predict, "shorter": made.shorter, "twice": made.Doubler(3)}
    encoded = b"".join(pickling.dump({**data, **made.fit(1)}, "all").parts)
    loaded = pickling.load(memoryview(bytearray(encoded)))
    assert loaded["predict"] is made.predict
    assert loaded["shorter"] is made.shorter
    assert type(loaded["twice"]) is made.Doubler
    made.weight = 100
    assert loaded["late"](2) == 200
    assert loaded["closed"](2) == 3
    assert loaded["inner"].go() == 101
    assert loaded["late"].__globals__ is vars(made)


def test_the_notebook_has_the_class_where_the_package_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = module("flow_b_common", CODE, monkeypatch, True)
    encoded = b"".join(pickling.dump((made.Doubler(2), made.fit(1)["late"]), "twice").parts)
    monkeypatch.delitem(sys.modules, "flow_b_common")
    notebook = types.ModuleType("__main__")
    exec(CODE.replace("weight = 7", "weight = 5"), vars(notebook))
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    twice, late = pickling.load(memoryview(bytearray(encoded)))
    assert type(twice) is notebook.Doubler
    assert twice() == 10
    assert late(1) == 5


def test_a_module_that_is_not_loaded_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made = module("flow_c_common", CODE, monkeypatch, True)
    encoded = b"".join(pickling.dump(made.Doubler(2), "twice").parts)
    monkeypatch.delitem(sys.modules, "flow_c_common")
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    with importing({"flow_c_common": made}.__getitem__):
        assert pickling.load(memoryview(bytearray(encoded)))() == 14


def test_a_captured_name_is_refused() -> None:
    weight = 3

    def predict(x: int) -> int:
        return x * weight

    with pytest.raises(UserError) as caught:
        pickling.dump({"f": predict}, "model", frozenset({"weight"}))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "NBF208"
    assert "`weight`" in diagnostic.message
    assert "`model`" in diagnostic.message
    pickling.dump({"f": predict}, "model", frozenset({"other"}))


def test_what_cannot_be_stored_is_named(tmp_path: Path) -> None:
    with (
        open(tmp_path / "a", "w") as file,
        closing(sqlite3.connect(":memory:")) as connection,
        socket.socket() as sock,
    ):
        cases: list[tuple[Any, str]] = [
            ((i for i in range(3)), "value` is a generator"),
            ({"rows": [0, (i for i in range(3))]}, "`value['rows'][1]`"),
            (types.SimpleNamespace(log=file), "holds a TextIOWrapper (at `value.log`)"),
            ([connection], "holds a Connection"),
            ([threading.Lock()], "holds a lock"),
            ([sock], "holds a socket"),
            ([memoryview(b"a")], "holds a memoryview"),
        ]
        for value, mention in cases:
            with pytest.raises(UserError) as caught:
                pickling.dump(value, "value")
            (diagnostic,) = caught.value.diagnostics
            assert diagnostic.code == "NBF405"
            assert mention in diagnostic.message
            assert diagnostic.fix


def test_what_holds_a_generator_is_named_among_those_stored_together() -> None:
    process = types.SimpleNamespace(generator=(i for i in range(3)))
    with pytest.raises(UserError) as caught:
        pickling.dump({"env": [1], "machines": [process]}, "env, machines")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message.startswith(
        "The variable `machines` holds a generator (at `machines[0].generator`)"
    )
    assert diagnostic.fix == (
        "Put the steps that use `machines` into one, or make it anew in each."
    )


def test_the_error_itself_can_be_pickled() -> None:
    with pytest.raises(UserError) as caught:
        pickling.dump((i for i in range(3)), "value")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is UserError
    assert copy.diagnostics == caught.value.diagnostics
    assert str(copy) == str(caught.value)


def test_modules_and_files_in_memory_are_fine() -> None:
    file = io.StringIO("text")
    file.read(2)
    loaded_module, loaded_file = again((np, file))
    assert loaded_module is np
    assert loaded_file.read() == "xt"


def test_an_arrays_flat_goes_on_where_it_was() -> None:
    array = np.arange(6).reshape(2, 3)
    next(array.flat)
    flat = array.flat
    next(flat)
    again_array, again_flat = again([array, flat])
    assert next(again_flat) == 1
    again_flat[4] = 40
    assert again_array.tolist() == [[0, 1, 2], [3, 40, 5]]


def test_pyplot_does_not_open_a_figure_again_that_comes_back() -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    axes.plot([1, 2])
    try:
        held, same_axes = again([figure, axes], "fig, ax")
        assert pyplot.get_fignums() == [figure.number]
        assert same_axes is held.axes[0]
        assert same_axes.lines[0].get_ydata().tolist() == [1, 2]
        # the current figure of a notebook whose figures stay open
        assert again(figure, "_figure") is pyplot.gcf()
    finally:
        pyplot.close("all")


class Registering(type):
    """A metaclass whose classes are made by a function of its own, which keeps them."""

    made: ClassVar[dict[str, type]] = {}


def register(name: str) -> type:
    return Registering.made.setdefault(name, Registering(name, (), {"__module__": "elsewhere"}))


def test_a_metaclass_says_how_its_classes_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        copyreg.dispatch_table, Registering, lambda made: (register, (made.__name__,))
    )
    made = register("Individual")
    assert again(made) is made
    assert type(again(made())) is made


def test_functions_made_by_one_call_share_its_variables() -> None:
    def pair() -> tuple[Any, Any, Any]:
        n = 0

        def up() -> None:
            nonlocal n
            n += 1

        def get() -> int:
            return n

        def factorial(k: int) -> int:
            return 1 if k < 2 else k * factorial(k - 1)

        return up, get, factorial

    up, get, factorial = again(pair())
    up()
    up()
    assert (get(), factorial(5)) == (2, 120)
