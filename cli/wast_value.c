/* wast_value.c: the script language's values: as arguments, as patterns that results must match, and as text for a failure. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "wast.h"

unsigned value_cells(char letter) { return letter == 'v' ? 2 : 1; }

/* The letter of the hierarchy that a heap type belongs to. */
static char heap_letter(mv_wast_heap_t heap) {
  switch (heap) {
  case MV_WAST_FUNC: case MV_WAST_NOFUNC: return 'c';
  case MV_WAST_EXTERN_HEAP: case MV_WAST_NOEXTERN: return 'r';
  case MV_WAST_EXN: case MV_WAST_NOEXN: return 'x';
  default: return 'a';
  }
}

static bool is_ref(char letter) { return letter != 0 && strchr("crax", letter) != NULL; }

/* ---- arguments ----------------------------------------------------------------------------------------- */

bool value_argument(wasm_store_t *store, const mv_wast_value_t *v, char letter, uint64_t *cells) {
  static const char letters[] = {[MV_WAST_I32] = 'i', [MV_WAST_I64] = 'I', [MV_WAST_F32] = 'f', [MV_WAST_F64] = 'F', [MV_WAST_V128] = 'v'};
  switch (v->type) {
  case MV_WAST_NULL:
    cells[0] = 0;
    return is_ref(letter) && (v->heap == MV_WAST_ANY_HEAP || heap_letter(v->heap) == letter);
  case MV_WAST_EXTERN: return letter == 'r' && mv_ref_host(store, v->bits[0], cells, NULL);
  case MV_WAST_HOST: return letter == 'a' && mv_ref_host(store, v->bits[0], cells, NULL);
  case MV_WAST_REF: case MV_WAST_EITHER: return false;
  default: break;
  }
  cells[0] = v->bits[0];
  if (letter == 'v') cells[1] = v->bits[1];
  return letter == letters[v->type];
}

/* ---- results ------------------------------------------------------------------------------------------- */

static bool float_matches(unsigned bits, unsigned nan, uint64_t expected, uint64_t actual) {
  uint64_t quiet = bits == 32 ? 0x7fc00000 : UINT64_C(0x7ff8000000000000), sign = UINT64_C(1) << (bits - 1);
  if (nan == MV_WAST_NAN_CANONICAL) return (actual & ~sign) == quiet;
  if (nan == MV_WAST_NAN_ARITHMETIC) return (actual & quiet) == quiet;
  return actual == expected;
}

static bool vector_matches(const mv_wast_value_t *v, const uint64_t *cells) {
  if (!v->lane_float) return v->bits[0] == cells[0] && v->bits[1] == cells[1];
  unsigned bits = v->lane_bits, half = 64 / bits;
  uint64_t mask = bits == 64 ? UINT64_MAX : UINT32_MAX;
  for (unsigned i = 0; i < 2 * half; i++) {
    unsigned shift = i % half * bits;
    if (!float_matches(bits, v->nan[i], v->bits[i / half] >> shift & mask, cells[i / half] >> shift & mask)) return false;
  }
  return true;
}

static bool reference_matches(mv_wast_heap_t heap, char letter, mv_ref_kind_t kind) {
  if (kind == MV_REF_NULL || letter != heap_letter(heap)) return false;
  switch (heap) {
  case MV_WAST_ANY: case MV_WAST_EXTERN_HEAP: case MV_WAST_FUNC: case MV_WAST_EXN: return true;
  case MV_WAST_EQ: return kind == MV_REF_I31 || kind == MV_REF_STRUCT || kind == MV_REF_ARRAY;
  case MV_WAST_I31: return kind == MV_REF_I31;
  case MV_WAST_STRUCT: return kind == MV_REF_STRUCT;
  case MV_WAST_ARRAY: return kind == MV_REF_ARRAY;
  default: return false; /* the bottoms hold nothing but null */
  }
}

static bool is_host(wasm_store_t *store, uint64_t number, char letter, uint64_t cell) {
  uint64_t actual = 0;
  return mv_ref_classify(store, letter, cell, &actual) == MV_REF_HOST && actual == number;
}

bool value_matches(wasm_store_t *store, const mv_wast_value_t *v, char letter, const uint64_t *cells) {
  uint64_t number;
  switch (v->type) {
  case MV_WAST_I32: return letter == 'i' && cells[0] == v->bits[0];
  case MV_WAST_I64: return letter == 'I' && cells[0] == v->bits[0];
  case MV_WAST_F32: return letter == 'f' && float_matches(32, v->nan[0], v->bits[0], cells[0]);
  case MV_WAST_F64: return letter == 'F' && float_matches(64, v->nan[0], v->bits[0], cells[0]);
  case MV_WAST_V128: return letter == 'v' && vector_matches(v, cells);
  case MV_WAST_NULL:
    return is_ref(letter) && (v->heap == MV_WAST_ANY_HEAP || heap_letter(v->heap) == letter) &&
           mv_ref_classify(store, letter, cells[0], &number) == MV_REF_NULL;
  case MV_WAST_REF: return is_ref(letter) && reference_matches(v->heap, letter, mv_ref_classify(store, letter, cells[0], &number));
  case MV_WAST_EXTERN: return letter == 'r' && is_host(store, v->bits[0], letter, cells[0]);
  case MV_WAST_HOST: return letter == 'a' && is_host(store, v->bits[0], letter, cells[0]);
  case MV_WAST_EITHER:
    for (size_t i = 0; i < v->neither; i++)
      if (value_matches(store, &v->either[i], letter, cells)) return true;
  }
  return false;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

static void append(char *buf, size_t size, const char *format, ...) MV_PRINTF(3, 4);
static void append(char *buf, size_t size, const char *format, ...) {
  size_t n = strlen(buf);
  va_list ap;
  va_start(ap, format);
  vsnprintf(buf + n, size - n, format, ap);
  va_end(ap);
}

static void print_float(unsigned bits, uint64_t x, char *buf, size_t size) {
  if (bits == 32) {
    uint32_t low = (uint32_t)x;
    float f;
    memcpy(&f, &low, sizeof f);
    append(buf, size, "%a (0x%08" PRIx32 ")", (double)f, low);
  } else {
    double f;
    memcpy(&f, &x, sizeof f);
    append(buf, size, "%a (0x%016" PRIx64 ")", f, x);
  }
}

void value_print(wasm_store_t *store, char letter, const uint64_t *cells, char *buf, size_t size) {
  static const char *const kinds[] = {"null", "a function", "an i31", "a struct", "an array", "an exception", "a host reference"};
  uint64_t number = 0;
  mv_ref_kind_t kind;
  switch (letter) {
  case 'i': append(buf, size, "i32 %" PRId32 " (0x%" PRIx32 ")", (int32_t)(uint32_t)cells[0], (uint32_t)cells[0]); break;
  case 'I': append(buf, size, "i64 %" PRId64 " (0x%" PRIx64 ")", (int64_t)cells[0], cells[0]); break;
  case 'f': append(buf, size, "f32 "); print_float(32, cells[0], buf, size); break;
  case 'F': append(buf, size, "f64 "); print_float(64, cells[0], buf, size); break;
  case 'v': append(buf, size, "v128 0x%016" PRIx64 "_%016" PRIx64, cells[1], cells[0]); break;
  default:
    kind = mv_ref_classify(store, letter, cells[0], &number);
    append(buf, size, "%s", (unsigned)kind < sizeof kinds / sizeof *kinds ? kinds[kind] : "a reference");
    if (kind == MV_REF_HOST) append(buf, size, " %" PRIu64, number);
    append(buf, size, " of %s", letter == 'c' ? "func" : letter == 'r' ? "extern" : letter == 'x' ? "exn" : "any");
  }
}

void value_print_expected(const mv_wast_value_t *v, char *buf, size_t size) {
  static const char *const nans[] = {"", "nan:canonical", "nan:arithmetic"};
  static const char *const heaps[] = {"any type", "any", "eq", "i31", "struct", "array", "none", "func", "nofunc", "extern", "noextern", "exn", "noexn"};
  switch (v->type) {
  case MV_WAST_I32: value_print(NULL, 'i', v->bits, buf, size); break;
  case MV_WAST_I64: value_print(NULL, 'I', v->bits, buf, size); break;
  case MV_WAST_F32: case MV_WAST_F64:
    if (v->nan[0]) append(buf, size, "%s %s", v->type == MV_WAST_F32 ? "f32" : "f64", nans[v->nan[0]]);
    else value_print(NULL, v->type == MV_WAST_F32 ? 'f' : 'F', v->bits, buf, size);
    break;
  case MV_WAST_V128:
    value_print(NULL, 'v', v->bits, buf, size);
    for (unsigned i = 0; v->lane_float && i < 128u / v->lane_bits; i++)
      if (v->nan[i]) append(buf, size, " lane %u %s", i, nans[v->nan[i]]);
    break;
  case MV_WAST_NULL: append(buf, size, "null of %s", heaps[v->heap]); break;
  case MV_WAST_REF: append(buf, size, "a reference to %s", heaps[v->heap]); break;
  case MV_WAST_EXTERN: append(buf, size, "host reference %" PRIu64 " of extern", v->bits[0]); break;
  case MV_WAST_HOST: append(buf, size, "host reference %" PRIu64 " of any", v->bits[0]); break;
  case MV_WAST_EITHER:
    append(buf, size, "either of");
    for (size_t i = 0; i < v->neither; i++) {
      append(buf, size, i ? ", " : " ");
      value_print_expected(&v->either[i], buf, size);
    }
  }
}
