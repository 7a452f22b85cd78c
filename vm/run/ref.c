/* References: what type they have (core/exec/values), and the fields of the objects behind them. */
#include <string.h>

#include "run/gc.h"

static bool func_matches(const struct store *s, const struct func *f, uint32_t heap, bool exact) {
  if (heap == HEAP_FUNC) return true;
  if (heap >= HEAP_MAX_ID) return false;
  return exact ? f->type == heap : types_match_def(s->types, f->type, heap);
}

static bool i31_matches(uint32_t heap) { return heap == HEAP_ANY || heap == HEAP_EQ || heap == HEAP_I31 || heap == HEAP_EXTERN; }

static bool object_matches(const struct store *s, const struct object *o, uint32_t heap, bool exact) {
  bool aggregate = o->kind == OBJ_STRUCT || o->kind == OBJ_ARRAY;
  switch (heap) {
  case HEAP_ANY: case HEAP_EXTERN: return o->kind != OBJ_EXN;
  case HEAP_EXN: return o->kind == OBJ_EXN;
  case HEAP_EQ: return aggregate;
  case HEAP_STRUCT: return o->kind == OBJ_STRUCT;
  case HEAP_ARRAY: return o->kind == OBJ_ARRAY;
  default:
    if (heap >= HEAP_MAX_ID || !aggregate) return false;
    return exact ? o->type == heap : types_match_def(s->types, o->type, heap);
  }
}

bool ref_matches(const struct store *s, cell r, valtype type) {
  uint32_t heap = vt_heap(type);
  bool exact = (type & VT_EXACT) != 0;
  if (r == REF_NULL) return vt_is_nullable(type);
  if (types_top(s->types, heap) == HEAP_FUNC) return func_matches(s, (const struct func *)(uintptr_t)r, heap, exact);
  if (ref_is_i31(r)) return i31_matches(heap);
  return object_matches(s, ref_object(r), heap, exact);
}

void field_get(const struct object *o, uint64_t offset, valtype storage, bool sign, cell *out) {
  const uint8_t *p = (const uint8_t *)(o + 1) + offset;
  uint16_t h;
  uint32_t w;
  switch (vt_code(storage)) {
  case VT_I8:
    w = sign ? (uint32_t)(int8_t)*p : *p;
    *out = w;
    break;
  case VT_I16:
    memcpy(&h, p, sizeof h);
    w = sign ? (uint32_t)(int16_t)h : h;
    *out = w;
    break;
  case VT_I32: case VT_F32:
    memcpy(&w, p, sizeof w);
    *out = w;
    break;
  default: memcpy(out, p, vt_field_size(storage));
  }
}

void field_set(struct object *o, uint64_t offset, valtype storage, const cell *value) {
  uint8_t *p = object_data(o) + offset;
  uint16_t h = (uint16_t)*value;
  uint32_t w = (uint32_t)*value;
  switch (vt_code(storage)) {
  case VT_I8: *p = (uint8_t)w; break;
  case VT_I16: memcpy(p, &h, sizeof h); break;
  case VT_I32: case VT_F32: memcpy(p, &w, sizeof w); break;
  default: memcpy(p, value, vt_field_size(storage));
  }
}
