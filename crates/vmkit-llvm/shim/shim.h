// The flat C interface between vmkit-llvm and LLVM, for what LLVM's own C API lacks.
//
// Plain data only; no exception leaves a function. A function that can fail returns nonzero and
// leaves a text in the worker (vk_error). Arrays and bytes that a worker hands out stay valid until
// the next call with the same worker. A worker and its modules belong to one thread at a time.
#ifndef VMKIT_SHIM_H
#define VMKIT_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vk_worker vk_worker;
typedef struct vk_module vk_module;

typedef struct {
  const char *data;
  size_t size;
} vk_bytes;

// How a worker compiles.
typedef struct {
  uint8_t level;       // 0 to 3
  uint8_t keep_debug;  // keep debug information
  uint8_t far_data;    // reach all data through slots
  uint8_t inlining;    // inline functions, from level 1 on
  uint8_t native_cpu;  // use all that this processor has
  uint8_t redefinition; // what code calls and reads may be redefined
  uint8_t polls;       // functions with a garbage collector poll whether to stop
} vk_options;

enum { VK_FUNCTION, VK_DATA, VK_THREAD_LOCAL, VK_ALIAS, VK_IFUNC };
enum { VK_STRONG, VK_WEAK, VK_COMMON, VK_PRIVATE, VK_UNDEFINED, VK_UNDEFINED_WEAK, VK_IGNORED };
enum { VK_WHOLE = 1, VK_CODE = 2 };

// One global value of a module. Its key is its index: functions first, then variables, aliases,
// ifuncs, each in the module's order.
typedef struct {
  vk_bytes name;
  vk_bytes section;    // empty unless its name is a C identifier, or that of a constructor array
  uint64_t size;
  uint64_t align;
  int64_t offset;      // of an alias, into its target
  uint32_t target;     // of an alias or ifunc: the key of the aliased object or the resolver
  uint32_t unit;       // the key under which it is compiled
  uint32_t comdat;     // index of its comdat group plus one
  uint8_t kind;
  uint8_t linkage;
  uint8_t visibility;  // 0 default, 1 hidden, 2 protected
  uint8_t flags;       // VK_WHOLE: linked as a whole; VK_CODE: an alias to code
} vk_symbol;

typedef struct {
  uint32_t function;   // key
  uint16_t priority;
} vk_structor;

// A name that assembly binds to a version of another (`.symver`).
typedef struct {
  vk_bytes name;
  vk_bytes version;
} vk_version;

typedef struct {
  size_t symbol_count;
  const vk_bytes *comdats;
  size_t comdat_count;
  const vk_structor *constructors;
  size_t constructor_count;
  const vk_structor *destructors;
  size_t destructor_count;
  const vk_version *versions;
  size_t version_count;
  uint8_t has_asm;
} vk_index;

// A global value that compiled code or data names.
typedef struct {
  vk_bytes name;       // in its module
  vk_bytes symbol;     // in the object
  uint32_t module;     // number of the module that means it
  uint32_t key;
  uint8_t kind;        // VK_FUNCTION, VK_DATA or VK_THREAD_LOCAL
  uint8_t is_private;
  uint8_t is_weak;     // may stay undefined
} vk_needed;

// A function whose body is part of the compiled code.
typedef struct {
  uint32_t needed;     // its number in what the object names
  uint32_t module;     // number of the module that the body is from
  uint64_t hash;       // as vk_body_hash gives it
} vk_inlined;

// The function or data that a name which every module can see stands for. Its module may have to be
// loaded.
typedef struct {
  uint32_t module;     // number
  uint32_t key;
  vk_bytes bitcode;    // outlives the worker
  vk_bytes name;       // of the module
} vk_definition;

// Who decides what names stand for that many modules can see.
typedef struct {
  const void *context;
  // Nonzero if `name` stands for what a module defines.
  int32_t (*find)(const void *context, vk_bytes name, vk_definition *definition);
  // Nonzero if `name` is another name of something else.
  int32_t (*is_alias)(const void *context, vk_bytes name);
} vk_session;

// A compiled object in ELF, and what it names. Times in nanoseconds.
typedef struct {
  vk_bytes object;
  const vk_needed *needed;
  size_t needed_count;
  const vk_inlined *inlined;
  size_t inlined_count;
  uint64_t load_nanos, materialize_nanos, optimize_nanos, codegen_nanos;
} vk_object;

// A pointer in data: `size` bytes at `offset`, symbol `needed` + addend, less the place if relative.
typedef struct {
  uint64_t offset;
  int64_t addend;
  uint32_t needed;
  uint8_t size;
  uint8_t is_relative;
} vk_pointer;

// `needed` number 0 is the variable itself.
typedef struct {
  vk_bytes bytes;      // empty if all zero
  uint64_t size;
  uint64_t align;
  uint8_t is_constant;
  const vk_pointer *pointers;
  size_t pointer_count;
  const vk_needed *needed;
  size_t needed_count;
} vk_data;

void vk_initialize(void);
// Process-wide: a crash inside the functions below makes them fail.
void vk_contain_crashes(void);
// The second to fourth word of what this processor has: `__cpu_features2` of the compilers' runtime.
void vk_processor_features(uint32_t words[3]);
// The names of functions that code may call though its module does not name them, each with a NUL behind
// it; there for ever.
vk_bytes vk_runtime_functions(void);
vk_worker *vk_worker_new(const vk_options *options);
void vk_worker_free(vk_worker *worker);
vk_bytes vk_error(vk_worker *worker);

// Turns bitcode or IR text into bitcode that can be loaded lazily, its coroutines split.
int vk_normalize(vk_worker *worker, vk_bytes input, vk_bytes name, vk_bytes *bitcode);
// The names that bitcode defines for other modules, its assembly included: each with a NUL behind it.
int vk_defined_names(vk_worker *worker, vk_bytes bitcode, vk_bytes name, vk_bytes *names);
// A module that is loaded; null if it is not.
vk_module *vk_loaded(vk_worker *worker, uint32_t number);
// Loads a module lazily, unless it is loaded. `bitcode` must outlive the worker.
int vk_load(vk_worker *worker, uint32_t number, vk_bytes bitcode, vk_bytes name, vk_module **module);
int vk_read_index(vk_worker *worker, vk_module *module, vk_index *index);
// One symbol of the index that was read last, which stays valid.
void vk_read_symbol(vk_worker *worker, vk_module *module, uint32_t key, vk_symbol *symbol);
int vk_compile(vk_worker *worker, vk_module *module, uint32_t key, const vk_session *session,
               vk_object *object);
// Drops what the last compile left behind, which the next one does otherwise.
int vk_tidy(vk_worker *worker);
int vk_compile_asm(vk_worker *worker, vk_module *module, vk_object *object);
int vk_lower_data(vk_worker *worker, vk_module *module, uint32_t key, vk_data *data);
// A hash of the function's body: equal for equal source, whichever module it is in, unless it uses
// what only its own module can.
int vk_body_hash(vk_worker *worker, vk_module *module, uint32_t key, uint64_t *hash);
// What lies at each of the module's values, by key: one VK_CONTENT byte each.
enum { VK_CONTENT_CODE, VK_CONTENT_CONSTANT, VK_CONTENT_DATA, VK_CONTENT_ZEROS, VK_UNLISTED };
int vk_read_contents(vk_worker *worker, vk_module *module, vk_bytes *contents);
// The type of the function `key`, as text.
int vk_signature(vk_worker *worker, vk_module *module, uint32_t key, vk_bytes *text);
// The key of the module's private definition of this name, or UINT32_MAX.
uint32_t vk_find_private(vk_module *module, vk_bytes name);

#ifdef __cplusplus
}
#endif
#endif
