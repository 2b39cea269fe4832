# `make run` and `make test` are all the set-up there is. They need Python 3.11 or newer, make, and the package registry.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
LOCK := $(BIN)/uv pip compile -q --no-strip-extras $(UPGRADE) --universal --generate-hashes --no-header --no-annotate --python-version 3.11

.NOTPARALLEL: # two measurements at once would measure each other
.PHONY: run demo test lint bench bench-ingest bench-delivery bench-isolation bench-routing bench-check bench-names soak crash lock clean help

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(VENV)/run.done ## start bridge with the shipped routes.yaml
	@exec $(BIN)/bridge run

demo: $(VENV)/run.done ## watch bridge at work beside a simulated CRM
	@exec deploy/demo/demo.sh $(BIN)/bridge

test: $(VENV)/dev.done ## run every test but the long ones
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --fail-under=100 --include='bridge/document.py,bridge/model/*,bridge/routing/*,bridge/rdstation/*'

lint: $(VENV)/dev.done ## check style, types and the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: bench-ingest bench-delivery bench-isolation bench-routing bench-check ## measure ingest, delivery, isolation, routing and check

bench-ingest: $(VENV)/dev.done ## measure acknowledged events per second, against a bare handler
	$(BIN)/python -m benchmarks.ingest

bench-delivery: $(VENV)/dev.done ## measure how fast a backlog leaves, against a bare client
	$(BIN)/python -m benchmarks.drain

bench-isolation: $(VENV)/dev.done ## measure whether bad targets touch a good one
	$(BIN)/python -m benchmarks.isolation

bench-routing: $(VENV)/dev.done ## measure what deciding an event costs, with up to a thousand routes
	$(BIN)/python -m benchmarks.routing

bench-check: $(VENV)/dev.done ## measure how long `bridge check` takes for 200 routes
	$(BIN)/python -m benchmarks.check

bench-names: $(VENV)/dev.done ## measure how much the CRM is asked for the names that 500 routes speak of
	$(BIN)/python -m benchmarks.names

soak: $(VENV)/dev.done ## load a daemon steadily for twenty minutes, and look for what grows
	$(BIN)/python -m benchmarks.soak

crash: $(VENV)/dev.done ## kill the daemon a thousand times at random points, and look for what is lost
	$(BIN)/python -m tests.support.rounds

lock: $(VENV)/dev.done ## write the lock files for pyproject.toml; UPGRADE=--upgrade takes the newest of everything
	$(LOCK) --extra fast --extra charts --extra postgres --extra mysql --group dev pyproject.toml -o requirements/dev.txt
	$(LOCK) --extra fast --extra charts --extra postgres --extra mysql -c requirements/dev.txt pyproject.toml -o requirements/run.txt
	$(LOCK) --group pyproject.toml:build -c requirements/dev.txt -o requirements/build.txt

clean: ## forget the environment and everything built
	rm -rf $(VENV) .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "bridge needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/run.done: requirements/run.txt requirements/build.txt pyproject.toml | $(VENV)/made
	$(PIP) --require-hashes -r requirements/build.txt -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.done: requirements/dev.txt $(VENV)/run.done
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
