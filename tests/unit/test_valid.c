/* Validation: what the rules accept and refuse, how it is worded, and that no module takes longer than its size allows. The official suite has the
 * breadth; here are the corners that it leaves out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wasm_bytes.h"
#include "types/limits.h"

static int setup(void **state) {
  *state = types_new();
  return *state ? 0 : -1;
}

static int teardown(void **state) {
  types_delete(*state);
  return 0;
}

static void put_length(struct bytes *b, const struct bytes *part) {
  put_u32(b, (uint32_t)part->n);
  put(b, part->p, part->n);
  free(part->p);
}

/* Types, one function of type 0 with this body, and sections given whole that stand between functions and code. */
static struct bytes module_with(const void *types, size_t ntypes, const void *between, size_t nbetween, const void *body, size_t nbody) {
  struct bytes b = {0}, code = {0};
  put_header(&b);
  put_section(&b, 1, types, ntypes);
  SECTION(&b, 3, "\1\0");
  put(&b, between, nbetween);
  put_byte(&code, 1);
  put_u32(&code, (uint32_t)nbody);
  put(&code, body, nbody);
  put_byte(&b, 10);
  put_length(&b, &code);
  return b;
}

struct judged {
  const char *name;
  mv_features_t extra; /* features beyond the default */
  const char *types;
  size_t ntypes;
  const char *between;
  size_t nbetween;
  const char *code;
  size_t ncode;
  const char *message; /* NULL: valid */
};

#define T(text) text, sizeof(text) - 1
#define VOID T("\1\x60\0\0")
#define TO_I32 T("\1\x60\0\1\x7f")
#define NONE T("")
#define MEMORY T("\5\3\1\0\1")
#define MEMORY64_1 T("\5\3\1\4\1")
#define MISMATCH "type mismatch"

static const struct judged bodies[] = {
    {"empty", 0, VOID, NONE, T("\0\x0b"), NULL},
    {"result missing", 0, TO_I32, NONE, T("\0\x0b"), "type mismatch: instruction requires [i32] but stack has [] (in function 0)"},
    {"result of another type", 0, TO_I32, NONE, T("\0\x42\0\x0b"), "type mismatch: instruction requires [i32] but stack has [i64]"},
    {"one too many", 0, TO_I32, NONE, T("\0\x41\0\x41\0\x0b"), "type mismatch: block requires [i32] but stack has [i32 i32]"},
    {"addition", 0, TO_I32, NONE, T("\0\x41\1\x41\2\x6a\x0b"), NULL},
    {"addition of mixed types", 0, TO_I32, NONE, T("\0\x41\1\x42\2\x6a\x0b"), "type mismatch: instruction requires [i32 i32] but stack has [i32 i64]"},
    {"addition below the block", 0, TO_I32, NONE, T("\0\x41\1\x41\2\2\x40\x6a\x0b\x0b"), MISMATCH},
    {"addition learned, then wrong", 0, TO_I32, NONE, T("\0\x41\1\x41\2\x6a\x41\3\x6a\x42\4\x6a\x0b"), MISMATCH},
    {"unreachable gives anything", 0, TO_I32, NONE, T("\0\0\x6a\x0b"), NULL},
    {"unreachable keeps what is pushed", 0, TO_I32, NONE, T("\0\0\x42\0\x6a\x0b"), MISMATCH},
    {"unreachable ends with the block", 0, TO_I32, NONE, T("\0\2\x40\0\x0b\x6a\x0b"), MISMATCH},
    {"a reference of unknown type is no number", 0, TO_I32, NONE, T("\0\0\xd4\x45\x0b"), MISMATCH},
    {"a reference of unknown type is any reference", 0, TO_I32, NONE, T("\0\0\xd4\xd1\x0b"), NULL},
    {"select of references needs a type", 0, TO_I32, NONE, T("\0\xd0\x70\xd0\x70\x41\0\x1b\x1a\x41\0\x0b"), "type mismatch: instruction requires numeric or vector type"},
    {"select of unknown operands", 0, TO_I32, NONE, T("\0\0\x1b\x0b"), NULL},
    {"select with type", 0, VOID, NONE, T("\0\xd0\x70\xd0\x70\x41\0\x1c\1\x70\x1a\x0b"), NULL},
    {"local", 0, TO_I32, NONE, T("\1\1\x7f\x20\0\x0b"), NULL},
    {"no such local", 0, TO_I32, NONE, T("\1\1\x7f\x20\1\x0b"), "unknown local 1"},
    {"local in a far group", 0, TO_I32, NONE, T("\2\x80\x50\x7e\1\x7f\x20\x80\x50\x0b"), NULL},
    {"local in a far group of another type", 0, TO_I32, NONE, T("\2\x80\x50\x7e\1\x7f\x20\xff\x4f\x0b"), MISMATCH},
    {"local behind the far group", 0, TO_I32, NONE, T("\2\x80\x50\x7e\1\x7f\x20\x81\x50\x0b"), "unknown local 10241"},
    {"unset local", 0, VOID, NONE, T("\1\1\x64\x6e\x20\0\x1a\x0b"), "uninitialized local 0"},
    {"local set", 0, VOID, NONE, T("\1\1\x64\x6e\x41\0\xfb\x1c\x21\0\x20\0\x1a\x0b"), NULL},
    {"local set in a block", 0, VOID, NONE, T("\1\1\x64\x6e\2\x40\x41\0\xfb\x1c\x21\0\x20\0\x1a\x0b\x20\0\x1a\x0b"), "uninitialized local 0"},
    {"local set by tee", 0, VOID, NONE, T("\1\1\x64\x6e\x41\0\xfb\x1c\x22\0\x1a\x20\0\x1a\x0b"), NULL},
    {"if without else must pass its parameters", 0, TO_I32, NONE, T("\0\x41\0\4\x7f\x41\0\x0b\x0b"), MISMATCH},
    {"if with else", 0, TO_I32, NONE, T("\0\x41\0\4\x7f\x41\0\5\x41\1\x0b\x0b"), NULL},
    {"else without if", 0, VOID, NONE, T("\0\2\x40\5\x0b\x0b"), "END opcode expected"},
    {"branch", 0, TO_I32, NONE, T("\0\x41\0\x0c\0\x0b"), NULL},
    {"branch without the value", 0, TO_I32, NONE, T("\0\x0c\0\x0b"), MISMATCH},
    {"branch to a loop takes its parameters", 0, TO_I32, NONE, T("\0\3\x7f\x0c\0\x0b\x0b"), NULL},
    {"no such label", 0, VOID, NONE, T("\0\x0c\1\x0b"), "unknown label 1"},
    {"table of labels", 0, TO_I32, NONE, T("\0\2\x7f\x41\0\x41\0\x0e\2\0\1\0\x0b\x0b"), NULL},
    {"table of labels of different arity", 0, TO_I32, NONE, T("\0\2\x40\x41\0\x41\0\x0e\1\0\1\x0b\x41\0\x0b"), MISMATCH},
    {"call", 0, VOID, NONE, T("\0\x10\0\x0b"), NULL},
    {"call of nothing", 0, VOID, NONE, T("\0\x10\1\x0b"), "unknown function 1"},
    {"load without memory", 0, VOID, NONE, T("\0\x41\0\x28\2\0\x1a\x0b"), "unknown memory 0"},
    {"load without memory in unreachable code", 0, VOID, NONE, T("\0\0\xd4\x1a\0\x28\2\0\x1a\x0b"), "unknown memory 0"},
    {"load", 0, VOID, MEMORY, T("\0\x41\0\x28\2\0\x28\2\0\x1a\x0b"), NULL},
    {"load aligned too much, the row known", 0, VOID, MEMORY, T("\0\x41\0\x28\2\0\x28\3\0\x1a\x0b"), "alignment must not be larger than natural"},
    {"load at a 64-bit address", 0, VOID, MEMORY64_1, T("\0\x42\0\x28\2\0\x1a\x0b"), NULL},
    {"load at a 64-bit address, 32 given", 0, VOID, MEMORY64_1, T("\0\x41\0\x28\2\0\x1a\x0b"), MISMATCH},
    {"offset beyond 32 bits", 0, VOID, MEMORY, T("\0\x41\0\x28\2\x80\x80\x80\x80\x10\x1a\x0b"), "offset out of range"},
    {"vectors", 0, VOID, NONE, T("\0\x41\0\xfd\x0f\xfd\x4d\xfd\x4d\xfd\x4d\x1a\x0b"), NULL},
    {"three vectors", 0, VOID, NONE, T("\0\x41\0\xfd\x0f\x41\0\xfd\x0f\x41\0\xfd\x0f\xfd\x52\x1a\x0b"), NULL},
    {"vectors and one number", 0, VOID, NONE, T("\0\x41\0\xfd\x0f\x41\0\x41\0\xfd\x0f\xfd\x52\x1a\x0b"), MISMATCH},
    {"lane", 0, VOID, NONE, T("\0\x41\0\xfd\x0f\xfd\x1b\4\x1a\x0b"), "invalid lane index 4"},
    {"shuffle lane", 0, VOID, NONE, T("\0\x41\0\xfd\x0f\x41\0\xfd\x0f\xfd\x0d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x20\x1a\x0b"), "invalid lane index 32"},
    {"wide arithmetic", MV_FEATURE(WIDE_ARITH), VOID, NONE, T("\0\x42\0\x42\0\xfc\x15\x1a\x1a\x0b"), NULL},
    {"undeclared function", 0, VOID, NONE, T("\0\xd2\0\x1a\x0b"), "undeclared function reference 0"},
    {"function declared by an export", 0, VOID, T("\7\5\1\1f\0\0"), T("\0\xd2\0\x1a\x0b"), NULL},
    {"block of a type that is no function", 0, T("\2\x60\0\0\x5f\0"), NONE, T("\0\2\1\x0b\x0b"), "non-function type"},
    {"struct.new of a function type", 0, VOID, NONE, T("\0\xfb\0\0\x1a\x0b"), "non-structure type 0"},
    {"struct.new", 0, T("\2\x60\0\0\x5f\2\x78\0\x7e\1"), NONE, T("\0\x41\0\x42\0\xfb\0\1\x1a\x0b"), NULL},
    {"struct.get of a packed field", 0, T("\2\x60\0\0\x5f\1\x78\0"), NONE, T("\0\x41\0\xfb\0\1\xfb\2\1\0\x1a\x0b"), "type mismatch: field is packed"},
    {"struct.new_default of a reference that is never null", 0, T("\2\x60\0\0\x5f\1\x64\x6e\0"), NONE, T("\0\xfb\1\1\x1a\x0b"), "field type is not defaultable"},
    {"array.new_fixed in unreachable code", 0, T("\2\x60\0\0\x5e\x7f\0"), NONE, T("\0\0\xfb\x08\1\x90\x4e\x1a\x0b"), NULL},
    {"exception", 0, VOID, T("\x0d\3\1\0\0"), T("\0\2\x40\x1f\x40\1\0\0\0\x08\0\x0b\x0b\x0b"), NULL},
    {"exception handler of another type", 0, T("\2\x60\0\0\x60\1\x7f\0"), T("\x0d\3\1\0\1"), T("\0\2\x40\x1f\x40\1\0\0\0\x0b\x0b\x0b"), "type mismatch: label requires"},
    {"old exceptions", MV_FEATURE(LEGACY_EXCEPTIONS), VOID, T("\x0d\3\1\0\0"), T("\0\6\x40\7\0\x09\0\x19\x0b\x0b"), NULL},
    {"rethrow outside of a handler", MV_FEATURE(LEGACY_EXCEPTIONS), VOID, NONE, T("\0\6\x40\x09\0\x19\x0b\x0b"), "invalid rethrow label 0"},
    {"cast to a type that is no subtype", 0, VOID, NONE, T("\0\2\x6d\xd0\x6c\xfb\x18\3\0\x6c\x6d\x0b\x1a\x0b"), "type mismatch on cast"},
    {"with descriptors it need not be one", MV_FEATURE(DESCRIPTORS), VOID, NONE, T("\0\2\x6d\xd0\x6c\xfb\x18\3\0\x6c\x6d\x0b\x1a\x0b"), NULL},
};

static void bodies_are_judged(void **state) {
  mv_error_t err;
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    const struct judged *t = &bodies[i];
    struct bytes b = module_with(t->types, t->ntypes, t->between, t->nbetween, t->code, t->ncode);
    mv_kind_t kind = load(*state, mv_features_default() | t->extra, b.p, b.n, true, NULL, &err);
    bool malformed = t->message && strncmp(t->message, "END", 3) == 0;
    mv_kind_t want = !t->message ? MV_OK : malformed ? MV_MALFORMED : MV_INVALID;
    if (kind != want || (t->message && strncmp(err.message, t->message, strlen(t->message)) != 0))
      fail_msg("%s: wanted '%s', got %s '%s'", t->name, t->message ? t->message : "valid", mv_kind_name(kind), err.message);
    free(b.p);
  }
}

/* The rules must not depend on where the fast path stops: shifted to the end of the module it does not run at all. */
static void the_fast_path_changes_nothing(void **state) {
  mv_error_t a, c;
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    const struct judged *t = &bodies[i];
    mv_features_t f = mv_features_default() | t->extra;
    struct bytes b = module_with(t->types, t->ntypes, t->between, t->nbetween, t->code, t->ncode);
    mv_kind_t slow = load(*state, f, b.p, b.n, true, NULL, &a);
    SECTION(&b, 0, "\4fill01234567890123456789012345678901234567890123456789");
    mv_kind_t fast = load(*state, f, b.p, b.n, true, NULL, &c);
    if (fast != slow || strcmp(a.message, c.message) != 0) fail_msg("%s: '%s' and '%s'", t->name, a.message, c.message);
    free(b.p);
  }
}

struct sections {
  const char *name;
  mv_features_t add, remove;
  const char *bytes;
  size_t n;
  const char *message;
};

static const struct sections sections[] = {
    {"two memories", 0, 0, T("\5\5\2\0\0\0\0"), NULL},
    {"two memories, feature off", 0, MV_FEATURE(MULTI_MEMORY), T("\5\5\2\0\0\0\0"), "multiple memories"},
    {"memory too large", 0, 0, T("\5\5\1\0\x81\x80\4"), "memory size must be at most 65536 pages (4GiB)"},
    {"memory of 2^48 pages", 0, 0, T("\5\x09\1\4\x80\x80\x80\x80\x80\x80\x40"), NULL},
    {"memory of 2^48 + 1 pages", 0, 0, T("\5\x09\1\4\x81\x80\x80\x80\x80\x80\x40"), "memory size must be at most 2^48 pages"},
    {"memory with a maximum below the minimum", 0, 0, T("\5\4\1\1\2\1"), "size minimum must not be greater than maximum"},
    {"shared memory", MV_FEATURE(THREADS), 0, T("\5\4\1\3\0\1"), NULL},
    {"shared memory without maximum", MV_FEATURE(THREADS), 0, T("\5\3\1\2\0"), "shared memory must have maximum"},
    {"pages of one byte", MV_FEATURE(PAGE_SIZES), 0, T("\5\4\1\x08\0\0"), NULL},
    {"pages of two bytes", MV_FEATURE(PAGE_SIZES), 0, T("\5\4\1\x08\0\1"), "invalid custom page size"},
    {"global", 0, 0, T("\6\6\1\x7f\0\x41\0\x0b"), NULL},
    {"global of another type", 0, 0, T("\6\6\1\x7e\0\x41\0\x0b"), "type mismatch: instruction requires [i64] but stack has [i32] (in global 0)"},
    {"global by addition", 0, 0, T("\6\x09\1\x7f\0\x41\1\x41\1\x6a\x0b"), NULL},
    {"global by division", 0, 0, T("\6\x09\1\x7f\0\x41\1\x41\1\x6d\x0b"), "constant expression required"},
    {"global by addition, feature off", 0, MV_FEATURE(EXTENDED_CONST), T("\6\x09\1\x7f\0\x41\1\x41\1\x6a\x0b"), "constant expression required"},
    {"global by one before it", 0, 0, T("\6\x0b\2\x7f\0\x41\0\x0b\x7f\0\x23\0\x0b"), NULL},
    {"global by itself", 0, 0, T("\6\6\1\x7f\0\x23\0\x0b"), "unknown global 0"},
    {"global by one that changes", 0, 0, T("\6\x0b\2\x7f\1\x41\0\x0b\x7f\0\x23\0\x0b"), "constant expression required"},
    {"table of what is never null", 0, 0, T("\4\5\1\x64\x70\0\0"), "type mismatch"},
    {"exports of one name", 0, 0, T("\5\3\1\0\0\7\x09\2\1m\2\0\1m\2\0"), "duplicate export name \"m\""},
    {"exports of two names", 0, 0, T("\5\3\1\0\0\7\x09\2\1m\2\0\1n\2\0"), NULL},
    {"export of nothing", 0, 0, T("\7\5\1\1m\2\0"), "unknown memory 0"},
    {"start function with a result", 0, 0, T("\1\5\1\x60\0\1\x7f\2\5\1\0\0\0\0\x08\1\0"), "start function"},
    {"tag with a result", 0, 0, T("\1\5\1\x60\0\1\x7f\x0d\3\1\0\0"), "non-empty tag result type"},
    {"segment without memory", 0, 0, T("\x0b\6\1\0\x41\0\x0b\0"), "unknown memory 0"},
    {"segment into a table of another type", 0, 0, T("\4\4\1\x6f\0\0\x09\6\1\0\x41\0\x0b\0"), "type mismatch: table requires [externref] but element segment has [(ref func)]"},
};

static void sections_are_judged(void **state) {
  mv_error_t err;
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    const struct sections *t = &sections[i];
    struct bytes b = {0};
    put_header(&b);
    put(&b, t->bytes, t->n);
    mv_kind_t kind = load(*state, (mv_features_default() | t->add) & ~t->remove, b.p, b.n, true, NULL, &err);
    if ((kind == MV_OK) != !t->message || (t->message && strncmp(err.message, t->message, strlen(t->message)) != 0))
      fail_msg("%s: wanted '%s', got %s '%s'", t->name, t->message ? t->message : "valid", mv_kind_name(kind), err.message);
    free(b.p);
  }
}

/* ---- size ---- */

static void repeat(struct bytes *b, const char *text, size_t n, uint32_t times) {
  for (uint32_t i = 0; i < times; i++) put(b, text, n);
}

static mv_kind_t judge(struct types *ts, const char *types, size_t ntypes, struct bytes *body, mv_error_t *err) {
  struct bytes b = module_with(types, ntypes, NULL, 0, body->p, body->n);
  mv_kind_t kind = load(ts, mv_features_default(), b.p, b.n, true, NULL, err);
  free(body->p);
  free(b.p);
  return kind;
}

static void a_table_of_a_million_labels(void **state) {
  struct bytes body = {0};
  mv_error_t err;
  PUT(&body, "\0");
  repeat(&body, "\2\x40", 2, 100);
  PUT(&body, "\x41\0\x0e");
  put_u32(&body, 1000000);
  for (uint32_t i = 0; i <= 1000000; i++) put_byte(&body, i % 101);
  repeat(&body, "\x0b", 1, 101);
  assert_int_equal(judge(*state, VOID, &body, &err), MV_OK);
}

static void nesting_has_no_limit_of_its_own(void **state) {
  struct bytes body = {0};
  mv_error_t err;
  PUT(&body, "\0");
  repeat(&body, "\2\x40", 2, 1000000);
  repeat(&body, "\x0b", 1, 1000001);
  assert_int_equal(judge(*state, VOID, &body, &err), MV_OK);
}

static void locals_cost_no_more_than_their_bytes(void **state) {
  enum { N = 200000 }; /* 10^10 locals in all */
  struct bytes b = {0}, part = {0}, code = {0};
  mv_error_t err;
  put_header(&b);
  SECTION(&b, 1, "\1\x60\0\0");
  put_u32(&part, N);
  repeat(&part, "", 1, N);
  put_byte(&b, 3);
  put_length(&b, &part);
  put_u32(&code, N);
  repeat(&code, "\7\1\xd0\x86\3\x64\x6e\x0b", 8, N);
  put_byte(&b, 10);
  put_length(&b, &code);
  assert_int_equal(load(*state, mv_features_default(), b.p, b.n, true, NULL, &err), MV_OK);
  free(b.p);
}

static void operands_have_a_limit(void **state) {
  struct bytes types = {0}, body = {0};
  mv_error_t err;
  PUT(&types, "\1\x60\0");
  put_u32(&types, LIMIT_RESULTS);
  repeat(&types, "\x7f", 1, LIMIT_RESULTS);
  PUT(&body, "\0");
  repeat(&body, "\x10\0", 2, 10000);
  PUT(&body, "\0\x0b");
  assert_int_equal(judge(*state, (const char *)types.p, types.n, &body, &err), MV_LIMIT);
  free(types.p);
}

static void limits_are_no_invalidity(void **state) {
  struct bytes types = {0}, body = {0};
  mv_error_t err;
  PUT(&types, "\1\x60");
  put_u32(&types, LIMIT_PARAMS + 1);
  repeat(&types, "\x7f", 1, LIMIT_PARAMS + 1);
  PUT(&types, "\0");
  PUT(&body, "\0\x0b");
  assert_int_equal(judge(*state, (const char *)types.p, types.n, &body, &err), MV_LIMIT);
  assert_int_equal(strncmp(err.message, "too many parameters: 1001, at most 1000", 39), 0);
  free(types.p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(bodies_are_judged), TEST(the_fast_path_changes_nothing), TEST(sections_are_judged), TEST(a_table_of_a_million_labels), TEST(nesting_has_no_limit_of_its_own),
      TEST(locals_cost_no_more_than_their_bytes), TEST(operands_have_a_limit), TEST(limits_are_no_invalidity)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
