#include <cstdio>
#include "error.h"
const char *ModuleError::what() const noexcept { return "module exception"; }
void throw_module_error(int code) { throw ModuleError(code); }
void catch_and_throw(void (*callback)()) {
    try {
        callback();
    } catch (int x) {
        std::printf("library caught %d", x);
        throw x + 1L;
    }
}
