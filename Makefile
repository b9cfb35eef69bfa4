# Everything a fresh clone needs: `make demo` and `make test` set up `.venv` by themselves.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST_ARGS ?= -n 2 --dist loadgroup -q

.PHONY: help demo test check format bench clean

help:  ## What can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(INSTALLED)  ## Run the example notebook on a local Dask cluster and look at what came out
	@$(BIN)/nbflow demo

test: check  ## Check the code, then run all tests
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(INSTALLED)  ## Lint, formatting, types and import directions
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(INSTALLED)  ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: $(INSTALLED)  ## Measure: prints ratios and writes the tables under docs/benchmarks
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python $$script; done

clean:  ## Remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(INSTALLED): pyproject.toml
	@echo "Setting up $(VENV) (once, about two minutes)"
	@test -x $(BIN)/python -a -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@
