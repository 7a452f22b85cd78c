/* The binary format: integers, names, sections, instructions, and what is said about malformed modules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "binary/instr.h"
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

/* ---- integers and names ---- */

static struct reader reader_of(const void *p, size_t n, mv_error_t *err) {
  const uint8_t *at = p;
  *err = (mv_error_t){0};
  return (struct reader){at, at, at + n, err};
}

#define READ(f, T, text, want) \
  do { \
    mv_error_t err_; \
    struct reader r_ = reader_of(text, sizeof(text) - 1, &err_); \
    T v_ = 0; \
    assert_true(f(&r_, &v_)); \
    assert_true(v_ == (want)); \
    assert_int_equal(reader_left(&r_), 0); \
  } while (0)

#define REFUSE(f, T, text, message_, offset_) \
  do { \
    mv_error_t err_; \
    struct reader r_ = reader_of(text, sizeof(text) - 1, &err_); \
    T v_ = 0; \
    assert_false(f(&r_, &v_)); \
    assert_int_equal(err_.kind, MV_MALFORMED); \
    assert_string_equal(err_.message, message_); \
    assert_int_equal(err_.offset, offset_); \
  } while (0)

static const char too_long[] = "integer representation too long", too_large[] = "integer too large", no_more[] = "unexpected end of section or function";

static void integers(void **state) {
  (void)state;
  READ(reader_u32, uint32_t, "\0", 0);
  READ(reader_u32, uint32_t, "\x7f", 127);
  READ(reader_u32, uint32_t, "\x80\1", 128);
  READ(reader_u32, uint32_t, "\x82\x80\x80\x80\0", 2);
  READ(reader_u32, uint32_t, "\xff\xff\xff\xff\x0f", UINT32_MAX);
  READ(reader_u64, uint64_t, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", UINT64_MAX);
  READ(reader_s32, int32_t, "\x7f", -1);
  READ(reader_s32, int32_t, "\x40", -64);
  READ(reader_s32, int32_t, "\x3f", 63);
  READ(reader_s32, int32_t, "\xff\xff\xff\xff\x7f", -1);
  READ(reader_s32, int32_t, "\x80\x80\x80\x80\x78", INT32_MIN);
  READ(reader_s32, int32_t, "\xff\xff\xff\xff\7", INT32_MAX);
  READ(reader_s33, int64_t, "\xff\xff\xff\xff\x0f", (int64_t)UINT32_MAX);
  READ(reader_s33, int64_t, "\x80\x80\x80\x80\x70", -((int64_t)1 << 32));
  READ(reader_s64, int64_t, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", INT64_MIN);
  READ(reader_s64, int64_t, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\0", INT64_MAX);
}

static void bad_integers(void **state) {
  (void)state;
  REFUSE(reader_u32, uint32_t, "", no_more, 0);
  REFUSE(reader_u32, uint32_t, "\x80", no_more, 1);
  REFUSE(reader_u32, uint32_t, "\x80\x80\x80\x80", no_more, 4);
  REFUSE(reader_u32, uint32_t, "\x82\x80\x80\x80\x80\0", too_long, 5);
  REFUSE(reader_u32, uint32_t, "\x82\x80\x80\x80\x10", too_large, 4);
  REFUSE(reader_u32, uint32_t, "\x82\x80\x80\x80\x40", too_large, 4);
  REFUSE(reader_u64, uint64_t, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\2", too_large, 9);
  REFUSE(reader_s32, int32_t, "\x80\x80\x80\x80\x70", too_large, 4);
  REFUSE(reader_s32, int32_t, "\xff\xff\xff\xff\x0f", too_large, 4);
  REFUSE(reader_s32, int32_t, "\x80\x80\x80\x80\x80\0", too_long, 5);
  REFUSE(reader_s64, int64_t, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7e", too_large, 9);
  REFUSE(reader_s64, int64_t, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0", too_long, 10);
}

/* ---- modules ---- */

/* A module with one of everything. */
static struct bytes sample(void) {
  struct bytes b = {0};
  put_header(&b);
  SECTION(&b, 0, "\5firstxyz");
  SECTION(&b, 1, "\3\x60\2\x7f\x7e\1\x7f\x5f\2\x78\1\x63\1\0\x60\0\0");
  SECTION(&b, 2, "\5\1m\1f\0\0\1m\1t\1\x70\1\1\2\1m\1m\2\0\1\1m\1g\3\x7f\0\1m\1e\4\0\2");
  SECTION(&b, 3, "\1\2");
  SECTION(&b, 4, "\1\x40\0\x70\0\3\xd0\x70\x0b");
  SECTION(&b, 5, "\1\5\1\4");
  SECTION(&b, 13, "\1\0\2");
  SECTION(&b, 6, "\1\x7e\1\x42\x2a\x0b");
  SECTION(&b, 7, "\2\1a\0\1\1b\3\1");
  SECTION(&b, 8, "\1");
  SECTION(&b, 9, "\2\0\x41\0\x0b\1\1\1\0\1\0");
  SECTION(&b, 12, "\2");
  SECTION(&b, 10, "\1\4\1\1\x7f\x0b");
  SECTION(&b, 11, "\2\0\x41\0\x0b\2hi\1\3abc");
  SECTION(&b, 0, "\4name\0\4\3mod\1\7\1\1\4main");
  return b;
}

static void a_whole_module(void **state) {
  struct bytes b = sample();
  struct module *m = NULL;
  mv_error_t err;
  assert_int_equal(load(*state, mv_features_default(), b.p, b.n, true, &m, &err), MV_OK);
  assert_int_equal(m->ntypes, 3);
  assert_int_equal(m->nimports, 5);
  assert_int_equal(m->imports[3].kind, EXTERN_GLOBAL);
  assert_int_equal(m->imports[4].kind, EXTERN_TAG);
  assert_memory_equal(m->imports[1].name.bytes, "t", 1);
  assert_int_equal(m->nfuncs, 2);
  assert_int_equal(m->func_types[1], m->type_ids[2]);
  assert_int_equal(m->ntables, 2);
  assert_true(m->tables[0].type.limits.has_max && m->tables[0].type.limits.max == 2);
  assert_int_equal(m->tables[1].init.size, 3);
  assert_int_equal(m->nmemories, 2);
  assert_true(m->memories[1].limits.is64 && m->memories[1].limits.max == 4 && m->memories[1].page_shift == 16);
  assert_int_equal(m->globals[1].type.type, VT_I64);
  assert_true(m->globals[1].type.mutable);
  assert_int_equal(m->nexports, 2);
  assert_true(m->has_start && m->start == 1);
  assert_int_equal(m->elems[0].mode, SEG_ACTIVE);
  assert_int_equal(m->elems[1].mode, SEG_PASSIVE);
  assert_int_equal(m->datas[0].size, 2);
  assert_memory_equal(m->bytes + m->datas[1].start, "abc", 3);
  assert_int_equal(m->bodies[0].size, 4);
  assert_int_equal(m->ncustoms, 2);
  assert_int_equal(m->customs[0].after, 0);
  assert_int_equal(m->customs[1].after, 11);
  assert_memory_equal(m->bytes + m->customs[0].offset, "xyz", (size_t)m->customs[0].size);
  assert_int_equal(m->sections[6].size, 6);
  struct name name;
  assert_true(module_name(m, &name) && name.size == 3 && memcmp(name.bytes, "mod", 3) == 0);
  assert_true(module_func_name(m, 1, &name) && name.size == 4 && memcmp(name.bytes, "main", 4) == 0);
  assert_false(module_func_name(m, 0, &name) || module_func_name(m, 99, &name));
  assert_true(m->declared_refs[0] == 3); /* both functions stand in segments or exports */
  module_delete(m);
  free(b.p);
}

static void every_prefix_is_malformed(void **state) {
  struct bytes b = sample();
  mv_error_t err;
  size_t border = 8; /* where a section ends: a module of whole sections may be sound */
  for (size_t n = 0; n < b.n; n++) {
    mv_kind_t kind = load(*state, mv_features_default(), b.p, n, true, NULL, &err);
    if (n == border)
      border += 2u + b.p[n + 1];
    else if (kind != MV_MALFORMED)
      fail_msg("%zu bytes: %s %s", n, mv_kind_name(kind), err.message);
  }
  free(b.p);
}

static void every_byte_may_change(void **state) {
  struct bytes b = sample();
  mv_error_t err;
  for (size_t i = 0; i < b.n; i++) {
    uint8_t old = b.p[i];
    for (unsigned x = 0; x < 256; x += 7) {
      b.p[i] = (uint8_t)x;
      (void)load(*state, mv_features_all(), b.p, b.n, true, NULL, &err); /* must end, and say where */
    }
    b.p[i] = old;
  }
  free(b.p);
}

struct refused {
  const char *name, *bytes;
  size_t n;
  mv_kind_t kind;
  const char *message; /* how it begins */
};
#define R(name, kind, message, text) {name, text, sizeof(text) - 1, kind, message}
#define H "\0asm\1\0\0\0"

static const struct refused refused[] = {
    R("empty", MV_MALFORMED, "unexpected end", ""),
    R("magic", MV_MALFORMED, "magic header not detected", "asm\0\1\0\0\0"),
    R("component", MV_MALFORMED, "unknown binary version", "\0asm\x0d\0\1\0"),
    R("section id", MV_MALFORMED, "malformed section id", H "\x0e\1\0"),
    R("section twice", MV_MALFORMED, "unexpected content after last section", H "\3\1\0\3\1\0"),
    R("section order", MV_MALFORMED, "unexpected content after last section", H "\3\1\0\1\1\0"),
    R("tag behind globals", MV_MALFORMED, "unexpected content after last section", H "\6\1\0\x0d\1\0"),
    R("section too long", MV_MALFORMED, "length out of bounds", H "\1\7\2\x60\0\0"),
    R("section too short", MV_MALFORMED, "section size mismatch", H "\1\7\1\x60\0\0\x60\0\0"),
    R("four billion types", MV_MALFORMED, "length out of bounds", H "\1\5\xff\xff\xff\xff\x0f"),
    R("custom name", MV_MALFORMED, "malformed UTF-8 encoding", H "\0\2\1\xff"),
    R("custom without name", MV_MALFORMED, "unexpected end", H "\0\0"),
    R("type form", MV_MALFORMED, "malformed definition type", H "\1\2\1\x40"),
    R("type form long", MV_MALFORMED, "integer representation too long", H "\1\5\1\xe0\x7f\0\0"),
    R("value type", MV_MALFORMED, "malformed reference type", H "\1\5\1\x60\1\x20\0"),
    R("storage type", MV_MALFORMED, "malformed storage type", H "\1\4\1\x5e\x62\0"),
    R("mutability", MV_MALFORMED, "malformed mutability", H "\1\4\1\x5e\x78\2"),
    R("import kind", MV_MALFORMED, "malformed import kind", H "\2\4\1\0\0\5"),
    R("limits", MV_MALFORMED, "malformed limits flags", H "\5\3\1\x08\0"),
    R("shared without threads", MV_MALFORMED, "malformed limits flags", H "\5\4\1\3\0\1"),
    R("bodies missing", MV_MALFORMED, "function and code section have inconsistent lengths", H "\1\4\1\x60\0\0\3\2\1\0"),
    R("data count", MV_MALFORMED, "data count and data section have inconsistent lengths", H "\x0c\1\1"),
    R("data count required", MV_MALFORMED, "data count section required",
      H "\1\4\1\x60\0\0\3\2\1\0\5\3\1\0\0\x0a\7\1\5\0\xfc\x09\0\x0b\x0b\3\1\1\0"),
    R("too many locals", MV_MALFORMED, "too many locals", H "\1\4\1\x60\0\0\3\2\1\0\x0a\x0c\1\x0a\2\xff\xff\xff\xff\x0f\x7f\2\x7e\x0b"),
    R("many locals", MV_LIMIT, "too many locals: 50001, at most 50000", H "\1\4\1\x60\0\0\3\2\1\0\x0a\x08\1\6\1\xd1\x86\3\x7f\x0b"),
    R("no end, end of file", MV_MALFORMED, "unexpected end of section or function", H "\1\4\1\x60\0\0\3\2\1\0\x0a\6\1\4\0\x41\1\x1a"),
    R("no end, a section follows", MV_MALFORMED, "section size mismatch", H "\1\4\1\x60\0\0\3\2\1\0\x0a\6\1\4\0\x41\1\x1a\x0b\3\1\1\0"),
    R("no end, a body follows", MV_MALFORMED, "END opcode expected", H "\1\4\1\x60\0\0\3\3\2\0\0\x0a\x0c\2\4\0\x41\1\x1a\5\0\x41\1\x1a\x0b"),
    R("behind the end", MV_MALFORMED, "section size mismatch", H "\1\4\1\x60\0\0\3\2\1\0\x0a\5\1\3\0\x0b\x0b"),
    R("illegal opcode", MV_MALFORMED, "illegal opcode ff", H "\1\4\1\x60\0\0\3\2\1\0\x0a\5\1\3\0\xff\x0b"),
    R("illegal opcode behind", MV_MALFORMED, "illegal opcode fc 7f", H "\1\4\1\x60\0\0\3\2\1\0\x0a\6\1\4\0\xfc\x7f\x0b"),
    R("feature off", MV_MALFORMED, "illegal opcode fe: atomic.fence needs the feature threads", H "\1\4\1\x60\0\0\3\2\1\0\x0a\7\1\5\0\xfe\3\0\x0b"),
    R("malformed before invalid", MV_MALFORMED, "illegal opcode ff", H "\1\4\1\x60\0\0\3\3\2\0\0\x0a\7\2\2\0\x1a\2\0\xff"),
    R("malformed before unknown type", MV_MALFORMED, "illegal opcode ff", H "\1\4\1\x60\0\0\2\5\1\0\0\0\7\3\2\1\0\x0a\5\1\3\0\xff\x0b"),
    R("body before a later section", MV_MALFORMED, "illegal opcode ff", H "\1\4\1\x60\0\0\3\2\1\0\x0a\5\1\3\0\xff\x0b\x0e\0"),
    R("unknown type", MV_INVALID, "unknown type 7", H "\1\4\1\x60\0\0\2\5\1\0\0\0\7"),
    R("unknown type in a type", MV_INVALID, "unknown type 3", H "\1\5\1\x5e\x63\3\0"),
    R("final super type", MV_INVALID, "sub type 1 has final super type 0", H "\1\x08\2\x5f\0\x50\1\0\x5f\0"),
    R("super type that does not match", MV_INVALID, "sub type 1 does not match super type 0", H "\1\x0b\2\x50\0\x5f\0\x50\1\0\x5e\x7f\0"),
    R("super type ahead", MV_INVALID, "forward use of type 1", H "\1\x0c\1\x4e\2\x50\1\1\x5f\0\x50\0\x5f\0"),
    R("element kind", MV_MALFORMED, "malformed element kind", H "\x09\4\1\1\1\0"),
    R("segment kind", MV_MALFORMED, "malformed data segment kind", H "\x0b\2\1\3"),
    R("constant without end", MV_MALFORMED, "unexpected end", H "\6\5\1\x7f\0\x41\0"),
};

static void refusals(void **state) {
  mv_error_t err;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    const struct refused *t = &refused[i];
    mv_kind_t kind = load(*state, mv_features_default(), t->bytes, t->n, true, NULL, &err);
    if (kind != t->kind || strncmp(err.message, t->message, strlen(t->message)) != 0)
      fail_msg("%s: wanted %s '%s', got %s '%s'", t->name, mv_kind_name(t->kind), t->message, mv_kind_name(kind), err.message);
  }
}

static void offsets(void **state) {
  mv_error_t err;
  assert_int_equal(load(*state, mv_features_default(), H "\0\3\1a!\1\2\1\x40", 17, true, NULL, &err), MV_MALFORMED);
  assert_int_equal(err.offset, 16);
  assert_int_equal(load(*state, mv_features_default(), H "\1\4\1\x60\0\0\3\2\1\0\x0a\6\1\4\0\x01\x1a\x0b", 26, true, NULL, &err), MV_INVALID);
  assert_int_equal(err.offset, 24);
  assert_string_equal(err.message, "type mismatch: instruction requires a value but stack has [] (in function 0)");
}

static void types_are_shared_by_modules(void **state) {
  struct module *a = NULL, *b = NULL;
  mv_error_t err;
  static const char one[] = H "\1\x0c\1\x4e\2\x5f\1\x63\1\0\x5e\x63\0\1", two[] = H "\1\x0f\2\x60\0\0\x4e\2\x5f\1\x63\2\0\x5e\x63\1\1";
  assert_int_equal(load(*state, mv_features_default(), one, sizeof one - 1, true, &a, &err), MV_OK);
  assert_int_equal(load(*state, mv_features_default(), two, sizeof two - 1, true, &b, &err), MV_OK);
  assert_int_equal(a->type_ids[0], b->type_ids[1]);
  assert_int_equal(a->type_ids[1], b->type_ids[2]);
  module_delete(a);
  module_delete(b);
}

static void compact_imports(void **state) {
  struct module *m = NULL;
  mv_error_t err;
  static const char each[] = H "\1\5\1\x60\0\1\x7f\2\x0f\1\1a\0\x7f\2\1b\0\0\1c\3\x7f\0", all[] = H "\1\5\1\x60\0\1\x7f\2\x0c\1\1a\0\x7e\0\0\2\1b\1c";
  mv_features_t f = mv_features_default() | MV_FEATURE(COMPACT_IMPORTS);
  assert_int_equal(load(*state, f, each, sizeof each - 1, true, &m, &err), MV_OK);
  assert_int_equal(m->nimports, 2);
  assert_int_equal(m->imports[1].kind, EXTERN_GLOBAL);
  assert_memory_equal(m->imports[1].module.bytes, "a", 1);
  module_delete(m);
  assert_int_equal(load(*state, f, all, sizeof all - 1, true, &m, &err), MV_OK);
  assert_int_equal(m->nimported_funcs, 2);
  assert_int_equal(m->imports[1].index, 1);
  module_delete(m);
  assert_int_equal(load(*state, mv_features_default(), each, sizeof each - 1, true, NULL, &err), MV_MALFORMED);
}

static void export_names_serve(void **state) {
  struct module *m = NULL;
  mv_error_t err;
  struct name name;
  static const char text[] = H "\1\4\1\x60\0\0\3\2\1\0\7\5\1\1x\0\0\x0a\4\1\2\0\x0b\0\7\4name\1\x7f";
  assert_int_equal(load(*state, mv_features_default(), text, sizeof text - 1, true, &m, &err), MV_OK);
  assert_true(module_func_name(m, 0, &name) && name.size == 1 && name.bytes[0] == 'x');
  assert_false(module_name(m, &name));
  module_delete(m);
}

/* ---- instructions ---- */

/* Immediates that are sound for a kind. */
static void put_immediates(struct bytes *b, unsigned imm) {
  switch ((enum imm)imm) {
  case IMM_NONE: break;
  case IMM_BLOCK: PUT(b, "\x40"); break;
  case IMM_LABELS: PUT(b, "\2\1\2\3"); break;
  case IMM_SELECT: PUT(b, "\1\x7f"); break;
  case IMM_F32: PUT(b, "\1\2\3\4"); break;
  case IMM_F64: PUT(b, "\1\2\3\4\5\6\7\x08"); break;
  case IMM_V128: case IMM_SHUFFLE: PUT(b, "\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"); break;
  case IMM_MEMARG: PUT(b, "\x40\5\x90\1"); break;
  case IMM_MEMARG_LANE: PUT(b, "\0\7\1"); break;
  case IMM_HEAP: case IMM_REFTYPE: PUT(b, "\x6e"); break;
  case IMM_BR_CAST: PUT(b, "\2\3\x6e\x6d"); break;
  case IMM_TRY_TABLE: PUT(b, "\x40\2\0\1\2\3\4"); break;
  case IMM_CALL_INDIRECT: case IMM_TYPE_FIELD: case IMM_TYPE_N: case IMM_TYPE_DATA: case IMM_TYPE_ELEM: case IMM_MEMORY2: case IMM_DATA_MEMORY:
  case IMM_TABLE2: case IMM_ELEM_TABLE:
    PUT(b, "\0\x09");
    break;
  case IMM_TYPE_TYPE: PUT(b, "\0\0"); break;
  case IMM_TYPE: case IMM_BYTE: PUT(b, "\0"); break;
  default: PUT(b, "\x2a"); break; /* one number */
  }
}

static void put_op(struct bytes *b, unsigned op) {
  if (op < OP_PAGE_FB) {
    put_byte(b, op);
    return;
  }
  unsigned page = op < OP_PAGE_FC ? 0 : op < OP_PAGE_FD ? 1 : op < OP_PAGE_FE ? 2 : 3;
  static const unsigned bases[] = {OP_PAGE_FB, OP_PAGE_FC, OP_PAGE_FD, OP_PAGE_FE};
  put_byte(b, 0xfb + page);
  put_u32(b, op - bases[page]);
}

static void every_instruction_reads(void **state) {
  mv_error_t err;
  uint32_t id = 0;
  assert_true(types_func(*state, NULL, 0, NULL, 0, &id, &err));
  struct module m = {.features = mv_features_all(), .types = *state, .ntypes = 1, .type_ids = &id};
  for (unsigned op = 0; op < OP_LIMIT; op++) {
    const struct opinfo *info = op_info(op);
    struct bytes b = {0};
    struct instr in;
    if (!info->text) continue;
    put_op(&b, op);
    put_immediates(&b, info->imm);
    struct reader r = reader_of(b.p, b.n, &err);
    if (!instr_read(&r, &m, &in) || reader_left(&r) || in.op != op) fail_msg("%s: %s, %zu bytes left", info->text, err.message, reader_left(&r));
    for (size_t n = 0; n < b.n; n++) { /* and nothing shorter does */
      uint8_t *part = malloc(n ? n : 1);
      assert_non_null(part);
      memcpy(part, b.p, n);
      r = reader_of(part, n, &err);
      if (instr_read(&r, &m, &in) && op != OP_i32_const) fail_msg("%s with %zu bytes", info->text, n);
      free(part);
    }
    free(b.p);
  }
}

static struct instr read_one(struct types *ts, const char *text, size_t n) {
  static uint32_t id;
  struct module m = {.features = mv_features_all(), .types = ts, .ntypes = 1, .type_ids = &id};
  mv_error_t err;
  struct reader r = reader_of(text, n, &err);
  struct instr in;
  assert_true(instr_read(&r, &m, &in));
  assert_int_equal(reader_left(&r), 0);
  return in;
}
#define ONE(text) read_one(*state, text, sizeof(text) - 1)

static void immediates(void **state) {
  struct instr in = ONE("\x28\x42\3\x85\1");
  assert_true(in.u.mem.align == 2 && in.u.mem.memory == 3 && in.u.mem.offset == 133);
  in = ONE("\x41\x7f");
  assert_int_equal(in.u.i32, -1);
  in = ONE("\x42\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f");
  assert_true(in.u.i64 == INT64_MIN);
  in = ONE("\x43\0\0\x80\x3f");
  assert_int_equal(in.u.f32, 0x3f800000);
  in = ONE("\xd0\x6f");
  assert_int_equal(in.u.ref, VT_EXTERNREF);
  in = ONE("\xfb\x16\x62\0");
  assert_int_equal(in.u.ref, VT_REFTYPE(0, VT_EXACT));
  in = ONE("\xfb\x18\2\5\x6e\x6c");
  assert_true(in.u.cast.label == 5 && in.u.cast.from == VT_REFTYPE(HEAP_ANY, 0) && in.u.cast.to == VT_REFTYPE(HEAP_I31, VT_NULLABLE));
  in = ONE("\2\x7c");
  assert_true(in.u.block.type == TYPE_NONE && in.u.block.result == VT_F64);
  in = ONE("\x11\0\4");
  assert_true(in.u.index.a == 0 && in.u.index.b == 4);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(integers), TEST(bad_integers), TEST(a_whole_module), TEST(every_prefix_is_malformed), TEST(every_byte_may_change), TEST(refusals), TEST(offsets),
      TEST(types_are_shared_by_modules), TEST(compact_imports), TEST(export_names_serve), TEST(every_instruction_reads), TEST(immediates)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
