"""`python -m nbflow`: the command line."""

from __future__ import annotations

from nbflow.cli import main

main()
