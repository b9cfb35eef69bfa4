# Everything a fresh clone needs: `make demo` and `make test` set up `.venv` by themselves.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BUILT := jupyter_ext/nbflow_jupyter/labextension/package.json
# clusters, browsers and kernels are real: the few tests that fail once and then pass are named at
# the end, with what had failed
RERUNS := --reruns 1 --max-suite-reruns 4 --rerun-show-tracebacks
PYTEST_ARGS ?= -n 2 --dist loadscope $(RERUNS) -q -rfEs

.PHONY: help demo test check format frontend browser servers bench binder clean kube kube-early

help:  ## What can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(INSTALLED)  ## Run the example notebook on a local Dask cluster and look at what came out
	@$(BIN)/nbflow demo

test: kube-early check frontend browser servers  ## Check the code, then run all tests
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(INSTALLED)  ## Lint, formatting, types and import directions
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(INSTALLED)  ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

frontend:  ## Build the JupyterLab front end (needs npm; goes without where there is none)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(BUILT); \
	else echo "npm is not installed: the JupyterLab front end is not built, its tests are skipped"; fi

browser:  ## Install a browser for the tests of the front end (as root on Debian; goes without elsewhere)
	@if ! command -v chromium >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	echo "Installing chromium (once, about a minute)"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	fi || echo "chromium could not be installed: the browser tests are skipped"

servers:  ## Install PostgreSQL for the tests of stores in it (as root on Debian; goes without elsewhere)
	@if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null \
	&& command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	echo "Installing PostgreSQL (once, about half a minute)"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -qq -o DPkg::Lock::Timeout=300 postgresql >/dev/null; \
	fi || echo "PostgreSQL could not be installed: the tests of stores in it are skipped"

kube:  ## Set up Kubernetes for the tests of clusters (as root on Debian; goes without elsewhere)
	@$(PYTHON) tests/kubernetes/kubesetup.py

kube-early: browser
	@$(PYTHON) tests/kubernetes/kubesetup.py --early || echo "Kubernetes could not be set up: the tests of clusters are skipped"

bench: $(INSTALLED)  ## Measure: prints ratios and writes the tables under docs/benchmarks
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@for script in $(filter-out %/forked.py %/pods.py $(wildcard benchmarks/corpus*.py),$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script; done

binder: $(INSTALLED) browser  ## Do what Binder's build would, in a clean environment, and look at the result (some minutes)
	@$(BIN)/python tests/labextension/rehearse_binder.py

clean:  ## Remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(INSTALLED): pyproject.toml
	@echo "Setting up $(VENV) (once, about two minutes)"
	@test -x $(BIN)/python -a -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

labextension/node_modules/.installed: labextension/package-lock.json
	@echo "Installing the front end's packages (once, about a minute)"
	@cd labextension && npm ci --silent --ignore-scripts
	@touch $@

$(BUILT): labextension/node_modules/.installed $(shell find labextension/src labextension/style labextension/schema -type f) labextension/package.json labextension/tsconfig.json
	@cd labextension && npm run --silent build
	@touch $@
