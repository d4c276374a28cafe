# The project's commands. `make run` and `make test` work on a fresh Debian 12 (or later) machine
# that has a Rust toolchain: what else they need is installed by scripts/setup.sh.

CARGO ?= cargo

# llvm-config of Debian wants Polly's and its other static libraries to be there even though
# libLLVM is linked dynamically; g++ compiles the shim; gdb runs in one test.
PACKAGES := llvm-22-dev clang-22 llvm-22 llvm-22-runtime libpolly-22-dev \
            zlib1g-dev libzstd-dev libxml2-dev libffi-dev g++
TEST_PACKAGES := $(PACKAGES) gdb gcc-12-source xz-utils

# Threads of first calls under stress, and seconds each fuzz target runs.
STRESS_ROUNDS ?= 20
FUZZ_SECONDS ?= 600

.DEFAULT_GOAL := help
.PHONY: help run test lint doc bench conformance programs stress fuzz setup setup-test build clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## install what is missing, build, and run Lua lazily with its statistics
	$(CARGO) xtask programs --demo

test: setup-test build ## all tests, a sample of the conformance suite, a few real programs
	$(CARGO) test --workspace
	$(CARGO) xtask conformance --sample 300 --seed 1
	$(CARGO) xtask programs --quick

lint: setup ## formatting, clippy, the project's own rules, docs; warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) xtask tidy
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items

doc: setup ## the documentation of all crates, in target/doc
	$(CARGO) doc --workspace --no-deps

bench: setup build ## measure against lli in one run; writes docs/benchmarks.md
	$(CARGO) xtask bench $(BENCH_FLAGS)

conformance: setup-test build ## all of GCC's c-torture execute tests, lazily, -O0 and -O2
	$(CARGO) xtask conformance

programs: setup build ## real C and C++ programs against their native builds, every form
	$(CARGO) xtask programs

stress: setup ## the tests with real threads, many times over
	for round in $$(seq $(STRESS_ROUNDS)); do \
		$(CARGO) test --workspace --release -q -- --include-ignored stress || exit 1; \
	done

fuzz: ## every cargo-fuzz target for FUZZ_SECONDS each
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { \
		echo "fuzz: cargo-fuzz is not installed: cargo install cargo-fuzz" >&2; exit 1; }
	@[ -d fuzz ] || { echo "fuzz: there is no folder fuzz/ with targets" >&2; exit 1; }
	@for target in $$($(CARGO) fuzz list); do \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

build: setup
	$(CARGO) build --release -p vmkit-cli

setup: ## install the Debian packages that building needs
	@scripts/setup.sh $(PACKAGES)

setup-test:
	@scripts/setup.sh $(TEST_PACKAGES)

clean: ## remove everything that was built
	$(CARGO) clean
