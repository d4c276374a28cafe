#!/usr/bin/env bash
# Runs the tests of the core and of vmkit-cranelift as programs for AArch64, under qemu-user: with the
# Scalable Vector Extension and signed addresses, and those that run linked code on a processor without
# them as well.
#
#     scripts/aarch64.sh [FILTER...]
#
# RUSTC may name a compiler that has the standard library for that target, where rustup has none;
# QEMU_AARCH64 another qemu.
set -euo pipefail

target=aarch64-unknown-linux-gnu
qemu=${QEMU_AARCH64:-qemu-aarch64}

fail() {
    printf 'aarch64: %s\n' "$@" >&2
    exit 1
}

command -v "$qemu" >/dev/null || fail "there is no $qemu: install Debian's qemu-user"
version=$("$qemu" --version | sed -n '1s/.*version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
read -r major minor <<<"$version"
# Older ones do not see code that is written through another view of its pages.
[ "$major" -gt 8 ] || { [ "$major" -eq 8 ] && [ "$minor" -ge 1 ]; } ||
    fail "$qemu is $major.$minor; 8.1 or later is needed (Debian 13 has it)"
libraries=$("${RUSTC:-rustc}" --print target-libdir --target $target)
compgen -G "$libraries/libstd-*" >/dev/null ||
    fail "no standard library for $target: rustup target add $target"

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="$qemu -L /usr/aarch64-linux-gnu"
run() {
    "${CARGO:-cargo}" test --target $target --no-fail-fast "$@"
}
run -p vmkit --lib --tests -- "$@"
run -p vmkit-cranelift --lib --tests -- "$@"
QEMU_CPU=cortex-a72 run -p vmkit --lib --test native --test protocols -- "$@"
QEMU_CPU=cortex-a72 run -p vmkit-cranelift --test kit -- "$@"
