"""Pictures: what the cells of a step have shown, against what its tasks have."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

from nbflow.verify.same import Difference


def picture_of(data: Mapping[str, Any]) -> str | None:
    """The picture in a shown output: PNG in base64, empty where it is of another format."""
    if not any(form.startswith("image/") for form in data):
        return None
    return str(data.get("image/png", "")).replace("\n", "")


def pictures_differ(kernel: Sequence[str], flow: Sequence[str]) -> Difference | None:
    """The first difference: in number, else in what can be seen."""
    if len(kernel) != len(flow):
        return Difference("pictures shown", str(len(kernel)), str(len(flow)))
    for number, (one, other) in enumerate(zip(kernel, flow, strict=True), 1):
        if one and other and one != other and (told := _pixels_differ(one, other)):
            return Difference(f"pictures shown, number {number}", *told)
    return None


def _pixels_differ(one: str, other: str) -> tuple[str, str] | None:
    try:
        import numpy as np
        from PIL import Image
    except ImportError:  # neither Matplotlib nor whatever else makes pictures is here
        return None

    def pixels(picture: str) -> Any:
        with Image.open(BytesIO(base64.b64decode(picture))) as image:
            return np.asarray(image.convert("RGBA")) / 255

    a, b = pixels(one), pixels(other)
    if a.shape != b.shape:
        # a notebook may ask for twice the resolution, which is no other picture
        double = all(1.9 < x / y < 2.1 for x, y in zip(a.shape[:2], b.shape[:2], strict=True))
        return None if double else (_size(a.shape), _size(b.shape))
    share = float(np.mean(np.any(np.abs(a - b) > 1 / 255, axis=-1)))
    return ("as shown", f"{share:.2%} of its pixels are others") if share else None


def _size(shape: Iterable[int]) -> str:
    height, width, *_ = shape
    return f"{width} by {height} pixels"
