"""`python -m nbflow`: the command line."""

from __future__ import annotations

import os
import sys

# `-m` puts the current folder first: a notebook called random.py would stand in for the library's
if sys.path[0] == os.getcwd() and os.path.dirname(os.path.dirname(__file__)) != sys.path[0]:
    del sys.path[0]

from nbflow.cli import main

main()
