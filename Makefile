# The verbs of the project. Each creates what it needs; a second run costs nothing.
#   PYTHON=3.13   another Python than the default one, in an environment of its own
#   TESTS="..."   arguments for pytest, such as TESTS="tests/cdktf/test_roster.py -k moved"

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test acceptance lint bench clean node

PYTHON ?=
TESTS ?=
VENV := $(if $(PYTHON),.lab/venv-$(PYTHON),.venv)
RUN := $(VENV)/bin/python
SOURCES := $(wildcard cdktf emulator enforcer inventory labkit examples)
# Terraform under cdktf-cli and the tests' own processes leave little room for more on two cores.
WORKERS ?= 2

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r verb what; do \
	    printf 'make %-12s %s\n' "$$verb" "$$what"; done

setup: $(VENV)/.complete node_modules/.complete ## Create the virtual environment and get cdktf-cli
	@.ci/setup terraform

demo: setup ## Rehearse a term in an emulated workspace: deploy, enforce, change, count, save and close
	@$(RUN) examples/demo.py

test: $(VENV)/.complete node ## Run the tests: at most ten minutes on two cores
	@$(RUN) -m pytest -q -n $(WORKERS) --dist loadgroup $(TESTS)

acceptance: $(VENV)/.complete node ## Run the same tests with larger numbers: an hour or so
	@$(RUN) -m pytest -q -n $(WORKERS) --dist loadgroup --acceptance $(TESTS)

lint: $(VENV)/.complete ## Check style, types and dead code
	@$(RUN) -m ruff check --quiet
	@$(RUN) -m ruff format --check --quiet
	@$(RUN) -m mypy $(SOURCES) tests/conftest.py tests/support/emulator_process.py
	@$(RUN) -m vulture $(SOURCES) bench

bench: setup ## Measure the emulator, a poll, a scan, a backup and a deploy: an hour or so, on a quiet machine
	@for program in emulator poll http_layer scan backup deploy; do $(RUN) bench/$$program.py; done

clean: ## Remove what the other targets made
	rm -rf .venv .lab node_modules cdktf.out .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.complete: Pipfile.lock
	@.ci/setup python $(VENV) $(PYTHON)

node_modules/.complete: package-lock.json
	@.ci/setup node

# Tests that need cdktf-cli skip without it, so a missing Node.js is said and not fatal here.
node:
	@[ node_modules/.complete -nt package-lock.json ] || .ci/setup node || true
