/* The run-time structures (core/exec/runtime): store, instances, and what they point to. All state of execution hangs on a store; a
 * store is used by one thread at a time. Only memories may be shared between stores. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <stdatomic.h>

#include "types/module.h"

/* A 64-bit cell of a frame, table or global. i32 and f32 occupy the low 32 bits, the upper ones are zero. v128 takes two
 * cells, low half first. */
typedef uint64_t cell;

/* A reference in a cell: 0 is null; bit 0 set is an i31 (value << 1 | 1, upper 32 bits zero); otherwise the address of a struct object (any, extern, exn
 * hierarchies) or of a struct func (func hierarchy). extern.convert_any and its inverse change nothing. */
#define REF_NULL ((cell)0)
static inline cell ref_i31(uint32_t x) { return (cell)(uint32_t)(x << 1 | 1u); }
static inline bool ref_is_i31(cell r) { return (r & 1) != 0; }

struct store;
struct instance;
struct gc_heap;

enum funckind { FUNC_WASM, FUNC_HOST };

/* A function instance. Lives as long as its store. */
struct func {
  uint32_t type;  /* canonical id */
  uint8_t kind;   /* enum funckind */
  uint32_t index; /* FUNC_WASM: in its module's index space */
  struct instance *instance;   /* FUNC_WASM */
  struct code *code;           /* FUNC_WASM: shared by all instances of the module */
  mv_host_fn host;             /* FUNC_HOST */
  void *env;
  void (*env_free)(void *);
};

struct mem_inst {
  uint8_t *base;
  uint64_t size;      /* bytes */
  uint64_t max_pages; /* effective maximum in pages: the type's, the configured limit and what the host can address */
  struct memtype type;
  uint64_t reserved;  /* bytes of address space behind base; growth within needs no move */
  _Atomic uint32_t refs; /* its store, the instances that import it, handles: shared memories cross stores */
  struct store *store; /* NULL when shared */
  struct mem_inst *next; /* in the list of the store that made it */
  struct waiters *waiters; /* of a shared memory: its lock and wait queue (run/wait.c) */
};

struct table_inst {
  cell *elems;
  uint64_t size, cap, max;
  struct tabletype type;
  struct table_inst *next;
};

struct global_inst {
  struct globaltype type;
  cell *cell; /* one or two cells; those of an instance's own globals lie inside the instance */
  cell value[2];
  struct global_inst *next;
};

/* A tag's identity is its address. */
struct tag_inst {
  uint32_t type; /* canonical id of its function type */
  struct tag_inst *next;
};

struct extern_ref {
  uint8_t kind; /* enum externkind */
  union {
    struct func *func;
    struct table_inst *table;
    struct mem_inst *memory;
    struct global_inst *global;
    struct tag_inst *tag;
  } u;
};

/* A module instance. The interpreter reads the first fields on every call and memory access; `cells` holds the values of the module's own
 * globals in order (v128 take two), so that an access is one load. */
struct instance {
  struct mem_inst *mem0; /* memories[0] or a static empty memory; never NULL */
  struct store *store;
  struct exec *exec;     /* store->exec */
  cell *stack_limit;     /* exec's, beside what else a call reads */
  struct module *module;
  struct func **funcs;   /* [nfuncs]; NULL until somebody asks: use instance_func */
  struct table_inst **tables;
  struct mem_inst **memories;
  struct global_inst **globals;
  struct tag_inst **tags;
  uint8_t *elem_dropped, *data_flips; /* bit sets; see data_drop */
  cell **elem_values; /* evaluated items of passive element segments, NULL until used/dropped */
  struct global_inst *own_globals; /* the module's own, in order; globals[] points to them */
  struct tag_inst *own_tags;
  struct instance *next; /* in the store's list */
  void *api;
  cell cells[];
};

/* A frame of a failed execution: where function `func` of the instance was. */
struct trace_frame {
  struct instance *instance;
  uint32_t func;
  uint64_t offset; /* in the module's bytes */
};

/* Cells outside of any guest frame that the collector must see while somebody computes with them: a stack of ranges. */
struct gc_temp {
  const cell *cells;
  size_t count;
  struct gc_temp *prev;
};

struct exec; /* the interpreter's own state of a store: stack, fuel, interrupt flag; exec/exec.h */

struct store {
  struct types *types;
  const mv_options_t *options;
  struct exec *exec;
  cell *stack_limit; /* set with exec */
  struct gc_heap *heap;
  struct instance *instances;
  struct mem_inst *memories;
  struct table_inst *tables;
  struct global_inst *globals;
  struct tag_inst *tags;
  struct func_chunk *funcs; /* chunks of struct func */
  struct gc_temp *temps;
  uint64_t ninstances;
  mv_error_t error;   /* of the last failed execution */
  cell exception;     /* the uncaught exception of the last call, a root */
  struct trace_frame *trace; /* of the last failed execution, innermost first */
  size_t ntrace, trace_cap;
  uint64_t trace_lost; /* frames beyond those */
  char *backtrace;     /* the trace as text, made by the API on demand; malloc'ed */
  mv_stats_t stats;
  void *api;
};

MV_MUST_USE bool store_new(struct types *, const mv_options_t *, struct store **out, mv_error_t *err);
void store_delete(struct store *);

/* Forgets the trace; appends a frame to it, innermost first (the interpreter does while it unwinds). Deep traces keep the innermost frames. */
void store_trace_clear(struct store *);
void store_trace_add(struct store *, struct instance *, uint32_t func, uint64_t offset);

/* What was made since store_save can be taken back as long as nobody else has seen it. */
struct store_mark {
  struct instance *instances;
  struct mem_inst *memories;
  struct table_inst *tables;
  struct func_chunk *funcs;
  size_t nfuncs; /* of the newest chunk */
};
struct store_mark store_save(const struct store *);
void store_restore(struct store *, struct store_mark);

/* Function index -> struct func, made at first use. NULL: out of memory. */
struct func *instance_func(struct instance *, uint32_t index);

/* Instantiation (core/exec/modules#instantiation): imports in the module's order, already of the right number; checks their types
 * (MV_UNLINKABLE, "unknown import"/"incompatible import type"), allocates, evaluates, copies segments; does not run the start function. On a trap *out is the
 * instance all the same (its functions may already sit in imported tables), err says why. */
MV_MUST_USE bool instance_new(struct store *, struct module *, const struct extern_ref *imports, struct instance **out, mv_error_t *err);
/* Export by name; false: no such export. */
bool instance_export(struct instance *, const char *name, size_t size, struct extern_ref *out);

/* What an index of an instance's index space names; false: out of memory. */
MV_MUST_USE bool instance_extern(struct instance *, uint8_t kind, uint32_t index, struct extern_ref *out);

/* Writes a type as text ("(func (param i32))", "(global (mut i64))", "(memory 1 2)"), always terminated; both return buf. */
char *extern_print(const struct store *, const struct extern_ref *, char *buf, size_t cap);
char *import_print(const struct module *, const struct import *, char *buf, size_t cap);
char *module_extern_print(const struct module *, uint8_t kind, uint32_t index, char *buf, size_t cap);

/* Is what an extern_ref holds acceptable where the import wants? core/valid/matching#import-subtyping */
bool extern_matches(const struct store *, const struct extern_ref *, const struct module *, const struct import *);

MV_MUST_USE bool func_new_host(struct store *, uint32_t type, mv_host_fn, void *env, void (*env_free)(void *), struct func **out, mv_error_t *err);
MV_MUST_USE bool table_new(struct store *, const struct tabletype *, cell init, struct table_inst **out, mv_error_t *err);
MV_MUST_USE bool memory_new(struct store *, const struct memtype *, struct mem_inst **out, mv_error_t *err);
MV_MUST_USE bool global_new(struct store *, const struct globaltype *, const cell *init, struct global_inst **out, mv_error_t *err);
MV_MUST_USE bool tag_new(struct store *, uint32_t type, struct tag_inst **out, mv_error_t *err);

/* Grow by delta elements/pages: the old size, or UINT64_MAX when refused. The base of a memory may move unless shared. */
uint64_t table_grow(struct store *, struct table_inst *, uint64_t delta, cell init);
uint64_t memory_grow(struct mem_inst *, uint64_t delta);
void memory_retain(struct mem_inst *);
void memory_release(struct mem_inst *);

/* Bulk operations (core/exec/instructions): false = out of bounds, nothing done, no report (the caller words the trap). */
MV_MUST_USE bool table_init(struct instance *, uint32_t table, uint32_t elem, uint64_t dst, uint64_t src, uint64_t n, mv_error_t *err);
MV_MUST_USE bool table_copy(struct table_inst *dst, struct table_inst *src, uint64_t d, uint64_t s, uint64_t n);
MV_MUST_USE bool table_fill(struct table_inst *, uint64_t i, cell v, uint64_t n);
MV_MUST_USE bool memory_init(struct instance *, uint32_t memory, uint32_t data, uint64_t dst, uint64_t src, uint64_t n);
void elem_drop(struct instance *, uint32_t elem);
void data_drop(struct instance *, uint32_t data);
/* The evaluated items of an element segment: *n is 0 when dropped. false: out of memory, or an item trapped. */
MV_MUST_USE bool elem_items(struct instance *, uint32_t elem, const cell **items, uint64_t *n, mv_error_t *err);
/* The bytes of a data segment, empty when dropped. */
void data_bytes(const struct instance *, uint32_t data, const uint8_t **bytes, uint64_t *n);

/* Evaluates a constant expression in an instance (its earlier globals and functions). result: one or two cells. */
MV_MUST_USE bool constexpr_eval(struct instance *, const struct constexpr_ *, cell *result, mv_error_t *err);

/* The next constant expression of a run of several, at *pos; leaves *pos behind its `end`. */
MV_MUST_USE bool constexpr_next(struct instance *, uint64_t *pos, uint64_t end, cell *result, mv_error_t *err);

/* Does a reference (of any hierarchy) have this reference type? core/exec/values; ref.test, casts, and checks of values from outside. */
bool ref_matches(const struct store *, cell ref, valtype type);

/* Threads proposal (run/wait.c): results 0 woken, 1 not equal, 2 timed out, 3 interrupted. ea is in bounds and aligned. timeout in ns, negative: none. */
int memory_wait32(struct store *, struct mem_inst *, uint64_t ea, uint32_t expected, int64_t timeout);
int memory_wait64(struct store *, struct mem_inst *, uint64_t ea, uint64_t expected, int64_t timeout);
uint32_t memory_notify(struct mem_inst *, uint64_t ea, uint32_t count);
/* The lock of a shared memory: growth and waiting take it. */
struct waiters *waiters_new(void);
void waiters_delete(struct waiters *);
void waiters_lock(struct waiters *);
void waiters_unlock(struct waiters *);

#endif
