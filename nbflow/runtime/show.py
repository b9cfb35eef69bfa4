"""Show: the forms of a shown value, as Jupyter's MIME bundles, without starting IPython."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType
from typing import Any

_METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
}
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
#: what IPython shows by a name of its own, alone and within a list
_NAMED = (type, FunctionType, BuiltinFunctionType)
_NAMES = re.compile("<class '|<function |<built-in ")


@dataclass(frozen=True, slots=True)
class Bundle:
    """The forms of one output, by MIME type."""

    data: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)


def bundle_of(value: Any) -> Bundle:
    """All forms that the value has; a form that fails is left out."""
    if isinstance(value, _PLAIN):
        return Bundle({"text/plain": repr(value)})
    if _is_figure(value):
        return _figure_bundle(value)
    data: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    _collect(data, metadata, None, _call(value, "_repr_mimebundle_"))
    for method, mime in _METHODS.items():
        if mime not in data:
            _collect(data, metadata, mime, _call(value, method))
    data.setdefault("text/plain", _plain(value))
    return Bundle(data, metadata)


def figure_bundles(ended: bool) -> Iterator[Bundle]:
    """The open figures of pyplot, closed as they are shown; ``ended``: as a cell's end does it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        if ended and figure.stale and figure.get_layout_engine() is not None:
            # a notebook draws before it shows; each time, the layout comes nearer to its end
            figure.canvas.draw()
        bundle = _figure_bundle(figure)
        pyplot.close(figure)
        yield bundle


def _collect(data: dict[str, Any], metadata: dict[str, Any], mime: str | None, made: Any) -> None:
    if isinstance(made, tuple) and len(made) == 2:
        made, extra = made
        metadata.update(extra if mime is None else {mime: extra})
    if made is None:
        return
    for name, form in made.items() if mime is None else [(mime, made)]:
        plain = base64.b64encode(form).decode() if isinstance(form, bytes) else form
        if _is_json(plain):
            data[name] = plain


def _call(value: Any, method: str) -> Any:
    # classes have the methods too, but of their instances; some objects answer to every name
    if isinstance(value, type) or not callable(getattr(type(value), method, None)):
        return None
    try:
        return getattr(value, method)()
    except Exception:
        return None


def _plain(value: Any) -> str:
    """The text that IPython shows, which is imported only where that is not the `repr`."""
    try:
        text = repr(value)
        group = isinstance(value, (list, tuple, dict, set, frozenset))
        if isinstance(value, _NAMED) or (group and (len(text) > 79 or _NAMES.search(text))):
            with suppress(ImportError):
                from IPython.lib import pretty

                return str(pretty.pretty(value))  # type: ignore[no-untyped-call]
        inherited: Any = type(value).__repr__
        if group or inherited is object.__repr__:
            return text.replace(" object at 0x", " at 0x")
    except Exception as error:
        return f"<{type(value).__name__}: its repr failed with {type(error).__name__}>"
    return text


def _is_figure(value: Any) -> bool:
    figure = sys.modules.get("matplotlib.figure")
    return figure is not None and isinstance(value, figure.Figure)


def _figure_bundle(figure: Any) -> Bundle:
    """A figure as a picture; an empty one is told of only, as in a notebook."""
    data = {"text/plain": _plain(figure)}
    if figure.axes or figure.lines:
        data["image/png"] = _png(figure)
    return Bundle(data)


def _png(figure: Any) -> str:
    from io import BytesIO

    out = BytesIO()
    figure.savefig(out, format="png", bbox_inches="tight")
    return base64.b64encode(out.getvalue()).decode()


def _is_json(value: Any) -> bool:
    if isinstance(value, str):
        return True
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
