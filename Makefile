# Cynosure: `make demo` shows the whole job, `make test` proves it.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := cynosure llm_engine loadgen serving testbed demo

.DEFAULT_GOAL := help

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z][a-z%-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}'

$(BIN)/cynosure: requirements-dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, found $$($(BIN)/python --version); set PYTHON=..." >&2; exit 2; }
	$(BIN)/python -m ensurepip --upgrade >/dev/null 2>&1 || true
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(BIN)/cynosure  ## Make .venv with everything that demo and test need

.PHONY: demo
demo: setup  ## The main job: a cluster, an SLO, a real trace, a sentence, a report
	$(BIN)/python -m demo up

.PHONY: demo-down
demo-down: setup  ## Remove everything that the demo left running
	$(BIN)/python -m demo down

.PHONY: check
check: setup  ## Lint, types, layers, generated files, fast tests (at most 60 s)
	$(MAKE) --no-print-directory --output-sync=target -j2 lint types layers generated
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not slow and not api_server and not cluster and not model"

.PHONY: lint
lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: setup
	$(BIN)/mypy

.PHONY: layers
layers: setup
	$(BIN)/lint-imports

.PHONY: generated
generated: setup
	$(BIN)/python -m cynosure.api.generate --check
	$(BIN)/python -m cynosure.reference --check

.PHONY: generate
generate: setup  ## Write crds/ and docs/reference/ from the code
	$(BIN)/python -m cynosure.api.generate
	$(BIN)/python -m cynosure.reference

.PHONY: test
test: check  ## All tests, on a real cluster
	$(BIN)/pytest -q -n 2 --dist loadfile -m "slow"
	$(BIN)/pytest -q -m "api_server or cluster or model" --timeout 300

.PHONY: weights
weights: setup  ## Fetch the small language model that development and tests use (1.1 GB)
	$(BIN)/python -m llm_engine.weights

.PHONY: requirements
requirements:  ## Pin the dependencies of pyproject.toml anew, with hashes (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --group dev pyproject.toml -o requirements-dev.txt

bench-%: setup  ## Run benchmarks/bench_NAME.py; it prints its figure last
	$(BIN)/python benchmarks/bench_$*.py
