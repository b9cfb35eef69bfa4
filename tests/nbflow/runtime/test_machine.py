"""The machine by lists of events, compared whole; and its invariants on random flows."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nbflow.runtime.machine import (
    Action,
    AttemptEnded,
    Begun,
    CancelAsked,
    Delay,
    DelayEnded,
    End,
    Machine,
    Skip,
    Start,
    Stop,
)
from nbflow.runtime.shape import Need, StepShape


def plain(name: str, *needs: str, **more: Any) -> StepShape:
    all_needs = tuple(Need(need, 0) for need in needs)
    return StepShape(name, (), False, all_needs, tuple((one,) for one in all_needs), **more)


def fan(name: str, *needs: str, **more: Any) -> StepShape:
    all_needs = tuple(Need(need, 0) for need in needs)
    return StepShape(name, (name,), True, all_needs, tuple((one,) for one in all_needs), **more)


def each(name: str, of: str, **more: Any) -> StepShape:
    need = Need(of, 1)
    return StepShape(name, (of,), False, (need,), ((need,),), **more)


def ended(
    step: str, key: tuple[int, ...] = (), status: str = "succeeded", attempt: int = 1
) -> AttemptEnded:
    return AttemptEnded(step, key, "main", attempt, status)  # type: ignore[arg-type]


def split(step: str, count: int | None, key: tuple[int, ...] = (), status: str = "succeeded"):
    return AttemptEnded(step, key, "items", 1, status, count)  # type: ignore[arg-type]


def start(step: str, *keys: tuple[int, ...], part: str = "main", attempt: int = 1) -> Start:
    return Start(step, part, attempt, keys or ((),))  # type: ignore[arg-type]


def test_steps_that_do_not_depend_on_each_other_start_together() -> None:
    machine = Machine([plain("a"), plain("b"), plain("c", "a", "b")])
    assert machine.handle([Begun()]) == [start("a"), start("b")]
    assert machine.handle([ended("a")]) == []
    assert machine.handle([ended("b")]) == [start("c")]
    assert machine.handle([ended("c")]) == [End("succeeded")]


def test_a_fan_out_is_split_and_joined() -> None:
    machine = Machine([fan("grow"), plain("pick", "grow")])
    assert machine.handle([Begun()]) == [start("grow", part="items")]
    assert machine.handle([split("grow", 2)]) == [start("grow", (0,), (1,))]
    assert machine.handle([ended("grow", (1,))]) == []
    assert machine.handle([ended("grow", (0,))]) == [start("pick")]


def test_no_items_are_fine() -> None:
    machine = Machine([fan("grow"), each("check", "grow"), plain("pick", "check")])
    machine.handle([Begun()])
    assert machine.handle([split("grow", 0)]) == [start("pick")]
    assert machine.handle([ended("pick")]) == [End("succeeded")]


def test_each_stays_in_its_branch() -> None:
    machine = Machine([fan("grow"), each("check", "grow")])
    machine.handle([Begun(), split("grow", 9)])  # of a split that has not started
    assert machine.handle([split("grow", 2)]) == [start("grow", (0,), (1,))]
    assert machine.handle([split("grow", 2)]) == []  # told again
    assert machine.handle([ended("grow", (1,))]) == [start("check", (1,))]
    assert machine.handle([ended("check", (1,))]) == []
    assert machine.handle([ended("grow", (0,))]) == [start("check", (0,))]
    assert machine.handle([ended("check", (0,))]) == [End("succeeded")]


def test_nested_fan_outs() -> None:
    inner = StepShape("inner", ("outer", "inner"), True, (Need("outer", 1),), ())
    machine = Machine([fan("outer"), inner, plain("join", "inner")])
    machine.handle([Begun()])
    assert machine.handle([split("outer", 2)]) == [start("outer", (0,), (1,))]
    assert machine.handle([ended("outer", (0,)), ended("outer", (1,))]) == [
        start("inner", (0,), (1,), part="items")
    ]
    assert machine.handle([split("inner", 1, (0,))]) == [start("inner", (0, 0))]
    assert machine.handle([split("inner", 0, (1,))]) == []
    assert machine.handle([ended("inner", (0, 0))]) == [start("join")]


def test_what_depends_on_a_skipped_step_is_skipped() -> None:
    machine = Machine([plain("a"), plain("b", "a"), fan("c", "b"), each("d", "c"), plain("e", "d")])
    machine.handle([Begun()])
    assert machine.handle([ended("a", status="skipped")]) == [
        Skip("b", "main", ((),)),
        Skip("c", "items", ((),)),
        Skip("c", "main", ((),)),
        Skip("d", "main", ((),)),
        Skip("e", "main", ((),)),
        End("succeeded"),
    ]


def test_another_writer_that_ran_supplies_the_value() -> None:
    both = (Need("new", 0), Need("old", 0))
    serve = StepShape("serve", (), False, both, (both,))
    machine = Machine([plain("new"), plain("old"), serve])
    machine.handle([Begun()])
    machine.handle([ended("new", status="skipped")])
    assert machine.handle([ended("old")]) == [start("serve")]


def test_siblings_of_a_failed_task_finish_and_what_depends_on_it_does_not_start() -> None:
    machine = Machine([fan("grow"), each("check", "grow"), plain("pick", "grow")])
    machine.handle([Begun()])
    machine.handle([split("grow", 2)])
    assert machine.handle([ended("grow", (0,), "failed")]) == []
    assert machine.handle([ended("grow", (1,))]) == [start("check", (1,))]
    assert machine.handle([ended("check", (1,))]) == [End("failed")]


def test_a_caught_failure_fails_nothing_but_its_branch() -> None:
    machine = Machine([fan("grow", catch=True), each("check", "grow"), plain("pick", "grow")])
    machine.handle([Begun()])
    machine.handle([split("grow", 2)])
    assert machine.handle([ended("grow", (0,), "failed")]) == [Skip("check", "main", ((0,),))]
    assert machine.handle([ended("grow", (1,))]) == [start("check", (1,)), start("pick")]
    assert machine.handle([ended("check", (1,)), ended("pick")]) == [End("succeeded")]


def test_retries_with_and_without_delay() -> None:
    machine = Machine([plain("now", retry=1), plain("later", retry=1, retry_delay=2.0)])
    machine.handle([Begun()])
    assert machine.handle([ended("now", status="failed")]) == [start("now", attempt=2)]
    assert machine.handle([ended("now", status="failed")]) == []  # the first attempt, told again
    assert machine.handle([ended("later", status="failed")]) == [Delay("later", (), "main", 2.0)]
    assert machine.handle([ended("now", attempt=2)]) == []
    assert machine.handle([DelayEnded("later", (), "main")]) == [start("later", attempt=2)]
    assert machine.handle([ended("later", status="failed", attempt=2)]) == [End("failed")]


def test_cancel_waits_for_what_runs_and_starts_nothing() -> None:
    machine = Machine([plain("a"), plain("b", retry=3, retry_delay=9.0), plain("c", "a")])
    machine.handle([Begun()])
    machine.handle([ended("b", status="failed")])
    assert machine.handle([CancelAsked()]) == [Stop(False)]
    assert machine.handle([CancelAsked(hard=True)]) == [Stop(True)]
    assert machine.handle([ended("a")]) == [End("cancelled")]


def test_a_flow_of_no_steps_ends() -> None:
    assert Machine([]).handle([Begun()]) == [End("succeeded")]


def test_a_long_chain_of_skips() -> None:
    steps = [plain("s0"), *(plain(f"s{i}", f"s{i - 1}") for i in range(1, 3000))]
    machine = Machine(steps)
    machine.handle([Begun()])
    assert len(machine.handle([ended("s0", status="skipped")])) == 3000


@st.composite
def flows(draw: st.DrawFn) -> list[StepShape]:
    steps: list[StepShape] = []
    for index in range(draw(st.integers(1, 6))):
        name = f"s{index}"
        read = draw(st.lists(st.sampled_from(steps), max_size=2, unique=True)) if steps else []
        branch = draw(st.sampled_from([(), *(one.line for one in steps)]))
        splits = draw(st.booleans()) and len(branch) < 2
        needs: list[Need] = []
        for one in read:
            shared = 0
            while shared < min(len(branch), len(one.line)) and branch[shared] == one.line[shared]:
                shared += 1
            needs.append(Need(one.name, shared))
        if branch and branch[-1] not in [need.step for need in needs]:
            needs.append(Need(branch[-1], len(branch)))
        steps.append(
            StepShape(
                name,
                (*branch, name) if splits else branch,
                splits,
                tuple(needs),
                tuple((one,) for one in needs),
                retry=draw(st.integers(0, 2)),
                retry_delay=draw(st.sampled_from([0.0, 1.0])),
                catch=draw(st.booleans()),
            )
        )
    return steps


@settings(deadline=None, max_examples=150)
@given(flows(), st.data())
def test_no_task_is_lost_and_none_is_counted_twice(steps: list[StepShape], data: Any) -> None:
    machine = Machine(steps)
    under_way: list[tuple[str, tuple[int, ...], str, int]] = []
    delayed: list[Delay] = []
    started: set[tuple[str, tuple[int, ...], str, int]] = set()
    skipped: set[tuple[str, tuple[int, ...], str]] = set()
    ends: list[End] = []
    cancelled = False

    def perform(actions: list[Action]) -> None:
        for action in actions:
            assert not ends, "nothing happens after the end"
            match action:
                case Start():
                    assert not cancelled
                    for key in action.keys:
                        at = (action.step, key, action.part, action.attempt)
                        assert at not in started, "each attempt starts once"
                        assert at[:3] not in skipped
                        started.add(at)
                        under_way.append(at)
                case Skip():
                    for key in action.keys:
                        at3 = (action.step, key, action.part)
                        assert at3 not in skipped, "skipped once"
                        skipped.add(at3)
                case Delay():
                    delayed.append(action)
                case End():
                    assert not under_way
                    ends.append(action)

    perform(machine.handle([Begun()]))
    failed: list[str] = []
    done: dict[str, set[tuple[int, ...]]] = {}
    counts: dict[tuple[str, tuple[int, ...]], int] = {}
    while under_way or (delayed and not cancelled):
        if delayed and (not under_way or data.draw(st.booleans())):
            wait = delayed.pop()
            perform(machine.handle([DelayEnded(wait.step, wait.key, wait.part)]))
            continue
        if not cancelled and data.draw(st.integers(0, 40)) == 40:
            cancelled = True
            perform(machine.handle([CancelAsked()]))
            continue
        step, key, part, attempt = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
        status = data.draw(st.sampled_from(["succeeded"] * 4 + ["cached", "skipped", "failed"]))
        count = data.draw(st.integers(0, 3)) if part == "items" else None
        shape = machine.steps[step]
        if status == "failed" and attempt > shape.retry and not shape.catch:
            failed.append(step)
        if status in ("succeeded", "cached"):
            done.setdefault(step, set()).add(key) if part == "main" else counts.setdefault(
                (step, key), count or 0
            )
        event = AttemptEnded(step, key, part, attempt, status, count)  # type: ignore[arg-type]
        perform(machine.handle([event, event]))
    assert len(ends) == 1
    if cancelled:
        assert ends[0].status == "cancelled"
        return
    assert ends[0].status == ("failed" if failed else "succeeded")
    for (step, key), count in counts.items():
        begun = {at[1] for at in started if at[0] == step and at[2] == "main"}
        assert {(*key, index) for index in range(count)} <= begun, "every item has its task"
    if not failed:
        for shape in steps:
            touched = any(at[0] == shape.name for at in [*started, *skipped])
            within = [counts.get((one, ())) for one in shape.line[:1]]
            assert touched or within == [0] or shape.depth > 0
