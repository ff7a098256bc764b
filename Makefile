# What people run; `make` alone tells which targets there are.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
SEED ?= 0
TREES ?= 5000
WORKERS ?= 2
ARGS ?=
unexport PYTHONDONTWRITEBYTECODE  # what is compiled anew for each of a thousand processes takes minutes of the tests

.PHONY: help install demo test lint format bench fuzz fuzz-api soak kills real clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*##[ ]*/  make \1\t/' | expand -t 16

install: $(STAMP)  ## kilde and its tools into .venv
$(STAMP): pyproject.toml hatch_build.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $(STAMP)

demo: install  ## the whole story on an embedded cluster, step by step; ends by itself
	$(BIN)/python demo/story.py

test: install  ## all tests; those against a real control plane need `make real` first
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

kills: install real  ## 200 times kill -9 of the controller, among hooks on two clusters, and of the embedded API alone, at random moments; 40 minutes
	KILDE_KILLS=200 KILDE_HOOK_KILLS=200 $(BIN)/python -m pytest -n 2 tests/e2e/test_kill.py tests/e2e/test_kill_hooks.py
	KILDE_API_KILLS=200 KILDE_KILL_POINTS=2000 $(BIN)/python -m pytest -n 2 tests/robustness/test_killed_server.py tests/robustness/test_kill_points.py

lint: install  ## format, style, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## rewrites the sources in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install real  ## the figures of docs/benchmarks.md, anew; an hour
	$(BIN)/python benchmarks/run.py start
	$(BIN)/python benchmarks/run.py first-sync --apps 100 300 1000
	$(BIN)/python benchmarks/run.py heal --apps 100 --writes 500
	$(BIN)/python benchmarks/run.py push --apps 100 --commits 200
	$(BIN)/python benchmarks/run.py idle --apps 100 --minutes 5
	$(BIN)/python benchmarks/run.py base --apps 300
	$(BIN)/python benchmarks/render.py
	$(BIN)/python benchmarks/schemas.py
	$(BIN)/python benchmarks/run.py first-sync --apps 100 --embedded
	$(BIN)/python benchmarks/run.py heal --apps 100 --writes 500 --embedded
	$(BIN)/python benchmarks/run.py idle --apps 100 --minutes 5 --embedded
	$(BIN)/python benchmarks/plan.py --apps 1000 --embedded
	$(BIN)/python benchmarks/apiserver.py

fuzz-api: install real  ## 20,000 random requests to the embedded API and to a real one, their answers compared; ten minutes
	$(BIN)/python tests/differential/fuzz.py --steps 20000
	KILDE_MALFORMED=10000 $(BIN)/python -m pytest -q tests/robustness

soak: install  ## half an hour of writes, watches and deletes; memory and descriptors
	$(BIN)/python tests/robustness/soak.py --minutes 30

fuzz: install  ## 5,000 random kustomizations through kustomize and through us (needs `make real`; ten minutes); SEED=n for others
	$(BIN)/python tests/fuzz/run.py --trees $(TREES) --seed $(SEED)

real: install  ## builds kube-apiserver, etcd, kustomize, helm and others (Go 1.26; ten minutes, once)
	$(BIN)/python tools/build_real.py

clean:  ## removes .venv and everything that was built
	rm -rf .venv .cache .demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
