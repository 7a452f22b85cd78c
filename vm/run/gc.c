/* The collector's outside: allocation, handles, when to collect, finalizers, statistics. See gc.h and gc_heap.h. */
#include "run/gc.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "run/gc_heap.h"
#include "run/os.h"

enum { BUDGET_LEAST = 2 << 20 };
#define HEAP_DEFAULT ((uint64_t)1 << 30)

struct gc_heap *gc_new(struct store *s) {
  struct gc_heap *h = calloc(1, sizeof *h);
  if (!h) return NULL;
  h->store = s;
  h->max = s->options->max_heap ? s->options->max_heap : HEAP_DEFAULT;
  h->budget = BUDGET_LEAST;
  h->stack = h->reserve;
  h->stack_cap = GC_MARK_RESERVE;
  h->stack_most = SIZE_MAX / sizeof *h->stack / 2;
  return h;
}

void gc_delete(struct gc_heap *h) {
  if (!h) return;
  h->busy = true;
  while (h->nhosts > 0) {
    struct host_object *o = h->hosts[--h->nhosts];
    if (o->finalize) o->finalize(o->value);
  }
  while (h->roots) gc_root_remove(h->roots);
  gc_blocks_fini(h);
  if (h->stack != h->reserve) free(h->stack);
  free(h->hosts);
  free(h);
}

/* ---- collecting ---- */

/* Host objects that were not marked go to the end of the list. */
static void part_hosts(struct gc_heap *h) {
  size_t n = 0;
  for (size_t i = 0; i < h->nhosts; i++)
    if (gc_is_marked(h, &h->hosts[i]->head)) {
      struct host_object *o = h->hosts[n];
      h->hosts[n++] = h->hosts[i];
      h->hosts[i] = o;
    }
  h->hosts_dead = n;
}

/* Before sweeping, which may give their memory back. */
static void finalize_hosts(struct gc_heap *h) {
  while (h->nhosts > h->hosts_dead) {
    struct host_object *o = h->hosts[--h->nhosts];
    if (o->finalize) o->finalize(o->value);
  }
}

static uint64_t unused_bytes(struct gc_heap *h) {
  uint64_t n = 0;
  for (unsigned c = 0; c < GC_CLASSES; c++) n += (uint64_t)(gc_run_of(h, c)->end - gc_run_of(h, c)->next);
  return n;
}

void gc_stats(struct store *s) {
  struct gc_heap *h = s->heap;
  uint64_t fresh = h->fresh - unused_bytes(h);
  s->stats.heap_bytes = h->live + fresh;
  s->stats.allocated_bytes = h->allocated + fresh;
  if (s->stats.heap_peak < s->stats.heap_bytes) s->stats.heap_peak = s->stats.heap_bytes;
}

void gc_collect(struct store *s) {
  struct gc_heap *h = s->heap;
  if (h->busy) return;
  h->busy = true;
  uint64_t begin = os_now();
  gc_stats(s);
  h->allocated = s->stats.allocated_bytes;
  gc_runs_drop(h);
  gc_marks_clear(h);
  gc_mark_all(h);
  part_hosts(h);
  finalize_hosts(h);
  h->fresh = 0;
  gc_sweep(h); /* keeps spare memory for the old budget */
  h->budget = h->live > BUDGET_LEAST ? h->live : BUDGET_LEAST;
  uint64_t pause = os_now() - begin;
  s->stats.collections++;
  s->stats.gc_pause_total_ns += pause;
  if (s->stats.gc_pause_max_ns < pause) s->stats.gc_pause_max_ns = pause;
  h->busy = false;
}

/* ---- allocating ---- */

static void report(struct gc_heap *h, size_t size, mv_error_t *err) {
  uint64_t need = size <= GC_SMALL_MAX ? GC_BLOCK : (uint64_t)size + GC_LARGE_HEAD;
  if (need <= h->max && h->used <= h->max - need) {
    error_no_memory(err, size);
    return;
  }
  gc_stats(h->store);
  error_set(err, MV_LIMIT, MV_NO_OFFSET, "heap limit: %zu bytes wanted, %llu of %llu in use", size,
            (unsigned long long)h->store->stats.heap_bytes, (unsigned long long)h->max);
}

/* Collects if it is time to, given that `size` bytes are about to be handed out. */
static bool collect_if_due(struct gc_heap *h, size_t size) {
  if (h->fresh < h->budget && size <= h->budget - h->fresh && !h->store->options->gc_stress) return false;
  gc_collect(h->store);
  return true;
}

static struct object *alloc_large(struct gc_heap *h, size_t size) {
  bool collected = collect_if_due(h, size);
  struct object *o = gc_large_new(h, size);
  if (o || collected) return o;
  gc_collect(h->store);
  return gc_large_new(h, size);
}

static struct object *alloc_small(struct gc_heap *h, size_t size) {
  unsigned class = gc_class(size);
  struct gc_run *run = gc_run_of(h, class);
  if (run->next == run->end) {
    bool collected = collect_if_due(h, size);
    if (!gc_next_run(h, class)) {
      if (collected) return NULL;
      gc_collect(h->store);
      if (!gc_next_run(h, class)) return NULL;
    }
  }
  struct object *o = (struct object *)(void *)run->next;
  run->next += gc_class_size(class);
  return o;
}

/* A zeroed object with its header's kind and type filled in. */
static struct object *alloc(struct store *s, uint8_t kind, uint32_t type, size_t size, mv_error_t *err) {
  struct gc_heap *h = s->heap;
  if (h->busy) {
    error_set(err, MV_USAGE, MV_NO_OFFSET, "a finalizer must not allocate");
    return NULL;
  }
  struct object *o = size <= GC_SMALL_MAX ? alloc_small(h, size) : alloc_large(h, size);
  if (!o) {
    report(h, size, err);
    return NULL;
  }
  o->kind = kind;
  o->type = type;
  return o;
}

struct object *gc_struct(struct store *s, uint32_t type, mv_error_t *err) {
  uint32_t size = (uint32_t)sizeof(struct object) + types_get(s->types, type)->u.agg.size;
  struct object *o = gc_fast(s->heap, OBJ_STRUCT, type, size);
  return likely(o != NULL) ? o : alloc(s, OBJ_STRUCT, type, size, err);
}

struct object *gc_array(struct store *s, uint32_t type, uint64_t length, mv_error_t *err) {
  uint64_t elem = vt_field_size(types_get(s->types, type)->u.agg.fields[0].type), bytes;
  if (!checked_mul64(length, elem, &bytes) || bytes > s->heap->max || bytes > SIZE_MAX / 2) {
    error_set(err, MV_LIMIT, MV_NO_OFFSET, "heap limit: an array of %llu elements wanted, at most %llu bytes allowed", (unsigned long long)length,
              (unsigned long long)s->heap->max);
    return NULL;
  }
  struct object *o = bytes < GC_FAST_MAX ? gc_fast(s->heap, OBJ_ARRAY, type, (uint32_t)(sizeof(struct object) + bytes)) : NULL;
  if (!o) o = alloc(s, OBJ_ARRAY, type, sizeof(struct object) + (size_t)bytes, err);
  if (o) o->u.length = length;
  return o;
}

struct exn *gc_exn(struct store *s, struct tag_inst *tag, const cell *payload, mv_error_t *err) {
  size_t n = types_get(s->types, tag->type)->u.func.param_cells;
  struct gc_temp temp;
  gc_temp_push(s, &temp, payload, n);
  struct exn *e = (struct exn *)alloc(s, OBJ_EXN, 0, sizeof *e + n * sizeof(cell), err);
  gc_temp_pop(s);
  if (!e) return NULL;
  e->head.u.length = n;
  e->tag = tag;
  if (n) memcpy(e->payload, payload, n * sizeof(cell));
  return e;
}

struct host_object *gc_host(struct store *s, void *value, void (*finalize)(void *), mv_error_t *err) {
  struct gc_heap *h = s->heap;
  void *hosts = h->hosts;
  if (!array_reserve(&hosts, &h->hosts_cap, h->nhosts + 1, sizeof *h->hosts)) {
    error_no_memory(err, sizeof *h->hosts);
    return NULL;
  }
  h->hosts = hosts;
  struct host_object *o = (struct host_object *)alloc(s, OBJ_HOST, 0, sizeof *o, err);
  if (!o) return NULL;
  o->value = value;
  o->finalize = finalize;
  h->hosts[h->nhosts++] = o;
  return o;
}

/* ---- handles ---- */

void gc_root_add(struct store *s, struct gc_root *r, cell ref) {
  struct gc_root **list = &s->heap->roots;
  *r = (struct gc_root){ref, *list, list};
  if (r->next) r->next->link = &r->next;
  *list = r;
}

void gc_root_remove(struct gc_root *r) {
  if (!r->link) return;
  *r->link = r->next;
  if (r->next) r->next->link = r->link;
  r->link = NULL;
}
