# adar_viz: `make` lists what can be made. Works with GNU make 3.81 (macOS) and newer.

DATA ?=
PYTHON ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

# Two workers, each test file whole in one of them, one thread each: models this small run several times slower
# when every worker starts a thread for every core. Shapes are checked too (tests/shapes.py), but not in the inner loop.
QUICK := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
PYTEST := $(QUICK) -p tests.shapes --jaxtyping-packages=adar_viz,tests.shapes.checked
PARALLEL := -n 2 --dist loadfile
NBVAL := --nbval-current-env --nbval-cell-timeout=60 --nbval-sanitize-with notebooks/nbval.cfg

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help figures test check lint unit notebooks browser lab bench install clean

help: ## list what can be made
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile
	@echo "The first one makes an environment in $(VENV) and installs into it; later ones reinstall nothing."
	@echo "PYTHON=/path/to/python chooses the Python (3.11 to 3.13)."
	@echo "On Linux without a GPU, set PIP_EXTRA_INDEX_URL to PyTorch's index of CPU builds for a smaller install."

figures: $(READY) ## train and draw every figure (DATA=NAME: of a data set instead of the synthetic world)
	$(BIN)/adar-viz figures $(if $(DATA),--set data=$(DATA))

test: lint ## run everything: lint, types, contracts, unit tests, documentation, figures, notebooks, browser
	$(MAKE) unit
	$(BIN)/adar-viz figures --check
	$(MAKE) notebooks browser

check: lint ## the inner loop: lint, types, contracts, quick unit tests
	$(QUICK) $(PARALLEL) -m "not slow and not browser" tests

lint: $(READY) ## ruff, mypy and the contracts between the floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

unit: $(READY) ## all unit tests, with the examples of the documentation
	$(PYTEST) $(PARALLEL) -m "not browser" tests

notebooks: $(READY) ## run every notebook, and compare it with its outputs where these are stored
	$(PYTEST) $(PARALLEL) --nbval $(NBVAL) notebooks/*.ipynb notebooks/solutions
	$(PYTEST) $(PARALLEL) --nbval-lax $(NBVAL) notebooks/exercises notebooks/explore

browser: $(READY) ## drive the widgets in a real JupyterLab (needs Chromium)
	$(PYTEST) -n 2 -m browser tests

lab: $(READY) ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

bench: $(READY) ## run the benchmarks
	$(BIN)/python -m pytest benchmarks --benchmark-only

install: $(READY) ## only make the environment

# The stamp is written last, so that an install that was cut off is done again.
$(READY): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV); the first time takes a few minutes"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e ".[dev]"
	@touch $(READY)

$(BIN)/python:
	@fits='import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'; \
	for python in $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3 python); do \
	  if "$$python" -c "$$fits" 2>/dev/null; then \
	    echo "Making $(VENV) with $$("$$python" --version)"; \
	    "$$python" -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); exit 1; \
	  fi; \
	done; \
	echo "adar_viz needs Python 3.11, 3.12 or 3.13 with venv; found none under the names:" \
	  "$(if $(PYTHON),$(PYTHON),python3.13 python3.12 python3.11 python3 python)" >&2; \
	echo "Install one (on Debian and Ubuntu: python3 and python3-venv), or name it:" \
	  "make PYTHON=/path/to/python3.12" >&2; \
	exit 1

clean: ## remove the environment and every cache; data, figures and runs stay
	rm -rf $(VENV) build dist .benchmarks .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
