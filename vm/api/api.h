/* What the files of api/ share: the structs behind the handles of wasm.h and minivm.h.
 *
 * Every reference (function, global, table, memory, tag, instance, module, trap, foreign or other object) is a struct wasm_ref_t; the types
 * wasm_func_t, wasm_extern_t ... hold nothing else, so that conversions between them are casts of one pointer. A handle is a small block of
 * its own: what it refers to lives in the store, or counts its references (modules, traps, shared memories). */
#ifndef API_API_H
#define API_API_H

#include <stdatomic.h>

#include "exec/exec.h"
#include "run/gc.h"

/* ---- types ---- */

struct wasm_valtype_t {
  wasm_valkind_t kind;
  valtype type;
  const struct types *types; /* that canonical ids in `type` belong to; NULL if there are none */
};

struct wasm_externtype_t {
  wasm_externkind_t kind;
};

struct wasm_functype_t {
  struct wasm_externtype_t base;
  wasm_valtype_vec_t params, results;
  const struct types *types; /* of a function that exists: its exact type */
  uint32_t id;
};

struct wasm_globaltype_t {
  struct wasm_externtype_t base;
  wasm_valtype_t *content;
  wasm_mutability_t mutability;
};

struct wasm_tabletype_t {
  struct wasm_externtype_t base;
  wasm_valtype_t *element;
  wasm_limits_t limits;
  struct limits exact; /* what 32 bits cannot say */
};

struct wasm_memorytype_t {
  struct wasm_externtype_t base;
  wasm_limits_t limits;
  struct memtype exact;
};

struct wasm_tagtype_t {
  struct wasm_externtype_t base;
  wasm_functype_t *functype;
};

wasm_valkind_t valkind_of(const struct types *, valtype);
/* false: the type's ids are another engine's, or its kind is none. */
MV_MUST_USE bool valtype_of(const struct types *, const wasm_valtype_t *, valtype *);
MV_MUST_USE bool functype_id(struct types *, const wasm_functype_t *, uint32_t *id, mv_error_t *);
wasm_valtype_t *valtype_make(const struct types *, valtype);
wasm_functype_t *functype_make(const struct types *, uint32_t id);
wasm_externtype_t *globaltype_make(const struct types *, const struct globaltype *);
wasm_externtype_t *tabletype_make(const struct types *, const struct tabletype *, uint64_t min);
wasm_externtype_t *memorytype_make(const struct memtype *, uint64_t min);
wasm_externtype_t *tagtype_make(const struct types *, uint32_t id);
wasm_externtype_t *module_externtype(const struct module *, uint8_t kind, uint32_t index);

/* ---- configuration, engine, store ---- */

struct wasm_config_t {
  mv_options_t options;
};

struct wasm_engine_t {
  atomic_uint refs;
  struct types *types;
  mv_options_t options; /* no defaults left to fill in */
};

wasm_engine_t *engine_retain(wasm_engine_t *);

struct host_info {
  void *value;
  void (*finalize)(void *);
};
void host_info_set(struct host_info *, void *value, void (*finalize)(void *));

/* Host info of what has no place for it: functions, globals, tables, memories, tags, instances. By address, open addressing. */
struct info_map {
  struct info_slot {
    const void *key;
    struct host_info info;
  } *slots;
  size_t cap, count;
};

struct numbered_ref {
  uint64_t number;
  struct gc_root root;
  struct numbered_ref *next;
};

/* A module that an instance of the store needs. */
struct module_use {
  struct api_module *module;
  struct module_use *next;
};

struct wasm_store_t {
  struct store *s;
  wasm_engine_t *engine;
  struct info_map infos;
  struct module_use *modules;
  struct numbered_ref *numbers; /* of mv_ref_host */
  struct api_trap *pending; /* the trap with which a callback of wasm.h ended, on its way out */
  uint64_t fuel_given, fuel_spent; /* spent: of what was given before */
};

/* ---- references ---- */

enum refkind { /* the first five are the externals, in the order of enum externkind */
  REF_FUNC, REF_TABLE, REF_MEMORY, REF_GLOBAL, REF_TAG,
  REF_INSTANCE, REF_MODULE, REF_TRAP,
  REF_FOREIGN, /* a host object made by wasm_foreign_new */
  REF_OBJECT,  /* any other reference of the guest that is no function */
  REF_NUMBER   /* only as wrapper: a host object made by mv_ref_host */
};

struct api_module {
  atomic_uint refs;
  struct module *m;
  wasm_engine_t *engine;
  struct host_info info;
};

struct api_trap {
  atomic_uint refs;
  mv_error_t err;
  char *message; /* terminated; NULL: err.message says it all */
  size_t size;   /* without the terminator */
  struct trace_frame *frames;
  size_t nframes;
  wasm_store_t *store; /* of the frames */
  struct host_info info;
};

struct wasm_ref_t {
  enum refkind kind;
  wasm_store_t *store; /* NULL: a module or trap of none */
  union {
    struct extern_ref ext; /* REF_FUNC ... REF_TAG */
    struct instance *instance;
    struct api_module *module;
    struct api_trap *trap;
  } u;
  struct gc_root root; /* REF_FOREIGN, REF_OBJECT: root.ref is the reference */
};

#define REF_STRUCT(name) \
  struct wasm_##name##_t { \
    struct wasm_ref_t ref; \
  };
REF_STRUCT(func)
REF_STRUCT(global)
REF_STRUCT(table)
REF_STRUCT(memory)
REF_STRUCT(extern)
REF_STRUCT(instance)
REF_STRUCT(module)
REF_STRUCT(trap)
REF_STRUCT(foreign)
#undef REF_STRUCT

struct wasm_frame_t {
  wasm_instance_t instance;
  uint32_t func;
  size_t func_offset, module_offset;
};

/* New handles, or NULL. */
wasm_extern_t *extern_make(wasm_store_t *, const struct extern_ref *);
wasm_instance_t *instance_make(wasm_store_t *, struct instance *);
wasm_module_t *module_make(wasm_store_t *, struct api_module *);
wasm_trap_t *trap_make(wasm_store_t *, struct api_trap *);
wasm_ref_t *object_make(wasm_store_t *, cell);

void api_module_release(struct api_module *);
/* A handle for a decoded and valid module, which it takes over, also when it fails. */
wasm_module_t *api_module_of(wasm_engine_t *, wasm_store_t *, struct module *, mv_error_t *);
void api_trap_release(struct api_trap *);
/* A trap of what an execution or a link reported; takes over a pending one. With the frames of the store's last trace. */
wasm_trap_t *trap_of_error(wasm_store_t *, const mv_error_t *);

/* The cell of a reference as a value of an any, extern or func type; wraps what is no value by itself. May allocate and collect. */
MV_MUST_USE bool ref_to_cell(wasm_store_t *, const wasm_ref_t *, cell *, mv_error_t *);
/* The reference behind a cell of this type; *out is NULL for null. */
MV_MUST_USE bool ref_of_cell(wasm_store_t *, valtype, cell, wasm_ref_t **out, mv_error_t *);
MV_MUST_USE bool val_to_cells(wasm_store_t *, valtype, const wasm_val_t *, cell *, mv_error_t *);
MV_MUST_USE bool val_of_cells(wasm_store_t *, valtype, const cell *, wasm_val_t *out, mv_error_t *);

/* Keeps a module until the store goes, for an instance of it. */
MV_MUST_USE bool store_use_module(wasm_store_t *, struct api_module *, mv_error_t *);
/* Instantiates and runs the start function; after api_begin. */
MV_MUST_USE bool api_instantiate(wasm_store_t *, struct api_module *, const struct extern_ref *imports, struct instance **out, mv_error_t *);
/* Before a call from outside: forgets what an earlier failure left. */
void api_begin(wasm_store_t *);

#endif
