"""Cases of the notebook language, by the command line, with every task in a pod."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))

from cases import FOLDER, check_case, command_line, read_case
from kuberun import write_settings

#: those that ask most of an engine; the others say more of the compiler
CASES = ("nested", "objects", "switch", "traceback")


@pytest.mark.parametrize("name", CASES)
def test_case_in_pods(name: str, kube: Any, tmp_path: Path) -> None:
    notebook = Path(shutil.copy(FOLDER / f"{name}.py", tmp_path))
    write_settings(kube, tmp_path)
    check_case(read_case(notebook), notebook, "kubernetes", command_line(tmp_path))
