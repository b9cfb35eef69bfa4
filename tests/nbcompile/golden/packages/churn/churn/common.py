"""What the steps share: imports, settings and definitions."""

import math
import statistics as st

PENALTY = 2.0


def penalty(x):
    """How much a weight costs."""
    return PENALTY * abs(x) ** len(f"{'a'}")
