#!/usr/bin/env bash
# Installs what a Debian machine lacks of the packages named as arguments. Says nothing and asks
# for nothing where all of them are there.
#
#     scripts/setup.sh PACKAGE...
set -euo pipefail

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

command -v cargo >/dev/null ||
    fail "there is no cargo: install a Rust toolchain (https://rustup.rs) and put it in PATH"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    # Not Debian: take whatever LLVM 22 there is, and say what is looked for when there is none.
    for tool in "${LLVM_SYS_221_PREFIX:-/usr/lib/llvm-22}/bin/llvm-config" clang-22; do
        command -v "$tool" >/dev/null || fail "there is no apt here and $tool is not found." \
            "Install LLVM 22 with its headers and clang 22 by hand, make clang-22, clang++-22," \
            "llvm-link-22, llc-22 and lli-22 reachable through PATH, and set" \
            "LLVM_SYS_221_PREFIX to the folder that holds bin/llvm-config of LLVM 22." \
            "On Debian this is: apt-get install $*"
    done
    exit 0
fi

missing=()
for package in "$@"; do
    state=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || fail "not root, and sudo would ask for a password. Run as root:" \
        "  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    root=(sudo)
fi

echo "setup: installing ${missing[*]}"
# An unreachable third-party source fails the update, yet the packages may well be there.
"${root[@]}" apt-get update -qq || echo "setup: apt-get update failed; going on" >&2
"${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get cannot install ${missing[*]}." \
        "LLVM 22 is in Debian 12 (bookworm-security) and later; is that source enabled?"
