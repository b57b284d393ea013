# Every verb a person or CI needs. Everything it makes lies under .updraft/; `make clean` removes that.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
HOME_DIR := $(CURDIR)/.updraft
VENV := $(HOME_DIR)/venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export UPDRAFT_HOME := $(HOME_DIR)
export UV_CACHE_DIR := $(HOME_DIR)/cache/uv
export PIP_CACHE_DIR := $(HOME_DIR)/cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export XDG_CACHE_HOME := $(HOME_DIR)/cache
export XDG_CONFIG_HOME := $(HOME_DIR)/config
export MPLCONFIGDIR := $(HOME_DIR)/cache/matplotlib
export RUFF_CACHE_DIR := $(HOME_DIR)/cache/ruff
export HYPOTHESIS_STORAGE_DIRECTORY := $(HOME_DIR)/cache/hypothesis
export AIRFLOW_HOME := $(HOME_DIR)/airflow
unexport PYTHONDONTWRITEBYTECODE  # every process would compile all modules, and pytest rewrite all tests, once more
export UPDRAFT_CODE_VERSION := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unversioned)

.PHONY: help setup demo stop clean test unit deep lint types bench studies fuzz format lock docs

help: ## List the verbs.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: setup ## Run a model's whole life on a real Airflow, with real flights; leaves the UIs running.
	@$(BIN)/updraft demo

stop: ## Stop what `make demo` left running.
	@if [ -x $(BIN)/updraft ]; then $(BIN)/updraft stop; fi

clean: stop ## Stop everything and remove .updraft/.
	rm -rf $(HOME_DIR)

test: setup ## Run the tests: unit, contracts, DAGs, and a short life on a real Airflow.
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e and not deep" tests include
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m e2e tests/e2e

unit: setup ## Run the unit tests alone.
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not deep" tests/unit include

deep: setup ## Run the tests that take longest: whole lives, kills at any moment, small studies.
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m deep tests

lint: setup ## Check style, import boundaries and formatting.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache

types: setup ## Check types.
	@$(BIN)/mypy --cache-dir $(HOME_DIR)/cache/mypy

bench: setup ## Measure speed and memory beside peers: landing, the as-of engine and join, features, gates.
	@$(BIN)/python tests/bench/landing_bench.py
	@$(BIN)/python tests/bench/asof_bench.py
	@$(BIN)/python tests/bench/asof_join_bench.py --runs 1
	@$(BIN)/python tests/bench/year_bench.py
	@$(BIN)/python tests/bench/gates_bench.py
	@$(BIN)/python tests/bench/slices_bench.py

studies: setup ## Measure how often gates and alarms are wrong, what races do, what the controller is worth.
	@$(BIN)/python tests/bench/aa_study.py
	@$(BIN)/python tests/bench/coverage_study.py
	@$(BIN)/python tests/bench/power_study.py
	@$(BIN)/python tests/bench/race_study.py --races 1000
	@$(BIN)/python -m tests.bench.tamper_study
	@$(BIN)/python tests/bench/demo_study.py
	@$(BIN)/python tests/bench/drift_study.py --repeats 200
	@$(BIN)/python tests/bench/estimation_study.py --seeds 40
	@$(BIN)/python tests/bench/alarm_study.py
	@$(BIN)/python tests/bench/controller_study.py --seeds 20
	@$(BIN)/python tests/bench/replay_study.py

fuzz: setup ## Land 2,000 hostile deliveries, each in a process that may die.
	@$(BIN)/python -m tests.fuzz.run --cases 2000 --seed 1

format: setup ## Format the code.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup ## Generate docs/spec.md from the spec's model.
	@$(BIN)/python -m updraft.spec.schema > docs/spec.md

lock: setup ## Compile requirements.lock anew.
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --group dev pyproject.toml --custom-compile-command "make lock" -o requirements.lock
	@echo "uv" | $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" -o requirements-uv.lock -

setup: $(READY) ## Make the virtual environment with the locked dependencies.

$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "Updraft needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Next: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV) …"
	@$(PYTHON) -m venv --clear $(VENV) || { \
		echo "Python's venv module is not complete here. Next: install it (on Debian: apt-get install python3-venv)."; exit 1; }
	@$(BIN)/pip install --quiet --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(READY)
