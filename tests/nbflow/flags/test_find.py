"""Flags: what is planted is found, what only varies is left, whatever the facts are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nbflow.flags.facts import Facts, Numbers, StepFacts, ValueFacts
from nbflow.flags.find import Floor, find_flags, odd
from nbflow.flags.flag import Flags, Since


def number(value: float | None, dtype: str = "float") -> ValueFacts:
    told = Numbers(dtype, 1, 1, value is None, value, None if value is None else 0.0, value, value)
    return ValueFacts("number", dtype, 1, numbers=told)


def column(
    mean: float = 0.0, *, std: float = 1.0, rate: float = 0.0, rows: int = 1000, **more: Any
) -> Numbers:
    told = {"dtype": "float64", "low": mean - 3 * std, "high": mean + 3 * std} | more
    return Numbers(count=rows, looked=rows, missing=round(rate * rows), mean=mean, std=std, **told)


def frame(rows: int = 1000, **columns: Numbers) -> ValueFacts:
    return ValueFacts("frame", "pandas.DataFrame", 1, rows, columns=columns, wide=len(columns))


def run(seconds: float = 20.0, code: str = "x", tasks: int = 1, **values: ValueFacts) -> Facts:
    step = StepFacts(tasks, tasks, 0, 0, seconds, code)
    return Facts({"load": step}, {f"load/{name}": one for name, one in values.items()})


def messages(now: Facts, *before: Facts) -> list[str]:
    return [one.message for one in find_flags(now, before)]


def test_nothing_to_compare_with() -> None:
    assert find_flags(run(df=frame()), []) == ()


@pytest.mark.parametrize("earlier", [1, 2, 5])
def test_what_is_planted_is_found(earlier: int) -> None:
    def found(now: ValueFacts, was: ValueFacts) -> list[str]:
        return messages(run(df=now), *[run(df=was)] * earlier)

    good = frame(a=column(5), b=column(1))
    assert found(frame(100, a=column(5), b=column(1)), good) == [
        "`load/df` has 100 rows; it had 1,000."
    ]
    assert found(frame(0, a=column(5), b=column(1)), good) == [
        "`load/df` has no rows; it had 1,000."
    ]
    assert found(frame(a=column(5, rate=0.4), b=column(1)), good) == [
        "40 % of `load/df.a` are missing; it was 0 %."
    ]
    assert found(frame(a=column(9), b=column(1)), good) == [
        "The mean of `load/df.a` is 9; it was 5."
    ]
    assert found(frame(a=column(5, dtype="object"), b=column(1)), good) == [
        "`load/df.a` is of type object; it was float64."
    ]
    assert found(frame(a=column(5)), good) == ["`load/df` has lost the column b."]
    assert found(frame(a=column(5), b=column(1), c=column()), good) == [
        "`load/df` has a new column c."
    ]
    assert found(frame(a=column(5, std=0.0), b=column(1)), good) == [
        "All of `load/df.a` is 5; it varied before."
    ]
    assert found(number(0.3), number(0.9)) == ["`load/df` is 0.3; it was 0.9."]
    assert found(number(None), number(0.9)) == ["`load/df` is not a finite number; it was 0.9."]
    nothing = ValueFacts("nothing", "NoneType", 1)
    assert found(nothing, good) == ["`load/df` is None; it was a frame."]
    images = ValueFacts("array", "numpy.ndarray", 1, 100, (28, 28))
    assert found(replace(images, shape=(32, 32)), images) == [
        "`load/df` is of shape n x 32 x 32; it was n x 28 x 28."
    ]


def test_steps() -> None:
    before = [run(tasks=25)] * 3
    assert messages(run(tasks=3), *before) == ["`load` has 3 tasks; it had 25."]
    assert messages(run(90.0, tasks=25), *before) == [
        "A task of `load` took 1m 30s on average; it took 20.0 s."
    ]
    assert messages(run(90.0).timeless(), *[run()] * 3) == []
    failed = Facts({"load": StepFacts(25, 23, 2, 0, 20.0, "x")}, {})
    assert messages(failed, *before) == ["2 of 25 tasks of `load` failed; none did before."]
    skipped = Facts({"load": StepFacts(1, 0, 0, 1, None, "x")}, {})
    assert messages(skipped, *before) == ["`load` was skipped; it ran in each of the last 3 runs."]
    assert messages(skipped, run()) == []


def test_small_changes_are_left() -> None:
    was = frame(a=column(5), n=column(5, dtype="int64"))
    now = frame(1100, a=column(5.1, rate=0.01), n=column(5.1, dtype="int64"))
    for earlier in (1, 2, 5):
        before = [run(df=was, score=number(0.9), depth=number(3, "int"))] * earlier
        assert messages(run(df=now, score=number(0.88), depth=number(5, "int")), *before) == []


def test_growth_and_counters_are_left() -> None:
    def day(n: int) -> Facts:
        ids = column(
            1000 * n + 500, std=1000 / 12**0.5, low=1000 * n, high=1000 * n + 999, dtype="int64"
        )
        return run(df=frame(1000 + 30 * n, id=ids), stamp=number(1.7e9 + 86400 * n, "int"))

    history = [day(n) for n in range(12)]
    for at in range(1, 12):
        assert messages(history[at], *reversed(history[max(0, at - 10) : at])) == []


def test_lost_rows_are_told_once_where_they_are_lost_first() -> None:
    def facts(rows: int) -> Facts:
        parts = {name: frame(rows, a=column(rows=rows)) for name in ("raw", "clean", "joined")}
        return run(**parts, other=frame(a=column()))

    assert messages(facts(100), *[facts(1000)] * 4) == [
        "`load/raw` has 100 rows; it had 1,000. Likewise `load/clean`, `load/joined`."
    ]


def test_many_columns_are_told_together() -> None:
    was = {name: column(0.0) for name in "abcdef"}
    now = {name: column(9.0 - at) for at, name in enumerate("abcdef")}
    assert messages(run(df=frame(**now)), *[run(df=frame(**was))] * 3) == [
        "The mean of `load/df.a` is 9; it was 0. Likewise `b`, `c`, `d` and 2 more."
    ]


def test_what_matters_comes_first_and_edited_steps_matter_less() -> None:
    before = [run(df=frame(a=column()), score=number(0.9))] * 3
    now = run(90.0, df=frame(0, a=column(7)), score=number(0.5))
    kinds = [one.kind for one in find_flags(now, before)]
    assert kinds == ["empty", "metric", "mean", "duration"]
    edited = replace(now, steps={"load": replace(now.steps["load"], code="y")})
    weights = [one.weight for one in find_flags(now, before)]
    assert [one.weight for one in find_flags(edited, before)] == [one / 2 for one in weights]


@pytest.mark.parametrize(
    ("draw", "most"),
    [
        (lambda r: r.normal(0.9, 0.01), 0.0),
        (lambda r: r.normal(100, 10), 0.02),
        (lambda r: r.normal(), 0.02),
        (lambda r: r.standard_t(3), 0.03),
        (lambda r: r.lognormal(0, 0.5), 0.03),
        (lambda r: r.uniform(), 0.02),
    ],
    ids=["score", "noisy", "around zero", "heavy tails", "skewed", "even"],
)
def test_what_only_varies_is_rarely_flagged(draw: Any, most: float) -> None:
    random = np.random.default_rng(7)
    for earlier in (3, 5, 10):
        alarms = sum(
            odd(draw(random), [draw(random) for _ in range(earlier)], Floor()) is not None
            for _ in range(1000)
        )
        assert alarms / 1000 <= most + 0.005


NUMBERS = st.builds(
    Numbers,
    st.sampled_from(["", "float64", "int64", "object"]),
    st.integers(0, 10**9),
    st.integers(0, 50_000),
    st.integers(0, 50_000),
    *[st.none() | st.floats(-1e100, 1e100)] * 4,
    st.none() | st.integers(0, 10**6),
)
VALUES = st.builds(
    ValueFacts,
    st.sampled_from(["number", "frame", "array", "dict", "text", "nothing", "object"]),
    st.just("t"),
    st.integers(1, 5),
    st.none() | st.integers(0, 10**12),
    st.none() | st.tuples(st.integers(0, 9)),
    st.integers(0, 9),
    st.none() | NUMBERS,
    st.dictionaries(st.sampled_from("abc"), NUMBERS, max_size=3),
    st.none() | st.integers(0, 5),
)
STEPS = st.builds(
    lambda ran, failed, skipped, seconds, code: StepFacts(
        ran + failed + skipped, ran, failed, skipped, seconds, code
    ),
    *[st.integers(0, 9)] * 3,
    st.none() | st.floats(0, 1e9),
    st.sampled_from("xy"),
)
RUNS = st.builds(
    Facts,
    st.fixed_dictionaries({"load": STEPS, "train": STEPS}),
    st.dictionaries(st.sampled_from(["load/a", "load/b", "train/a"]), VALUES),
)


@given(RUNS, st.lists(RUNS, max_size=6))
def test_any_facts_can_be_compared(now: Facts, before: list[Facts]) -> None:
    found = find_flags(now, before)
    weights = [one.weight for one in found]
    assert weights == sorted(weights, reverse=True)
    assert all(one.message.endswith(".") for one in found)
    about = [(one.kind, one.step, one.name) for one in found]
    assert len(set(about)) == len(about)
    told = Flags("f/2", ("f/1",), found, Since("f/1", ("alpha",)))
    assert Flags.from_json(told.to_json()) == told


@given(RUNS, st.integers(1, 6))
def test_the_same_again_is_never_flagged(facts: Facts, earlier: int) -> None:
    calm = {name: replace(one, failed=0, skipped=0) for name, one in facts.steps.items()}
    facts = replace(facts, steps=calm)
    assert find_flags(facts, [facts] * earlier) == ()


@given(RUNS, st.lists(RUNS, min_size=1, max_size=5))
@settings(phases=[Phase.generate])
def test_a_run_like_one_of_the_earlier_ones_has_no_odd_number(
    now: Facts, others: list[Facts]
) -> None:
    found = find_flags(now, [*others, now])
    assert found == ()


@given(
    st.floats(-1e50, 1e50),
    st.lists(st.floats(-1e50, 1e50), min_size=1, max_size=10),
    st.floats(1e-3, 1e3),
)
def test_odd_does_not_depend_on_units(value: float, history: list[float], unit: float) -> None:
    def spread(values: list[float]) -> float:
        return max(map(abs, values))

    if spread([value, *history]) < 1e-30:
        return
    a, b = odd(value, history, Floor()), odd(value * unit, [one * unit for one in history], Floor())
    if a is None or b is None:
        assert (a or b or 1.0) < 1.001
    else:
        assert a == pytest.approx(b, rel=1e-6)


def test_one_odd_run_among_many_does_not_hide_the_next() -> None:
    usual = [run(df=frame(4000 + 20 * at)) for at in range(9)]
    odd_one = run(df=frame(1500))
    assert messages(run(df=frame(1500)), odd_one, *usual) == []
    assert messages(run(df=frame(200)), odd_one, *usual) == [
        "`load/df` has 200 rows; it had 1,500 to 4,160."
    ]


def test_a_first_run_is_slow_and_the_next_is_not_odd() -> None:
    """Imports, caches and downloads: what is quicker than one or two runs says nothing."""
    assert messages(run(seconds=0.1), run(seconds=16.0)) == []
    assert messages(run(seconds=60.0), run(seconds=16.0)) == ["`load` took 1m 00s; it took 16.0 s."]
    usual = [run(seconds=60.0 + at) for at in range(5)]
    assert messages(run(seconds=0.1), *usual) == ["`load` took 0.10 s; it took 1m 00s to 1m 04s."]


def test_a_column_that_is_handed_on_is_told_once() -> None:
    def flow(mean: float) -> Facts:
        held = frame(age=column(mean), spent=column(3))
        values = {"load/df": held, "clean/df": held, "clean/other": frame(spent=column(mean))}
        return Facts(run(df=held).steps, values)

    found = find_flags(flow(9), [flow(1)] * 4)
    assert [(one.message, one.also) for one in found] == [
        (
            "The mean of `load/df.age` is 9; it was 1. Likewise `clean/df.age`.",
            ("clean/df.age",),
        ),
        ("The mean of `clean/other.spent` is 9; it was 1.", ()),
    ]
