"""Units: sizes such as `16GB` in bytes and times such as `90s` in seconds."""

from __future__ import annotations

_SIZES = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "K": 2**10,
    "M": 2**20,
    "G": 2**30,
    "T": 2**40,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}
_TIMES = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_size(text: str) -> int:
    """Bytes in `512MB`, `16GiB` or `1.5g` (a bare `K`, `M`, `G` is binary); else ValueError."""
    number, unit = _split(text)
    factor = _SIZES.get(unit.upper())
    if factor is None or number <= 0:
        raise ValueError(f"{text!r} is not a size such as 512MB or 16GiB")
    return round(number * factor)


def parse_time(text: str) -> float:
    """Seconds in `90s`, `10m`, `2h` or a bare number of seconds; else ValueError."""
    number, unit = _split(text)
    factor = _TIMES.get(unit.lower())
    if factor is None or number < 0:
        raise ValueError(f"{text!r} is not a time such as 90s, 10m or 2h")
    return number * factor


def format_size(size: int) -> str:
    """The shortest exact way to write a size: `16GB`, `16GiB`, `1500`."""
    for unit in ("TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "KB"):
        factor = _SIZES[unit.upper()]
        if size >= factor and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"


def format_time(seconds: float) -> str:
    """A time as one would write it: `90s`, `10m`, `2h`."""
    for unit, factor in (("h", 3600), ("m", 60)):
        if seconds >= factor and seconds % factor == 0:
            return f"{int(seconds // factor)}{unit}"
    return f"{seconds:g}s"


def _split(text: str) -> tuple[float, str]:
    text = text.strip()
    end = len(text)
    while end and not (text[end - 1].isdigit() or text[end - 1] == "."):
        end -= 1
    number = text[:end]
    if not number or not number.replace(".", "", 1).isdecimal():
        raise ValueError(f"{text!r} does not start with a number")
    return float(number), text[end:].strip()
