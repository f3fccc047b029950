# Every target brings what it misses: the Deno runtime (npm), the program (dist/xenon), and a MySQL server for the
# targets that need real ones. The clean machine of .ci/run needs nothing but node, npm and make beforehand.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
# A backtrace line in Deno's errors would differ from machine to machine.
unexport RUST_BACKTRACE
export NO_COLOR := 1

DENO := node_modules/.bin/deno
SOURCES := $(shell find . \( -name node_modules -o -name dist -o -name .cache -o -name .git \) -prune \
	-o -name '*.ts' ! -name '*_test.ts' -print) deno.json deno.lock package-lock.json \
	packaging/build.sh packaging/stub.sh
WRITERS ?= 4
SEED ?=
BENCH ?=
FAULT ?=
RUNS ?= 5
SECONDS ?= 20
MINUTES ?= 20

.PHONY: help build demo test ok sim check tidy clean proof soak bench-faults bench-rebuild \
	bench-rebuild-ssh

help: ## Show the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

build: dist/xenon ## Build the one executable, dist/xenon.

demo: dist/xenon ## Three real servers on this machine, two killed leaders, nothing lost.
	mysqld=$$(packaging/fetch_mysql.sh)
	dist/xenon demo --mysqld "$$mysqld" --writers $(WRITERS)

test: check dist/xenon ## Format, lint, types, tidy, every test, a short simulation.
	export XENON_MYSQLD=$$(packaging/fetch_mysql.sh)
	$(DENO) run -A tests/run.ts tidy pure rest live simulation

ok: check ## The gate before a commit: format, lint, types, tidy, tests without servers, simulation.
	$(DENO) run -A tests/run.ts tidy pure rest simulation

sim: $(DENO) ## Simulate clusters on all cores; SEEDS=100000 FROM=1 limits it, SEED=7 tells one.
	$(DENO) run -A tests/sim/main.ts $(if $(SEED),--seed $(SEED)) \
		$(if $(SEEDS),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM))

proof: $(DENO) ## Measure every fault, write the table of docs/proof.md; FAULT=, RUNS=, SECONDS=, RESULTS=.
	export XENON_MYSQLD=$$(packaging/fetch_mysql.sh)
	$(DENO) run -A tests/proof/main.ts $(if $(FAULT),--fault $(FAULT)) \
		--runs $(RUNS) --seconds $(SECONDS) $(if $(RESULTS),--results $(RESULTS))

soak: $(DENO) ## Keep three hosts busy with faults, and watch memory and processor of the agents; MINUTES=20.
	export XENON_MYSQLD=$$(packaging/fetch_mysql.sh)
	$(DENO) run -A tests/proof/soak.ts --minutes $(MINUTES)

bench-faults: $(DENO) ## Measure failovers on real servers; BENCH='--fault NAME --runs 5' chooses.
	export XENON_MYSQLD=$$(packaging/fetch_mysql.sh)
	$(DENO) run -A bench/faults.ts $(BENCH)

bench-rebuild: $(DENO) ## Measure a rebuild against CLONE by hand; BENCH='--gigabytes 4 --runs 3'.
	export XENON_MYSQLD=$$(packaging/fetch_mysql.sh)
	$(DENO) run -A bench/rebuild.ts $(BENCH)

bench-rebuild-ssh: $(DENO) ## The same over ssh on hosts of their own, with the stand-in; needs root.
	export XENON_MYSQLD=$$(packaging/fetch_mysql.sh)
	$(DENO) run -A tests/live/ssh_bench.ts $(BENCH)

check: $(DENO)
	$(DENO) fmt --check
	$(DENO) lint
	$(DENO) check .

tidy: $(DENO)
	$(DENO) run -A tests/run.ts tidy

dist/xenon: $(SOURCES) | $(DENO)
	packaging/build.sh

# Only where it is absent: a fresh checkout has new file times, and npm ci would pull the runtime away
# under whatever is running. After a change of package-lock.json say `make clean` first.
$(DENO):
	npm ci --no-audit --no-fund

clean: ## Remove what make made, except the downloaded MySQL server.
	rm -rf dist node_modules
