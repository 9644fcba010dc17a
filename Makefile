# Everything a fresh machine needs is installed by these targets: Python 3.11, make, git and Go are the only things assumed.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# Each has three control planes of its own: about 1.5 GB.
E2E_WORKERS ?= 2
STAMP := $(VENV)/.installed

.PHONY: help install demo demo-down test check unit e2e lint types architecture format lock benchmarks docs clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z0-9][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q fleetmgr
	@touch $@

install: $(STAMP) ## the virtual environment with everything that is locked

demo: $(STAMP) ## three real control planes, one fleet.yaml: plan, apply, drift, heal, status
	$(BIN)/python examples/demo.py

demo-down: $(STAMP) ## stop the demo's control planes
	$(BIN)/fleet sandbox down

test: check unit e2e ## everything that CI runs

check: lint types architecture ## style, types and import contracts

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/basedpyright

architecture: $(STAMP)
	$(BIN)/lint-imports --no-cache

unit: $(STAMP) ## tests that need no cluster
	$(BIN)/python -m pytest -n auto -m "not e2e"

e2e: $(STAMP) ## tests against real control planes (the sandbox)
	$(BIN)/python -m pytest -m e2e -n $(E2E_WORKERS) --dist loadfile --no-loadscope-reorder

format: $(STAMP) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP) ## resolve the locked dependencies again
	$(BIN)/uv pip compile --quiet --upgrade --group dev pyproject.toml --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --universal -o requirements/dev.txt

benchmarks: $(STAMP) ## the figures, as tables
	$(BIN)/python -m benchmarks

clean: ## remove the virtual environment and caches of this folder
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
