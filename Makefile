# The habits of this repository.  Each target makes .venv on first use, from the hashed locks in requirements/.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := packages/accord-backend/src packages/accord-core/src packages/accord/src conformance/src conformance/tests
PYTESTFLAGS ?=
BENCHFLAGS ?=
CONFORMANCEFLAGS ?=
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: help tour test quick lint format bench conformance docs setup lock record clean
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Compiled files are part of what is tested.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make tour    watch the main jobs run: an application, a package, an index of one's own"
	@echo "make test    every test, the examples' included"
	@echo "make quick   the tests that need no index"
	@echo "make lint    format, types, floors, spelling, hosts"
	@echo "make format  put the format right"
	@echo "make bench   Accord beside uv and pip (BENCHFLAGS='--only noop --runs 5'); of building: python benchmarks/building.py"
	@echo "make conformance   ask every tool there is an adapter for, and write the report (CONFORMANCEFLAGS='--tool pip --rule RECORD.*')"
	@echo "make docs    write the pages that are made from the source"
	@echo "make setup   only make .venv   (PYTHON=python3.12 to name the Python)"
	@echo "make lock    write requirements/*.txt anew, with Accord (LOCKFLAGS=--upgrade)"

.venv/.accord-base: $(wildcard requirements/base-*.txt) $(wildcard packages/*/pyproject.toml)
	@$(PYTHON) requirements/bootstrap.py base

.venv/.accord-dev: .venv/.accord-base $(wildcard requirements/dev-*.txt)
	@$(PYTHON) requirements/bootstrap.py dev

setup: .venv/.accord-dev
	@$(BIN)/accord --version

tour: .venv/.accord-base
	@$(BIN)/accord tour

# The conformance suite is one process beside those of the packages' tests.
test: .venv/.accord-dev
	log=$$(mktemp); \
	$(BIN)/python -m pytest -rs $(PYTESTFLAGS) conformance >"$$log" 2>&1 & beside=$$!; \
	code=0; $(BIN)/python -m pytest -v -rs $(PYTESTFLAGS) --ignore=packages/accord/tests/server packages || code=$$?; \
	$(BIN)/python -m pytest -n 2 -rs $(PYTESTFLAGS) packages/accord/tests/server || code=$$?; \
	wait $$beside || code=$$?; \
	cat "$$log"; rm -f "$$log"; exit $$code

quick: .venv/.accord-dev
	$(BIN)/python -m pytest -n 2 -m "not network and not slow" $(PYTESTFLAGS) packages conformance

lint: .venv/.accord-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(SOURCES) packages/*/tests packages/conftest.py $(wildcard benchmarks/*.py docs/*.py .ci/*.py requirements/*.py) $(wildcard docs/proofs/*.py)
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell $$(git ls-files)
	$(BIN)/python .ci/hosts.py

format: .venv/.accord-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/.accord-dev
	$(BIN)/python benchmarks/snapshot.py
	$(BIN)/python benchmarks/run.py $(BENCHFLAGS)

# Accord as it stands here; the others in environments of their own, made when they are not there yet.
conformance: .venv/.accord-dev
	PYTHONPATH=conformance/src $(BIN)/python conformance/all.py $(CONFORMANCEFLAGS)

docs: .venv/.accord-dev
	$(BIN)/python docs/build.py
	$(BIN)/python docs/surface.py

record: .venv/.accord-dev
	$(BIN)/python docs/record.py

lock: .venv/.accord-base
	requirements/lock.sh $(LOCKFLAGS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
