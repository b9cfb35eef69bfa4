"""Shown values: a cell's last expression put into the call that shows it."""

from __future__ import annotations

import ast

from nbcompile.positions import replace, segment

#: calls that return None, as they are usually written: nothing to show
_SILENT = frozenset(
    "print display help describe shell script exec setattr delattr plt.show plt.savefig "
    "plt.tight_layout plt.close np.random.seed random.seed logging.debug logging.info "
    "logging.warning logging.error time.sleep os.mkdir os.remove".split()
)
#: methods that return None wherever one meets them
_SILENT_METHODS = frozenset(
    "append extend clear remove discard appendleft extendleft writelines writerow writerows "
    "zero_grad set_option reset_option set_printoptions set_theme set_style set_context "
    "set_palette filterwarnings simplefilter setrecursionlimit basicConfig set_config setLevel "
    "addHandler set_default_dtype set_num_threads register_matplotlib_converters switch_backend "
    "setdefaulttimeout setcontext makedirs chdir".split()
)


def is_silent(value: ast.expr) -> bool:
    """Whether an expression has nothing to show: None, or a call that returns it."""
    if isinstance(value, ast.Constant) and value.value is None:
        return True
    if not isinstance(value, ast.Call):
        return False
    if isinstance(value.func, ast.Attribute) and value.func.attr in _SILENT_METHODS:
        return True
    return ast.unparse(value.func) in _SILENT


def show_value(lines: list[str], statement: ast.Expr, function: str) -> bool:
    """Put `function(…)` around a statement; whether its tree was changed alike."""
    source = segment(lines, statement)
    if isinstance(statement.value, ast.Tuple | ast.Yield | ast.YieldFrom):
        inside = f"({source})" if _needs_parentheses(source) else source
        replace(lines, statement, f"{function}({inside})")
        return False
    replace(lines, statement, f"{function}({source})")
    _wrap(statement, function)
    return True


def _wrap(statement: ast.Expr, function: str) -> None:
    """Do to the tree what putting `function(…)` around a statement does to its text.

    Parsing anew would say the same and take as long again.
    """
    first, last = statement.lineno, statement.end_lineno or statement.lineno
    shift = len(function) + 1
    start = statement.col_offset
    for node in ast.walk(statement.value):
        if isinstance(node, ast.expr | ast.keyword | ast.arg):
            node.col_offset += shift if node.lineno == first else 0
            if node.end_lineno == first and node.end_col_offset is not None:
                node.end_col_offset += shift
    end = (statement.end_col_offset or 0) + (shift if last == first else 0) + 1
    name = ast.Name(
        function,
        ast.Load(),
        lineno=first,
        col_offset=start,
        end_lineno=first,
        end_col_offset=start + len(function),
    )
    statement.value = ast.Call(
        name,
        [statement.value],
        [],
        lineno=first,
        col_offset=start,
        end_lineno=last,
        end_col_offset=end,
    )
    statement.end_col_offset = end


def _needs_parentheses(source: str) -> bool:
    """Whether the source of an expression is no single argument as it stands: `a, b`."""
    try:
        call = ast.parse(f"f({source}\n)", mode="eval").body
    except SyntaxError:
        return True
    assert isinstance(call, ast.Call)
    return len(call.args) != 1 or bool(call.keywords) or isinstance(call.args[0], ast.Starred)
