/* Types in text format (core/text/types), for messages and dumps. A composite type is shown by the number in the valtype. */
#include <stdio.h>

#include "types/types.h"

static const char *heap_name(uint32_t heap) {
  switch (heap) {
  case HEAP_FUNC: return "func";
  case HEAP_NOFUNC: return "nofunc";
  case HEAP_EXTERN: return "extern";
  case HEAP_NOEXTERN: return "noextern";
  case HEAP_ANY: return "any";
  case HEAP_EQ: return "eq";
  case HEAP_I31: return "i31";
  case HEAP_STRUCT: return "struct";
  case HEAP_ARRAY: return "array";
  case HEAP_NONE: return "none";
  case HEAP_EXN: return "exn";
  case HEAP_NOEXN: return "noexn";
  case HEAP_BOT: return "bot";
  default: return NULL;
  }
}

/* The abbreviation of a nullable reference to an abstract heap type, or NULL. */
static const char *ref_name(uint32_t heap) {
  switch (heap) {
  case HEAP_FUNC: return "funcref";
  case HEAP_NOFUNC: return "nullfuncref";
  case HEAP_EXTERN: return "externref";
  case HEAP_NOEXTERN: return "nullexternref";
  case HEAP_ANY: return "anyref";
  case HEAP_EQ: return "eqref";
  case HEAP_I31: return "i31ref";
  case HEAP_STRUCT: return "structref";
  case HEAP_ARRAY: return "arrayref";
  case HEAP_NONE: return "nullref";
  case HEAP_EXN: return "exnref";
  case HEAP_NOEXN: return "nullexnref";
  default: return NULL;
  }
}

static void ref_print(valtype t, char *buf, size_t cap) {
  uint32_t heap = vt_heap(t);
  const char *null = vt_is_nullable(t) ? "null " : "", *name = heap_name(heap);
  if (*null && ref_name(heap))
    snprintf(buf, cap, "%s", ref_name(heap));
  else if (name)
    snprintf(buf, cap, "(ref %s%s)", null, name);
  else if (heap & HEAP_REC)
    snprintf(buf, cap, "(ref %srec.%u)", null, heap & ~(uint32_t)HEAP_REC);
  else
    snprintf(buf, cap, t & VT_EXACT ? "(ref %s(exact %u))" : "(ref %s%u)", null, heap);
}

char *valtype_print(valtype t, char *buf, size_t cap) {
  static const char names[][8] = {"bot", "i32", "i64", "f32", "f64", "v128", "i8", "i16"};
  if (cap == 0) return buf;
  if (vt_is_ref(t))
    ref_print(t, buf, cap);
  else
    snprintf(buf, cap, "%s", vt_code(t) < sizeof names / sizeof *names ? names[vt_code(t)] : "?");
  return buf;
}

/* Appends text to a string that holds `at` characters; returns the new length, at most cap - 1. */
static size_t append(char *buf, size_t cap, size_t at, const char *text) {
  if (at + 1 >= cap) return at;
  int n = snprintf(buf + at, cap - at, "%s", text);
  return n < 0 || (size_t)n >= cap - at ? cap - 1 : at + (size_t)n;
}

static size_t append_types(char *buf, size_t cap, size_t at, const char *word, const valtype *types, uint32_t n) {
  char one[48];
  if (n == 0) return at;
  at = append(buf, cap, at, word);
  for (uint32_t i = 0; i < n && at + 1 < cap; i++) {
    at = append(buf, cap, at, " ");
    at = append(buf, cap, at, valtype_print(types[i], one, sizeof one));
  }
  return append(buf, cap, at, ")");
}

static size_t append_fields(char *buf, size_t cap, size_t at, const struct deftype *t) {
  char one[48];
  for (uint32_t i = 0; i < t->u.agg.nfields && at + 1 < cap; i++) {
    const struct field *f = &t->u.agg.fields[i];
    at = append(buf, cap, at, t->kind == COMP_STRUCT ? " (field " : " ");
    if (f->mutable) at = append(buf, cap, at, "(mut ");
    at = append(buf, cap, at, valtype_print(f->type, one, sizeof one));
    if (f->mutable) at = append(buf, cap, at, ")");
    if (t->kind == COMP_STRUCT) at = append(buf, cap, at, ")");
  }
  return at;
}

char *functype_print(const struct deftype *t, char *buf, size_t cap) {
  if (cap == 0) return buf;
  size_t at = append(buf, cap, 0, t->kind == COMP_FUNC ? "(func" : t->kind == COMP_STRUCT ? "(struct" : "(array");
  if (t->kind == COMP_FUNC) {
    at = append_types(buf, cap, at, " (param", t->u.func.params, t->u.func.nparams);
    at = append_types(buf, cap, at, " (result", t->u.func.results, t->u.func.nresults);
  } else {
    at = append_fields(buf, cap, at, t);
  }
  append(buf, cap, at, ")");
  return buf;
}
