PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One thread per process: two spinning OpenMP pools on few cores are many times slower than one thread each.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: help install demo bench docs test test-all lint format clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(VENV)/.installed  ## make the virtual environment with the pinned dependencies

# spandrel is for the tests of the extra `archs`, without the torchvision that it asks for: the build of the package index
# does not import beside a CPU build of torch.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)"  # the exact pin first: see constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt spandrel einops
	@touch $@

demo: install  ## train a small ESRGAN for some minutes, evaluate it, show the table and the picture (no data, no GPU)
	$(BIN)/python train.py experiment=quickstart hydra.run.dir=runs/demo
	$(BIN)/python evaluate.py ckpt=runs/demo/checkpoints/last.ckpt out_dir=runs/demo/evaluation

bench: install  ## every benchmark with short settings: a table, JSON and a picture in results/bench (a quarter of an hour)
	$(BIN)/python benchmarks/all.py

docs: install  ## the site of the guides and of every key, in results/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

test: install lint  ## lint, types and all quick tests
	$(ONE_THREAD) $(BIN)/python -m pytest -q -n 2 -m "not slow"

test-all: install lint  ## lint, types and every test, the slow ones too
	$(ONE_THREAD) $(BIN)/python -m pytest -q -n 2

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install  ## sort imports and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and every run
	rm -rf $(VENV) runs results multirun .pytest_cache .mypy_cache .ruff_cache
