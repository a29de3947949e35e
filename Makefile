# HyP3 Stack. `make demo` and `make test` do all the set-up they need on Debian 12 and 13.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-faults test-qgis-ltr test-qgis-newest test-readers bench lint format docs pictures package install \
	clean lock

# The interpreter that QGIS uses; .venv is built with it as well.
QGIS_PYTHON ?= /usr/bin/python3
PYTHON := .venv/bin/python
PYTEST_ARGS ?=

# Hundreds of processes start, each of which would compile the same modules again.
unexport PYTHONDONTWRITEBYTECODE

# `make install` links into this QGIS user profile.
PROFILE ?= default
ifeq ($(shell uname),Darwin)
PROFILES ?= $(HOME)/Library/Application Support/QGIS/QGIS3/profiles
else
PROFILES ?= $(HOME)/.local/share/QGIS/QGIS3/profiles
endif
PLUGINS = $(PROFILES)/$(PROFILE)/python/plugins

help: ## list the verbs
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 24

setup: ## QGIS from apt where it is missing, .venv from the lock files
	@QGIS_PYTHON=$(QGIS_PYTHON) scripts/setup.sh

demo: setup ## sample products -> stack files and pictures, in demo/
	@QGIS_PYTHON=$(QGIS_PYTHON) scripts/demo.sh

# Two interpreters: the core, its process and QGIS's window in .venv, what imports QGIS in QGIS's own
# Python. A profile below build/ keeps the user's QGIS settings out of the tests, each of which has its
# own. Twice as many processes as processors: services, clusters and killed builds are waited for.
PARALLEL := -n $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN)))) --dist loadscope
test: export HYP3_STACK_PYTHON = $(CURDIR)/$(PYTHON)
test: export QGIS_CUSTOM_CONFIG_PATH = $(CURDIR)/build/qgis
test: export QT_QPA_PLATFORM = offscreen
test: setup ## every test
	$(PYTHON) -m pytest $(PARALLEL) --no-loadscope-reorder --ignore=tests/processing $(PYTEST_ARGS)
	$(QGIS_PYTHON) -m pytest $(PARALLEL) tests/processing $(PYTEST_ARGS)

# The same tests with few inputs are part of `make test`. Found inputs are kept in build/faults.
COUNT ?= 3000
SEED ?= 17
test-faults: export HYP3_STACK_FAULTS = $(COUNT)
test-faults: export HYP3_STACK_SEED = $(SEED)
test-faults: export HYP3_STACK_PYTHON = $(CURDIR)/$(PYTHON)
test-faults: export QGIS_CUSTOM_CONFIG_PATH = $(CURDIR)/build/qgis
test-faults: export QT_QPA_PLATFORM = offscreen
test-faults: setup ## COUNT hostile inputs from SEED on, and a table of what came of them
	@echo "COUNT=$(COUNT) SEED=$(SEED)"; rm -rf build/faults; failed=0; \
	$(PYTHON) -m pytest -n 2 --dist worksteal -m faults --ignore=tests/processing $(PYTEST_ARGS) || failed=1; \
	$(QGIS_PYTHON) -m pytest -m faults tests/processing $(PYTEST_ARGS) || failed=1; \
	$(PYTHON) -m tests.faults; exit $$failed

# Each needs root and 3 GB below build/, made once in about ten minutes. QGIS_ARGS go to pytest.
QGIS_ARGS ?=
test-qgis-ltr: setup ## tests of the QGIS side in QGIS 3.44 LTR with GDAL 3.10 (Debian 13)
	@scripts/test_qgis.sh trixie trixie-backports build/qgis-ltr $(QGIS_ARGS)

test-qgis-newest: setup ## the same tests in the newest QGIS and GDAL of Debian (forky)
	@scripts/test_qgis.sh forky forky build/qgis-newest $(QGIS_ARGS)

# What apt has of CDO, NCO, netcdf-bin, nodejs with npm, r-cran-stars and r-cran-ncmeta is left to the user,
# `make mintpy` as well; the table says what is missing. Other GDALs are those of test-qgis-ltr and test-qgis-newest.
READERS := build/readers
test-readers: setup ## a pixel of each kind of stack, read with everything that reads NetCDF or Zarr
	@test -x $(READERS)/venv/bin/python || $(QGIS_PYTHON) -m venv $(READERS)/venv
	@$(READERS)/venv/bin/python -m pip install -q -r tests/readers/requirements.txt
	@if command -v npm >/dev/null; then \
		mkdir -p $(READERS)/node && npm install --silent --prefix $(READERS)/node zarrita @zarrita/storage; \
	fi
	@QGIS_PYTHON=$(QGIS_PYTHON) $(PYTHON) -m tests.readers

lint: setup ## style, types, and the scans of the QGIS plugin repository
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(PYTHON) scripts/package.py --stage-only
	MYPYPATH=build .venv/bin/mypy -p hyp3_stack.core
	.venv/bin/flake8 build/hyp3_stack
	$(PYTHON) scripts/scan_upload.py build/hyp3_stack

# The peers get an environment of their own; BENCH_ARGS such as "--formats zarr netcdf --runs 5".
BENCH_ARGS ?=
BENCHES := bench-exports bench-inversion_memory bench-layouts bench-limit bench-memory bench-precision bench-scan bench-solver
bench: setup ## time and memory against odc-stac and rioxarray; see BENCHES, bench-mintpy and bench-inversion
	@test -x build/peers/bin/python || $(QGIS_PYTHON) -m venv build/peers
	@build/peers/bin/python -m pip install -q -r tests/benchmarks/peers/requirements.txt
	$(PYTHON) -m tests.benchmarks.run --peer-python build/peers/bin/python $(BENCH_ARGS)

# Each is a module of tests/benchmarks, which says what it measures.
.PHONY: $(BENCHES)
$(BENCHES): setup
	$(PYTHON) -m tests.benchmarks.$(@:bench-%=%) $(BENCH_ARGS)

bench-mintpy bench-inversion: setup mintpy
	$(PYTHON) -m tests.benchmarks.$(@:bench-%=%) --peer-python build/mintpy/bin/python $(BENCH_ARGS)

EXPLORER := build/insar-explorer/insar_explorer
test-exports: setup mintpy ## what MintPy and InSAR Explorer make of exports
	@test -d $(EXPLORER) || git clone -q --depth 1 https://github.com/luhipi/insar-explorer $(EXPLORER)
	@QGIS_PYTHON=$(QGIS_PYTHON) $(PYTHON) -m tests.export.programs

# MintPy reads through the GDAL of QGIS's Python, which pip has no wheel of.
.PHONY: bench-mintpy bench-inversion test-exports mintpy
mintpy:
	@test -x build/mintpy/bin/python || $(QGIS_PYTHON) -m venv build/mintpy
	@build/mintpy/bin/python -m pip install -q -r tests/benchmarks/peers/mintpy_requirements.txt
	@ln -sfn "$$($(QGIS_PYTHON) -c 'import osgeo; print(osgeo.__path__[0])')" \
		"$$(build/mintpy/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/osgeo"

format: setup ## put style in order as far as ruff can
	.venv/bin/ruff check --fix-only .
	.venv/bin/ruff format .

docs: export QGIS_CUSTOM_CONFIG_PATH = $(CURDIR)/build/qgis
docs: setup ## docs/ as pages, in help/, with checked links
	@mkdir -p "$$QGIS_CUSTOM_CONFIG_PATH"
	@$(QGIS_PYTHON) -m scripts.algorithm_pages docs/algorithms
	@.venv/bin/zensical build --clean --strict

pictures: setup ## the pictures of the documents, from the window of QGIS
	HYP3_STACK_PYTHON=$(CURDIR)/$(PYTHON) $(PYTHON) -m pytest -q tests/gui
	@QT_QPA_PLATFORM=offscreen $(QGIS_PYTHON) -m scripts.pictures build/gui docs/pictures

package: docs ## dist/hyp3_stack-<version>.zip for the QGIS plugin repository
	@$(QGIS_PYTHON) scripts/package.py

install: ## link this checkout into the QGIS profile PROFILE (default)
	@mkdir -p "$(PLUGINS)"
	@if [[ -e "$(PLUGINS)/hyp3_stack" && ! -L "$(PLUGINS)/hyp3_stack" ]]; then \
		echo "$(PLUGINS)/hyp3_stack holds an installed copy; remove it in QGIS's plugin manager first." >&2; \
		exit 1; \
	fi
	@ln -sfn "$(CURDIR)" "$(PLUGINS)/hyp3_stack"
	@echo "Linked $(PLUGINS)/hyp3_stack; enable HyP3 Stack in QGIS's plugin manager."

# Needs uv (pip install uv); run after a change of requirements*.txt.
lock: ## resolve requirements*.txt to the lock files; tell their age and what changed
	@scripts/lock.sh

clean: ## remove what make built: .venv, build, dist, demo, caches
	rm -rf .venv build dist demo help .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
