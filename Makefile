# make run and make test are all that a newcomer needs; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The tests start hundreds of programs; without bytecode each would compile all it imports, half a second for a server.
unexport PYTHONDONTWRITEBYTECODE

ifeq ($(wildcard pyproject.toml),)
$(error start make in the folder of this Makefile: make -C FOLDER …)
endif

# Everything is named relative to this folder, so that its own path may hold spaces.
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet --no-input
REPORT ?= report

# An environment knows where it was made; in a copied or moved checkout it is made anew.
ifneq ($(shell cat .venv/made-in 2>/dev/null),$(CURDIR))
.PHONY: .venv/made-in
endif

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

.PHONY: run
run: .venv/run-installed ## the suite against the reference server over real sockets; writes report/index.html
	@$(BIN)/drachtio-conformance server --report '$(REPORT)'

# Tests wait about half of their time, for peers and deadlines; so two more run at once than there are processors.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)

.PHONY: test
test: setup ## everything: style, types, layers, tests (each check with its broken twins), the suite
	@mkdir -p build; set -m; $(MAKE) --keep-going lint suites >build/beside.txt 2>&1 & beside=$$!; set +m; \
	  trap "kill -- -$$beside 2>/dev/null || true" EXIT; \
	  printf '\n== tests\n'; failed=; $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal || failed=' tests'; \
	  wait $$beside || failed+=' lint or suite'; cat build/beside.txt; \
	  [ -z "$$failed" ] || { printf '\n== failed:%s\n' "$$failed"; exit 1; }

.PHONY: suites
suites: .venv/run-installed
	@printf '\n== the suite, as a user runs it\n'; $(BIN)/drachtio-conformance server --report '$(REPORT)'
	@printf '\n== the suite on the Python of Debian\n'; .ci/pythons --suite --debian

.PHONY: pythons
pythons: .venv/test-installed ## tests and suite on every supported Python of this machine (Debian's, pyenv's, uv's)
	@.ci/pythons

.PHONY: lint
lint: .venv/test-installed ## style, types and layers alone
	@printf '== style\n'; $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@printf '\n== types\n'; $(BIN)/mypy
	@printf '\n== layers\n'; $(BIN)/lint-imports

.PHONY: serve
serve: .venv/run-installed ## the reference server, admin 127.0.0.1:9022, SIP 127.0.0.1:5060; ARGS='…' for options
	@exec $(BIN)/drachtio-reference-server $(ARGS)

.PHONY: fast
fast: .venv/test-installed ## compile the server's hot modules into build/fast (needs a C compiler and Python's headers)
	@$(BIN)/python -m fast_build

.PHONY: serve-fast
serve-fast: ## the compiled server, built anew if the sources have changed; ARGS='…' for options
	@$(MAKE) fast >/dev/null
	@PYTHONPATH=build/fast exec $(BIN)/drachtio-reference-server $(ARGS)

.PHONY: site
site: .venv/test-installed ## the specification and guides as a site that works from files, into build/site
	@$(BIN)/python -m protocol_book.site build/site

.PHONY: book
book: .venv/test-installed ## what is made of the specification's tables and of calls: docs/guides, docs/protocol.json …
	@$(BIN)/python -m protocol_book

.PHONY: bench
bench: setup ## CPU per basic call beside a bare echo server; ARGS='--help' for options
	@$(BIN)/python -m tests.bench.run $(ARGS)

MINUTES ?= 10

.PHONY: fuzz
fuzz: .venv/test-installed ## calls and sessions in which anything happens, and any octets to readers, for MINUTES=10
	@$(PIP) install --only-binary :all: --require-hashes -r requirements/fuzz.txt || echo 'Without atheris, which has no wheel for this Python.'
	@$(BIN)/python -m tests.fuzz $(MINUTES)
	@$(BIN)/python -m tests.promises

.PHONY: floods
floods: .venv/test-installed ## memory of the server under floods of large requests, 40 s each
	@$(BIN)/python -m tests.attack.memory_floods 40

.PHONY: soak
soak: setup ## calls for MINUTES=10 at half the rate of one core, while applications are killed; counts every call
	@$(BIN)/python -m tests.faults $(MINUTES)
	@$(BIN)/python -m tests.promises

.PHONY: growth
growth: setup ## what a server keeps of calls that are over, in twelve rounds of a minute with applications killed
	@$(BIN)/python -m tests.faults.growth 12 60 100
	@$(BIN)/python -m tests.promises

.PHONY: coverage
coverage: .venv/test-installed ## branches that tests of wire/, sip/ (all) and core/ (95 %) reach; fails below
	@$(PIP) install --require-hashes -r requirements/coverage.txt
	@$(BIN)/python -m tests.coverage
	@$(BIN)/python -m tests.promises

.PHONY: wheel
wheel: .venv/run-installed ## the wheel into dist/, octet for octet the same wherever and whenever a commit is built
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@sha256sum dist/*.whl

.PHONY: sbom
sbom: build/supply-chain/installed .venv/test-installed ## what a container holds, by CycloneDX, into build/sbom.json
	@build/supply-chain/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
	  -o build/sbom.json requirements/container.txt 2>build/sbom.txt || { cat build/sbom.txt; exit 1; }
	@$(BIN)/python -m tests.supply_chain.bill build/sbom.json requirements/container.txt

.PHONY: audit
audit: build/supply-chain/installed .venv/test-installed ## known vulnerabilities of what is locked; fails if it cannot ask
	@$(BIN)/python -m tests.supply_chain.audit build/supply-chain/bin/pip-audit requirements/container.txt

# An environment of its own: nothing of it is needed by what it looks at.
build/supply-chain/installed: .venv/made-in requirements/supply-chain.txt
	@$(BIN)/python -m venv --clear build/supply-chain
	@build/supply-chain/bin/python -m pip --disable-pip-version-check --quiet --quiet --no-input install --require-hashes \
	  -r requirements/supply-chain.txt
	@touch $@

.PHONY: setup
setup: debian-packages .venv/test-installed node_modules/.installed ## all that make test needs, and nothing twice

.PHONY: debian-packages
debian-packages:
	@.ci/debian-packages

.venv/made-in: .ci/make-environment
	@.ci/make-environment

.venv/run-installed: .venv/made-in requirements/run.txt pyproject.toml
	@echo 'Installing what the project runs on …'
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/test-installed: .venv/run-installed requirements/test.txt
	@echo 'Installing what the tests need …'
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

# Waits for the Debian packages, which may bring npm.
node_modules/.installed: package.json package-lock.json .npmrc | debian-packages
	@echo 'Installing drachtio-srf …'
	@npm ci --ignore-scripts --loglevel=error
	@touch $@
