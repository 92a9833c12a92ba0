# Two commands: `make check` (the theorems) and `make test` (the test suite).
# Beside them: `make test-slow` (what `make test` leaves out), `make audit` (every fact of every proof), `make fuzz` (the rules of the kernel, for about half an hour).
PYTHON ?= python3
BIN := .venv/bin

check: .venv/installed
	$(BIN)/ssmverify check

test: .venv/installed
	$(BIN)/python -m pytest -n auto

test-slow: .venv/installed
	$(BIN)/python -m pytest -n auto -m slow

audit: .venv/installed
	$(BIN)/ssmverify check --audit

fuzz: .venv/installed
	$(BIN)/python -m tests.proofs.kernel.fuzz --facts 100000 --jobs 2

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

.PHONY: audit check fuzz lint test test-slow
