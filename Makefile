# The targets of the project. Each creates what it needs; a second run is fast.
#   PYTHON=3.13   another Python than the default one, in a separate environment
#   TESTS="..."   arguments for pytest, such as TESTS="tests/cdktf/test_roster.py -k moved"

.SHELLFLAGS := -euc
.DEFAULT_GOAL := help
.PHONY: help setup azure demo quick test acceptance lint bench clean tools optional-tools

PYTHON ?=
TESTS ?=
VENV := $(if $(PYTHON),.lab/venv-$(PYTHON),.venv)
RUN := $(VENV)/bin/python
SOURCES := $(wildcard cdktf emulator enforcer inventory labkit examples)
SETUP := $(shell command -v python3 || command -v python || echo python3) .ci/setup.py
# Programs that the system lacks are linked into the virtual environment.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Without .pyc files, each worker and each program that a test starts would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE
# Defaults for two cores: tests that start no process keep a core busy; the others wait for half of their time.
WORKERS ?=

help: ## List the targets
	@$(SETUP) help

setup: $(VENV)/.complete tools ## Create the virtual environment and install missing programs

azure: $(VENV)/.complete ## Install the bindings for the Azure resources under the lab (docs/azure.md)
	@$(SETUP) azure $(VENV)

demo: setup ## Rehearse a term in an emulated workspace: deploy, enforce, change, count, save and close
	@$(RUN) examples/demo.py

quick: $(VENV)/.complete ## Run the tests that start no process: half a minute on two cores
	@$(RUN) -m pytest -q -n $(or $(WORKERS),2) --dist loadgroup -m "not process and not waits" $(TESTS)

test: $(VENV)/.complete optional-tools ## Run the tests: at most eight minutes on two cores
	@$(RUN) -m pytest -q -n $(or $(WORKERS),4) --dist loadgroup $(TESTS)

acceptance: $(VENV)/.complete optional-tools ## Run the same tests with larger numbers: about an hour
	@$(RUN) -m pytest -q -n $(or $(WORKERS),2) --dist loadgroup --acceptance $(TESTS)
	@$(RUN) tests/support/machine_clocks.py

lint: $(VENV)/.complete ## Check style, types and dead code
	@$(RUN) -m ruff check --quiet
	@$(RUN) -m ruff format --check --quiet
	@$(RUN) -m mypy $(SOURCES) .ci/setup.py bench tests
	@$(RUN) -m vulture $(SOURCES) .ci bench tests

bench: setup ## Measure the emulator, a poll, a scan, a backup, a deployment, a fleet and the board: an hour and a half, on an idle machine
	@for program in emulator poll http_layer scan backup deploy fleet board; do $(RUN) bench/$$program.py; done

clean: ## Remove everything that the other targets created
	rm -rf .venv .lab node_modules cdktf.out .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.complete: Pipfile.lock
	@$(SETUP) python $(VENV) $(PYTHON)

tools: $(VENV)/.complete
	@$(SETUP) tools $(VENV)

# Tests are skipped without the tools that they need, so a missing one is reported and not fatal here.
optional-tools: $(VENV)/.complete
	@$(SETUP) tools $(VENV) || true
