// LLVM's own JIT, ORC, at what the kit's benchmark measures: calls of a function that can be
// redirected, redirecting it, virtual and interface calls, and the first call of functions of one
// module each. Prints one figure a line: what, how many, and nanoseconds.
#include "llvm/AsmParser/Parser.h"
#include "llvm/ExecutionEngine/Orc/JITLinkRedirectableSymbolManager.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace llvm;
using namespace llvm::orc;

static ExitOnError check("orc: ");
static constexpr uint64_t Calls = 20'000'000;

template <typename Run> static double best(int runs, uint64_t count, Run run) {
  double least = 1e300;
  for (int i = 0; i < runs; ++i) {
    auto start = std::chrono::steady_clock::now();
    run();
    auto time = std::chrono::steady_clock::now() - start;
    least = std::min(least, std::chrono::duration<double, std::nano>(time).count() / count);
  }
  return least;
}

static ThreadSafeModule parse(const std::string &text) {
  auto context = std::make_unique<LLVMContext>();
  SMDiagnostic diagnostic;
  auto module = parseAssemblyString(text, diagnostic, *context);
  if (!module) diagnostic.print("orc", errs()), exit(1);
  return ThreadSafeModule(std::move(module), std::move(context));
}

static std::unique_ptr<LLJIT> make(CodeGenOptLevel level = CodeGenOptLevel::None) {
  auto layer = [](ExecutionSession &session) -> Expected<std::unique_ptr<ObjectLayer>> {
    return std::make_unique<ObjectLinkingLayer>(session);
  };
  auto machine = check(JITTargetMachineBuilder::detectHost());
  machine.setCodeGenOptLevel(level);
  return check(LLJITBuilder().setJITTargetMachineBuilder(machine).setObjectLinkingLayerCreator(layer).create());
}

static const char *Loop = R"(
declare i64 @callee(i64)
define i64 @calls(i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %x = phi i64 [ 0, %entry ], [ %y, %loop ]
  %y = call i64 @callee(i64 %x)
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret i64 %y
})";

static const char *VirtualLoop = R"(
define i64 @calls_virtual(i64 %n, ptr %objects, i64 %mask) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %x = phi i64 [ 0, %entry ], [ %y, %loop ]
  %which = and i64 %i, %mask
  %place = getelementptr ptr, ptr %objects, i64 %which
  %object = load ptr, ptr %place
  %table = load ptr, ptr %object
  %entry_place = getelementptr ptr, ptr %table, i64 3
  %method = load ptr, ptr %entry_place
  %y = call i64 %method(ptr %object, i64 %x)
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret i64 %y
})";

// ORC has no inline caches. What it has are stubs that can be redirected: a table by class remembers
// the stub of each class's method, and what is not in it yet is asked for.
static const char *InterfaceLoop = R"(
declare ptr @resolve(ptr)
define i64 @calls_interface(i64 %n, ptr %objects, i64 %mask, ptr %memo) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %call ]
  %x = phi i64 [ 0, %entry ], [ %y, %call ]
  %which = and i64 %i, %mask
  %place = getelementptr ptr, ptr %objects, i64 %which
  %object = load ptr, ptr %place
  %class = load i64, ptr %object
  %mixed = lshr i64 %class, 5
  %slot = and i64 %mixed, 63
  %known = getelementptr { i64, ptr }, ptr %memo, i64 %slot
  %key = load i64, ptr %known
  %is = icmp eq i64 %key, %class
  br i1 %is, label %hit, label %miss
hit:
  %value = getelementptr { i64, ptr }, ptr %memo, i64 %slot, i32 1
  %found = load ptr, ptr %value
  br label %call
miss:
  %asked = call ptr @resolve(ptr %object)
  br label %call
call:
  %method = phi ptr [ %found, %hit ], [ %asked, %miss ]
  %y = call i64 %method(ptr %object, i64 %x)
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret i64 %y
})";

static std::string add_one(const std::string &name) {
  return "define i64 @" + name + "(i64 %x) noinline { %y = add i64 %x, 1  ret i64 %y }";
}

static void redirection() {
  auto jit = make();
  JITDylib &dylib = jit->getMainJITDylib();
  auto &layer = static_cast<ObjectLinkingLayer &>(jit->getObjLinkingLayer());
  auto manager = check(JITLinkRedirectableSymbolManager::Create(layer));
  check(jit->addIRModule(parse(add_one("one"))));
  check(jit->addIRModule(parse(add_one("two"))));
  ExecutorSymbolDef targets[2] = {{check(jit->lookup("one")), JITSymbolFlags::Exported | JITSymbolFlags::Callable},
                                  {check(jit->lookup("two")), JITSymbolFlags::Exported | JITSymbolFlags::Callable}};
  auto name = jit->mangleAndIntern("callee");
  check(manager->createRedirectableSymbols(dylib.getDefaultResourceTracker(), {{name, targets[0]}}));
  check(jit->addIRModule(parse(Loop)));
  auto *calls = check(jit->lookup("calls")).toPtr<uint64_t (*)(uint64_t)>();
  auto run = [&] {
    if (calls(Calls) != Calls) abort();
  };
  run();
  printf("call, ORC\tredirectable symbol\t%f\n", best(5, Calls, run));
  constexpr int Rounds = 20'000;
  auto swap = [&] {
    for (int i = 0; i < Rounds; ++i) check(manager->redirect(dylib, {{name, targets[i % 2]}}));
  };
  printf("redirect, ORC\tany\t%f\n", best(3, Rounds, swap));
}

constexpr int Classes = 16;

static std::string method(const std::string &name, int added) {
  return "define i64 @" + name + "(ptr %o, i64 %x) { %y = add i64 %x, " + std::to_string(added) + "  ret i64 %y }";
}

static void virtual_calls() {
  auto jit = make(CodeGenOptLevel::Default);
  check(jit->addIRModule(parse(VirtualLoop)));
  static uint64_t tables[Classes][4], objects[Classes];
  static uint64_t *pointers[Classes];
  for (int i = 0; i < Classes; ++i) {
    std::string name = "m" + std::to_string(i);
    check(jit->addIRModule(parse(method(name, i + 1))));
    tables[i][3] = check(jit->lookup(name)).getValue();
    objects[i] = reinterpret_cast<uint64_t>(tables[i]);
    pointers[i] = &objects[i];
  }
  auto *calls = check(jit->lookup("calls_virtual")).toPtr<uint64_t (*)(uint64_t, uint64_t **, uint64_t)>();
  for (uint64_t classes : {1, 4, 16}) {
    auto run = [&] {
      if (calls(Calls, pointers, classes - 1) < Calls) abort();
    };
    printf("virtual call, ORC\t%d class%s\t%f\n", int(classes), classes == 1 ? "" : "es", best(5, Calls, run));
  }
}

// Objects of each class, the stubs of their methods, and the memo by class.
static uint64_t interface_objects[Classes];
alignas(32) static uint64_t interface_classes[Classes][4];
static uint64_t stubs[Classes];
static struct { uint64_t key, value; } memo[64];

static uint64_t resolve(const uint64_t *object) {
  auto number = (*object - reinterpret_cast<uint64_t>(interface_classes)) / sizeof *interface_classes;
  memo[*object >> 5 & 63] = {*object, stubs[number]};
  return stubs[number];
}

static void interface_calls() {
  auto jit = make(CodeGenOptLevel::Default);
  JITDylib &dylib = jit->getMainJITDylib();
  auto manager = check(JITLinkRedirectableSymbolManager::Create(static_cast<ObjectLinkingLayer &>(jit->getObjLinkingLayer())));
  auto flags = JITSymbolFlags::Exported | JITSymbolFlags::Callable;
  check(dylib.define(absoluteSymbols({{jit->mangleAndIntern("resolve"), {ExecutorAddr::fromPtr(resolve), flags}}})));
  check(jit->addIRModule(parse(InterfaceLoop)));
  static uint64_t *pointers[Classes];
  for (int i = 0; i < Classes; ++i) {
    std::string body = "body" + std::to_string(i), stub = "stub" + std::to_string(i);
    check(jit->addIRModule(parse(method(body, i + 1))));
    ExecutorSymbolDef target(check(jit->lookup(body)), flags);
    check(manager->createRedirectableSymbols(dylib.getDefaultResourceTracker(), {{jit->mangleAndIntern(stub), target}}));
    stubs[i] = check(jit->lookup(stub)).getValue();
    interface_objects[i] = reinterpret_cast<uint64_t>(interface_classes[i]);
    pointers[i] = &interface_objects[i];
  }
  auto *calls = check(jit->lookup("calls_interface")).toPtr<uint64_t (*)(uint64_t, uint64_t **, uint64_t, void *)>();
  for (uint64_t classes : {1, 4, 16}) {
    uint64_t expected = 0;
    for (uint64_t i = 0; i < Calls; ++i) expected += (i & (classes - 1)) + 1;
    auto run = [&] {
      if (calls(Calls, pointers, classes - 1, memo) != expected) abort();
    };
    printf("interface call, ORC\t%d class%s\t%f\n", int(classes), classes == 1 ? "" : "es", best(5, Calls, run));
  }
}

static void first_calls() {
  constexpr int Functions = 300;
  auto jit = make();
  auto call = [&](int number) {
    std::string name = "f" + std::to_string(number);
    check(jit->addIRModule(parse(add_one(name))));
    if (check(jit->lookup(name)).toPtr<uint64_t (*)(uint64_t)>()(1) != 2) abort();
  };
  call(0);
  int number = 0;
  auto all = [&] {
    for (int i = 0; i < Functions; ++i) call(++number);
  };
  printf("one module a function, ORC\t-O0\t%f\n", best(1, Functions, all));
}

int main() {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  redirection();
  virtual_calls();
  interface_calls();
  first_calls();
}
