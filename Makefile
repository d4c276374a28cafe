# The project's commands. `make run` and `make test` work on a fresh Debian 12 (or later) machine
# that has a Rust toolchain: what else they need is installed by scripts/setup.sh.

CARGO ?= cargo

# llvm-22-dev brings llvm-22 (llvm-link, llc, llvm-as) and its runtime (lli) along; g++ compiles the
# shim and links.
PACKAGES := llvm-22-dev clang-22 g++
# Code for AArch64 is compared with what lld links; one test drives gdb; gcc-12-source carries the
# conformance suite; one program has libc++ as its C++ library.
TEST_PACKAGES := $(PACKAGES) lld-22 gdb gcc-12-source xz-utils libc++-22-dev libc++abi-22-dev

AARCH64_PACKAGES := gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user

# How often the stress tests run, and for how many seconds each fuzz target does.
STRESS_ROUNDS ?= 20
FUZZ_SECONDS ?= 600
FUZZ_FOLDERS := $(wildcard fuzz crates/*/fuzz)

.DEFAULT_GOAL := help
.PHONY: help run test lint doc bench conformance programs clients models stress fuzz aarch64 setup \
	setup-test build clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## install what is missing, build, and run Lua lazily with its statistics
	$(CARGO) xtask programs --demo

test: setup-test build models ## all tests, a sample of the conformance suite, a few real programs
	$(CARGO) test --workspace --no-fail-fast -q
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

clients: ## crates that use cranelift-jit, their own tests on vmkit-cranelift
	$(CARGO) xtask clients

models: setup ## the protocols under every order of their steps
	RUSTFLAGS="--cfg loom" $(CARGO) test -p vmkit --lib --release --target-dir target/loom model

stress: setup-test ## the tests with threads, forks and signals, many times over
	for round in $$(seq $(STRESS_ROUNDS)); do for word in thread fork signal stress; do \
		$(CARGO) test --workspace --release -q -- --include-ignored $$word || exit 1; \
	done; done

aarch64: setup-test ## tests of the core and of vmkit-cranelift for AArch64, under qemu-user
	@scripts/setup.sh $(AARCH64_PACKAGES)
	@scripts/aarch64.sh

# cargo-fuzz asks for a nightly compiler; RUSTC_BOOTSTRAP lets a stable one take its flags.
fuzz: setup ## every cargo-fuzz target for FUZZ_SECONDS each
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { \
		echo "fuzz: there is no cargo-fuzz; install it: cargo install cargo-fuzz" >&2; exit 1; }
	@[ -n "$(FUZZ_FOLDERS)" ] || { echo "fuzz: no folder fuzz/ with targets" >&2; exit 1; }
	@for folder in $(FUZZ_FOLDERS); do \
		$$folder/seed.sh || exit 1; \
		for target in $$($(CARGO) fuzz list --fuzz-dir $$folder); do \
			RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --fuzz-dir $$folder $$target -- \
				-fork=1 -max_total_time=$(FUZZ_SECONDS) || exit 1; \
		done; \
	done

build: setup
	$(CARGO) build --release -p vmkit-cli

setup: ## install the Debian packages that building needs
	@scripts/setup.sh $(PACKAGES)

setup-test:
	@scripts/setup.sh $(TEST_PACKAGES)

clean: ## remove everything that was built
	$(CARGO) clean
