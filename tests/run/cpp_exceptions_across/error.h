#pragma once
#include <exception>
struct ModuleError : std::exception {
    int code;
    explicit ModuleError(int code) : code(code) {}
    const char *what() const noexcept override;
};
[[noreturn]] void throw_module_error(int code);
void catch_and_throw(void (*callback)());
