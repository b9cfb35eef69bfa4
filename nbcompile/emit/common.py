"""The shared module of a package: setup, and the definitions that its steps use."""

from __future__ import annotations

import ast
import warnings

from nbcompile.emit.imports import sorted_imports
from nbcompile.emit.rename import Setting, adapt, needs_adapting
from nbcompile.emit.source import Source
from nbcompile.emit.step import merge_pieces, support_import, trimmed
from nbcompile.flow import Flow


def common_source(flow: Flow, package: str) -> Source:
    """The source of `common`."""
    common = flow.common
    imports = [f"from __future__ import {feature}" for feature in flow.future]
    imports += common.imports
    imports += [support_import(package, name) for name in common.support]
    if common.late:
        imports.append("from typing import Any")
    body = Source()
    for piece in merge_pieces(common.pieces):
        if needs_adapting(piece.code):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(piece.code)
            piece, moved = adapt(piece, tree, Setting(at_top=True))
            imports.extend(moved)
        piece = trimmed(piece)
        if piece.code:
            body.add()
            body.add_mapped(piece.code, piece.cell, piece.lines)
    source = Source()
    source.add('"""What the steps share: imports, settings and definitions."""')
    if imports:
        source.add()
    for line in sorted_imports(imports, package):
        source.add(line)
    if common.late:
        source.add("\n#: set by the steps before they call what is defined here")
        for name in common.late:
            source.add(f"{name}: Any")
    source.lines.extend(body.lines)
    source.origins.extend(body.origins)
    return source


def is_needed(flow: Flow) -> bool:
    """Whether the package has a shared module at all."""
    shared = any(step.shared or step.reads.bind for step in flow.steps)
    return bool(flow.common.pieces or flow.common.late or shared)
