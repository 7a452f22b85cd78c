/* minivm.h: what minivm offers beyond the standard WebAssembly C API (wasm.h).
 *
 * Everything that the command line, the WASI layer, the HTTP imports and the Dapr parts need from the
 * engine is declared here or in wasm.h; they include nothing of vm/.
 *
 * Conventions: `own` (from wasm.h) marks a pointer whose ownership passes. Strings are UTF-8; those given with
 * a length need no terminator. A function that can fail returns false (or NULL) and fills the mv_error_t it was
 * given, which may be NULL where the reason does not matter. One without an mv_error_t fails for want of memory alone,
 * unless its comment says more. A _delete function takes NULL. Nothing here keeps a pointer into guest memory.
 *
 * Threads: an engine and its modules may be used by several threads at once; a store and all that belongs to it by one at a
 * time. Only mv_store_interrupt may be called for a store that another thread uses.
 *
 * "core/..." in a comment is a chapter of the WebAssembly specification, https://webassembly.github.io/spec/core/.
 */
#ifndef MINIVM_H
#define MINIVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "wasm.h"

#define own /* as in wasm.h, which takes its own definition back */

#ifdef __cplusplus
extern "C" {
#endif

#define MINIVM_VERSION "0.1.0"

#if defined(__GNUC__) || defined(__clang__)
#define MV_MUST_USE __attribute__((warn_unused_result))
#define MV_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define MV_MUST_USE
#define MV_PRINTF(a, b)
#endif

/* ---- errors --------------------------------------------------------------------------------------- */

/* The kinds of failure. The first nine are those that the official test suite tells apart. */
typedef enum mv_kind {
  MV_OK = 0,
  MV_MALFORMED,   /* the decoder or the text parser refused the input */
  MV_INVALID,     /* the validator refused the module */
  MV_UNLINKABLE,  /* an import is missing or has another type */
  MV_TRAP,        /* execution trapped */
  MV_EXHAUSTION,  /* call stack exhausted */
  MV_EXCEPTION,   /* an exception left the outermost function uncaught */
  MV_OUT_OF_FUEL, /* the fuel given by mv_store_set_fuel is used up */
  MV_INTERRUPTED, /* mv_store_interrupt or the deadline ended execution */
  MV_NO_MEMORY,   /* the host ran out of memory */
  MV_LIMIT,       /* an implementation or configured limit was passed */
  MV_EXIT,        /* not an error: a host function asked to end the program (exit code in `code`) */
  MV_USAGE        /* the caller broke a rule of this API (wrong argument types, foreign store ...) */
} mv_kind_t;

/* `kind` as the word printed in "minivm: KIND: ...", e.g. "malformed module". Never NULL. */
const char *mv_kind_name(mv_kind_t kind);

#define MV_ERROR_TEXT 512
#define MV_NO_OFFSET UINT64_MAX

/* Why a call failed. The first report wins: give one whose kind is MV_OK ({0}); load and call functions set it anew themselves. `message` is a line that begins
 * with the official suite's wording for the failure, then says what and where; what it quotes of a module is as mv_visible has it. Plain data: copy it
 * freely, there is nothing to release. */
typedef struct mv_error {
  mv_kind_t kind;
  int code;             /* exit code, for MV_EXIT */
  uint64_t offset;      /* byte offset in the binary, or MV_NO_OFFSET */
  uint32_t line, column; /* position in a text module, from 1; 0: none */
  char message[MV_ERROR_TEXT];
} mv_error_t;

/* ---- text that others chose ---------------------------------------------------------------------------- */

/* Names, paths and messages can hold what a terminal obeys: control characters, marks that turn the direction of text. Puts `text` into `buf`, each byte
 * of such a character, or of what is no UTF-8, as \hh; cut between characters to fit into `cap` > 0 bytes with its terminator. Returns how much of
 * `text` that is, at least a character where `cap` is 5 or more. */
size_t mv_visible(const char *text, size_t size, char *buf, size_t cap);
/* Prints it so, in full. */
void mv_print_visible(const char *text, size_t size, FILE *out);

/* ---- features --------------------------------------------------------------------------------------- */

/* Proposals as run-time feature bits, a table in docs/PROPOSALS.md. */
#define MV_FEATURES(X) \
  X(MUTABLE_GLOBAL, "mutable-global", 1) X(SIGN_EXT, "sign-extension", 1) X(SAT_FLOAT, "saturating-float-to-int", 1) \
  X(MULTI_VALUE, "multi-value", 1) X(BULK, "bulk-memory", 1) X(REF_TYPES, "reference-types", 1) X(SIMD, "simd", 1) \
  X(RELAXED_SIMD, "relaxed-simd", 1) X(TAIL_CALL, "tail-call", 1) X(EXTENDED_CONST, "extended-const", 1) \
  X(MULTI_MEMORY, "multi-memory", 1) X(MEMORY64, "memory64", 1) X(FUNC_REFS, "function-references", 1) X(GC, "gc", 1) \
  X(EXCEPTIONS, "exceptions", 1) X(THREADS, "threads", 0) X(PAGE_SIZES, "custom-page-sizes", 0) \
  X(DESCRIPTORS, "custom-descriptors", 0) X(WIDE_ARITH, "wide-arithmetic", 0) X(COMPACT_IMPORTS, "compact-imports", 0) \
  X(LEGACY_EXCEPTIONS, "legacy-exceptions", 0) X(ANNOTATIONS, "annotations", 1) X(MULTI_TABLE, "multi-table", 1)

enum {
#define X(id, name, on) MV_FEATURE_BIT_##id,
  MV_FEATURES(X)
#undef X
  MV_FEATURE_COUNT
};

typedef uint32_t mv_features_t; /* bit set: 1u << MV_FEATURE_BIT_... */
#define MV_FEATURE(id) (1u << MV_FEATURE_BIT_##id)
#define MV_FEATURES_NONE (1u << 31) /* the empty set, where 0 would mean the default */

/* The final Wasm 3.0 set, the default of a new configuration. */
mv_features_t mv_features_default(void);
/* All that exist. */
mv_features_t mv_features_all(void);
/* Changes `set` by a list such as "threads,-gc", from left to right; the words all, none and default replace it. false: *bad (which may be NULL) points at
 * the unknown word in `list`, and the set is as before. */
MV_MUST_USE bool mv_features_parse(const char *list, mv_features_t *set, const char **bad);
/* The name of a feature by its bit's number (MV_FEATURE_BIT_...), or NULL past the last. */
const char *mv_feature_name(unsigned bit);

/* ---- configuration ----------------------------------------------------------------------------------- */

/* Limits and switches of an engine; all have defaults, 0 means the default. Set on a wasm_config_t before
 * wasm_engine_new_with_config. */
typedef struct mv_options {
  mv_features_t features;      /* default mv_features_default() */
  uint64_t max_memory;         /* bytes of one linear memory; default: what the type allows */
  uint64_t max_table;          /* elements of one table; default 10,000,000 */
  uint64_t max_instances;      /* instances of one store; default unlimited */
  uint64_t max_heap;           /* bytes of the garbage-collected heap; default 1 GiB */
  uint32_t max_depth;          /* call frames; default: bounded by max_stack alone */
  size_t max_stack;            /* bytes of the guest's value stack; default 8 MiB */
  bool fuel;                   /* count executed instructions, see mv_store_set_fuel */
  bool interruptible;          /* mv_store_interrupt may be used */
  bool trace;                  /* trace instructions, see mv_store_set_trace */
  bool no_fusion;              /* translate without superinstructions (for testing) */
  bool gc_stress;              /* collect at every allocation (for testing) */
  bool eager;                  /* translate all functions at load instead of at their first call */
  bool profile;                /* count executions, see mv_profile_write */
} mv_options_t;

/* Copies options into a configuration, and out of it as they were set (all 0 at first). */
void mv_config_set(wasm_config_t *config, const mv_options_t *options);
void mv_config_get(const wasm_config_t *config, mv_options_t *options);
/* The options an engine was made with, with the defaults filled in. Lives as long as the engine. */
const mv_options_t *mv_engine_options(const wasm_engine_t *engine);

/* ---- modules ----------------------------------------------------------------------------------------- */

/* Decodes and validates `size` bytes of the binary format (core/binary, core/valid). If `adopt` is true the bytes must stay valid and unchanged until the module is
 * deleted (a mapped file); otherwise they are copied. NULL with *err filled when the module is refused: MV_MALFORMED,
 * MV_INVALID, MV_LIMIT or MV_NO_MEMORY. To be deleted by wasm_module_delete; it keeps the engine. */
MV_MUST_USE own wasm_module_t *mv_module_load(wasm_engine_t *, const void *bytes, size_t size, bool adopt, mv_error_t *err);

/* Writes a module to `out` in the form in which mv_module_deserialize loads it within milliseconds, whatever its size: validated, all functions
 * translated for the options of its engine, the initial contents of its memory laid out in pages. Such a precompiled module is good for this very
 * build of minivm on this kind of CPU; it holds the module's own bytes too. */
MV_MUST_USE bool mv_module_serialize(const wasm_module_t *, FILE *out, mv_error_t *err);
/* Loads what mv_module_serialize wrote. It is TRUSTED as native code is: what another version, build or CPU made, or what was cut off, is refused with
 * MV_MALFORMED, but bytes that somebody made up can do anything. They are not copied: they must be aligned to 8, and stay valid and unchanged until
 * the module is deleted. `fd` is the file that they are mapped from, of which instances map the initial memory copy-on-write (a duplicate is kept), or
 * -1. With engine options other than those it was made for, functions are translated anew at their first call. */
MV_MUST_USE own wasm_module_t *mv_module_deserialize(wasm_engine_t *, const void *bytes, size_t size, int fd, mv_error_t *err);
/* Do they begin as a precompiled module does? mv_module_load refuses one. */
bool mv_bytes_precompiled(const void *bytes, size_t size);
/* The module that it was made from, in place, to be loaded and validated as any other. false: it is none, or truncated. */
bool mv_precompiled_source(const void *bytes, size_t size, const uint8_t **module, size_t *module_size);

/* As mv_module_load, but keeps nothing. */
MV_MUST_USE bool mv_module_check(wasm_engine_t *, const void *bytes, size_t size, mv_error_t *err);

/* What `bytes` look like, to name it in an error: "WebAssembly component", "text module", "WASI preview 2 module", "gzip file" ...; NULL for a core
 * module and for what is not known. A constant. */
const char *mv_bytes_kind(const void *bytes, size_t size);

/* Text to binary (core/text). The result is in *out, to be released by mv_free. It is not validated. Line and column of an error are set. */
MV_MUST_USE bool mv_wat2wasm(const char *text, size_t size, mv_features_t, own uint8_t **out, size_t *out_size, mv_error_t *err);
/* Binary to text, so that mv_wat2wasm gives the same binary where its encodings are the shortest; the module need not be valid. flags: 0 or MV_WAT_FLAT, which
 * prints one instruction a line instead of nested expressions. *out, to be released by mv_free, ends with a zero that *out_size does not count. */
enum { MV_WAT_FLAT = 1 };
MV_MUST_USE bool mv_wasm2wat(const uint8_t *bytes, size_t size, unsigned flags, own char **out, size_t *out_size, mv_error_t *err);
/* Releases what these functions made. */
void mv_free(own void *);

/* Name of function `index` by the name section or an export, cut to fit into `cap` bytes with its terminator; "func[7]" when unnamed. */
void mv_module_func_name(const wasm_module_t *, uint32_t index, char *buf, size_t cap);
/* Prints Wasm and register code of function `index` (UINT32_MAX: all) side by side. MV_USAGE: the module defines no such function. */
MV_MUST_USE bool mv_module_disasm(const wasm_module_t *, uint32_t index, FILE *out, mv_error_t *err);
/* Prints sections, imports, exports and sizes, as text or JSON. */
MV_MUST_USE bool mv_module_inspect(const wasm_module_t *, bool json, FILE *out, mv_error_t *err);
/* The bytes the module was loaded from; they live as long as it does. */
void mv_module_bytes(const wasm_module_t *, const uint8_t **bytes, size_t *size);

/* ---- values and traps of wasm.h ------------------------------------------------------------------------ */

/* The wasm_valkind_t of what wasm.h has no name for: vectors, which a wasm_val_t cannot hold, and references of the other two hierarchies. */
enum { MV_V128 = 4, MV_ANYREF = 130, MV_EXNREF = 131 };

/* What a trap of wasm.h (wasm_func_call, wasm_instance_new) stands for: kind, exit code and message (cut to the size of the field). */
void mv_trap_error(const wasm_trap_t *, mv_error_t *out);

/* ---- host functions ---------------------------------------------------------------------------------- */

/* The call that a host function serves; valid during that call only. */
typedef struct mv_caller mv_caller_t;

/* A host function. `cells` holds the arguments on entry and takes the results: one 64-bit cell per value, two for a v128 (low
 * half first). i32 and f32 lie in the low 32 bits (the upper ones are zero); floats as their bits; references as mv_ref_t cells.
 * Returns true, or false after mv_throw_trap / mv_throw_exit. */
typedef bool (*mv_host_fn)(mv_caller_t *caller, void *env, uint64_t *cells);

/* Ends execution with a trap of this message / with the program's exit code. All three return false, to be returned by the host function. */
bool mv_throw_trap(mv_caller_t *, const char *format, ...) MV_PRINTF(2, 3);
bool mv_throw_exit(mv_caller_t *, int code);
/* As above with any kind: MV_INTERRUPTED, MV_EXHAUSTION, MV_NO_MEMORY ... */
bool mv_throw(mv_caller_t *, mv_kind_t kind, const char *format, ...) MV_PRINTF(3, 4);

/* The memory that the calling instance exports as `memory` (else its memory 0). false: it has none.
 * The pointer is invalid after any call that may run guest code or grow a memory. */
MV_MUST_USE bool mv_caller_memory(mv_caller_t *, uint8_t **base, uint64_t *size);
/* The store that the call happens in. */
wasm_store_t *mv_caller_store(mv_caller_t *);
/* An export of the calling instance, or NULL. To be deleted by the caller. Works already during the start function. */
own wasm_extern_t *mv_caller_export(mv_caller_t *, const char *name);
/* true when mv_store_interrupt was called or the deadline has passed: a blocking host function then returns mv_throw(MV_INTERRUPTED). */
bool mv_caller_interrupted(mv_caller_t *);

/* ---- linking ----------------------------------------------------------------------------------------- */

/* Names that imports are resolved from. Belongs to one store and must be deleted before it. */
typedef struct mv_linker mv_linker_t;
MV_MUST_USE own mv_linker_t *mv_linker_new(wasm_store_t *);
void mv_linker_delete(own mv_linker_t *);

/* Defines a host function; `sig` is its type: parameters, ':', results, in letters i (i32) I (i64) f (f32) F (f64) v (v128) r (externref)
 * c (funcref) a (anyref) x (exnref), e.g. "iiI:i"; 64 at most. A later definition of a name replaces an earlier one. `env` is passed to fn, and must live as long
 * as the store. Also false when the signature cannot be read. */
MV_MUST_USE bool mv_linker_func(mv_linker_t *, const char *module, const char *name, const char *sig, mv_host_fn fn, void *env);
/* Defines any extern under a name; the linker takes its own reference. */
MV_MUST_USE bool mv_linker_extern(mv_linker_t *, const char *module, const char *name, const wasm_extern_t *);
/* Defines all exports of an instance under a module name. */
MV_MUST_USE bool mv_linker_instance(mv_linker_t *, const char *module, const wasm_instance_t *);
/* Instantiates and runs the start function (core/exec/modules#instantiation). All missing or mismatching imports are reported at once through `report` (may be NULL),
 * one line each; *err has the first. MV_UNLINKABLE: nothing has run; MV_LIMIT, MV_NO_MEMORY: no room for it; any other kind: a segment or
 * the start function trapped, and what had been written to imported memories and tables by then stays. */
MV_MUST_USE own wasm_instance_t *mv_linker_instantiate(mv_linker_t *, const wasm_module_t *, void (*report)(void *, const char *line), void *report_env, mv_error_t *err);

/* ---- running ----------------------------------------------------------------------------------------- */

/* An export by name, or NULL. To be deleted by the caller. */
own wasm_extern_t *mv_instance_export(const wasm_instance_t *, const char *name);

/* Calls a function with cells as in mv_host_fn: arguments in, results out; `cells` has room for the larger of both. *err: MV_TRAP, MV_EXHAUSTION, MV_EXCEPTION,
 * MV_OUT_OF_FUEL, MV_INTERRUPTED, MV_LIMIT, MV_NO_MEMORY, or what a host function threw, such as MV_EXIT. The store can be used again afterwards. */
MV_MUST_USE bool mv_func_call(const wasm_func_t *, uint64_t *cells, mv_error_t *err);
/* Number of cells for the parameters and for the results. */
void mv_func_cells(const wasm_func_t *, size_t *params, size_t *results);

/* Calls with textual arguments, typed by the signature; prints one result per line to `out` as wasmtime does. MV_USAGE when their
 * number or one of them does not fit; else as mv_func_call. */
MV_MUST_USE bool mv_func_invoke(const wasm_func_t *, int argc, char **argv, FILE *out, mv_error_t *err);

/* The backtrace of the last failed call of this store, innermost first, one frame a line: "  #0 0x1234 name func[7]" with
 * the offset in the module. An empty string when there is none. Valid until the next call. */
const char *mv_store_backtrace(wasm_store_t *);

/* Fuel: one unit for each executed Wasm instruction, the same count in every build and on every CPU. Needs mv_options_t.fuel;
 * the store begins with none. A call that runs out of it fails with MV_OUT_OF_FUEL, and nothing is left. The second function tells what is left. */
void mv_store_set_fuel(wasm_store_t *, uint64_t fuel);
uint64_t mv_store_fuel(const wasm_store_t *);

/* Ends guest execution of the store soon, with MV_INTERRUPTED, from any thread or a signal handler; blocking calls of WASI end when a signal
 * ends their system call. Needs mv_options_t.interruptible. Sticky until cleared by mv_store_clear_interrupt. */
void mv_store_interrupt(wasm_store_t *);
void mv_store_clear_interrupt(wasm_store_t *);
bool mv_store_interrupted(const wasm_store_t *);

/* Traces instructions to `out`, each before it is executed: a line with its offset and name. NULL: no longer. Needs mv_options_t.trace. */
void mv_store_set_trace(wasm_store_t *, FILE *out);

/* What a store has done and holds. */
typedef struct mv_stats {
  uint64_t instructions;  /* executed Wasm instructions, when fuel is on */
  uint64_t calls_host;    /* calls of host functions */
  uint64_t functions_translated; /* of the modules in use, in whichever store */
  uint64_t code_bytes;    /* register code of those */
  uint64_t memory_bytes;  /* linear memories, current */
  uint64_t collections;   /* of the garbage collector; the rest is 0 as long as nothing was allocated */
  uint64_t heap_bytes;    /* live, as far as is known between collections */
  uint64_t heap_peak;     /* the most of that */
  uint64_t allocated_bytes; /* since the beginning */
  uint64_t gc_pause_max_ns, gc_pause_total_ns; /* the longest collection, and all of them */
} mv_stats_t;
void mv_store_stats(const wasm_store_t *, mv_stats_t *);

/* With mv_options_t.profile, which makes runs slower by about a half: writes executed instructions by function and by innermost loop, as a table, or, with `folded`,
 * by call stack: a line "outer;inner 123" for each, as flame graphs are made from. Functions and loops are exact, stacks are sampled every 509 instructions and
 * count for those since the last sample. Not during a call. */
MV_MUST_USE bool mv_profile_write(wasm_store_t *, FILE *out, bool folded, mv_error_t *err);

/* ---- WASI preview 1 (wasi/) -------------------------------------------------------------------------- */

/* What one program is given: arguments, variables, folders and streams, and nothing else. Make it, fill it, add it to a linker; delete it after the store. */
typedef struct mv_wasi mv_wasi_t;
MV_MUST_USE own mv_wasi_t *mv_wasi_new(void);
void mv_wasi_delete(own mv_wasi_t *);
/* Adds an argument (the first is argument 0), a variable, or a folder of the host under a name for the guest. Strings are copied. Each returns false when
 * memory is short; mv_wasi_dir also when the folder cannot be opened (errno says why). */
MV_MUST_USE bool mv_wasi_arg(mv_wasi_t *, const char *arg);
MV_MUST_USE bool mv_wasi_env(mv_wasi_t *, const char *name, const char *value);
MV_MUST_USE bool mv_wasi_dir(mv_wasi_t *, const char *host_path, const char *guest_path, bool read_only);
/* Gives the guest an open host descriptor (a listening socket) as its next descriptor. Not closed by mv_wasi_delete. */
MV_MUST_USE bool mv_wasi_listen_fd(mv_wasi_t *, int fd);
/* Replaces standard input, output or error (0, 1, 2) by a host descriptor; -1 closes it. Default: inherited. */
void mv_wasi_stdio(mv_wasi_t *, int which, int host_fd);
/* Limits the bytes written to standard output and error together; 0: no limit, the default. Beyond it the guest ends with MV_LIMIT. */
void mv_wasi_max_output(mv_wasi_t *, uint64_t bytes);
/* Traces each WASI call with its decoded arguments and result to `out`, a line each, as strace does. NULL: no longer. */
void mv_wasi_trace(mv_wasi_t *, FILE *out);
/* Defines all functions of wasi_snapshot_preview1 and wasi_unstable in a linker. They work on what was added to the mv_wasi_t, also afterwards. */
MV_MUST_USE bool mv_wasi_define(mv_wasi_t *, mv_linker_t *);

/* ---- text modules in detail ---------------------------------------------------------------------------- */

/* More flags for the text functions, beside MV_WAT_FLAT: leave identifiers out of the binary (no name section). */
enum { MV_WAT_NO_NAMES = 2 };

/* From offsets of a binary to positions in the text it was made from. */
typedef struct mv_wat_map mv_wat_map_t;
/* mv_wat2wasm with flags (0 or MV_WAT_NO_NAMES), and the map (unless `map` is NULL), to be released by mv_wat_map_delete. */
MV_MUST_USE bool mv_wat_parse(const char *text, size_t size, mv_features_t, unsigned flags, own uint8_t **out, size_t *out_size,
                              own mv_wat_map_t **map, mv_error_t *err);
/* Line and column, from 1, of the instruction or field that byte `offset` belongs to. false: it belongs to none. */
bool mv_wat_map_find(const mv_wat_map_t *, uint64_t offset, uint32_t *line, uint32_t *column);
void mv_wat_map_delete(own mv_wat_map_t *);
/* Writes line `line` of a text and a caret below `column`. */
void mv_wat_caret(const char *text, size_t size, uint32_t line, uint32_t column, FILE *out);
/* Checks the custom sections that have a meaning (name, metadata.code.branch_hint) of a valid binary, which loading ignores:
 * MV_MALFORMED or MV_INVALID, "@metadata.code.branch_hint annotation: ...". */
MV_MUST_USE bool mv_custom_check(const uint8_t *bytes, size_t size, mv_features_t, mv_error_t *err);

/* ---- scripts (.wast) ----------------------------------------------------------------------------------- */

/* Bytes of a script; they may contain zeros. An absent name has NULL bytes. */
typedef struct mv_wast_string {
  const char *bytes;
  size_t size;
} mv_wast_string_t;

typedef enum mv_wast_form { MV_WAST_NO_MODULE, MV_WAST_TEXT, MV_WAST_BINARY, MV_WAST_QUOTE } mv_wast_form_t;

typedef struct mv_wast_module {
  mv_wast_form_t form;
  const uint8_t *bytes; /* the binary; of MV_WAST_QUOTE the text */
  size_t size;
  const mv_error_t *error; /* of MV_WAST_TEXT: why it could not be parsed; then there are no bytes */
} mv_wast_module_t;

typedef enum mv_wast_type {
  MV_WAST_I32, MV_WAST_I64, MV_WAST_F32, MV_WAST_F64, MV_WAST_V128,
  MV_WAST_NULL,   /* a null reference of the hierarchy `heap` (of any for MV_WAST_ANY_HEAP) */
  MV_WAST_REF,    /* as expected result: a reference, not null, of heap type `heap` */
  MV_WAST_EXTERN, /* the host's reference number bits[0], as an externref */
  MV_WAST_HOST,   /* the same as an anyref */
  MV_WAST_EITHER  /* as expected result: one of `either` */
} mv_wast_type_t;

typedef enum mv_wast_heap {
  MV_WAST_ANY_HEAP, MV_WAST_ANY, MV_WAST_EQ, MV_WAST_I31, MV_WAST_STRUCT, MV_WAST_ARRAY, MV_WAST_NONE, MV_WAST_FUNC, MV_WAST_NOFUNC,
  MV_WAST_EXTERN_HEAP, MV_WAST_NOEXTERN, MV_WAST_EXN, MV_WAST_NOEXN
} mv_wast_heap_t;

enum { MV_WAST_EXACT, MV_WAST_NAN_CANONICAL, MV_WAST_NAN_ARITHMETIC };

/* An argument or an expected result. */
typedef struct mv_wast_value {
  mv_wast_type_t type;
  mv_wast_heap_t heap;
  uint8_t lane_bits;  /* of a v128: 8, 16, 32 or 64 */
  bool lane_float;
  uint8_t nan[4];     /* how f32, f64 or each float lane compares */
  uint64_t bits[2];   /* of a v128: low half first */
  const struct mv_wast_value *either;
  size_t neither;
} mv_wast_value_t;

typedef enum mv_wast_action_kind { MV_WAST_NO_ACTION, MV_WAST_INVOKE, MV_WAST_GET } mv_wast_action_kind_t;

typedef struct mv_wast_action {
  mv_wast_action_kind_t kind;
  mv_wast_string_t instance; /* absent: the last one */
  mv_wast_string_t name;     /* of the export */
  const mv_wast_value_t *args;
  size_t nargs;
} mv_wast_action_t;

typedef enum mv_wast_kind {
  MV_WAST_MODULE,     /* define `module` under `id`, and instantiate it */
  MV_WAST_DEFINITION, /* define `module` under `id` */
  MV_WAST_INSTANCE,   /* instantiate the definition `of` (absent: the last one) under `id` */
  MV_WAST_REGISTER,   /* let the exports of instance `of` be imported from `name` */
  MV_WAST_ACTION,
  MV_WAST_ASSERT_RETURN, MV_WAST_ASSERT_TRAP, MV_WAST_ASSERT_EXHAUSTION, MV_WAST_ASSERT_EXCEPTION, /* of `action`, or of instantiating `module` or `of` */
  MV_WAST_ASSERT_MALFORMED, MV_WAST_ASSERT_INVALID, MV_WAST_ASSERT_UNLINKABLE, MV_WAST_ASSERT_MALFORMED_CUSTOM, MV_WAST_ASSERT_INVALID_CUSTOM,
  MV_WAST_THREAD,     /* start thread `id`, which runs `commands` and shares the memories of the instances `shared` */
  MV_WAST_WAIT,       /* for thread `id` */
  MV_WAST_UNKNOWN     /* not understood: `error` says why */
} mv_wast_kind_t;

typedef struct mv_wast_command {
  mv_wast_kind_t kind;
  uint32_t line, column;
  mv_wast_string_t id, of, name; /* identifiers without `$` */
  mv_wast_module_t module;
  mv_wast_action_t action;
  const mv_wast_value_t *expected;
  size_t nexpected;
  mv_wast_string_t message; /* what an assertion's error must begin with */
  const mv_wast_string_t *shared;
  size_t nshared;
  const struct mv_wast_command *commands;
  size_t ncommands;
  const mv_error_t *error;
} mv_wast_command_t;

/* A parsed script. Owns all that its commands point to, except for the text, which must stay as long. */
typedef struct mv_wast {
  const mv_wast_command_t *commands;
  size_t ncommands;
  void *memory;
} mv_wast_t;

/* Fails when the text is no script at all (it does not lex, or memory is short); a command that is not understood is MV_WAST_UNKNOWN. flags: 0 or
 * MV_WAT_NO_NAMES, for its text modules. */
MV_MUST_USE bool mv_wast_parse(const char *text, size_t size, mv_features_t, unsigned flags, own mv_wast_t *out, mv_error_t *err);
/* Releases what mv_wast_parse made. */
void mv_wast_free(own mv_wast_t *);
/* A command's word in the script: "assert_return" ... Never NULL. */
const char *mv_wast_kind_name(mv_wast_kind_t);

/* ---- for test runners and tools -------------------------------------------------------------------------- */

/* As mv_instance_export, for a name of any bytes, zeros included. */
own wasm_extern_t *mv_instance_find(const wasm_instance_t *, const char *name, size_t size);
/* Writes the type of a function as for mv_linker_func ("iI:f"), with these letters for references by hierarchy: c (func), r (extern), a (any), x (exn), cut
 * to fit into `cap` bytes with its terminator; returns the length that all takes. */
size_t mv_func_sig(const wasm_func_t *, char *buf, size_t cap);
/* The value of a global as one or two cells; returns the letter of its type as in mv_func_sig. */
char mv_global_cells(const wasm_global_t *, uint64_t cells[2]);
/* A memory as an extern of another store of the same engine. NULL when it is not shared, or memory is short. */
own wasm_extern_t *mv_memory_share(const wasm_memory_t *, wasm_store_t *to);

typedef enum mv_ref_kind { MV_REF_NULL, MV_REF_FUNC, MV_REF_I31, MV_REF_STRUCT, MV_REF_ARRAY, MV_REF_EXN, MV_REF_HOST } mv_ref_kind_t;
/* What a reference cell of the hierarchy `letter` (c r a x) refers to; for MV_REF_HOST *number is what mv_ref_host was given (0 for other host values). */
mv_ref_kind_t mv_ref_classify(wasm_store_t *, char letter, uint64_t cell, uint64_t *number);
/* The host's reference of this number, as a cell for an externref or anyref. The same number gives the same reference, alive as long as the store. */
MV_MUST_USE bool mv_ref_host(wasm_store_t *, uint64_t number, uint64_t *cell, mv_error_t *err);

#ifdef __cplusplus
}
#endif
#endif
