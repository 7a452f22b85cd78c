/* The registry of composite types: rec groups are hash-consed (core/valid/conventions: rolling and unrolling), so that types are equal
 * when their ids are. Types never move and never go away before the registry does.
 *
 * Definition takes a mutex; reading takes none. A reader has its id from types_define, directly or through a module that was handed to it, and
 * whatever handed it over ordered the writes behind the id before the read. Chunks double, so that none ever moves. */
#include "types/types.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "types/limits.h"

enum { CHUNK_SHIFT = 6, CHUNK_FIRST = 1 << CHUNK_SHIFT, CHUNKS = 16 };

struct slot {
  uint32_t hash;
  uint32_t group; /* id of the first member + 1; 0: free */
};

struct types {
  struct deftype *chunks[CHUNKS]; /* chunk k holds CHUNK_FIRST << k types */
  uint32_t count;
  pthread_mutex_t lock;
  struct slot *slots; /* open addressing, a power of two, at most half full */
  uint32_t nslots, ngroups;
  uint64_t seed; /* so that collisions cannot be prepared */
  struct arena arena;
};

struct types *types_new(void) {
  struct types *ts = calloc(1, sizeof *ts);
  if (!ts) return NULL;
  if (pthread_mutex_init(&ts->lock, NULL) != 0) {
    free(ts);
    return NULL;
  }
  arena_init(&ts->arena);
  ts->seed = (uint64_t)(uintptr_t)ts * 0x9e3779b97f4a7c15u;
  return ts;
}

void types_delete(struct types *ts) {
  if (!ts) return;
  for (unsigned k = 0; k < CHUNKS; k++) free(ts->chunks[k]);
  free(ts->slots);
  arena_fini(&ts->arena);
  pthread_mutex_destroy(&ts->lock);
  free(ts);
}

static unsigned log2_floor(uint32_t x) {
#if defined(__GNUC__)
  return 31u - (unsigned)__builtin_clz(x);
#else
  unsigned n = 0;
  while (x >>= 1) n++;
  return n;
#endif
}

static inline struct deftype *type_at(const struct types *ts, uint32_t id) {
  uint32_t n = id + CHUNK_FIRST;
  unsigned k = log2_floor(n);
  return &ts->chunks[k - CHUNK_SHIFT][n - (1u << k)];
}

const struct deftype *types_get(const struct types *ts, uint32_t id) { return type_at(ts, id); }

/* ---- hashing and comparing groups ---- */

static inline uint64_t mix(uint64_t h, uint32_t x) {
  h = (h ^ x) * 0xff51afd7ed558ccdu;
  return h ^ h >> 32;
}

static uint64_t hash_type(uint64_t h, const struct deftype *t) {
  h = mix(h, (uint32_t)t->kind << 1 | t->final);
  h = mix(mix(mix(h, t->super), t->descriptor), t->describes);
  if (t->kind == COMP_FUNC) {
    h = mix(mix(h, t->u.func.nparams), t->u.func.nresults);
    for (uint32_t i = 0; i < t->u.func.nparams; i++) h = mix(h, t->u.func.params[i]);
    for (uint32_t i = 0; i < t->u.func.nresults; i++) h = mix(h, t->u.func.results[i]);
    return h;
  }
  h = mix(h, t->u.agg.nfields);
  for (uint32_t i = 0; i < t->u.agg.nfields; i++) h = mix(mix(h, t->u.agg.fields[i].type), t->u.agg.fields[i].mutable);
  return h;
}

/* A group whose ids begin at `base`: in the stored form a reference to one of its members is an id in [base, base + n), in the declared form
 * it is HEAP_REC | position. An id in that range in the declared form means the stored group from outside, which is another type. */
struct group {
  uint32_t base, n;
};

static inline bool same_heap(const struct group *g, uint32_t stored, uint32_t declared) {
  if (stored - g->base < g->n && stored >= g->base) return declared == (HEAP_REC | (stored - g->base));
  return stored == declared;
}

static inline bool same_type(const struct group *g, valtype stored, valtype declared) {
  uint32_t flags = (1u << VT_HEAP_SHIFT) - 1;
  if (((stored ^ declared) & flags) != 0) return false;
  return !vt_is_ref(stored) || same_heap(g, vt_heap(stored), vt_heap(declared));
}

static bool same_types(const struct group *g, const valtype *stored, const valtype *declared, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    if (!same_type(g, stored[i], declared[i])) return false;
  return true;
}

static bool same_def(const struct group *g, const struct deftype *stored, const struct deftype *declared) {
  if (stored->kind != declared->kind || stored->final != declared->final || !same_heap(g, stored->super, declared->super) ||
      !same_heap(g, stored->descriptor, declared->descriptor) || !same_heap(g, stored->describes, declared->describes))
    return false;
  if (stored->kind == COMP_FUNC)
    return stored->u.func.nparams == declared->u.func.nparams && stored->u.func.nresults == declared->u.func.nresults &&
           same_types(g, stored->u.func.params, declared->u.func.params, stored->u.func.nparams) &&
           same_types(g, stored->u.func.results, declared->u.func.results, stored->u.func.nresults);
  if (stored->u.agg.nfields != declared->u.agg.nfields) return false;
  for (uint32_t i = 0; i < stored->u.agg.nfields; i++) {
    const struct field *a = &stored->u.agg.fields[i], *b = &declared->u.agg.fields[i];
    if (a->mutable != b->mutable || !same_type(g, a->type, b->type)) return false;
  }
  return true;
}

static bool same_group(const struct types *ts, uint32_t base, const struct deftype *declared, uint32_t n) {
  struct group g = {base, n};
  if (type_at(ts, base)->group_size != n) return false;
  for (uint32_t i = 0; i < n; i++)
    if (!same_def(&g, type_at(ts, base + i), &declared[i])) return false;
  return true;
}

/* The slot of an equal group, or the free one where it belongs. */
static struct slot *find_slot(const struct types *ts, uint32_t hash, const struct deftype *group, uint32_t n) {
  for (uint32_t i = hash;; i++) {
    struct slot *s = &ts->slots[i & (ts->nslots - 1)];
    if (s->group == 0 || (s->hash == hash && same_group(ts, s->group - 1, group, n))) return s;
  }
}

static bool grow_slots(struct types *ts) {
  if (ts->ngroups * 2 < ts->nslots) return true;
  uint32_t n = ts->nslots ? ts->nslots * 2 : 64;
  struct slot *slots = calloc(n, sizeof *slots);
  if (!slots) return false;
  for (uint32_t i = 0; i < ts->nslots; i++) {
    if (ts->slots[i].group == 0) continue;
    uint32_t at = ts->slots[i].hash;
    while (slots[at & (n - 1)].group) at++;
    slots[at & (n - 1)] = ts->slots[i];
  }
  free(ts->slots);
  ts->slots = slots;
  ts->nslots = n;
  return true;
}

/* ---- storing a new group ---- */

static bool grow_chunks(struct types *ts, uint32_t count) {
  if (count == 0) return true;
  unsigned last = log2_floor(count - 1 + CHUNK_FIRST) - CHUNK_SHIFT;
  for (unsigned k = 0; k <= last; k++)
    if (!ts->chunks[k] && !(ts->chunks[k] = calloc((size_t)CHUNK_FIRST << k, sizeof(struct deftype)))) return false;
  return true;
}

static uint32_t stored_heap(uint32_t base, uint32_t heap) {
  return heap != TYPE_NONE && (heap & HEAP_REC) ? base + (heap & ~(uint32_t)HEAP_REC) : heap;
}

static valtype stored_type(uint32_t base, valtype t) {
  if (!vt_is_ref(t)) return t;
  return (t & ((1u << VT_HEAP_SHIFT) - 1)) | stored_heap(base, vt_heap(t)) << VT_HEAP_SHIFT;
}

static const valtype *store_list(struct types *ts, uint32_t base, const valtype *types, uint32_t n, uint32_t *cells) {
  static const valtype none[1] = {VT_BOT};
  *cells = 0;
  if (n == 0) return none;
  valtype *list = arena_array(&ts->arena, n, sizeof *list);
  if (!list) return NULL;
  for (uint32_t i = 0; i < n; i++) {
    list[i] = stored_type(base, types[i]);
    *cells += vt_cells(list[i]);
  }
  return list;
}

/* Of the group that begins at id `base`, only the declarations are there yet. */
static bool refers_to_object(const struct types *ts, uint32_t base, const struct deftype *group, valtype t) {
  if (!vt_is_ref(t)) return false;
  const uint32_t heap = vt_heap(t);
  if (heap >= HEAP_MAX_ID) return heap != HEAP_FUNC && heap != HEAP_NOFUNC;
  return (heap >= base ? group[heap - base].kind : type_at(ts, heap)->kind) != COMP_FUNC;
}

/* Lays the fields out in their order, each at its natural alignment: a subtype's fields begin with its supertype's. */
static bool store_fields(struct types *ts, uint32_t base, const struct deftype *group, const struct deftype *from, struct deftype *to) {
  uint32_t n = from->u.agg.nfields, at = 0;
  struct field *fields = n ? arena_array(&ts->arena, n, sizeof *fields) : NULL;
  uint32_t *refs = n ? arena_array(&ts->arena, n, sizeof *refs) : NULL;
  if (n && (!fields || !refs)) return false;
  for (uint32_t i = 0; i < n; i++) {
    valtype t = stored_type(base, from->u.agg.fields[i].type);
    uint32_t size = vt_field_size(t);
    at = (at + size - 1) & ~(size - 1);
    fields[i] = (struct field){t, from->u.agg.fields[i].mutable, at};
    at += size;
    if (refers_to_object(ts, base, group, t)) refs[to->u.agg.nrefs++] = fields[i].offset;
  }
  to->u.agg.nfields = n;
  to->u.agg.size = (at + 7) & ~7u;
  to->u.agg.fields = fields;
  to->u.agg.refs = refs;
  return true;
}

static bool store_display(struct types *ts, struct deftype *t) {
  if (t->super == TYPE_NONE) {
    t->display = &t->id;
    return true;
  }
  const struct deftype *super = type_at(ts, t->super);
  uint32_t *display = arena_array(&ts->arena, super->depth + 2, sizeof *display);
  if (!display) return false;
  memcpy(display, super->display, (super->depth + 1) * sizeof *display);
  t->depth = super->depth + 1;
  display[t->depth] = t->id;
  t->display = display;
  return true;
}

static bool store_type(struct types *ts, uint32_t base, uint32_t n, uint32_t i, const struct deftype *from) {
  struct deftype *to = type_at(ts, base + i);
  *to = (struct deftype){.id = base + i, .kind = from->kind, .final = from->final, .group = base, .group_size = n};
  to->super = stored_heap(base, from->super);
  to->descriptor = stored_heap(base, from->descriptor);
  to->describes = stored_heap(base, from->describes);
  if (!store_display(ts, to)) return false;
  if (from->kind != COMP_FUNC) return store_fields(ts, base, from - i, from, to);
  to->u.func.nparams = from->u.func.nparams;
  to->u.func.nresults = from->u.func.nresults;
  to->u.func.params = store_list(ts, base, from->u.func.params, from->u.func.nparams, &to->u.func.param_cells);
  to->u.func.results = store_list(ts, base, from->u.func.results, from->u.func.nresults, &to->u.func.result_cells);
  return to->u.func.params && to->u.func.results;
}

static bool store_group(struct types *ts, const struct deftype *group, uint32_t n, mv_error_t *err) {
  if (n > HEAP_MAX_ID - ts->count) return error_set(err, MV_LIMIT, MV_NO_OFFSET, "too many types: one engine holds at most %d", HEAP_MAX_ID);
  if (!grow_chunks(ts, ts->count + n)) return error_no_memory(err, n * sizeof *group);
  struct arena_mark mark = arena_save(&ts->arena);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t super = stored_heap(ts->count, group[i].super);
    bool deep = super != TYPE_NONE && (super >= ts->count + i || type_at(ts, super)->depth >= LIMIT_SUBTYPE_DEPTH);
    if (!deep && store_type(ts, ts->count, n, i, &group[i])) continue;
    arena_restore(&ts->arena, mark);
    if (deep) return error_set(err, MV_LIMIT, MV_NO_OFFSET, "subtyping too deep: at most %d supertypes", LIMIT_SUBTYPE_DEPTH);
    return error_no_memory(err, n * sizeof *group);
  }
  return true;
}

static bool define(struct types *ts, const struct deftype *group, uint32_t n, uint32_t *base, mv_error_t *err) {
  uint64_t h = mix(ts->seed, n);
  for (uint32_t i = 0; i < n; i++) h = hash_type(h, &group[i]);
  uint32_t hash = (uint32_t)(h ^ h >> 29);
  if (!grow_slots(ts)) return error_no_memory(err, ts->nslots * sizeof(struct slot));
  struct slot *s = find_slot(ts, hash, group, n);
  if (!s->group) {
    if (!store_group(ts, group, n, err)) return false;
    *s = (struct slot){hash, ts->count + 1};
    ts->count += n;
    ts->ngroups++;
  }
  *base = s->group - 1;
  return true;
}

bool types_define(struct types *ts, const struct deftype *group, uint32_t n, uint32_t *ids, mv_error_t *err) {
  uint32_t base = 0;
  if (n == 0) return true;
  pthread_mutex_lock(&ts->lock);
  bool ok = define(ts, group, n, &base, err);
  pthread_mutex_unlock(&ts->lock);
  for (uint32_t i = 0; ok && i < n; i++) ids[i] = base + i;
  return ok;
}

bool types_func(struct types *ts, const valtype *params, uint32_t nparams, const valtype *results, uint32_t nresults, uint32_t *id, mv_error_t *err) {
  struct deftype t = {.kind = COMP_FUNC, .final = true, .super = TYPE_NONE, .descriptor = TYPE_NONE, .describes = TYPE_NONE};
  t.u.func.nparams = nparams;
  t.u.func.nresults = nresults;
  t.u.func.params = params;
  t.u.func.results = results;
  return types_define(ts, &t, 1, id, err);
}
