# `make` lists what there is. The first target that needs it creates .venv and installs into it.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(if $(shell command -v $(p) 2>/dev/null),$(p))))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
HOST ?= 127.0.0.1
PORT ?= 7860
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: pictures help app test test-long check format bench generate clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
		while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

app: $(VENV)/.installed-app ## Serve the page on 127.0.0.1:7860 (HOST=…, PORT=…, ARGS=--share)
	$(BIN)/python app.py --host $(HOST) --port $(PORT) $(ARGS)

test: $(VENV)/.installed-dev ## Run the tests: no network, no GPU; a browser for the page's (ARGS="-k name")
	$(BIN)/python -m pytest tests/contract tests/unit tests/cases tests/security autotrain_gradio --ignore-glob="*/tests/ui" -n 2 --dist loadgroup --no-loadscope-reorder $(ARGS)
	$(BIN)/python -m pytest tests/ui $(wildcard autotrain_gradio/extensions/*/tests/ui) $(ARGS)

test-long: $(VENV)/.installed-dev ## Run the tests that take minutes, too
	$(BIN)/python -m pytest -m "long or not long" $(ARGS)

check: $(VENV)/.installed-dev ## Lint, format, types, import contracts, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy autotrain_gradio app.py
	$(BIN)/lint-imports
	$(BIN)/python -m autotrain_gradio.cli.docs --check

format: $(VENV)/.installed-dev ## Put the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pictures: $(VENV)/.installed-dev ## Take the pictures of the README from the running app
	$(BIN)/python docs/pictures/make_pictures.py

bench: $(VENV)/.installed-dev ## Measure against plain scripts and write benchmarks/results.md
	$(BIN)/python -m benchmarks $(ARGS)

generate: $(VENV)/.installed-dev ## Write docs/cli.md and docs/tasks/*.md anew
	$(BIN)/python -m autotrain_gradio.cli.docs

clean: ## Remove caches and .venv; runs are not touched
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .import_linter_cache build *.egg-info

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with make PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, and $(PYTHON) is older; name another with make PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-app: requirements.txt constraints.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing (a few minutes the first time) …"
	$(PIP) -e '.[all]'
	@touch $@

$(VENV)/.installed-dev: requirements.txt constraints.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing (a few minutes the first time) …"
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.installed-app
