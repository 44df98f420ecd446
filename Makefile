# Each target works from a fresh clone on a Debian machine that has python3, git, make, and root or sudo for apt-get.

BIN := .venv/bin
PLATFORMS := linux win32 darwin

lower = $(shell echo $(1) | tr A-Z a-z)

.DEFAULT_GOAL := help
.PHONY: help setup setup-demo demo test test-slow test-windows soak bench bench-delivery bench-proctor bench-lockdown check check-style check-types check-imports check-docs format docs lock clean distclean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 18

setup:  ## system packages and .venv, for everything below
	@packaging/setup.sh test

setup-demo:
	@packaging/setup.sh demo

# STORY=plain|outage|expiry|crash|msb; which other variable goes with which story: secureproctor demo --help
demo: setup-demo  ## a whole proctored session and its report; STORY=name DURATION=seconds OUT=folder BROKEN=part OUTAGE= EXPIRY= RATE= KILLS= SEED=
	$(BIN)/secureproctor demo $(foreach each,STORY DURATION OUT BROKEN OUTAGE EXPIRY RATE KILLS SEED,$(if $($(each)),--$(call lower,$(each)) $($(each))))

test: setup  ## all tests, in parts side by side; ARGS= goes to pytest
	$(BIN)/python -m tests.parts $(ARGS)

test-slow: setup  ## what takes long and proves more of the same: the stories, the other faults; ARGS= goes to pytest
	$(BIN)/python -m pytest -m slow $(ARGS)
	DISTURBANCES=all $(BIN)/python -m pytest tests/e2e/test_resilience.py $(ARGS)

test-windows: setup  ## the Windows rules, by a Windows Python under Wine; needs root; ARGS= goes to pytest
	packaging/windows-testbed/setup.sh .wine
	packaging/windows-testbed/run.sh .wine python -m pytest -c tests/windows/pytest.ini --rootdir tests/windows --confcutdir tests/windows tests/windows $(ARGS)

soak: setup  ## faults at random for MINUTES=20 with SEED=, against real processes; the invariants are checked at the end
	$(BIN)/python -m tests.faults.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

bench: setup  ## the measurements against peers, as tables
	$(BIN)/python -m secureproctor.benchmarks $(ARGS)

bench-delivery: setup  ## what a backlog costs, how it drains beside the live view, what lower quality saves
	$(BIN)/python -m secureproctor.benchmarks.backlog
	$(BIN)/python -m secureproctor.benchmarks.drain
	$(BIN)/python -m secureproctor.benchmarks.levels

bench-proctor: setup  ## how long a command takes to the page, and a picture to the proctor
	$(BIN)/python -m secureproctor.benchmarks.latency
	$(BIN)/python -m secureproctor.benchmarks.glass

bench-lockdown: setup  ## how fast the lockdown answers, what it costs while nothing happens
	$(BIN)/python -m secureproctor.benchmarks.lockdown

check: check-style check-types check-imports check-docs  ## style, types for three platforms, import directions, generated documents

check-style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# A cache for each platform: mypy forgets all it knows when the platform changes.
check-types: $(PLATFORMS:%=check-types-%) setup
	$(BIN)/mypy tests --cache-dir .mypy_cache/linux

check-types-%: setup
	$(BIN)/mypy --platform $* --cache-dir .mypy_cache/$*

check-imports: setup
	$(BIN)/lint-imports --no-logo

check-docs: setup
	@if [ -e docs/generate.py ]; then $(BIN)/python docs/generate.py --check; fi

format:  ## let ruff put the layout right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup  ## the generated documents: protocol, settings, state diagrams
	$(BIN)/python docs/generate.py

lock: setup  ## rewrite the lock files from pyproject.toml; ARGS=--upgrade for newer versions
	packaging/lock.sh $(ARGS)

clean:  ## remove what builds, tests and demos left behind
	rm -rf build dist *.egg-info demo-out* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean  ## and .venv, .wine
	rm -rf .venv .wine
