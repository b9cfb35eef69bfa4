"""Verify: a notebook run in one kernel against its flow run in separate processes."""

from __future__ import annotations

from nbflow.verify.check import StepCheck, Verdict, verify_notebook
from nbflow.verify.same import Difference, find_difference

__all__ = ["Difference", "StepCheck", "Verdict", "find_difference", "verify_notebook"]
