"""Small random notebooks: changes in place, aliases, functions that read and write globals.

Each is a list of cells that run without error from top to bottom; the last one prints everything
there is to see, and which lists are the same object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

NUMBERS = ("a", "b", "c")
LISTS = ("xs", "ys", "zs")
DICTS = ("d", "e")
FUNCTIONS = ("f", "g", "h")
ARRAYS = ("v", "w")
FRAMES = ("df", "other")


@dataclass(slots=True)
class Known:
    """The names bound so far, by what they hold."""

    numbers: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    dicts: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    arrays: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    #: functions of a number that return a number, and what they need when called
    functions: dict[str, frozenset[str]] = field(default_factory=dict)

    def all(self) -> set[str]:
        values = (self.numbers, self.lists, self.dicts, self.objects, self.arrays, self.frames)
        return {*self.functions}.union(*values)

    def bind(self, kind: str, name: str) -> None:
        names: list[str] = getattr(self, kind)
        if name not in names:
            names.append(name)

    def callable(self) -> list[str]:
        """Functions all of whose free names are bound, transitively."""

        def ready(name: str, seen: frozenset[str]) -> bool:
            return all(
                need in seen or (need in self.all() and ready(need, seen | {need}))
                for need in self.functions.get(name, ())
            )

        return [name for name in self.functions if ready(name, frozenset({name}))]


Draw = Callable[[st.SearchStrategy[str]], str]


def number(draw: Draw, known: Known) -> str:
    """An expression whose value is a small number."""
    choices = [str(n) for n in range(4)]
    choices += known.numbers * 2
    choices += [f"len({x})" for x in known.lists + known.dicts]
    choices += [f"{f}({n})" for f in known.callable() for n in ("2", *known.numbers)]
    choices += [f"{o}.n" for o in known.objects]
    choices += [f"sum(x for x in {x} if isinstance(x, int))" for x in known.lists]
    value = draw(st.sampled_from(choices))
    return draw(st.sampled_from([value, value, f"{value} + 1", f"{value} * 2"]))


def statement(draw: Draw, known: Known) -> str:
    """One more statement, and what it binds noted in ``known``."""
    options: list[Callable[[Draw, Known], str]] = [assign, assign, new_list, new_dict, new_object]
    options += [new_array, new_frame]
    if known.arrays:
        options += [change_array] * 2 + [share_array] * 2
    if known.frames:
        options += [change_frame] * 3 + [share_frame]
    if known.lists:
        options += [change_list] * 4 + [share_list] * 3 + [rebind_list, loop, hold]
    if known.dicts:
        options += [change_dict] * 3
    if known.objects:
        options += [change_object] * 2
    if known.numbers:
        options += [augment, condition, swap]
    if known.numbers or known.lists:
        options += [define] * 3 + [close_over]
    if known.callable():
        options += [call] * 3
    return draw(st.sampled_from(options))(draw, known)  # type: ignore[arg-type, operator]


def assign(draw: Draw, known: Known) -> str:
    value = number(draw, known)
    name = draw(st.sampled_from(NUMBERS))
    known.bind("numbers", name)
    return f"{name} = {value}"


def augment(draw: Draw, known: Known) -> str:
    name = draw(st.sampled_from(known.numbers))
    return f"{name} += {number(draw, known)}"


def swap(draw: Draw, known: Known) -> str:
    one, two = draw(st.sampled_from(known.numbers)), draw(st.sampled_from(known.numbers))
    return f"{one}, {two} = {two}, {one}"


def new_list(draw: Draw, known: Known) -> str:
    value = f"[{number(draw, known)}, {number(draw, known)}]"
    name = draw(st.sampled_from(LISTS))
    known.bind("lists", name)
    return f"{name} = {value}"


def rebind_list(draw: Draw, known: Known) -> str:
    source = draw(st.sampled_from(known.lists))
    made = draw(
        st.sampled_from(
            [f"{source} + [7]", f"list({source})", f"[x for x in {source}]", f"{source}[:]"]
        )
    )
    name = draw(st.sampled_from(LISTS))
    known.bind("lists", name)
    return f"{name} = {made}"


def share_list(draw: Draw, known: Known) -> str:
    source = draw(st.sampled_from(known.lists))
    name = draw(st.sampled_from(LISTS))
    known.bind("lists", name)
    return draw(st.sampled_from([f"{name} = {source}", f"{name} = {source} or []"]))


def hold(draw: Draw, known: Known) -> str:
    """Put a list inside something else, or take it out again."""
    source = draw(st.sampled_from(known.lists))
    if known.dicts and draw(st.sampled_from("yn")) == "y":
        holder = draw(st.sampled_from(known.dicts))
        return f"{holder}['held'] = {source}"
    if known.dicts and draw(st.sampled_from("yn")) == "y":
        holder = draw(st.sampled_from(known.dicts))
        name = draw(st.sampled_from(LISTS))
        known.bind("lists", name)
        return f"{name} = {holder}.get('held', {source})"
    holder = draw(st.sampled_from(LISTS))
    known.bind("lists", holder)
    return f"{holder} = [{source}, 1]"


def change_list(draw: Draw, known: Known) -> str:
    name, value = draw(st.sampled_from(known.lists)), number(draw, known)
    return draw(
        st.sampled_from(
            [
                f"{name}.append({value})",
                f"{name} += [{value}]",
                f"{name}[:1] = [{value}]",
                f"if {name}:\n    {name}[0] = {value}",
                f"{name}.insert(0, {value})",
                f"{name}.extend([{value}, 0])",
                f"del {name}[1:]",
                f"for inner in {name}:\n    if isinstance(inner, list):\n        inner.append({value})",
            ]
        )
    )


def new_dict(draw: Draw, known: Known) -> str:
    value = number(draw, known)
    name = draw(st.sampled_from(DICTS))
    known.bind("dicts", name)
    return f"{name} = {{'n': {value}}}"


def change_dict(draw: Draw, known: Known) -> str:
    name, value = draw(st.sampled_from(known.dicts)), number(draw, known)
    return draw(
        st.sampled_from(
            [
                f"{name}['n'] = {value}",
                f"{name}.update(m={value})",
                f"{name}.setdefault('more', []).append({value})",
                f"{name}.get('held', []).append({value})",
                f"if 'held' in {name}:\n    {name}['held'].append({value})",
                f"{name} |= {{'o': {value}}}",
            ]
        )
    )


def new_object(draw: Draw, known: Known) -> str:
    value = number(draw, known)
    known.bind("objects", "o")
    held = draw(st.sampled_from(known.lists)) if known.lists else "[]"
    return (
        "class Box:\n"
        "    def __init__(self, n, items):\n        self.n = n\n        self.items = items\n"
        "    def push(self, v):\n        self.items.append(v)\n        return self.n\n"
        f"o = Box({value}, {held})"
    )


def change_object(draw: Draw, known: Known) -> str:
    value = number(draw, known)
    return draw(
        st.sampled_from(
            [f"o.n = {value}", f"o.push({value})", f"o.items.append({value})", f"o.n += {value}"]
        )
    )


def new_array(draw: Draw, known: Known) -> str:
    name, value = draw(st.sampled_from(ARRAYS)), number(draw, known)
    known.bind("arrays", name)
    return f"import numpy as np\n{name} = np.arange(4) + {value}"


def share_array(draw: Draw, known: Known) -> str:
    source, name = draw(st.sampled_from(known.arrays)), draw(st.sampled_from(ARRAYS))
    known.bind("arrays", name)
    part = draw(st.sampled_from(["", "[:2]", "[::-1]", ".reshape(-1, 1)", ".ravel()", ".copy()"]))
    return f"{name} = {source}{part}" if part != "" else f"{name} = {source}"


def change_array(draw: Draw, known: Known) -> str:
    name, value = draw(st.sampled_from(known.arrays)), number(draw, known)
    return draw(
        st.sampled_from(
            [
                f"{name}[0] = {value}",
                f"{name} += {value}",
                f"{name} = {name} * 2",
                f"{name}.fill({value})",
                f"{name}[{name} > 2] = {value}",
            ]
        )
    )


def new_frame(draw: Draw, known: Known) -> str:
    name, value = draw(st.sampled_from(FRAMES)), number(draw, known)
    known.bind("frames", name)
    return f"import pandas as pd\n{name} = pd.DataFrame({{'x': [{value}, 2], 'k': ['p', 'q']}})"


def share_frame(draw: Draw, known: Known) -> str:
    source, name = draw(st.sampled_from(known.frames)), draw(st.sampled_from(FRAMES))
    known.bind("frames", name)
    part = draw(st.sampled_from(["", ".copy()", "[['x', 'k']]", ".query('x > 0')"]))
    return f"{name} = {source}{part}"


def change_frame(draw: Draw, known: Known) -> str:
    name, value = draw(st.sampled_from(known.frames)), number(draw, known)
    return draw(
        st.sampled_from(
            [
                f"{name}['x'] = {name}.x + {value}",
                f"{name}.loc[{name}.x > 1, 'x'] = {value}",
                f"{name}['new'] = {value}",
                f"{name} = {name}.assign(x={name}.x * 2)",
                f"{name}.insert(0, 'at' + str({name}.shape[1]), {value})",
                f"{name} = {name}[{name}.x < 9]",
            ]
        )
    )


def close_over(draw: Draw, known: Known) -> str:
    """A function made by a function: it holds a value of its own, and may change it."""
    name = draw(st.sampled_from(FUNCTIONS))
    value = number(draw, known)
    body = draw(
        st.sampled_from(
            [
                "return v + k",
                "held.append(v)\n        return len(held)",
                "nonlocal k\n        k += v\n        return k",
            ]
        )
    )
    held = draw(st.sampled_from([*known.lists, "[]"]))
    known.functions[name] = frozenset()
    return (
        f"def make(k, held):\n    def inner(v):\n        {body}\n    return inner\n"
        f"{name} = make({value}, {held})"
    )


def condition(draw: Draw, known: Known) -> str:
    test = draw(st.sampled_from(known.numbers))
    target = draw(st.sampled_from(known.numbers))
    value, other = number(draw, known), number(draw, known)
    tail = draw(st.sampled_from(["", f"\nelse:\n    {target} = {other}"]))
    return f"if {test} > 2:\n    {target} = {value}{tail}"


def loop(draw: Draw, known: Known) -> str:
    name, value = draw(st.sampled_from(known.lists)), number(draw, known)
    known.bind("numbers", "c")
    return f"for c in range(2):\n    {name}.append(c + {value})"


def define(draw: Draw, known: Known) -> str:
    name = draw(st.sampled_from(FUNCTIONS))
    bodies: list[tuple[str, frozenset[str]]] = []
    for n in known.numbers:
        bodies.append((f"def {name}(v):\n    return v + {n}", frozenset({n})))
        bodies.append((f"{name} = lambda v: v * {n}", frozenset({n})))
        bodies.append((f"def {name}(v, k={n}):\n    return v + k", frozenset()))
        bodies.append(
            (f"def {name}(v):\n    global {n}\n    {n} = {n} + v\n    return {n}", frozenset({n}))
        )
    for x in known.lists:
        bodies.append((f"def {name}(v):\n    {x}.append(v)\n    return len({x})", frozenset({x})))
        bodies.append((f"def {name}(v, into={x}):\n    into.append(v)\n    return v", frozenset()))
        bodies.append(
            (
                f"def {name}(v):\n    def inner(w):\n        return w + len({x})\n    return inner(v)",
                frozenset({x}),
            )
        )
    for other in known.functions:
        if other != name and name not in reach(known, other):
            bodies.append((f"def {name}(v):\n    return {other}(v) + 1", frozenset({other})))
    code, needs = draw(st.sampled_from(bodies))  # type: ignore[arg-type]
    known.functions[name] = needs  # type: ignore[assignment]
    return code


def reach(known: Known, name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """The functions that calling ``name`` may call."""
    found = {name}
    for need in known.functions.get(name, ()):
        if need in known.functions and need not in seen:
            found |= reach(known, need, seen | {name})
    return found


def call(draw: Draw, known: Known) -> str:
    function, value = draw(st.sampled_from(known.callable())), number(draw, known)
    if draw(st.sampled_from("yn")) == "y":
        return f"{function}({value})"
    name = draw(st.sampled_from(NUMBERS))
    known.bind("numbers", name)
    return f"{name} = {function}({value})"


@st.composite
def notebooks(draw: Draw) -> list[str]:
    """The cells of a notebook that runs from top to bottom."""
    known = Known()
    cells = [f"a = {draw(st.sampled_from('0123'))}\n{new_list(draw, known)}"]
    known.bind("numbers", "a")
    size = draw(st.integers(2, 5))  # type: ignore[arg-type]
    for _ in range(size):
        length = draw(st.integers(1, 3))  # type: ignore[arg-type]
        cells.append("\n".join(statement(draw, known) for _ in range(length)))
    identity = draw(st.sampled_from("yn")) == "y"
    return [*cells, "\n".join(look(known, identity))]


def look(known: Known, identity: bool) -> list[str]:
    """Statements that print all there is to see, and which lists are the same object."""
    shown = [*known.numbers, *known.lists, *known.dicts]
    shown += [f"{v}.tolist()" for v in known.arrays] + [f"{f}.to_dict()" for f in known.frames]
    lines = [f"print({', '.join(shown)})"]
    lines += ["print(o.n, o.items)"] * bool(known.objects)
    if identity:
        held = ["o.items"] if known.objects else []
        pairs = [(x, y) for n, x in enumerate(known.lists) for y in [*known.lists[n + 1 :], *held]]
        lines += [f"print({x} is {y})" for x, y in pairs]
    else:  # the same by its effect
        lines += [f"{x}.append({n})" for n, x in enumerate(known.lists, 90)]
    lines += [f"print({f}(1))" for f in known.callable()]
    return [*lines, f"print({', '.join(shown)})"]
