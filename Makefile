# Chores, the same here and in CI. `make demo` and `make test` need nothing but Python and this file: each makes .venv
# from the locks in requirements/ first, and again only when a lock or pyproject.toml has changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The build backend is in the locks, so the package itself installs without fetching anything.
INSTALL_SELF := $(INSTALL) --no-index --no-deps --no-build-isolation --editable .
# What that compiles, where there is a C compiler.
NATIVE := scraper/parse/_native.c scraper/parse/_native.h scraper/parse/_text.c scraper/parse/_links.c hatch_build.py

LOCK_FLAGS := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: demo test check bench micro fuzz lint format lock clean
.DELETE_ON_ERROR:

# Two processes, each file in one of them: half of a test's time is waiting. TWICE= for one, with a debugger for example.
TWICE := -n 2 --dist loadfile

demo: $(VENV)/run.stamp
	@$(BIN)/scraper demo

test: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest $(TWICE) $(ARGS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/test_layers.py

# About five minutes on two cores. ARGS="--pages 300 --rounds 1 --print-only" for a quick look, ARGS="all" for all scenarios.
bench: $(VENV)/bench.stamp
	@$(BIN)/python -m benchmarks $(ARGS)

# One stage at a time.
micro: $(VENV)/bench.stamp
	@$(BIN)/python -m pytest benchmarks/micro --benchmark-columns=min,median,max,rounds $(ARGS)

# Each harness of fuzz/ for so many seconds. What one finds is left in tests/fuzz_cases, where it is a failing test.
SECONDS := 30
fuzz: $(VENV)/fuzz.stamp
	@for name in $$($(BIN)/python -c 'import fuzz; print(*fuzz.HARNESSES)'); do \
		echo "== $$name"; $(BIN)/python -m fuzz $$name $(SECONDS) || exit 1; done

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --select I .

# Takes the newest versions that pyproject.toml allows. All locks agree with dev.txt: they share one .venv.
lock: $(BIN)/pip
	$(INSTALL) uv
	$(BIN)/uv pip compile $(LOCK_FLAGS) --extra article --extra duckdb --extra parquet --extra postgres --extra s3 --group build --group dev -o requirements/dev.txt pyproject.toml
	$(BIN)/uv pip compile $(LOCK_FLAGS) --group build -c requirements/dev.txt -o requirements/run.txt pyproject.toml
	$(BIN)/uv pip compile $(LOCK_FLAGS) --extra article --group build --group bench -c requirements/dev.txt -o requirements/bench.txt pyproject.toml
	$(BIN)/uv pip compile $(LOCK_FLAGS) --group build --group fuzz -c requirements/dev.txt -o requirements/fuzz.txt pyproject.toml

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist scraper/parse/_native.abi3.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/run.stamp: requirements/run.txt pyproject.toml $(NATIVE) | $(BIN)/pip
	@echo "Installing what a run needs into $(VENV) ..."
	@$(INSTALL) --require-hashes -r requirements/run.txt
	@$(INSTALL_SELF)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt requirements/run.txt pyproject.toml $(NATIVE) | $(BIN)/pip
	@echo "Installing what the tests need into $(VENV) ..."
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@$(INSTALL_SELF)
	@touch $@ $(VENV)/run.stamp

$(VENV)/bench.stamp: requirements/bench.txt requirements/run.txt pyproject.toml $(NATIVE) | $(BIN)/pip
	@echo "Installing what the benchmarks need into $(VENV) ..."
	@$(INSTALL) --require-hashes -r requirements/bench.txt
	@$(INSTALL_SELF)
	@touch $@ $(VENV)/run.stamp

$(VENV)/fuzz.stamp: requirements/fuzz.txt requirements/run.txt pyproject.toml $(NATIVE) | $(BIN)/pip
	@echo "Installing what the fuzzer needs into $(VENV) ..."
	@$(INSTALL) --require-hashes -r requirements/fuzz.txt
	@$(INSTALL_SELF)
	@touch $@ $(VENV)/run.stamp

$(BIN)/pip:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not here: install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
