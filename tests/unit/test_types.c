/* The type registry, subtyping, printing, features and the table of instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "types/limits.h"
#include "types/ops.h"
#include "types/types.h"

#define REF(heap) VT_REFTYPE(heap, 0)
#define NULLREF(heap) VT_REFTYPE(heap, VT_NULLABLE)
#define EXACT(heap) VT_REFTYPE(heap, VT_EXACT)
#define REC(i) (HEAP_REC | (uint32_t)(i))

static struct deftype type_of(unsigned kind, uint32_t super, bool final) {
  return (struct deftype){.kind = (uint8_t)kind, .final = final, .super = super, .descriptor = TYPE_NONE, .describes = TYPE_NONE};
}

static struct deftype struct_type(uint32_t super, bool final, const struct field *fields, uint32_t n) {
  struct deftype t = type_of(COMP_STRUCT, super, final);
  t.u.agg.fields = fields;
  t.u.agg.nfields = n;
  return t;
}

static uint32_t define(struct types *ts, struct deftype t) {
  uint32_t id = TYPE_NONE;
  mv_error_t err = {0};
  assert_true(types_define(ts, &t, 1, &id, &err));
  return id;
}

static int setup(void **state) {
  *state = types_new();
  return *state ? 0 : -1;
}

static int teardown(void **state) {
  types_delete(*state);
  return 0;
}

static void equal_types_have_one_id(void **state) {
  struct types *ts = *state;
  valtype a[] = {VT_I32, VT_I64}, b[] = {VT_I32, VT_I64, VT_V128};
  uint32_t x, y, z, w;
  mv_error_t err = {0};
  assert_true(types_func(ts, a, 2, a, 1, &x, &err));
  assert_true(types_func(ts, b, 2, b, 1, &y, &err));
  assert_true(types_func(ts, b, 3, b, 1, &z, &err));
  assert_true(types_func(ts, a, 1, a, 2, &w, &err));
  assert_int_equal(x, y);
  assert_int_not_equal(x, z);
  assert_int_not_equal(x, w);
  assert_int_equal(types_get(ts, z)->u.func.param_cells, 4);
  assert_int_equal(types_get(ts, z)->u.func.result_cells, 1);
  assert_int_equal(err.kind, MV_OK);
}

static void finality_supertype_and_mutability_distinguish(void **state) {
  struct types *ts = *state;
  struct field var = {VT_I32, true, 0}, con = {VT_I32, false, 0};
  uint32_t open = define(ts, struct_type(TYPE_NONE, false, &con, 1));
  uint32_t ids[] = {open, define(ts, struct_type(TYPE_NONE, true, &con, 1)), define(ts, struct_type(TYPE_NONE, false, &var, 1)),
                    define(ts, struct_type(open, false, &con, 1))};
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < i; j++) assert_int_not_equal(ids[i], ids[j]);
  assert_int_equal(open, define(ts, struct_type(TYPE_NONE, false, &con, 1)));
}

static void a_recursive_type_is_one(void **state) {
  struct types *ts = *state;
  struct field self = {NULLREF(REC(0)), true, 0};
  uint32_t a = define(ts, struct_type(TYPE_NONE, true, &self, 1));
  assert_int_equal(a, define(ts, struct_type(TYPE_NONE, true, &self, 1)));
  assert_int_equal(vt_heap(types_get(ts, a)->u.agg.fields[0].type), a);
  /* The unrolled form is another type: iso-recursive, not equi-recursive. */
  struct field outer = {NULLREF(a), true, 0};
  assert_int_not_equal(a, define(ts, struct_type(TYPE_NONE, true, &outer, 1)));
}

static void groups_are_equal_as_a_whole(void **state) {
  struct types *ts = *state;
  struct field f1[] = {{NULLREF(REC(1)), false, 0}}, f0[] = {{NULLREF(REC(0)), false, 0}};
  struct deftype pair[] = {struct_type(TYPE_NONE, true, f1, 1), struct_type(TYPE_NONE, true, f0, 1)};
  struct deftype swapped[] = {struct_type(TYPE_NONE, true, f0, 1), struct_type(TYPE_NONE, true, f1, 1)};
  uint32_t a[2], b[2], c[2];
  mv_error_t err = {0};
  assert_true(types_define(ts, pair, 2, a, &err));
  assert_true(types_define(ts, pair, 2, b, &err));
  assert_true(types_define(ts, swapped, 2, c, &err));
  assert_memory_equal(a, b, sizeof a);
  assert_int_not_equal(a[0], c[0]);
  assert_int_not_equal(a[0], define(ts, pair[1])); /* a member is not the type alone */
  assert_int_equal(types_get(ts, a[1])->group, a[0]);
  assert_int_equal(types_get(ts, a[1])->group_size, 2);
}

static void a_member_from_outside_is_not_a_member(void **state) {
  struct types *ts = *state;
  struct field self = {REF(REC(0)), false, 0};
  uint32_t a = define(ts, struct_type(TYPE_NONE, true, &self, 1));
  struct field outside = {REF(a), false, 0};
  uint32_t b = define(ts, struct_type(TYPE_NONE, true, &outside, 1));
  assert_int_not_equal(a, b);
  assert_int_equal(b, define(ts, struct_type(TYPE_NONE, true, &outside, 1)));
}

static void declared_subtyping(void **state) {
  struct types *ts = *state;
  struct field f = {VT_I64, false, 0};
  uint32_t top = define(ts, struct_type(TYPE_NONE, false, NULL, 0)), mid = define(ts, struct_type(top, false, &f, 1));
  uint32_t low = define(ts, struct_type(mid, false, &f, 1)), other = define(ts, struct_type(top, false, &f, 1));
  assert_int_equal(mid, other);
  struct field g = {VT_F64, false, 0};
  other = define(ts, struct_type(top, false, &g, 1));
  assert_true(types_match_def(ts, low, top) && types_match_def(ts, low, mid) && types_match_def(ts, mid, top) && types_match_def(ts, low, low));
  assert_false(types_match_def(ts, top, low) || types_match_def(ts, other, mid) || types_match_def(ts, low, other));
  assert_int_equal(types_get(ts, low)->depth, 2);
  assert_int_equal(types_get(ts, low)->display[1], mid);
  assert_int_equal(types_get(ts, top)->display[0], top);
}

static void subtyping_has_a_limit(void **state) {
  struct types *ts = *state;
  uint32_t super = TYPE_NONE, id;
  for (int i = 0; i <= LIMIT_SUBTYPE_DEPTH; i++) super = define(ts, struct_type(super, false, NULL, 0));
  struct deftype t = struct_type(super, false, NULL, 0);
  mv_error_t err = {0};
  assert_false(types_define(ts, &t, 1, &id, &err));
  assert_int_equal(err.kind, MV_LIMIT);
}

static void matching(void **state) {
  struct types *ts = *state;
  valtype p = VT_I32;
  uint32_t f, s = define(ts, struct_type(TYPE_NONE, false, NULL, 0)), sub = define(ts, struct_type(s, true, NULL, 0));
  struct field byte = {VT_I8, true, 0};
  struct deftype at = type_of(COMP_ARRAY, TYPE_NONE, true);
  at.u.agg.fields = &byte;
  at.u.agg.nfields = 1;
  uint32_t a = define(ts, at);
  mv_error_t err = {0};
  assert_true(types_func(ts, &p, 1, NULL, 0, &f, &err));
  const struct { valtype sub, super; bool ok; } cases[] = {
      {VT_I32, VT_I32, true}, {VT_I32, VT_I64, false}, {VT_BOT, VT_V128, true}, {VT_BOT, NULLREF(s), true}, {VT_I32, VT_FUNCREF, false},
      {REF(s), NULLREF(s), true}, {NULLREF(s), REF(s), false}, {REF(sub), REF(s), true}, {REF(s), REF(sub), false},
      {REF(s), REF(HEAP_STRUCT), true}, {REF(s), REF(HEAP_EQ), true}, {REF(s), NULLREF(HEAP_ANY), true}, {REF(s), REF(HEAP_ARRAY), false},
      {REF(s), REF(HEAP_FUNC), false}, {REF(a), REF(HEAP_ARRAY), true}, {REF(a), REF(HEAP_EQ), true}, {REF(a), REF(HEAP_STRUCT), false},
      {REF(f), REF(HEAP_FUNC), true}, {REF(f), REF(HEAP_ANY), false}, {REF(HEAP_NONE), REF(s), true}, {REF(HEAP_NONE), REF(HEAP_I31), true},
      {REF(HEAP_NONE), REF(f), false}, {REF(HEAP_NOFUNC), REF(f), true}, {REF(HEAP_NOFUNC), REF(HEAP_ANY), false}, {REF(HEAP_NOEXTERN), REF(HEAP_EXTERN), true},
      {REF(HEAP_NOEXN), REF(HEAP_EXN), true}, {REF(HEAP_NOEXN), REF(HEAP_EXTERN), false}, {REF(HEAP_I31), REF(HEAP_EQ), true}, {REF(HEAP_EQ), REF(HEAP_I31), false},
      {REF(HEAP_ANY), REF(HEAP_EQ), false}, {REF(HEAP_STRUCT), REF(s), false}, {REF(HEAP_BOT), REF(s), true}, {REF(HEAP_BOT), REF(HEAP_EXN), true},
      {REF(HEAP_BOT), VT_I32, false}, {EXACT(s), REF(s), true}, {REF(s), EXACT(s), false}, {EXACT(s), EXACT(s), true}, {EXACT(sub), EXACT(s), false},
      {EXACT(sub), REF(s), true}, {REF(HEAP_NONE), EXACT(s), true}, {REF(HEAP_NOFUNC), EXACT(s), false}, {EXACT(s), REF(HEAP_ANY), true},
      {REF(HEAP_EQ), EXACT(s), false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (types_match(ts, cases[i].sub, cases[i].super) != cases[i].ok) fail_msg("case %zu", i);
  assert_int_equal(types_top(ts, s), HEAP_ANY);
  assert_int_equal(types_bottom(ts, f), HEAP_NOFUNC);
  assert_int_equal(types_top(ts, HEAP_NOEXTERN), HEAP_EXTERN);
}

static void shapes(void **state) {
  struct types *ts = *state;
  uint32_t s = define(ts, struct_type(TYPE_NONE, false, NULL, 0)), sub = define(ts, struct_type(s, false, NULL, 0));
  struct field wide[] = {{REF(s), false, 0}, {VT_I32, true, 0}}, narrow[] = {{REF(sub), false, 0}}, var[] = {{REF(s), true, 0}}, sub_var[] = {{REF(sub), true, 0}};
  const struct deftype *a = types_get(ts, define(ts, struct_type(TYPE_NONE, false, wide, 1))), *b = types_get(ts, define(ts, struct_type(TYPE_NONE, false, narrow, 1)));
  const struct deftype *c = types_get(ts, define(ts, struct_type(TYPE_NONE, false, wide, 2)));
  const struct deftype *v = types_get(ts, define(ts, struct_type(TYPE_NONE, false, var, 1))), *w = types_get(ts, define(ts, struct_type(TYPE_NONE, false, sub_var, 1)));
  assert_true(types_match_comp(ts, b, a) && types_match_comp(ts, c, a));
  assert_false(types_match_comp(ts, a, b) || types_match_comp(ts, a, c) || types_match_comp(ts, w, v) || types_match_comp(ts, v, a));
  valtype rs = REF(s), rsub = REF(sub);
  uint32_t f, g;
  mv_error_t err = {0};
  assert_true(types_func(ts, &rs, 1, &rsub, 1, &f, &err));
  assert_true(types_func(ts, &rsub, 1, &rs, 1, &g, &err));
  assert_true(types_match_comp(ts, types_get(ts, f), types_get(ts, g)));
  assert_false(types_match_comp(ts, types_get(ts, g), types_get(ts, f)) || types_match_comp(ts, types_get(ts, f), a));
}

static void field_offsets(void **state) {
  struct types *ts = *state;
  struct field f[] = {{VT_I8, true, 0}, {VT_I16, true, 0}, {VT_I8, true, 0}, {VT_I32, true, 0}, {VT_I8, true, 0}, {VT_EXTERNREF, true, 0}, {VT_V128, true, 0}, {VT_I8, true, 0}};
  const uint32_t offsets[] = {0, 2, 4, 8, 12, 16, 32, 48};
  const struct deftype *t = types_get(ts, define(ts, struct_type(TYPE_NONE, true, f, 8)));
  for (int i = 0; i < 8; i++) assert_int_equal(t->u.agg.fields[i].offset, offsets[i]);
  assert_int_equal(t->u.agg.size, 56);
  assert_int_equal(t->u.agg.nrefs, 1);
  t = types_get(ts, define(ts, struct_type(TYPE_NONE, true, f, 2)));
  assert_int_equal(t->u.agg.size, 8);
  assert_int_equal(t->u.agg.nrefs, 0);
}

static void descriptors_belong_to_identity(void **state) {
  struct types *ts = *state;
  struct deftype g[] = {struct_type(TYPE_NONE, true, NULL, 0), struct_type(TYPE_NONE, true, NULL, 0)};
  uint32_t plain[2], described[2];
  mv_error_t err = {0};
  assert_true(types_define(ts, g, 2, plain, &err));
  g[0].descriptor = REC(1);
  g[1].describes = REC(0);
  assert_true(types_define(ts, g, 2, described, &err));
  assert_int_not_equal(plain[0], described[0]);
  assert_int_equal(types_get(ts, described[0])->descriptor, described[1]);
  assert_int_equal(types_get(ts, described[1])->describes, described[0]);
}

static void pointers_stay(void **state) {
  struct types *ts = *state;
  enum { N = 20000 };
  const struct deftype **at = calloc(N, sizeof *at);
  uint32_t id, again;
  mv_error_t err = {0};
  for (uint32_t i = 0; i < N; i++) {
    valtype p[16];
    for (unsigned k = 0; k < 16; k++) p[k] = i >> k & 1 ? VT_I32 : VT_I64;
    assert_true(types_func(ts, p, 16, NULL, 0, &id, &err));
    at[i] = types_get(ts, id);
    assert_int_equal(at[i]->id, id);
  }
  for (uint32_t i = 0; i < N; i += 777) {
    assert_ptr_equal(at[i], types_get(ts, at[i]->id));
    assert_true(types_func(ts, at[i]->u.func.params, 16, NULL, 0, &again, &err));
    assert_int_equal(again, at[i]->id);
  }
  free(at);
}

static void *define_many(void *env) {
  struct types *ts = env;
  uint32_t *ids = calloc(300, sizeof *ids);
  mv_error_t err = {0};
  for (uint32_t i = 0; ids && i < 300; i++) {
    valtype p[300];
    for (unsigned k = 0; k <= i; k++) p[k] = VT_F32;
    if (!types_func(ts, p, i + 1, NULL, 0, &ids[i], &err) || types_get(ts, ids[i])->u.func.nparams != i + 1) ids[i] = TYPE_NONE;
  }
  return ids;
}

static void threads_agree(void **state) {
  pthread_t t[4];
  uint32_t *ids[4];
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&t[i], NULL, define_many, *state), 0);
  for (int i = 0; i < 4; i++) pthread_join(t[i], (void **)&ids[i]);
  for (int i = 0; i < 300; i++) assert_int_not_equal(ids[0][i], TYPE_NONE);
  for (int i = 1; i < 4; i++) assert_memory_equal(ids[0], ids[i], 300 * sizeof *ids[0]);
  for (int i = 0; i < 4; i++) free(ids[i]);
}

static void printing(void **state) {
  struct types *ts = *state;
  char buf[200], tiny[8];
  const struct { valtype t; const char *text; } cases[] = {
      {VT_I32, "i32"}, {VT_V128, "v128"}, {VT_I16, "i16"}, {VT_BOT, "bot"}, {VT_FUNCREF, "funcref"}, {NULLREF(HEAP_NONE), "nullref"}, {REF(HEAP_ANY), "(ref any)"},
      {REF(3), "(ref 3)"}, {NULLREF(12), "(ref null 12)"}, {VT_REFTYPE(5, VT_NULLABLE | VT_EXACT), "(ref null (exact 5))"}, {REF(HEAP_NOEXN), "(ref noexn)"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_string_equal(valtype_print(cases[i].t, buf, sizeof buf), cases[i].text);
  valtype p[] = {VT_I32, VT_FUNCREF}, r[] = {VT_F64};
  uint32_t f;
  mv_error_t err = {0};
  assert_true(types_func(ts, p, 2, r, 1, &f, &err));
  assert_string_equal(functype_print(types_get(ts, f), buf, sizeof buf), "(func (param i32 funcref) (result f64))");
  assert_string_equal(functype_print(types_get(ts, f), tiny, sizeof tiny), "(func (");
  struct field fs[] = {{VT_I8, true, 0}, {VT_I64, false, 0}};
  assert_string_equal(functype_print(types_get(ts, define(ts, struct_type(TYPE_NONE, true, fs, 2))), buf, sizeof buf), "(struct (field (mut i8)) (field i64))");
}

static void features(void **state) {
  (void)state;
  mv_features_t set = mv_features_default();
  const char *bad = NULL, *list = "threads,nonsense";
  assert_true((set & MV_FEATURE(GC)) && !(set & MV_FEATURE(THREADS)));
  assert_true(mv_features_parse("threads,-gc", &set, &bad));
  assert_int_equal(set, (mv_features_default() | MV_FEATURE(THREADS)) & ~MV_FEATURE(GC));
  assert_true(mv_features_parse("none,simd", &set, &bad));
  assert_int_equal(set, MV_FEATURE(SIMD));
  assert_true(mv_features_parse("all", &set, &bad) && mv_features_parse("", &set, &bad));
  assert_int_equal(set, mv_features_all());
  assert_false(mv_features_parse(list, &set, &bad));
  assert_ptr_equal(bad, list + 8);
  assert_int_equal(set, mv_features_all());
  assert_null(mv_feature_name(MV_FEATURE_COUNT));
}

static void rows(void **state) {
  (void)state;
  unsigned count = 0;
  for (unsigned op = 0; op < OP_LIMIT; op++) {
    const struct opinfo *info = op_info(op);
    if (!info->text) continue;
    count++;
    assert_true((info->sig != NULL) == (info->rule != RULE_SPECIAL));
    assert_true(info->feature < MV_FEATURE_COUNT && info->align <= 4);
    if (info->rule == RULE_LOAD || info->rule == RULE_STORE) assert_int_equal(info->sig[0], 'a');
  }
  assert_true(count > 550);
  assert_string_equal(op_info(OP_i32_add)->text, "i32.add");
  assert_string_equal(op_info(OP_v128_load)->text, "v128.load");
  assert_null(op_info(0xff)->text);
  assert_null(op_info(OP_LIMIT)->text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(equal_types_have_one_id), TEST(finality_supertype_and_mutability_distinguish), TEST(a_recursive_type_is_one), TEST(groups_are_equal_as_a_whole),
      TEST(a_member_from_outside_is_not_a_member), TEST(declared_subtyping), TEST(subtyping_has_a_limit), TEST(matching), TEST(shapes), TEST(field_offsets),
      TEST(descriptors_belong_to_identity), TEST(pointers_stay), TEST(threads_agree), TEST(printing), cmocka_unit_test(features), cmocka_unit_test(rows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
