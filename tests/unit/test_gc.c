/* The collector (vm/run/gc*.c): what is reachable stays as it is, everything else goes, limits hold. */
#include "run/gc_heap.h"
#include "wat.h"

struct fixture {
  struct types *types;
  mv_options_t options;
  struct store *s;
  struct module *m;
  struct instance *inst;
  uint32_t *ids; /* of the module's types, see below */
};

enum { PAIR, REFS, BYTES, EMPTY, BIG, MIXED, FUNCS, TAG_TYPE };
static const char wat[] =
    "(module"
    " (rec (type $pair (struct (field $left (mut eqref)) (field $right (mut eqref)) (field $id (mut i64)))))"
    " (type $refs (array (mut anyref)))"
    " (type $bytes (array (mut i8)))"
    " (type $empty (struct))"
    " (type $big (struct (field (mut anyref)) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128)"
    "   (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128)"
    "   (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128)"
    "   (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field v128) (field (mut anyref))))"
    " (type $mixed (struct (field i8) (field (mut anyref)) (field i16) (field (mut funcref)) (field f32) (field (mut externref)) (field v128) (field (mut exnref))))"
    " (type $funcs (array (mut funcref)))"
    " (type $tagged (func (param i32 anyref v128 externref funcref)))"
    " (tag $t (export \"tag\") (type $tagged))"
    " (func $f)"
    " (global (export \"g\") (mut anyref) (ref.null any))"
    " (table (export \"table\") 3 anyref)"
    " (elem $e declare func $f)"
    " (elem $items anyref (item (struct.new_default $pair))))";

static void begin(struct fixture *f, mv_options_t options) {
  mv_error_t err = {0};
  *f = (struct fixture){.options = options};
  f->types = types_new();
  f->s = store_open(f->types, &f->options);
  f->m = module_of(f->types, &f->options, wat);
  f->ids = f->m->type_ids;
  MUST(instance_new(f->s, f->m, NULL, &f->inst, &err), &err);
}

static void end(struct fixture *f) {
  store_close(f->s);
  module_drop(f->m);
  types_delete(f->types);
}

/* ---- making objects ---- */

static struct object *make(struct fixture *f, unsigned type) {
  mv_error_t err = {0};
  struct object *o = gc_struct(f->s, f->ids[type], &err);
  MUST(o, &err);
  return o;
}

static struct object *make_array(struct fixture *f, unsigned type, uint64_t n) {
  mv_error_t err = {0};
  struct object *o = gc_array(f->s, f->ids[type], n, &err);
  MUST(o, &err);
  return o;
}

static cell *pair_field(struct object *o, unsigned k) { return (cell *)(void *)object_data(o) + k; }
static cell *array_cell(struct object *o, uint64_t k) { return (cell *)(void *)object_data(o) + k; }

/* Witnesses: host objects that count their deaths. */
struct witness {
  unsigned deaths;
};
static void die(void *env) { ((struct witness *)env)->deaths++; }

static cell witness(struct fixture *f, struct witness *w) {
  mv_error_t err = {0};
  struct host_object *h = gc_host(f->s, w, die, &err);
  MUST(h, &err);
  return object_ref(&h->head);
}

/* ---- tests ---- */

static void sizes(void **state) {
  (void)state;
  for (size_t n = 1; n <= GC_SMALL_MAX; n++) {
    unsigned class = gc_class(n);
    if (class >= GC_CLASSES) fail_msg("class of %zu", n);
    if (gc_class_size(class) < n) fail_msg("%zu bytes in a cell of %u", n, gc_class_size(class));
    if (class > 0 && gc_class_size(class - 1) >= n) fail_msg("%zu bytes would fit into a smaller cell than %u", n, gc_class_size(class));
    if (gc_class_size(class) % GC_GRANULE != 0) fail_msg("cell of %u", gc_class_size(class));
  }
  assert_int_equal(gc_class(GC_SMALL_MAX), GC_CLASSES - 1);
}

/* New objects are zero, also where others have lain. */
static void fresh_objects_are_zero(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  const unsigned lengths[] = {0, 1, 15, 16, 17, 100, 500, 1000, 2000, 2033, 2100, 5000, 100000};
  for (int round = 0; round < 6; round++) {
    for (unsigned k = 0; k < 400; k++) {
      unsigned n = lengths[k % (sizeof lengths / sizeof *lengths)];
      struct object *o = make_array(&f, BYTES, n);
      assert_int_equal(o->u.length, n);
      assert_int_equal(o->kind, OBJ_ARRAY);
      assert_int_equal(o->type, f.ids[BYTES]);
      for (unsigned i = 0; i < n; i++)
        if (object_data(o)[i]) fail_msg("byte %u of %u is %u", i, n, object_data(o)[i]);
      memset(object_data(o), 0xab, n);
      o = make(&f, PAIR);
      for (unsigned i = 0; i < 3; i++) assert_true(*pair_field(o, i) == 0);
      memset(object_data(o), 0xff, 16); /* odd numbers are no references */
    }
    gc_collect(f.s);
  }
  end(&f);
}

static void fast_path(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  uint32_t size = (uint32_t)sizeof(struct object) + types_get(f.types, f.ids[PAIR])->u.agg.size;
  assert_null(gc_fast(f.s->heap, OBJ_STRUCT, f.ids[PAIR], size));
  struct object *first = make(&f, PAIR), *second = gc_fast(f.s->heap, OBJ_STRUCT, f.ids[PAIR], size);
  assert_non_null(second);
  assert_int_equal((uint8_t *)second - (uint8_t *)first, (size + 15) / 16 * 16);
  assert_int_equal(second->type, f.ids[PAIR]);
  assert_int_equal(second->kind, OBJ_STRUCT);
  assert_null(gc_fast(f.s->heap, OBJ_STRUCT, f.ids[BIG], (uint32_t)sizeof(struct object) + types_get(f.types, f.ids[BIG])->u.agg.size));
  unsigned n = 0;
  while (gc_fast(f.s->heap, OBJ_STRUCT, f.ids[PAIR], size)) n++;
  assert_true(n > 100);
  gc_stats(f.s);
  assert_int_equal(f.s->stats.allocated_bytes, f.s->stats.heap_bytes);
  assert_true(f.s->stats.allocated_bytes >= (n + 2) * 48);
  gc_collect(f.s);
  assert_null(gc_fast(f.s->heap, OBJ_STRUCT, f.ids[PAIR], size)); /* runs do not outlive a collection */
  end(&f);
}

/* Everything that is a root keeps what it refers to, and no more. */
static void roots(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct witness w[12] = {{0}};
  struct gc_root handle;
  struct gc_temp temp;
  cell cells[2] = {0, witness(&f, &w[0])};
  gc_temp_push(f.s, &temp, cells, 2);
  gc_root_add(f.s, &handle, witness(&f, &w[1]));
  struct global_inst *g = export_of(f.inst, "g").u.global, *made;
  *g->cell = witness(&f, &w[2]);
  struct table_inst *t = export_of(f.inst, "table").u.table;
  t->elems[2] = witness(&f, &w[3]);
  struct globaltype gt = {VT_EXTERNREF, true};
  mv_error_t err = {0};
  cell init = witness(&f, &w[4]);
  MUST(global_new(f.s, &gt, &init, &made, &err), &err);
  cell payload[6] = {7, witness(&f, &w[5]), 1, 2, witness(&f, &w[6]), (cell)(uintptr_t)instance_func(f.inst, 0)};
  struct gc_temp ptemp;
  gc_temp_push(f.s, &ptemp, payload, 6);
  struct exn *e = gc_exn(f.s, export_of(f.inst, "tag").u.tag, payload, &err);
  gc_temp_pop(f.s);
  f.s->exception = object_ref(&e->head);
  const cell *items;
  uint64_t n;
  MUST(elem_items(f.inst, 1, &items, &n, &err), &err);
  *pair_field(ref_object(items[0]), 0) = witness(&f, &w[7]);
  struct object *mixed = make(&f, MIXED);
  cells[0] = object_ref(mixed);
  const struct deftype *d = types_get(f.types, f.ids[MIXED]);
  cell v = witness(&f, &w[8]), fn = (cell)(uintptr_t)instance_func(f.inst, 0), x = witness(&f, &w[9]);
  field_set(mixed, d->u.agg.fields[1].offset, VT_ANYREF, &v);
  field_set(mixed, d->u.agg.fields[3].offset, VT_FUNCREF, &fn);
  field_set(mixed, d->u.agg.fields[5].offset, VT_EXTERNREF, &x);
  struct object *big = make(&f, BIG);
  assert_true((big->flags & OBJ_LARGE) == 0);
  *array_cell(ref_object(items[0]), 1) = object_ref(big);
  d = types_get(f.types, f.ids[BIG]);
  v = witness(&f, &w[10]);
  field_set(big, d->u.agg.fields[d->u.agg.nfields - 1].offset, VT_ANYREF, &v);
  struct object *funcs = make_array(&f, FUNCS, 1000);
  assert_true(funcs->flags & OBJ_LARGE);
  for (unsigned i = 0; i < 1000; i++) *array_cell(funcs, i) = fn;
  struct object *refs = make_array(&f, REFS, 1000);
  v = witness(&f, &w[11]);
  field_set(mixed, types_get(f.types, f.ids[MIXED])->u.agg.fields[1].offset, VT_ANYREF, &v); /* w[8] is lost */
  *array_cell(refs, 999) = object_ref(funcs);
  *array_cell(refs, 998) = cells[1];
  *array_cell(refs, 500) = ref_i31(12345);
  cells[1] = object_ref(refs);
  for (int i = 0; i < 3; i++) gc_collect(f.s);
  for (unsigned i = 0; i < 12; i++) assert_int_equal(w[i].deaths, i == 8);
  assert_true(e->payload[1] != 0 && e->head.u.length == 6);
  assert_int_equal(funcs->u.length, 1000);
  gc_temp_pop(f.s); /* cells: w[0], w[9], w[11] */
  gc_root_remove(&handle);
  gc_collect(f.s);
  const unsigned dead[] = {0, 1, 8, 9, 11};
  for (unsigned i = 0, k = 0; i < 12; i++) {
    bool gone = k < 5 && dead[k] == i;
    assert_int_equal(w[i].deaths, gone);
    if (gone) k++;
  }
  *g->cell = REF_NULL;
  t->elems[2] = REF_NULL;
  made->cell[0] = REF_NULL;
  f.s->exception = REF_NULL;
  elem_drop(f.inst, 1);
  gc_collect(f.s);
  for (unsigned i = 0; i < 12; i++) assert_int_equal(w[i].deaths, 1);
  assert_int_equal(f.s->stats.heap_bytes, f.s->stats.heap_bytes);
  gc_stats(f.s);
  assert_int_equal(f.s->stats.heap_bytes, 0);
  end(&f);
}

/* Numbers that are no addresses of objects keep nothing and harm nothing. */
static void conservative(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct witness w = {0}, w2 = {0};
  cell r = witness(&f, &w), large = object_ref(make_array(&f, REFS, 3000));
  *array_cell(ref_object(large), 1) = witness(&f, &w2);
  cell cells[] = {0, 1, 7, 8, 4096, r + 8, r + 16, r - 16, r + 1, r | (cell)1 << 63, large + 16, large - 16, UINT64_MAX, UINT64_MAX - 7, (cell)1 << 62,
                  r & ~(cell)(GC_BLOCK - 1), r & ~(cell)(GC_CHUNK - 1), (cell)(uintptr_t)&cells, (cell)(uintptr_t)f.s};
  struct gc_temp temp;
  gc_temp_push(f.s, &temp, cells, sizeof cells / sizeof *cells);
  gc_collect(f.s);
  assert_int_equal(w.deaths, 1);
  assert_int_equal(w2.deaths, 1);
  cells[0] = r;
  cells[1] = large; /* both dead: as numbers they are nothing now */
  gc_collect(f.s);
  for (uint64_t v = (r & ~(cell)(GC_BLOCK - 1)); v < (r & ~(cell)(GC_BLOCK - 1)) + GC_BLOCK; v++)
    if (gc_find(f.s->heap, v)) fail_msg("something at %llx", (unsigned long long)v);
  gc_temp_pop(f.s);
  end(&f);
}

/* A pointer to a dead object in a block that was not swept yet must not bring it back to life. */
static void no_resurrection(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  cell keep[2] = {0}, dead;
  struct gc_temp temp;
  gc_temp_push(f.s, &temp, keep, 2);
  for (unsigned i = 0; i < 1000; i++) {
    struct object *o = make(&f, PAIR);
    if (i == 700) keep[0] = object_ref(o);
    if (i == 800) dead = object_ref(o);
  }
  *pair_field(ref_object(dead), 0) = 0xdeadbeef0; /* would be a crash if it were traced */
  gc_collect(f.s);
  keep[1] = dead;
  gc_collect(f.s);
  make(&f, PAIR);
  gc_collect(f.s);
  assert_null(gc_find(f.s->heap, dead));
  assert_non_null(gc_find(f.s->heap, keep[0]));
  gc_temp_pop(f.s);
  end(&f);
}

static uint64_t list_length(cell r) {
  uint64_t n = 0;
  for (; r; r = *pair_field(ref_object(r), 0)) {
    if (*pair_field(ref_object(r), 2) != n) fail_msg("node %llu holds %llu", (unsigned long long)n, (unsigned long long)*pair_field(ref_object(r), 2));
    n++;
  }
  return n;
}

static void deep_and_wide(struct fixture *f) {
  enum { DEEP = 300000, WIDE = 200000 };
  cell cells[2] = {0};
  struct gc_temp temp;
  gc_temp_push(f->s, &temp, cells, 2);
  for (unsigned i = DEEP; i-- > 0;) {
    struct object *o = make(f, PAIR);
    *pair_field(o, i % 2 ? 0 : 0) = cells[0];
    *pair_field(o, 1) = i % 3 ? REF_NULL : cells[0];
    *pair_field(o, 2) = i;
    cells[0] = object_ref(o);
  }
  gc_collect(f->s);
  assert_int_equal(list_length(cells[0]), DEEP);
  cells[1] = object_ref(make_array(f, REFS, WIDE));
  for (unsigned i = 0; i < WIDE; i++) {
    struct object *o = make(f, PAIR);
    *pair_field(o, 0) = object_ref(o); /* a cycle */
    *pair_field(o, 2) = i;
    *array_cell(ref_object(cells[1]), i) = object_ref(o);
  }
  gc_collect(f->s);
  make_array(f, BYTES, 100000);
  gc_collect(f->s);
  assert_int_equal(list_length(cells[0]), DEEP);
  for (unsigned i = 0; i < WIDE; i++) assert_int_equal(*pair_field(ref_object(*array_cell(ref_object(cells[1]), i)), 2), i);
  gc_stats(f->s);
  assert_int_equal(f->s->stats.heap_bytes / 1000, ((uint64_t)(DEEP + WIDE) * 48 + 16 + WIDE * 8u + GC_LARGE_HEAD) / 1000);
  gc_temp_pop(f->s);
  gc_collect(f->s);
  gc_stats(f->s);
  assert_int_equal(f->s->stats.heap_bytes, 0);
  assert_true(f->s->stats.heap_peak >= (uint64_t)(DEEP + WIDE) * 48);
}

static void deep_lists(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  deep_and_wide(&f);
  end(&f);
}

/* The same with a mark stack that cannot grow: marking must cope with its overflow. */
static void mark_stack_overflow(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  f.s->heap->stack_most = GC_MARK_RESERVE;
  cell cells[1] = {0};
  struct gc_temp temp;
  gc_temp_push(f.s, &temp, cells, 1);
  /* A tree of arrays: each level pushes more than the stack takes. */
  enum { FAN = 120 };
  cells[0] = object_ref(make_array(&f, REFS, FAN));
  for (unsigned i = 0; i < FAN; i++) {
    struct object *a = make_array(&f, REFS, FAN);
    *array_cell(ref_object(cells[0]), i) = object_ref(a);
    for (unsigned k = 0; k < FAN; k++) {
      struct object *b = make_array(&f, REFS, 3);
      *array_cell(a, k) = object_ref(b);
      struct object *p = make(&f, PAIR);
      *array_cell(b, 2) = object_ref(p);
      *pair_field(p, 2) = i * FAN + k;
    }
  }
  gc_collect(f.s);
  assert_true(f.s->heap->stack_cap == GC_MARK_RESERVE);
  for (int round = 0; round < 2; round++) {
    for (unsigned i = 0; i < FAN; i++)
      for (unsigned k = 0; k < FAN; k++) {
        struct object *b = ref_object(*array_cell(ref_object(*array_cell(ref_object(cells[0]), i)), k));
        assert_int_equal(b->u.length, 3);
        assert_int_equal(*pair_field(ref_object(*array_cell(b, 2)), 2), i * FAN + k);
      }
    for (unsigned i = 0; i < 50000; i++) *pair_field(make(&f, PAIR), 2) = 1;
    gc_collect(f.s);
  }
  gc_stats(f.s);
  assert_int_equal(f.s->stats.heap_bytes, 976u + FAN * 976u + FAN * FAN * (48u + 48u) + (FAN + 1) * (gc_class_size(gc_class(16 + FAN * 8)) - 976u));
  gc_temp_pop(f.s);
  end(&f);
}

static void heap_limit(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){.max_heap = 8 << 20});
  mv_error_t err = {0};
  cell cells[2] = {0};
  struct gc_temp temp;
  gc_temp_push(f.s, &temp, cells, 2);
  uint64_t n = 0;
  for (;;) {
    struct object *o = gc_struct(f.s, f.ids[PAIR], &err);
    if (!o) break;
    *pair_field(o, 0) = cells[0];
    cells[0] = object_ref(o);
    n++;
  }
  assert_int_equal(err.kind, MV_LIMIT);
  assert_prefix(err.message, "heap limit");
  assert_in_range(n * 48, 7 << 20, 8 << 20);
  assert_true(f.s->stats.collections < 60);
  err = (mv_error_t){0};
  assert_null(gc_array(f.s, f.ids[BYTES], 1 << 20, &err));
  assert_int_equal(err.kind, MV_LIMIT);
  err = (mv_error_t){0};
  assert_null(gc_array(f.s, f.ids[REFS], UINT64_MAX / 4, &err));
  assert_int_equal(err.kind, MV_LIMIT);
  cells[0] = 0; /* and life goes on */
  err = (mv_error_t){0};
  for (unsigned i = 0; i < 20; i++) MUST(gc_array(f.s, f.ids[BYTES], 7 << 20, &err), &err);
  for (unsigned i = 0; i < 1000000; i++) MUST(gc_struct(f.s, f.ids[PAIR], &err), &err);
  assert_null(gc_array(f.s, f.ids[BYTES], (8 << 20) + 1, &err));
  assert_int_equal(err.kind, MV_LIMIT);
  assert_true(f.s->heap->used <= 8 << 20);
  gc_temp_pop(f.s);
  end(&f);
}

/* Short-lived objects need little memory, and old ones survive among them; memory goes back when a heap has shrunk. */
static void churn(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){.max_heap = 64 << 20});
  cell cells[1] = {0};
  struct gc_temp temp;
  gc_temp_push(f.s, &temp, cells, 1);
  for (unsigned i = 0; i < 3000000; i++) {
    struct object *o = make(&f, PAIR);
    *pair_field(o, 2) = i;
    if (i % 5000 == 0) {
      *pair_field(o, 0) = cells[0];
      cells[0] = object_ref(o);
    }
  }
  unsigned n = 0;
  for (cell r = cells[0]; r; r = *pair_field(ref_object(r), 0)) assert_int_equal(*pair_field(ref_object(r), 2), (599 - n++) * 5000);
  assert_int_equal(n, 600);
  gc_stats(f.s);
  assert_true(f.s->stats.heap_peak < 8 << 20);
  assert_true(f.s->stats.allocated_bytes == 3000000u * 48u + 0 * n);
  assert_in_range(f.s->stats.collections, 20, 200);
  assert_true(f.s->stats.gc_pause_total_ns >= f.s->stats.gc_pause_max_ns && f.s->stats.gc_pause_max_ns > 0);
  cells[0] = 0;
  cell list = 0;
  for (unsigned i = 0; i < 700000; i++) {
    struct object *o = make(&f, PAIR);
    *pair_field(o, 0) = list;
    cells[0] = list = object_ref(o);
  }
  size_t many = f.s->heap->nchunks;
  assert_true(many > 100);
  cells[0] = list = 0;
  gc_collect(f.s);
  gc_collect(f.s);
  assert_true(f.s->heap->nchunks < many / 4);
  gc_temp_pop(f.s);
  end(&f);
}

/* A finalizer may drop handles, but not allocate. */
struct finalizer {
  struct fixture *f;
  struct gc_root *drop;
  bool refused;
};
static void finalize(void *env) {
  struct finalizer *z = env;
  mv_error_t err = {0};
  z->refused = !gc_struct(z->f->s, z->f->ids[EMPTY], &err) && err.kind == MV_USAGE;
  gc_collect(z->f->s);
  if (z->drop) gc_root_remove(z->drop);
}

static void finalizers(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){0});
  struct witness w = {0}, many = {0};
  struct gc_root root;
  struct finalizer z = {&f, &root, false};
  mv_error_t err = {0};
  MUST(gc_host(f.s, &z, finalize, &err), &err);
  gc_root_add(f.s, &root, witness(&f, &w));
  gc_collect(f.s);
  assert_true(z.refused);
  assert_int_equal(w.deaths, 0); /* its handle was a root when marking began */
  gc_collect(f.s);
  assert_int_equal(w.deaths, 1);
  for (unsigned i = 0; i < 5000; i++) witness(&f, &many);
  for (unsigned i = 0; i < 200000; i++) make(&f, PAIR);
  assert_true(f.s->stats.collections > 2);
  gc_collect(f.s);
  assert_int_equal(many.deaths, 5000);
  struct witness last = {0};
  gc_root_add(f.s, &root, witness(&f, &last));
  end(&f);
  assert_int_equal(last.deaths, 1); /* with the store at the latest */
  gc_root_remove(&root);            /* harmless */
}

/* A random graph against a model of it: who is reachable is known, all else must die. */
enum { NODES = 400, SLOTS = 8 };

struct model {
  cell ref[NODES]; /* 0: not allocated */
  int left[NODES], right[NODES];
  bool live[NODES];
  struct witness witness[NODES];
  int root[SLOTS];
};

static void model_mark(struct model *m, int i) {
  while (i >= 0 && !m->live[i]) {
    m->live[i] = true;
    model_mark(m, m->right[i]);
    i = m->left[i];
  }
}

static void model_check(struct model *m) {
  memset(m->live, 0, sizeof m->live);
  for (int i = 0; i < SLOTS; i++) model_mark(m, m->root[i]);
  for (int i = 0; i < NODES; i++) {
    if (!m->ref[i]) continue;
    if (!m->live[i]) {
      if (m->witness[i].deaths != 1) fail_msg("node %d is garbage and alive", i);
      m->ref[i] = 0;
      continue;
    }
    if (m->witness[i].deaths) fail_msg("node %d is reachable and dead", i);
    struct object *o = ref_object(m->ref[i]);
    cell left = m->left[i] < 0 ? 0 : m->ref[m->left[i]], right = m->right[i] < 0 ? 0 : m->ref[m->right[i]];
    if (*array_cell(o, 0) != left || *array_cell(o, 1) != right) fail_msg("node %d has changed", i);
  }
}

static void random_graph(void **state, bool stress) {
  (void)state;
  struct fixture f;
  begin(&f, (mv_options_t){.gc_stress = stress});
  struct model *m = calloc(1, sizeof *m);
  cell cells[SLOTS + 1] = {0};
  struct gc_temp temp;
  uint64_t seed = 12345;
  gc_temp_push(f.s, &temp, cells, SLOTS + 1);
  for (int i = 0; i < SLOTS; i++) m->root[i] = -1;
  for (int step = 0; step < (stress ? 3000 : 60000); step++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    unsigned x = (unsigned)(seed >> 33), slot = x % SLOTS;
    int from = m->root[(x >> 8) % SLOTS], to = m->root[(x >> 16) % SLOTS];
    if (stress) model_check(m);
    switch (x >> 4 & 7) {
    case 0: case 1: case 2: { /* a new node, of varying size, in a root */
      int i = (int)(x >> 12) % NODES;
      while (i < NODES && m->ref[i]) i++;
      if (i == NODES) break;
      m->witness[i].deaths = 0;
      struct object *o = make_array(&f, REFS, 3 + (x >> 9) % 300 * (x >> 20 & 1));
      cells[SLOTS] = object_ref(o);
      *array_cell(o, 2) = witness(&f, &m->witness[i]);
      cells[SLOTS] = 0;
      m->ref[i] = cells[slot] = object_ref(o);
      m->left[i] = m->right[i] = -1;
      m->root[slot] = i;
      break;
    }
    case 3: case 4: /* link */
      if (from < 0) break;
      if (x >> 24 & 1) m->left[from] = to;
      else m->right[from] = to;
      *array_cell(ref_object(m->ref[from]), x >> 24 & 1 ? 0 : 1) = to < 0 ? 0 : m->ref[to];
      break;
    case 5: /* follow */
      if (from < 0) break;
      m->root[slot] = m->left[from];
      cells[slot] = m->left[from] < 0 ? 0 : m->ref[m->left[from]];
      break;
    case 6: /* drop */
      m->root[slot] = -1;
      cells[slot] = 0;
      break;
    default:
      if (x % 7 == 0) {
        gc_collect(f.s);
        model_check(m);
      } else {
        make(&f, x % 5 ? MIXED : BIG);
      }
    }
    if (stress) gc_collect(f.s);
  }
  gc_temp_pop(f.s);
  end(&f);
  free(m);
}

static void random_graphs(void **state) { random_graph(state, false); }
static void random_graphs_under_stress(void **state) { random_graph(state, true); }

static void set_of_addresses(void **state) {
  (void)state;
  struct gc_set set = {0};
  bool in[2000] = {false};
  uint64_t seed = 1;
  assert_false(gc_set_has(&set, 0));
  assert_false(gc_set_has(&set, 5));
  for (int step = 0; step < 100000; step++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    unsigned k = (unsigned)(seed >> 40) % 2000;
    uintptr_t key = (uintptr_t)(k + 1) * 4096;
    assert_int_equal(gc_set_has(&set, key), in[k]);
    if (!in[k]) assert_true(gc_set_add(&set, key));
    else gc_set_remove(&set, key);
    in[k] = !in[k];
  }
  assert_false(gc_set_has(&set, 0));
  size_t n = 0;
  for (unsigned k = 0; k < 2000; k++) n += in[k];
  assert_int_equal(set.count, n);
  free(set.slots);
}

/* What the interpreter holds in registers when an operation allocates is alive too. */
static void registers(void **state) {
  (void)state;
  static const char text[] =
      "(module (type $s (struct (field (mut i64)))) (type $a (array (mut i64))) (global $g (mut (ref null $s)) (ref.null $s))"
      " (func (export \"f\") (param i64) (result i64) (local $n i32)"
      "  (local.set $n (i32.const 1))"
      "  (global.set $g (struct.new $s (local.get 0)))"
      "  (drop (array.new_default $a (local.get $n)))" /* where the struct was first */
      "  (local.get 0) (global.get $g) (global.set $g (ref.null $s))"
      "  (drop (array.new_default $a (local.get $n))) (drop (array.new_default $a (local.get $n))) (drop (array.new_default $a (local.get $n)))"
      "  (struct.get $s 0) (i64.and)))";
  struct types *types = types_new();
  const mv_options_t options = {.gc_stress = true};
  struct store *s = store_open(types, &options);
  struct module *m = module_of(types, &options, text);
  mv_error_t err = {0};
  struct instance *inst;
  MUST(instance_new(s, m, NULL, &inst, &err), &err);
  cell v = 7654321;
  MUST(exec_call(s, export_of(inst, "f").u.func, &v, &err), &err);
  assert_int_equal(v, 7654321);
  store_close(s);
  module_drop(m);
  types_delete(types);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes), cmocka_unit_test(set_of_addresses), cmocka_unit_test(fresh_objects_are_zero), cmocka_unit_test(fast_path), cmocka_unit_test(roots),
      cmocka_unit_test(conservative), cmocka_unit_test(no_resurrection), cmocka_unit_test(deep_lists), cmocka_unit_test(mark_stack_overflow),
      cmocka_unit_test(heap_limit), cmocka_unit_test(churn), cmocka_unit_test(finalizers), cmocka_unit_test(random_graphs),
      cmocka_unit_test(random_graphs_under_stress), cmocka_unit_test(registers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
