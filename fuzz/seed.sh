#!/usr/bin/env bash
# Fills the corpus of each target with real input: the golden tests of the linker, assembled.
set -euo pipefail
cd "$(dirname "$0")"

for target in elf link archive stack_maps call_sites unwind; do
    mkdir -p "corpus/$target"
done
for source in ../tests/link/x86_64/*.s; do
    name=$(basename "$source" .s)
    clang-22 --target=x86_64-linux-gnu -c "$source" -o "corpus/elf/$name.o"
    cp "corpus/elf/$name.o" "corpus/link/$name.o"
done

objects=(corpus/elf/{calls,data,comdat}.o)
for format in gnu bsd; do
    rm -f "corpus/archive/$format.a"
    llvm-ar-22 --format="$format" rcs "corpus/archive/$format.a" "${objects[@]}"
done
# No index, and a member with a long name.
cp corpus/elf/undefined_call.o corpus/archive/a_name_longer_than_sixteen_characters.o
llvm-ar-22 rcS corpus/archive/long.a corpus/archive/a_name_longer_than_sixteen_characters.o
rm corpus/archive/a_name_longer_than_sixteen_characters.o

llc-22 -O2 -filetype=obj ../crates/vmkit/tests/stack_maps.ll -o corpus/elf/stack_maps.o
cp corpus/elf/stack_maps.o corpus/link/stack_maps.o
llvm-objcopy-22 --dump-section .llvm_stackmaps=corpus/stack_maps/real corpus/elf/stack_maps.o
cat corpus/stack_maps/real corpus/stack_maps/real >corpus/stack_maps/twice

llc-22 -O1 -filetype=obj ../crates/vmkit/tests/code.ll -o corpus/elf/code.o
cp corpus/elf/code.o corpus/link/code.o
llvm-objcopy-22 --dump-section .eh_frame=corpus/unwind/real \
    --dump-section .gcc_except_table=corpus/call_sites/table corpus/elf/code.o
# The target takes the table's place in its section from two bytes before it.
printf '\0\0' | cat - corpus/call_sites/table >corpus/call_sites/real
rm corpus/call_sites/table
