/* Marking: from the roots through everything that can be reached (core/exec/runtime#heap-instances). Frames are cells of unknown type: whatever looks like
 * the address of an object is one. All else is traced by its type; references to functions are not objects of this heap.
 *
 * The stack of objects to be traced is explicit. When it cannot grow, marking goes on without, and then looks through the heap for marked
 * objects with unmarked children, as often as that happens. */
#include <stdlib.h>

#include "exec/exec.h"
#include "run/gc_heap.h"

enum { ARRAY_SLICE = 128 };

/* Does a value of this type refer to an object of the heap? */
static bool is_traced(const struct types *types, valtype t) {
  if (!vt_is_ref(t)) return false;
  uint32_t heap = vt_heap(t);
  if (heap < HEAP_MAX_ID) return types_get(types, heap)->kind != COMP_FUNC;
  return heap != HEAP_FUNC && heap != HEAP_NOFUNC;
}

bool gc_is_marked(const struct gc_heap *h, const struct object *o) {
  if (o->flags & OBJ_LARGE) return gc_large_of(o)->marked;
  const struct gc_block *b = gc_block_of(o);
  uint32_t g = (uint32_t)((uintptr_t)o - (uintptr_t)b) / GC_GRANULE;
  return b->marks[!h->epoch][g / 64] >> g % 64 & 1;
}

/* Returns whether it was unmarked. */
static bool set_mark(struct gc_heap *h, struct object *o) {
  if (o->flags & OBJ_LARGE) {
    struct gc_large *l = gc_large_of(o);
    bool first = !l->marked;
    l->marked = true;
    return first;
  }
  struct gc_block *b = gc_block_of(o);
  uint32_t g = (uint32_t)((uintptr_t)o - (uintptr_t)b) / GC_GRANULE;
  uint64_t *word = &b->marks[!h->epoch][g / 64], bit = (uint64_t)1 << g % 64;
  bool first = !(*word & bit);
  *word |= bit;
  return first;
}

static bool has_children(const struct gc_heap *h, const struct object *o) {
  switch (o->kind) {
  case OBJ_STRUCT: return o->u.desc != 0 || types_get(h->store->types, o->type)->u.agg.nrefs != 0;
  case OBJ_ARRAY: return types_get(h->store->types, o->type)->u.agg.nrefs != 0;
  case OBJ_EXN: return o->u.length != 0;
  default: return false;
  }
}

static bool stack_grow(struct gc_heap *h) {
  size_t cap = h->stack_cap * 2 > h->stack_most ? h->stack_most : h->stack_cap * 2;
  if (cap <= h->stack_cap) return false;
  struct gc_mark_item *old = h->stack == h->reserve ? NULL : h->stack;
  struct gc_mark_item *stack = realloc(old, cap * sizeof *stack);
  if (!stack) return false;
  if (!old)
    for (size_t i = 0; i < h->depth; i++) stack[i] = h->reserve[i];
  h->stack = stack;
  h->stack_cap = cap;
  return true;
}

static void push(struct gc_heap *h, struct object *o, uint64_t from) {
  if (h->depth == h->stack_cap && !stack_grow(h)) {
    h->overflow = true;
    return;
  }
  h->stack[h->depth++] = (struct gc_mark_item){o, from};
}

static void mark_now(struct gc_heap *h, struct object *o) {
  if (set_mark(h, o) && has_children(h, o)) push(h, o, 0);
}

/* Objects pass through a short queue on their way to be marked, so that their memory can arrive meanwhile. */
static void mark_ref(struct gc_heap *h, cell r) {
  if (r == REF_NULL || ref_is_i31(r)) return;
  struct object *o = ref_object(r), **slot = &h->queue[(h->queue_head + h->queue_count) % GC_QUEUE];
  prefetch(o);
  if (h->queue_count < GC_QUEUE) {
    h->queue_count++;
    *slot = o;
    return;
  }
  struct object *oldest = *slot;
  *slot = o;
  h->queue_head++;
  mark_now(h, oldest);
}

static void trace_struct(struct gc_heap *h, const struct object *o) {
  const struct deftype *t = types_get(h->store->types, o->type);
  const uint8_t *data = (const uint8_t *)(o + 1);
  if (o->u.desc) mark_ref(h, o->u.desc);
  for (uint32_t i = 0; i < t->u.agg.nrefs; i++) mark_ref(h, object_load64(data + t->u.agg.refs[i]));
}

/* In slices, so that the stack holds a bounded number of elements of each array. */
static void trace_array(struct gc_heap *h, struct object *o, uint64_t from) {
  const cell *cells = (const cell *)(const void *)(o + 1);
  uint64_t to = o->u.length;
  if (to - from > ARRAY_SLICE) {
    to = from + ARRAY_SLICE;
    push(h, o, to);
  }
  for (uint64_t i = from; i < to; i++) mark_ref(h, cells[i]);
}

static void trace_exn(struct gc_heap *h, const struct exn *e) {
  const struct deftype *t = types_get(h->store->types, e->tag->type);
  const cell *c = e->payload;
  for (uint32_t i = 0; i < t->u.func.nparams; i++) {
    if (is_traced(h->store->types, t->u.func.params[i])) mark_ref(h, *c);
    c += vt_cells(t->u.func.params[i]);
  }
}

static void trace(struct gc_heap *h, struct object *o, uint64_t from) {
  switch (o->kind) {
  case OBJ_STRUCT: trace_struct(h, o); break;
  case OBJ_ARRAY: trace_array(h, o, from); break;
  case OBJ_EXN: trace_exn(h, (const struct exn *)o); break;
  default: break;
  }
}

static void drain_stack(struct gc_heap *h) {
  while (h->depth > 0) {
    struct gc_mark_item item = h->stack[--h->depth];
    trace(h, item.object, item.from);
  }
}

static void drain(struct gc_heap *h) {
  for (;;) {
    drain_stack(h);
    if (h->queue_count == 0) return;
    h->queue_count--;
    mark_now(h, h->queue[h->queue_head++ % GC_QUEUE]);
  }
}

/* Traces every marked object again. An array is traced whole: its continuations may be what was lost. */
static void retrace(struct gc_heap *h, struct object *o) {
  if (o->kind != OBJ_ARRAY) {
    trace(h, o, 0);
    drain(h);
    return;
  }
  if (!has_children(h, o)) return;
  const cell *cells = (const cell *)(const void *)(o + 1);
  for (uint64_t i = 0; i < o->u.length; i++) {
    mark_ref(h, cells[i]);
    drain_stack(h);
  }
  drain(h);
}

static void retrace_heap(struct gc_heap *h) {
  for (size_t c = 0; c < h->nchunks; c++)
    for (unsigned k = 0; k < GC_CHUNK_BLOCKS; k++) {
      const struct gc_block *b = (const struct gc_block *)(const void *)(h->chunks[c] + (size_t)k * GC_BLOCK);
      for (uint32_t i = 0; b->cell && i < b->ncells; i++)
        if (gc_bit(b->marks[!h->epoch], b, i)) retrace(h, gc_cell(b, i));
    }
  for (struct gc_large *l = h->large; l; l = l->next)
    if (l->marked) retrace(h, (struct object *)((uintptr_t)l + GC_LARGE_HEAD));
}

/* ---- roots ---- */

static void mark_maybe(struct gc_heap *h, cell v) {
  struct object *o = gc_find(h, v);
  if (o) mark_ref(h, object_ref(o));
}

static void mark_range(void *env, const cell *from, const cell *to) {
  for (; from < to; from++) {
    mark_maybe(env, *from);
    drain_stack(env);
  }
}

static void mark_cells(struct gc_heap *h, const cell *cells, uint64_t n) {
  for (uint64_t i = 0; i < n; i++) {
    mark_ref(h, cells[i]);
    drain_stack(h);
  }
}

static void mark_instance(struct gc_heap *h, const struct instance *inst) {
  const struct module *m = inst->module;
  for (uint32_t i = 0; i < m->nglobals - m->nimported_globals; i++) {
    const struct global_inst *g = &inst->own_globals[i];
    if (is_traced(h->store->types, g->type.type)) mark_ref(h, *g->cell);
  }
  for (uint32_t i = 0; i < m->nelems; i++)
    if (inst->elem_values[i] && is_traced(h->store->types, m->elems[i].type)) mark_cells(h, inst->elem_values[i], m->elems[i].count);
}

static void mark_roots(struct gc_heap *h) {
  struct store *s = h->store;
  exec_stack_ranges(s, mark_range, h);
  for (const struct gc_temp *t = s->temps; t; t = t->prev) mark_range(h, t->cells, t->cells + t->count);
  mark_maybe(h, s->exception);
  for (const struct gc_root *r = h->roots; r; r = r->next) mark_maybe(h, r->ref);
  drain(h);
  for (const struct instance *i = s->instances; i; i = i->next) mark_instance(h, i);
  for (const struct global_inst *g = s->globals; g; g = g->next)
    if (is_traced(s->types, g->type.type)) mark_ref(h, *g->cell);
  for (const struct table_inst *t = s->tables; t; t = t->next)
    if (is_traced(s->types, t->type.type)) mark_cells(h, t->elems, t->size);
  drain(h);
}

void gc_mark_all(struct gc_heap *h) {
  h->overflow = false;
  mark_roots(h);
  while (h->overflow) {
    h->overflow = false;
    retrace_heap(h);
  }
}
