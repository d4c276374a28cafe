// Workers: one LLVM context, target machine and pipeline each.
#include "coroutines.h"
#include "library.h"
#include "optimize.h"
#include "plain.h"
#include "quick.h"
#include "safepoint.h"

#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/Verifier.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

#include <numeric>

using namespace llvm;

void fail(const Twine &what) { throw Failure(what.str()); }
void fail(Error error) { throw Failure(toString(std::move(error))); }

namespace {

// Functions of more instructions are worth better code: the loops of interpreters are among them.
constexpr unsigned LargestQuick = 5000;

// LLVM gives up: only this compile fails. LLVM itself has no cleanups on the way, so what it held is
// lost, and the worker is not used again.
void on_fatal_error(void *, const char *reason, bool) { throw Failure(std::string("LLVM: ") + reason); }

// Diagnostics of severity error (say, inline assembly that does not assemble) fail the compile.
struct Diagnostics : DiagnosticHandler {
  explicit Diagnostics(std::string &errors) : errors(errors) {}
  bool handleDiagnostics(const DiagnosticInfo &info) override {
    if (info.getSeverity() == DS_Error) {
      raw_string_ostream out(errors);
      DiagnosticPrinterRawOStream printer(out);
      if (!errors.empty()) out << "; ";
      info.print(printer);
    }
    return true;
  }
  std::string &errors;
};

// What this processor has beyond the plainest one.
std::string host_features() {
  std::string text;
  for (const auto &feature : sys::getHostCPUFeatures())
    text += (text.empty() ? "" : ",") + std::string(feature.second ? "+" : "-") + feature.first().str();
  return text;
}

std::unique_ptr<TargetMachine> make_machine(unsigned level, bool is_native) {
  Triple triple(sys::getDefaultTargetTriple());
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target) fail(error);
  TargetOptions options;
  options.UseInitArray = true;
  static const CodeGenOptLevel levels[] = {CodeGenOptLevel::None, CodeGenOptLevel::Less,
                                           CodeGenOptLevel::Default, CodeGenOptLevel::Aggressive};
  // Functions that name no processor of their own get the plainest one, as ahead of time.
  TargetMachine *machine = target->createTargetMachine(
      triple, is_native ? sys::getHostCPUName() : "x86-64", is_native ? host_features() : "", options, Reloc::PIC_, CodeModel::Small, levels[level], /*JIT=*/false);
  if (!machine) fail("no code generator for " + triple.str());
  return std::unique_ptr<TargetMachine>(machine);
}

} // namespace

vk_worker::vk_worker(const vk_options &options) : options(options), library(std::make_unique<Library>()) {
  context.setDiagnosticHandler(std::make_unique<Diagnostics>(error));
  context.setDiscardValueNames(true);
}

vk_worker::~vk_worker() = default;

Generator &vk_worker::generator(bool is_thorough, bool is_plain) {
  // A quick one is always built first: that is when LLVM settles its default allocator.
  if (is_thorough) generator(false, is_plain);
  auto &place = generators[is_thorough][is_plain];
  if (!place) place = std::make_unique<Generator>(*machine, is_thorough, is_plain);
  return *place;
}

uint32_t vk_module::key(const GlobalValue *value) const {
  auto before = [&](uint32_t key, const GlobalValue *value) { return values[key] < value; };
  auto place = std::lower_bound(by_address.begin(), by_address.end(), value, before);
  return place != by_address.end() && values[*place] == value ? *place : 0;
}

static TargetMachine &machine_of(vk_worker &worker) {
  if (!worker.machine) worker.machine = make_machine(worker.options.level, worker.options.native_cpu);
  return *worker.machine;
}

// Is it for such a machine, as far as it says?
static bool is_for(const Triple &triple, const Triple &machine) {
  return triple.str().empty() || (triple.getArch() == machine.getArch() && triple.getOS() == machine.getOS());
}

// Declares what functions with a safe stack find their other one by: LLVM would take it to be at a fixed
// distance from the thread pointer, as it is in executables.
static void declare_unsafe_stack(Module &module) {
  const char *name = "__safestack_unsafe_stack_ptr";
  bool is_needed = any_of(module, [](const Function &f) { return f.hasFnAttribute(Attribute::SafeStack); });
  if (!is_needed || module.getNamedValue(name)) return;
  new GlobalVariable(module, PointerType::getUnqual(module.getContext()), false, GlobalValue::ExternalLinkage, nullptr,
                     name, nullptr, GlobalValue::GeneralDynamicTLSModel);
}

vk_module &load(vk_worker &worker, uint32_t number, vk_bytes bitcode, vk_bytes name) {
  if (worker.modules.size() <= number) worker.modules.resize(number + 1);
  if (worker.modules[number]) return *worker.modules[number];
  const Triple &own = machine_of(worker).getTargetTriple();
  MemoryBufferRef buffer(ref(bitcode), ref(name));
  // Debug information is loaded only as far as functions that are compiled refer to it.
  auto loaded = check(getLazyBitcodeModule(buffer, worker.context, /*ShouldLazyLoadMetadata=*/true));
  Triple triple(loaded->getTargetTriple());
  if (!is_for(triple, own))
    fail("the module is for " + triple.str() + ", this machine is " + own.str());
  auto module = std::make_unique<vk_module>();
  module->module = std::move(loaded);
  Module &m = *module->module;
  if (triple.str().empty()) m.setTargetTriple(own);
  if (m.getDataLayoutStr().empty()) m.setDataLayout(worker.machine->createDataLayout());
  auto add = [&](GlobalValue &value) {
    if (!value.hasName()) value.setName("__unnamed_" + Twine(module->values.size()));
    // The assembler keeps such names to itself.
    if (value.hasLocalLinkage() && value.getName().starts_with(".L"))
      value.setName("__local" + value.getName());
    module->values.push_back(&value);
  };
  declare_unsafe_stack(m);
  module->values.reserve(m.size() + m.global_size() + m.alias_size() + m.ifunc_size());
  for (Function &f : m) add(f);
  for (GlobalVariable &g : m.globals()) add(g);
  for (GlobalAlias &a : m.aliases()) add(a);
  for (GlobalIFunc &i : m.ifuncs()) add(i);
  auto &order = module->by_address;
  order.resize(module->values.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](uint32_t a, uint32_t b) { return module->values[a] < module->values[b]; });
  module->number = number;
  find_units(*module);
  worker.modules[number] = std::move(module);
  return *worker.modules[number];
}

// In debug builds: is the module still what LLVM allows?
static void verify([[maybe_unused]] const Module &module) {
#ifdef VMKIT_VERIFY
  std::string broken;
  raw_string_ostream out(broken);
  // Functions only: aliases may well stand for what is elsewhere.
  for (const Function &function : module)
    if (verifyFunction(function, &out)) fail("inlining broke it: " + StringRef(broken).rtrim());
#endif
}

static void optimize(vk_worker &worker, Extract &extract) {
  if (!worker.optimizer) worker.optimizer = std::make_unique<Optimizer>(*worker.machine, worker.options.level);
  Inliner inliner(extract, 0);
  worker.library->begin();
  if (worker.session) {
    worker.optimizer->clean_if_needed(*extract.module);
    inliner.run();
  }
  worker.optimizer->simplify(*extract.module);
  // Calls through pointers that turned out to be known.
  if (worker.session && inliner.run()) worker.optimizer->simplify(*extract.module);
}

// What a garbage collector needs, where functions name one.
static void place_statepoints(vk_worker &worker, Module &module) {
  if (!Statepoints::are_wanted(module)) return;
  if (!worker.statepoints) worker.statepoints = std::make_unique<Statepoints>(*worker.machine);
  worker.statepoints->run(module, worker.options.polls);
}

static void list(vk_worker &worker, Extract &extract, vk_object &object) {
  worker.inlined.clear();
  for (const auto &[value, body] : extract.inlined)
    worker.inlined.push_back(
        {extract.number({body.first, const_cast<GlobalValue *>(value)}), body.first->number, body.second});
  extract.list(worker.needed, worker.symbols);
  object.needed = worker.needed.data(), object.needed_count = worker.needed.size();
  object.inlined = worker.inlined.data(), object.inlined_count = worker.inlined.size();
}

// Are there more than `most` instructions?
static bool is_larger(const Module &module, size_t most) {
  size_t count = 0;
  for (const Function &function : module)
    for (const BasicBlock &block : function) count += block.size();
  return count > most;
}

static void generate(vk_worker &worker, Module &module, vk_object &object, Clock &clock) {
  declare_aliases(module);
  declare_unsafe_stack(module);
  bool is_quick = worker.options.level == 0;
  bool is_thorough = is_quick && is_larger(module, LargestQuick);
  bool is_simple = is_quick && !worker.options.native_cpu && is_plain(module);
  if (is_quick) prepare_quick_selection(module);
  if (is_thorough)
    for (Function &function : module) join_alike(function);
  object.object = bytes(worker.generator(is_thorough, is_simple).run(module));
  clock.lap(object.codegen_nanos);
  if (!worker.error.empty()) fail(worker.error);
}

extern "C" {

void vk_initialize(void) {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  InitializeNativeTargetAsmParser();
  install_fatal_error_handler(on_fatal_error);
}

void vk_contain_crashes(void) { contain_crashes(); }

vk_worker *vk_worker_new(const vk_options *options) { return new vk_worker(*options); }

void vk_worker_free(vk_worker *worker) { delete worker; }

vk_bytes vk_error(vk_worker *worker) { return bytes(worker->error); }

int vk_normalize(vk_worker *worker, vk_bytes input, vk_bytes name, vk_bytes *bitcode) {
  return guarded(worker, [&] {
    // The text parser wants a NUL behind its input.
    auto buffer = MemoryBuffer::getMemBufferCopy(ref(input), ref(name));
    SMDiagnostic diagnostic;
    // A context of its own: text is parsed whole and thrown away.
    LLVMContext context;
    auto module = parseIR(*buffer, diagnostic, context);
    if (!module) {
      std::string text;
      raw_string_ostream out(text);
      diagnostic.print("", out, /*ShowColors=*/false);
      fail(StringRef(text).rtrim());
    }
    std::string broken;
    raw_string_ostream out(broken);
    if (verifyModule(*module, &out)) fail("invalid IR: " + StringRef(broken).rtrim());
    TargetMachine &machine = machine_of(*worker);
    if (is_for(Triple(module->getTargetTriple()), machine.getTargetTriple())) split_coroutines(*module, machine);
    worker->buffer.clear();
    raw_string_ostream stream(worker->buffer);
    WriteBitcodeToFile(*module, stream);
    *bitcode = bytes(worker->buffer);
  });
}

vk_module *vk_loaded(vk_worker *worker, uint32_t number) {
  return number < worker->modules.size() ? worker->modules[number].get() : nullptr;
}

int vk_load(vk_worker *worker, uint32_t number, vk_bytes bitcode, vk_bytes name, vk_module **module) {
  return guarded(worker, [&] { *module = &load(*worker, number, bitcode, name); });
}

int vk_compile(vk_worker *worker, vk_module *module, uint32_t key, const vk_session *session, vk_object *object) {
  *object = {};
  return guarded(worker, [&] {
    Clock clock;
    worker->error.clear();
    worker->session = session;
    worker->finished.reset();
    auto extracted = extract(*worker, *module, key);
    clock.lap(object->materialize_nanos);
    if (worker->options.level > 0) optimize(*worker, *extracted);
    if (worker->options.keep_debug) add_debug_info(*extracted);
    verify(*extracted->module);
    list(*worker, *extracted, *object);
    if (worker->options.level > 0) worker->optimizer->finish(*extracted->module);
    place_statepoints(*worker, *extracted->module);
    clock.lap(object->optimize_nanos);
    generate(*worker, *extracted->module, *object, clock);
    worker->finished = std::move(extracted);
  });
}

int vk_tidy(vk_worker *worker) {
  return guarded(worker, [&] { worker->finished.reset(); });
}

int vk_compile_asm(vk_worker *worker, vk_module *module, vk_object *object) {
  *object = {};
  return guarded(worker, [&] {
    Clock clock;
    worker->error.clear();
    Module assembly(module->module->getModuleIdentifier(), worker->context);
    assembly.setDataLayout(module->module->getDataLayout());
    assembly.setTargetTriple(module->module->getTargetTriple());
    assembly.setModuleInlineAsm(module->module->getModuleInlineAsm());
    generate(*worker, assembly, *object, clock);
  });
}

int vk_body_hash(vk_worker *worker, vk_module *module, uint32_t key, uint64_t *hash) {
  return guarded(worker, [&] {
    auto *function = dyn_cast<Function>(module->values.at(key));
    if (!function || function->isDeclaration()) fail("not a function with a body");
    module->read(*function, worker->options);
    *hash = body_hash(*module, *function);
  });
}

int vk_signature(vk_worker *worker, vk_module *module, uint32_t key, vk_bytes *text) {
  return guarded(worker, [&] {
    worker->buffer.clear();
    raw_string_ostream out(worker->buffer);
    module->values.at(key)->getValueType()->print(out);
    *text = bytes(worker->buffer);
  });
}

uint32_t vk_find_private(vk_module *module, vk_bytes name) {
  GlobalValue *value = module->module->getNamedValue(ref(name));
  return value && value->hasLocalLinkage() ? module->key(value) : UINT32_MAX;
}

} // extern "C"
