/* Loads a bitcode file as lazily as LLVM can and does nothing with it: LLVM's own share of the
 * memory of functions that are known and never called. */
#include <llvm-c/BitReader.h>
#include <llvm-c/Core.h>
#include <stdio.h>

int main(int argc, char **argv) {
    LLVMMemoryBufferRef bytes;
    LLVMModuleRef module;
    char *error;
    if (argc != 2)
        return 2;
    if (LLVMCreateMemoryBufferWithContentsOfFile(argv[1], &bytes, &error) ||
        LLVMGetBitcodeModuleInContext2(LLVMContextCreate(), bytes, &module)) {
        fprintf(stderr, "%s cannot be loaded\n", argv[1]);
        return 1;
    }
    return LLVMGetNamedFunction(module, "main") == NULL;
}
