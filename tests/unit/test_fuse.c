/* Superinstructions (code/fuse.c): each row of rops.def and simd.def that is one must come out of the instructions that it is made of, and compute what
 * they do. A new row is tested by being there; a new shape needs its pattern here. */
#include "code/rops.h"
#include "wat.h"

enum { ROUNDS = 40 };

/* i32_shr_u in the table is i32.shr_u in text. */
static const char *text_of(const char *id, char out[48]) {
  snprintf(out, 48, "%s", id);
  out[strcspn(out, "_")] = '.';
  if (strlen(out) > 4 && strcmp(out + strlen(out) - 4, "_cpu") == 0) out[strlen(out) - 4] = 0;
  return out;
}

static uint64_t next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  const uint64_t x = *state >> 33 ^ *state << 20;
  switch (*state >> 60 & 7) {
  case 0: return x & 7;
  case 1: return 0x3ff0000000000000u + (x << 40); /* floats of ordinary size, of either width */
  case 2: return 0x40490fdb3f800000u ^ (x & 0xffff0000ffff0000u);
  default: return x;
  }
}

/* Runs `f` of a module with and without superinstructions, on the same arguments. */
static void same(const char *id, const char *type, const char *body) {
  const unsigned cells = strcmp(type, "v128") == 0 ? 2 : 1;
  char *wat = NULL, *dump = NULL, name[64];
  size_t size;
  FILE *out = open_memstream(&wat, &size);
  fprintf(out, "(module (memory 1 1) (data (i32.const 0) \"\\01\\80\\7f\\ff some bytes to be loaded, 0123456789 \\c0\\3f\\00\\3e\")"
               "(func (export \"f\") (param %s %s %s i32) (result %s) %s))", type, type, type, type, body);
  fclose(out);
  struct types *types = types_new();
  const mv_options_t options[2] = {{0}, {.no_fusion = true}};
  struct store *s[2];
  struct module *m[2];
  struct instance *inst[2];
  mv_error_t err = {0};
  for (unsigned k = 0; k < 2; k++) {
    s[k] = store_open(types, &options[k]);
    m[k] = module_of(types, &options[k], wat);
    MUST(instance_new(s[k], m[k], NULL, &inst[k], &err), &err);
  }
  out = open_memstream(&dump, &size);
  MUST(code_dump(m[0], 0, out, &err), &err);
  fclose(out);
  snprintf(name, sizeof name, " %s ", id);
  if (!strstr(dump, name)) fail_msg("%s was not made:\n%s", id, dump);
  uint64_t random = 1;
  for (unsigned round = 0; round < ROUNDS; round++) {
    cell args[2][16];
    for (unsigned k = 0; k < 3 * cells; k++) args[0][k] = strcmp(type, "i32") == 0 || strcmp(type, "f32") == 0 ? (uint32_t)next(&random) : next(&random);
    args[0][3 * cells] = round;
    memcpy(args[1], args[0], sizeof args[0]);
    for (unsigned k = 0; k < 2; k++) MUST(exec_call(s[k], export_of(inst[k], "f").u.func, args[k], &err), &err);
    if (memcmp(args[0], args[1], cells * sizeof(cell)) != 0) fail_msg("%s differs in round %u: %llx, not %llx", id, round, (unsigned long long)args[0][0], (unsigned long long)args[1][0]);
  }
  for (unsigned k = 0; k < 2; k++) store_close(s[k]), module_drop(m[k]);
  types_delete(types);
  free(wat);
  free(dump);
}

#define BODY(...) snprintf(body, sizeof body, __VA_ARGS__)

/* `inner` is the first operand (L) or the second one (R) of `second`, the third parameter the other. */
static void pair(const char *id, const char *type, const char *inner, const char *second, char side) {
  char body[512], text[48];
  if (side == 'L') BODY("(%s %s (local.get 2))", text_of(second, text), inner);
  else BODY("(%s (local.get 2) %s)", text_of(second, text), inner);
  same(id, type, body);
}

static const char *of_two(const char *op, char out[96]) {
  char text[48];
  snprintf(out, 96, "(%s (local.get 0) (local.get 1))", text_of(op, text));
  return out;
}

/* What a LOADOP row with a multiplication does: i32_load_mul, f64_load_mul_l (the value is on the left), f64_load_mul_r. */
static const char *product(const char *id, const char *type, char out[128]) {
  char load[48];
  const size_t n = strlen(id);
  text_of(id, load);
  *strstr(load, "_mul") = 0;
  if (id[n - 1] == 'l' && id[n - 2] == '_') snprintf(out, 128, "(%s.mul (%s (local.get 3)) (local.get 0))", type, load);
  else snprintf(out, 128, "(%s.mul (local.get 0) (%s (local.get 3)))", type, load);
  return out;
}

static void test_scalar(void **state) {
  char body[512], x[96], a[48], b[128], c[48];
  (void)state;
  if (!exec_all_forms()) skip();
#define BIN2(id, T, first, second, e) pair(#id, #T, of_two(#first, x), #second, 'R');
#define FBIN2(id, T, first, second, side, e) pair(#id, #T, of_two(#first, x), #second, #side[0]);
#define WIDE1(id, first, second, e) \
  text_of(#second, a), text_of(#first, b); \
  BODY("(%s (%s (local.get 0) (i64.const 0x9e3779b97f4a7c15)) (local.get 2))", a, b); \
  same(#id, "i64", body); \
  BODY("(%s (%s (i64.extend32_s (local.get 0)) (i64.const -0x123456789)) (i64.const 29))", a, b); \
  same(#id, "i64", body);
#define WIDE2(id, first, second, e) \
  text_of(#second, a), text_of(#first, b); \
  BODY("(%s (%s (local.get 0) (local.get 2)) (i64.const 0x9e3779b97f4a7c15))", a, b); \
  same(#id, "i64", body); \
  BODY("(%s (%s (i64.extend32_s (local.get 0)) (i64.const 11)) (i64.const 0x5555555555555555))", a, b); \
  same(#id, "i64", body);
#define ADDBR(id, T, add, cmp, e) \
  BODY("(block (br_if 0 (%s (local.tee 0 (%s (local.get 0) (local.get 1))) (local.get 2))) (local.set 1 (%s.const 7))) (%s.xor (local.get 0) (local.get 1))", \
       text_of(#cmp, a), text_of(#add, b), #T, #T); \
  same(#id, #T, body);
#define LOADOP(id, T, load, op, side, n, get, e) \
  snprintf(x, sizeof x, "(%s (local.get 3))", text_of(#load, a)); \
  pair(#id, #T, x, #op, #side[0]);
#define FLOADOP LOADOP
#define LOADBIN2(id, T, first, second, side, n, get, e) pair(#id, #T, product(#first, #T, b), #second, #side[0]);
#define FLOADBIN2 LOADBIN2
#define LOADBR(id, T, load, cmp, n, get, e) \
  text_of(#load, a); \
  BODY("(local.set 2 (select (%s (local.get 3)) (local.get 2) (i32.and (local.get 3) (i32.const 1))))" \
       "(block (br_if 0 (%s (%s (local.get 3)) (local.get 2))) (local.set 1 (%s.const 7))) (local.get 1)", a, text_of(#cmp, c), a, #T); \
  same(#id, #T, body);
#define BINBR(id, T, first, branch, e) \
  if (strstr(#branch, "brz")) BODY("(block (br_if 0 (%s.eqz (%s (local.get 0) (%s.const 3)))) (local.set 1 (%s.const 7))) (local.get 1)", #T, text_of(#first, a), #T, #T); \
  else BODY("(if (%s.eqz (%s (local.get 0) (%s.const 3))) (then (local.set 1 (%s.const 7)))) (local.get 1)", #T, text_of(#first, a), #T, #T); \
  same(#id, #T, body);
#define FBINBR(id, T, first, branch, e) \
  text_of(&#branch[3], c); \
  if (#branch[1] == 'r') BODY("(block (br_if 0 (%s %s (local.get 2))) (local.set 1 (%s.const 7))) (local.get 1)", c, of_two(#first, x), #T); \
  else BODY("(if (%s %s (local.get 2)) (then (local.set 1 (%s.const 7)))) (local.get 1)", c, of_two(#first, x), #T); \
  same(#id, #T, body);
#define SELIMM(id, T) \
  same(#id, #T, "(select (local.get 0) (" #T ".const 5) (local.get 3))"); \
  same(#id, #T, "(select (" #T ".const -5) (local.get 0) (local.get 3))"); \
  same(#id, #T, "(select (" #T ".const -5) (" #T ".const 9) (local.get 3))");
#define LOAD(id, T, n, e) \
  text_of(#id, a); \
  BODY("(%s.add (%s (local.tee 3 (i32.add (local.get 3) (i32.const 4)))) (%s (local.get 3)))", #T, a, a); \
  same("add_" #id, #T, body); \
  BODY("(local.set 0 (%s (local.get 3))) (local.set 3 (i32.add (local.get 3) (i32.const 4))) (%s.add (local.get 0) (%s (local.get 3)))", a, #T, a); \
  same("inc_" #id, #T, body);
#define STORE(id, T, n, e) \
  BODY("(%s (local.get 3) (local.get 0)) (local.set 3 (i32.add (local.get 3) (i32.const 4))) (%s.load (i32.sub (local.get 3) (i32.const 4)))", text_of(#id, a), #T); \
  same("inc_" #id, #T, body);
#include "code/rops.def"
}

/* Sums in loops: `inner` and the sum, local 1, on either side of `second`. */
static void sum(const char *id, const char *type, const char *inner, const char *second, char side) {
  char body[512], text[48];
  text_of(second, text);
  const int n = side == 'L' ? snprintf(body, sizeof body, "(loop (local.set 1 (%s %s (local.get 1)))", text, inner)
                            : snprintf(body, sizeof body, "(loop (local.set 1 (%s (local.get 1) %s))", text, inner);
  snprintf(body + n, sizeof body - (size_t)n, "(br_if 0 (local.tee 3 (i32.shr_u (local.get 3) (i32.const 1))))) (local.get 1)");
  same(id, type, body);
}

static void test_pins(void **state) {
  char x[128], a[48];
  (void)state;
  if (!exec_all_forms()) skip();
#define PIN(id, T, op, e) sum(#id, #T, "(local.get 0)", #op, 'R'), sum(#id, #T, "(local.get 0)", #op, 'L');
#define FBIN2(id, T, first, second, side, e) sum("pin_" #id, #T, (snprintf(x, sizeof x, "(%s (local.get 0) (local.get 2))", text_of(#first, a)), x), #second, #side[0]);
#define FLOADOP(id, T, load, op, side, n, get, e) sum("pin_" #id, #T, (snprintf(x, sizeof x, "(%s (local.get 3))", text_of(#load, a)), x), #op, #side[0]);
#define FLOADBIN2(id, T, first, second, side, n, get, e) sum("pin_" #id, #T, product(#first, #T, x), #second, #side[0]);
#include "code/rops.def"
  /* the sum passes through another local */
  same("pin_f64_add", "f64", "(loop (local.set 2 (f64.add (local.get 1) (local.get 0))) (local.set 1 (f64.add (local.get 2) (local.get 0)))"
                             "(br_if 0 (local.tee 3 (i32.shr_u (local.get 3) (i32.const 1))))) (local.get 1)");
}

static bool has_twin(const char *id) {
  static const char *const twins[] = {
#define SIMD_TWIN(shape, id) #id,
#include "exec/simd.def"
  };
  for (unsigned k = 0; k < sizeof twins / sizeof *twins; k++)
    if (strcmp(id, twins[k]) == 0) return true;
  return false;
}

/* Where the processor runs twins they are what comes, and only there. */
static bool comes(const char *first) {
  const bool twin = strlen(first) > 4 && strcmp(first + strlen(first) - 4, "_cpu") == 0;
  return exec_has_twins() ? !has_twin(first) : !twin;
}

/* A shift of `operand` by a constant; rotations are made of three instructions. */
static const char *shift(const char *id, const char *operand, char out[256]) {
  char text[48];
  unsigned lanes, width;
  text_of(id, text);
  if (strstr(id, "_rotl") && sscanf(id, "i%ux%u", &width, &lanes) == 2)
    snprintf(out, 256, "(v128.or (i%ux%u.shl %s (i32.const 5)) (i%ux%u.shr_u %s (i32.const %u)))", width, lanes, operand, width, lanes, operand, width - 5);
  else
    snprintf(out, 256, "(%s %s (i32.const 5))", text, operand);
  return out;
}

static void test_vector(void **state) {
  char body[512], x[96], y[256];
  (void)state;
  if (!exec_all_forms()) skip();
#define SIMD_PAIR(id, first, second, side) \
  if (comes(#first)) pair(#id, "v128", of_two(#first, x), #second, #side[0]);
#define SIMD_LOAD_OP(id, second, side) pair(#id, "v128", "(v128.load (local.get 3))", #second, #side[0]);
#define SIMD_ROTATE(id) same(#id, "v128", shift(#id, "(local.get 0)", y));
#define SIMD_SHIFT_OP(id, first, second) pair(#id, "v128", shift(#first, "(local.get 0)", y), #second, 'L');
/* the first result goes to a local, so that a rotation can read it twice */
#define SIMD_OP_SHIFT(id, first, second) \
  BODY("(local.set 1 %s) (local.tee 1 %s)", of_two(#first, x), shift(#second, "(local.get 1)", y)); \
  same(#id, "v128", body);
#include "exec/simd.def"
}

/* Tests of vectors that branches take over, and constants, permutations and lanes within other operations. */
static void test_forms(void **state) {
  (void)state;
  if (!exec_all_forms()) skip();
#define SIMD_TEST(id) \
  { \
    char text[48], body[512]; \
    BODY("(block (br_if 0 (%s (local.get 0))) (local.set 1 (local.get 2))) (local.get 1)", text_of(#id, text)); \
    same("br_" #id, "v128", body); \
    BODY("(if (%s (local.get 0)) (then (local.set 1 (local.get 2)))) (local.get 1)", text_of(#id, text)); \
    same("br_not_" #id, "v128", body); \
  }
#include "exec/simd.def"
  const char *const permute = exec_has_twins() ? "i8x16_permute_cpu" : "i8x16_permute";
  same("i32x4_add", "v128", "(i32x4.add (v128.const i32x4 1 2 3 -4) (local.get 0))");
  same("f32x4_sub", "v128", "(f32x4.sub (v128.const f32x4 1 2 3 -4) (local.get 0))");
  same(permute, "v128", "(i8x16.shuffle 15 1 1 2 3 4 5 6 7 8 9 10 11 12 13 0 (local.get 0) (local.get 1))");
  same(permute, "v128", "(i8x16.shuffle 31 17 17 18 19 20 21 22 23 24 25 26 27 28 29 16 (local.get 0) (local.get 1))");
  same(permute, "v128", "(i8x16.shuffle 31 1 17 2 19 4 21 6 23 8 25 10 27 12 29 0 (local.get 0) (local.get 0))");
  same(exec_has_twins() ? "i8x16_shuffle_cpu" : "i8x16_shuffle", "v128", "(i8x16.shuffle 31 1 17 2 19 4 21 6 23 8 25 10 27 12 29 0 (local.get 0) (local.get 1))");
  same("i32_high", "v128",
       "(i32x4.splat (i32.or (i32.or (i32x4.extract_lane 0 (local.get 0)) (i32x4.extract_lane 1 (local.get 0)))"
       " (i32.or (i32x4.extract_lane 2 (local.get 0)) (i32x4.extract_lane 3 (local.get 0)))))");
  same("f32_high", "v128", "(f32x4.splat (f32.add (f32x4.extract_lane 2 (local.get 0)) (f32x4.extract_lane 3 (i32x4.add (local.get 0) (local.get 1)))))");
  same("f64_reinterpret_i64", "v128", "(f64x2.splat (f64.add (f64x2.extract_lane 0 (local.get 0)) (f64x2.extract_lane 1 (local.get 0))))");
  same("i8x16_replace_lane", "v128", "(v128.load8_lane 3 (local.get 3) (i8x16.add (local.get 0) (local.get 1)))");
  same("i64_store", "v128", "(v128.store64_lane offset=8 1 (local.get 3) (i8x16.add (local.get 0) (local.get 1))) (v128.load (local.get 3))");
}

int main(void) {
  const struct CMUnitTest all[] = {cmocka_unit_test(test_scalar), cmocka_unit_test(test_pins), cmocka_unit_test(test_vector), cmocka_unit_test(test_forms)};
  return cmocka_run_group_tests(all, NULL, NULL);
}
