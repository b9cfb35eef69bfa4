"""A tagged cell with options that steer it: its statements, put in a loop over its tasks.

The cell stays Python that runs in the user's namespace: no line moves, `await` and the debugger
work, and an error shows the cell's own frame. `tasks` is what runs the loop.
"""

from __future__ import annotations

import ast

from nbcompile.options import RawExpression

#: the name under which the loop finds its tasks, in the user's namespace
TASKS = "__nbflow__"

_FRAME = """
for __nbflow_task__ in __nbflow__.run(None, None):
    with __nbflow_task__:
        pass
__nbflow__.value
"""


def wrap(
    module: ast.Module, when: RawExpression | None, foreach: RawExpression | None
) -> ast.Module:
    """The cell with its body in the loop; the value of its last expression goes to the tasks.

    A body with a stray `break`, say, would change its meaning in a loop: it stays as it is, and
    Python refuses it.
    """
    future = [one for one in module.body if _is_future_import(one)]
    body = [one for one in module.body if not _is_future_import(one)]
    if not body or not _compiles(body):
        return module
    frame = ast.parse(_FRAME)
    loop_node, last = frame.body
    assert isinstance(loop_node, ast.For)
    task = loop_node.body[0]
    assert isinstance(task, ast.With)
    assert isinstance(loop_node.iter, ast.Call)
    if when is not None:
        condition = ast.parse(f"({when.code}\n)", mode="eval").body
        loop_node.iter.args[0] = _function(condition, when.line)
    if foreach is not None:
        written = ast.parse(f"for {foreach.target} in {foreach.code}: pass").body[0]
        assert isinstance(written, ast.For)
        loop_node.iter.args[1] = _function(written.iter, foreach.line)
        task.items[0].optional_vars = _at(written.target, foreach.line)
    task.body = [*body[:-1], _kept(body[-1])]
    first = body[0]
    for node in (loop_node, task, last):
        _place(node, first.lineno)
    return ast.Module([*future, loop_node, last], module.type_ignores)


def _function(expression: ast.expr, line: int) -> ast.expr:
    """The expression as a function without arguments, evaluated when its turn comes."""
    arguments = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return _at(ast.Lambda(arguments, expression), line)


def _kept(statement: ast.stmt) -> ast.stmt:
    """A last expression hands its value to the task, which shows it as the cell would."""
    if not isinstance(statement, ast.Expr):
        return statement
    place = ast.Attribute(ast.Name("__nbflow_task__", ast.Load()), "value", ast.Store())
    return ast.fix_missing_locations(
        ast.copy_location(ast.Assign([place], statement.value), statement)
    )


def _is_future_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _compiles(body: list[ast.stmt]) -> bool:
    module = ast.Module(body, [])
    try:
        compile(module, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _at(node: ast.expr, line: int) -> ast.expr:
    """The node and all in it, as if on one line of the cell."""
    for one in ast.walk(node):
        if isinstance(one, ast.expr):
            _place(one, line)
    return node


def _place(node: ast.expr | ast.stmt, line: int) -> None:
    node.lineno = node.end_lineno = line
    node.col_offset = node.end_col_offset = 0
