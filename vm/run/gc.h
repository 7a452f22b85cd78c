/* The garbage-collected heap: structs, arrays, exceptions and host references (core/exec/runtime#heap-instances).
 *
 * Non-moving mark and sweep: roots are the frames of the store's stacks (scanned conservatively), globals, tables, element segments,
 * the API's handles and the objects' own fields (precisely, by their types). Allocation bumps through runs of free cells of one size class. */
#ifndef RUN_GC_H
#define RUN_GC_H

#include <string.h>

#include "run/run.h"

enum objkind { OBJ_FREE = 0, OBJ_STRUCT, OBJ_ARRAY, OBJ_EXN, OBJ_HOST };

/* What every object begins with: 16 bytes on every host. Fields or elements follow at (object + 1). */
struct object {
  uint32_t type;   /* canonical id of its type (struct, array) */
  uint8_t kind;    /* enum objkind; OBJ_FREE in a free cell */
  uint8_t flags;
  uint16_t pad;
  union {
    uint64_t length; /* OBJ_ARRAY: elements; OBJ_EXN: cells of the payload */
    uint64_t desc;   /* OBJ_STRUCT: its descriptor reference (custom descriptors) or 0 */
  } u;
};

static inline struct object *ref_object(cell r) { return (struct object *)(uintptr_t)r; }
static inline cell object_ref(const struct object *o) { return (cell)(uintptr_t)o; }
/* Packed fields, naturally aligned, host byte order; offsets in struct deftype. */
static inline uint8_t *object_data(struct object *o) { return (uint8_t *)(o + 1); }

static inline uint16_t object_load16(const uint8_t *p) {
  uint16_t x;
  memcpy(&x, p, sizeof x);
  return x;
}
static inline uint32_t object_load32(const uint8_t *p) {
  uint32_t x;
  memcpy(&x, p, sizeof x);
  return x;
}
static inline uint64_t object_load64(const uint8_t *p) {
  uint64_t x;
  memcpy(&x, p, sizeof x);
  return x;
}
static inline void object_store16(uint8_t *p, uint16_t x) { memcpy(p, &x, sizeof x); }
static inline void object_store32(uint8_t *p, uint32_t x) { memcpy(p, &x, sizeof x); }
static inline void object_store64(uint8_t *p, uint64_t x) { memcpy(p, &x, sizeof x); }

enum { OBJ_LARGE = 1 }; /* flags */

struct gc_heap *gc_new(struct store *);
void gc_delete(struct gc_heap *); /* runs all finalizers */

/* Allocation without a call. What every struct gc_heap begins with: for each cell size of 16, 32 ... GC_FAST_MAX bytes a run of free, zeroed cells. */
enum { GC_GRANULE = 16, GC_FAST_MAX = 512, GC_FAST_CLASSES = GC_FAST_MAX / GC_GRANULE };
struct gc_run {
  uint8_t *next, *end;
};
struct gc_fast {
  struct gc_run run[GC_FAST_CLASSES];
};

/* An object of `size` bytes, header included, all fields default. NULL: the run is used up or size is above
 * GC_FAST_MAX; then gc_struct or gc_array does it. */
static inline struct object *gc_fast(struct gc_heap *heap, enum objkind kind, uint32_t type, uint32_t size) {
  uint32_t class = (size - 1) / GC_GRANULE;
  if (unlikely(class >= GC_FAST_CLASSES)) return NULL;
  struct gc_run *run = &((struct gc_fast *)heap)->run[class];
  if (unlikely(run->next == run->end)) return NULL;
  struct object *o = (struct object *)(void *)run->next;
  run->next += (class + 1) * GC_GRANULE;
  o->type = type;
  o->kind = (uint8_t)kind;
  return o;
}

/* All allocators may collect first; every live reference must be in a frame, a root or a handle. They return NULL with err set (MV_LIMIT "heap limit"
 * or MV_NO_MEMORY). Contents are zeroed (all defaults). */
struct object *gc_struct(struct store *, uint32_t type, mv_error_t *err);
struct object *gc_array(struct store *, uint32_t type, uint64_t length, mv_error_t *err);

/* An exception: its tag and the cells of its payload (u.length cells follow the tag pointer). */
struct exn {
  struct object head;
  struct tag_inst *tag;
  uint64_t pad;
  cell payload[];
};
struct exn *gc_exn(struct store *, struct tag_inst *, const cell *payload, mv_error_t *err);

/* A host value as an externref; `finalize` (may be NULL) runs when it is collected: it must not use the store. head.type and
 * head.u are free for whoever made it. */
struct host_object {
  struct object head;
  void *value;
  void (*finalize)(void *);
};
struct host_object *gc_host(struct store *, void *value, void (*finalize)(void *), mv_error_t *err);

/* Fields: reads extend per storage type; v128 fields move two cells. sign: sign-extend packed fields. */
void field_get(const struct object *, uint64_t offset, valtype storage, bool sign, cell *out);
void field_set(struct object *, uint64_t offset, valtype storage, const cell *value);

/* Handles: cells that the API holds as roots, inside of its own structs. */
struct gc_root {
  cell ref;
  struct gc_root *next, **link; /* link: the pointer to this one; NULL when it is in no list */
};
void gc_root_add(struct store *, struct gc_root *, cell ref);
void gc_root_remove(struct gc_root *); /* also after the store has gone */

/* A full collection. */
void gc_collect(struct store *);
/* Brings the collector's part of store->stats up to date. */
void gc_stats(struct store *);

/* Cells that a computation outside of guest frames needs: push before anything may allocate, pop in reverse order. */
static inline void gc_temp_push(struct store *s, struct gc_temp *t, const cell *cells, size_t count) {
  *t = (struct gc_temp){cells, count, s->temps};
  s->temps = t;
}
static inline void gc_temp_pop(struct store *s) { s->temps = s->temps->prev; }

#endif
