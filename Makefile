# Two commands: `make check` (the theorems) and `make test` (the test suite).
PYTHON ?= python3
BIN := .venv/bin

check: .venv/installed
	$(BIN)/ssmverify check

test: .venv/installed
	$(BIN)/python -m pytest -n auto

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

.PHONY: check test lint
