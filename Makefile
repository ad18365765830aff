# Two commands matter: `make reproduce` and `make test`. Both set themselves up; nothing needs activating.
PYTHON  ?= python3
PROFILE ?= quick
JOBS    ?= 2

BIN   := .venv/bin
WORKERS := -n $(JOBS) --dist worksteal -p no:nbval
READY := .venv/.ready
UV    := $(shell sed -n "s/^uv==\([0-9.]*\).*/\1/p" requirements.lock)
LOCKED := label images reproduce cpu dev dask bench timm photos text files huggingface docs
NEED_PYTHON := Python 3.11 or newer is needed. Install it, or name it: make PYTHON=python3.12 setup

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif
.PHONY: help setup reproduce report full test docs bench quick-test lint unit browser browser-apart others nbval verify wheel try-wheel lowest faults fuzz format glyphs glyphs-full weights lock clean

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(READY)  ## create .venv and install the pinned packages (some 2 minutes, 7 GB; later runs: nothing to do)

# The stamp is written last, so a set-up that was interrupted starts again.
# pip brings uv, which installs the rest on all cores, from the index that pip is set to (a firm's mirror).
# Byte code is made here, on all cores: where PYTHONDONTWRITEBYTECODE is set, as in many containers, each of the hundred
# processes that notebooks and tests start would compile torch and pandas anew.
$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found. $(NEED_PYTHON)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is $$($(PYTHON) --version). $(NEED_PYTHON)"; exit 1; }
	@echo "Setting up .venv: about 7 GB, mostly torch; a few minutes."
	@$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r .venv/uv.txt
	@mirror=$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || $(BIN)/python -m pip config get :env:.index-url 2>/dev/null || true); \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --system-certs $${mirror:+--index-url "$$mirror"} --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@$(BIN)/python -W ignore -m compileall -qq -j 0 .venv/lib elsa_nb || true  # a file for another Python does not compile
	@touch $(READY)

reproduce: setup  ## run every notebook, then print the path of the report; PROFILE=quick by default
	$(BIN)/elsa-nb reproduce --profile $(PROFILE)

report: setup  ## build the report again from the results that are there
	$(BIN)/elsa-nb report --profile $(PROFILE)

full: setup  ## the paper's protocol on the bundled pool (an hour on two cores), then the committed notebooks executed again in place
	$(BIN)/elsa-nb reproduce --profile full
	$(BIN)/elsa-nb notebooks

# A browser mostly waits, but must not be kept waiting: the other tests run beside its own, and give way to them.
test: lint  ## lint, then all tests: units, the notebooks' stored outputs, and the panel in a real browser beside them
	@echo "The tests of the panel in a browser run beside the others; what they say comes at their end, in one piece."
	@$(MAKE) --no-print-directory --jobs=2 SIDE_BY_SIDE=yes browser-apart others

quick-test: lint  ## lint and the units that take no time, in minutes: what to run while working
	OMP_NUM_THREADS=1 $(BIN)/pytest $(WORKERS) -m "not slow and not thorough" --ignore tests/browser tests

lint: setup  ## ruff, the import rules, and the types of what others call (half a minute)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/pyright --pythonpath $(BIN)/python

# One thread per worker: the workers run in parallel. Each takes a run of neighbouring files, so that most of what the
# tests of a file share is made once.
unit: setup  ## all tests of tests/ but the browser's, on JOBS=2 processes
	OMP_NUM_THREADS=1 $(BIN)/pytest $(WORKERS) -m "not thorough" --ignore tests/browser tests

# One server and one browser at a time.
browser: setup  ## the labelling panel in a real Chromium, in JupyterLab and under Voila (Debian: apt-get install chromium)
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not thorough" tests/browser

# Notebook 02 first: it makes the neighbour lists that others read. Left out are 01, which would embed all images by six
# more encoders to print their names, and 12, whose outputs are timings: `make reproduce` runs both.
NBVAL := $(BIN)/pytest --nbval --nbval-current-env --nbval-cell-timeout=900 --nbval-sanitize-with=tests/nbval.cfg --timeout=0
nbval: setup  ## execute the committed notebooks and compare every output with the stored one
	$(BIN)/elsa-nb embed
	$(NBVAL) notebooks/02-*
	$(NBVAL) -n $(JOBS) --dist loadfile notebooks --ignore-glob "notebooks/01-*" --ignore-glob "notebooks/02-*" --ignore-glob "notebooks/12-*"

browser-apart:  ## as browser, with what it says in one piece at its end: the half of make test that mostly waits
	@mkdir -p build
	@$(MAKE) --no-print-directory browser > build/browser.txt 2>&1; ended=$$?; cat build/browser.txt; exit $$ended

others:  ## unit and nbval, which give way to whatever else runs: the other half
	@nice $(MAKE) --no-print-directory SIDE_BY_SIDE= unit
	@nice $(MAKE) --no-print-directory SIDE_BY_SIDE= nbval

docs: setup  ## build the documentation into build/docs (seconds); a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --config-file docs/mkdocs.yml
	@echo "The documentation: build/docs/index.html"

# hnswlib, the index of small-text's SEALS, has no wheels: without a compiler that one line stays "not measured".
bench: setup  ## measure what the page on speed shows (15 minutes on an idle machine)
	-$(BIN)/python -m pip install -qq --disable-pip-version-check "hnswlib>=0.8,<0.9"
	$(BIN)/python -m benchmarks

# After the notebooks, which make the pools that the searches run in.
verify: setup  ## run hundreds of stored searches again, see that a change would be noticed, and the thorough tests (minutes)
	$(BIN)/elsa-nb verify
	OMP_NUM_THREADS=1 $(BIN)/pytest $(WORKERS) -m thorough tests

wheel: setup  ## build the wheel and the sdist into dist/ (seconds, no network)
	rm -rf dist
	$(BIN)/python -m pip wheel -q --no-build-isolation --no-deps --wheel-dir dist .
	$(BIN)/python -m hatchling build --target sdist

# For other interpreters and extras: make try-wheel TRY_PYTHON=python3.12 EXTRAS=label
TRY_PYTHON ?= $(PYTHON)
EXTRAS ?= reproduce,cpu
try-wheel: wheel  ## install the wheel into a new environment, use it from an empty folder: loop, panel, reproduce (minutes, 7 GB)
	$(PYTHON) tests/try_wheel.py dist/*.whl --python $(TRY_PYTHON) --extras "$(EXTRAS)"

# What pip resolves by itself is the newest; here every line of pyproject.toml gets the oldest version that it allows.
# Without torch, whose range is two versions wide: the tests that compare with it are left out.
LOWEST := build/lowest
lowest:  ## the tests of search and panel with the lowest version of every range, in an environment of their own
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check uv==$(UV)
	$(LOWEST)/bin/uv pip compile pyproject.toml $(addprefix --extra ,label files dev) --resolution lowest-direct \
	  --python $(LOWEST)/bin/python --no-annotate --quiet --output-file $(LOWEST)/versions.txt
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python -r $(LOWEST)/versions.txt
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --no-deps --no-build-isolation -e .
	OMP_NUM_THREADS=1 $(LOWEST)/bin/pytest -n $(JOBS) -m "not slow and not thorough" --ignore tests/search/test_head.py \
	  tests/test_pool.py tests/test_without_torch.py tests/search
	OMP_NUM_THREADS=1 $(LOWEST)/bin/pytest -n $(JOBS) -m "not slow and not thorough" --ignore tests/label/test_as_items.py tests/label

faults: setup  ## 2,000 damaged files for every reader, a disk that fails at every call of every writer: counts (minutes)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.faults

# atheris has no wheels for some machines, so it is not a dependency.
fuzz: setup  ## every reader and the panel's messages fuzzed by atheris, an hour in all (MINUTES=60); finds in build/fuzz
	-$(BIN)/python -m pip install -qq --disable-pip-version-check "atheris>=3,<4"
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.fuzz --minutes $(or $(MINUTES),60)

format: setup  ## let ruff format and sort what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

glyphs: setup  ## build the bundled pool again from named Debian font packages (Debian, apt)
	$(BIN)/python -m elsa_nb.images.glyph_pool.build

glyphs-full: setup  ## build the pool of all faces, 400,000 images, into data/glyphs-full (Debian, apt)
	$(BIN)/python -m elsa_nb.images.glyph_pool.build --full

weights: setup  ## train the bundled encoders again
	$(BIN)/python -m elsa_nb.images.training --method vicreg
	$(BIN)/python -m elsa_nb.images.training --method barlow-twins

lock: setup  ## choose exact versions again, with hashes, into requirements.lock
	@$(PYTHON) -m venv .venv/lock
	@.venv/lock/bin/pip install --quiet --disable-pip-version-check uv==$(UV)
	.venv/lock/bin/uv pip compile pyproject.toml $(addprefix --extra ,$(LOCKED)) --universal --python-version 3.11 \
	  --fork-strategy fewest --generate-hashes --no-emit-index-url --no-annotate --upgrade --quiet \
	  --custom-compile-command "make lock" --output-file requirements.lock

clean:  ## delete what make can make again, .venv included; results and figures stay
	rm -rf .venv build dist data/pools data/cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis elsa_nb.egg-info
	find elsa_nb tests -name __pycache__ -type d -prune -exec rm -rf {} +
