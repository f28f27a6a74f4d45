# Each target does its own set-up: a machine with Python 3.10+ and nothing else is enough.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# The toy networks are too small to share between cores, and two threads on a busy core wait in vain.
export OMP_NUM_THREADS ?= 1

# What is installed beside the package; EXTRAS=test,hf tests the networks of Hugging Face too.
EXTRAS ?= test
INSTALLED = $(VENV)/.installed-$(EXTRAS)

# Two at a time, the tests of a file one after the other: they share what a fixture has trained.
# Files begin in the order of tests/conftest.py, the long ones first.
TESTS ?= -n 2 --dist loadscope --no-loadscope-reorder

.PHONY: demo test test-host gpu fuzz faults lint clean

demo: $(INSTALLED)  ## train, measure and compare four toy networks
	$(BIN)/python -m slowfast_bias demo

test: $(INSTALLED)  ## the whole suite on the PyPI release of SlowFast
	$(BIN)/python -m pytest $(TESTS)

test-host: $(VENV)/.main  ## the same on GitHub main: make test-host SLOWFAST_MAIN=path
	@test -n "$(SLOWFAST_MAIN)" || { echo "Expected SLOWFAST_MAIN=path of a SlowFast checkout."; exit 2; }
	SLOWFAST_MAIN=$(abspath $(SLOWFAST_MAIN)) $(BIN)/python -m pytest $(TESTS)

gpu: $(INSTALLED)  ## what needs a GPU: its tests and its speed, written to docs/BENCHMARKS.md
	$(BIN)/python benchmarks/gpu.py --out docs/BENCHMARKS.md

# Files for each of the tests by hypothesis.
FUZZ ?= 2000

fuzz: $(INSTALLED)  ## files, configs and command lines by chance, others each time (a quarter of an hour)
	SLOWFAST_BIAS_FUZZ=$(FUZZ) $(BIN)/python -m pytest -n 2 tests/fuzz

faults: $(INSTALLED)  ## inject faults into runs, and write the table of docs/RELIABILITY.md (an hour)
	$(BIN)/python benchmarks/faults.py --kills 200 --rounds 3 --out docs/RELIABILITY.md

lint: $(VENV)/.lint  ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(INSTALLED): setup.py constraints.txt
	$(PYTHON) -c "import sys; sys.exit('Expected Python 3.10 or newer, got ' + sys.version if sys.version_info < (3, 10) else 0)"
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e ".[$(EXTRAS)]"
	touch $@

$(VENV)/.main: $(INSTALLED)
	$(INSTALL) -e ".[main]"
	touch $@

$(VENV)/.lint: $(INSTALLED)
	$(INSTALL) -e ".[lint]"
	touch $@

clean:  ## forget the environment and the results
	rm -rf $(VENV) runs build dist *.egg-info
