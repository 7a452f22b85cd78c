/* Value, reference and block types (core/binary/types). */
#include "binary/type.h"

bool typectx_check(const struct typectx *c, mv_error_t *err) {
  return !c->unknown || error_set(err, MV_INVALID, c->offset, "unknown type %u", c->index);
}

uint32_t typectx_id(struct typectx *c, uint32_t index, uint64_t offset) {
  if (index < c->m->ntypes) return c->m->type_ids[index];
  if (index - c->m->ntypes < c->rec) return HEAP_REC | (index - c->m->ntypes);
  if (!c->unknown) {
    c->unknown = true;
    c->index = index;
    c->offset = offset;
  }
  return HEAP_BOT;
}

/* What reading one type may say. The reference interpreter tries alternatives in turn, hence the text of the last one. */
static bool malformed(struct reader *r, const uint8_t *at, const char *text) {
  r->pos = at;
  return reader_malformed(r, 0, text);
}

/* One byte that begins a type. A continuation bit would make it an overlong form of another one. */
static bool type_byte(struct reader *r, uint8_t *b) {
  if (!reader_byte(r, b)) return false;
  return !(*b & 0x80) || reader_malformed(r, 1, "integer representation too long");
}

static bool has(const struct typectx *c, mv_features_t feature) { return (c->m->features & feature) != 0; }

/* The abstract heap type of a byte, or HEAP_BOT. */
static uint32_t abstract_heap(const struct typectx *c, uint8_t b) {
  switch (b) {
  case 0x70: return HEAP_FUNC;
  case 0x6f: return has(c, MV_FEATURE(REF_TYPES)) ? HEAP_EXTERN : HEAP_BOT;
  case 0x69: return has(c, MV_FEATURE(EXCEPTIONS)) ? HEAP_EXN : HEAP_BOT;
  case 0x74: return has(c, MV_FEATURE(EXCEPTIONS)) ? HEAP_NOEXN : HEAP_BOT;
  }
  if (!has(c, MV_FEATURE(GC))) return HEAP_BOT;
  switch (b) {
  case 0x73: return HEAP_NOFUNC;
  case 0x72: return HEAP_NOEXTERN;
  case 0x71: return HEAP_NONE;
  case 0x6e: return HEAP_ANY;
  case 0x6d: return HEAP_EQ;
  case 0x6c: return HEAP_I31;
  case 0x6b: return HEAP_STRUCT;
  case 0x6a: return HEAP_ARRAY;
  default: return HEAP_BOT;
  }
}

static bool heaptype(struct reader *r, struct typectx *c, const char *text, valtype *t) {
  const uint8_t *at = r->pos;
  int64_t index;
  unsigned exact = 0;
  if (r->pos < r->end) {
    uint8_t b = *r->pos;
    uint32_t heap = abstract_heap(c, b);
    if (heap != HEAP_BOT) {
      r->pos++;
      *t = VT_REFTYPE(heap, 0);
      return true;
    }
    if (b == 0x62 && has(c, MV_FEATURE(DESCRIPTORS))) {
      exact = VT_EXACT;
      r->pos++;
    }
  }
  uint64_t offset = reader_offset(r);
  if (!has(c, MV_FEATURE(FUNC_REFS) | MV_FEATURE(GC))) return malformed(r, at, text);
  if (!reader_s33(r, &index)) return false;
  if (index < 0) return malformed(r, at, text);
  *t = VT_REFTYPE(typectx_id(c, (uint32_t)index, offset), exact);
  return true;
}

/* A reference type that begins with byte b, already read. */
static bool reftype(struct reader *r, struct typectx *c, uint8_t b, const char *text, valtype *t) {
  const uint8_t *at = r->pos - 1;
  if ((b == 0x63 || b == 0x64) && has(c, MV_FEATURE(FUNC_REFS) | MV_FEATURE(GC))) {
    if (!heaptype(r, c, text, t)) return false;
    if (b == 0x63) *t |= VT_NULLABLE;
    return true;
  }
  uint32_t heap = abstract_heap(c, b);
  if (heap == HEAP_BOT) return malformed(r, at, text);
  *t = VT_REFTYPE(heap, VT_NULLABLE);
  return true;
}

/* A value type that begins with byte b, already read. */
static bool value(struct reader *r, struct typectx *c, uint8_t b, const char *text, valtype *t) {
  switch (b) {
  case 0x7f: *t = VT_I32; return true;
  case 0x7e: *t = VT_I64; return true;
  case 0x7d: *t = VT_F32; return true;
  case 0x7c: *t = VT_F64; return true;
  case 0x7b:
    if (!has(c, MV_FEATURE(SIMD))) break;
    *t = VT_V128;
    return true;
  }
  return reftype(r, c, b, text, t);
}

bool read_valtype(struct reader *r, struct typectx *c, valtype *t) {
  uint8_t b;
  return type_byte(r, &b) && value(r, c, b, "malformed reference type", t);
}

bool read_reftype(struct reader *r, struct typectx *c, valtype *t) {
  uint8_t b;
  return type_byte(r, &b) && reftype(r, c, b, "malformed reference type", t);
}

bool read_heaptype(struct reader *r, struct typectx *c, valtype *t) { return heaptype(r, c, "malformed heap type", t); }

bool read_storagetype(struct reader *r, struct typectx *c, valtype *t) {
  uint8_t b;
  if (!type_byte(r, &b)) return false;
  if (b == 0x78 || b == 0x77) {
    *t = b == 0x78 ? VT_I8 : VT_I16;
    return true;
  }
  return value(r, c, b, "malformed storage type", t);
}

bool read_blocktype(struct reader *r, struct typectx *c, struct blocktype *bt) {
  const uint8_t *at = r->pos;
  *bt = (struct blocktype){TYPE_NONE, VT_BOT};
  if (r->pos < r->end && *r->pos == 0x40) {
    r->pos++;
    return true;
  }
  if (r->pos < r->end && (*r->pos & 0xc0) == 0x40) return read_valtype(r, c, &bt->result); /* a negative number of one byte */
  uint64_t offset = reader_offset(r);
  int64_t index;
  if (!reader_s33(r, &index)) return false;
  if (index < 0 || !has(c, MV_FEATURE(MULTI_VALUE))) return malformed(r, at, "malformed block type");
  bt->type = typectx_id(c, (uint32_t)index, offset);
  if (bt->type == HEAP_BOT) bt->type = TYPE_NONE;
  return true;
}

bool reader_valtype(struct reader *r, const struct module *m, valtype *t) {
  struct typectx c = {.m = m};
  return read_valtype(r, &c, t) && typectx_check(&c, r->err);
}

void blocktype_types(const struct module *m, const struct blocktype *bt, const valtype **params, uint32_t *nparams, const valtype **results,
                     uint32_t *nresults) {
  if (bt->type == TYPE_NONE) {
    *params = NULL;
    *nparams = 0;
    *results = &bt->result;
    *nresults = bt->result != VT_BOT;
    return;
  }
  const struct deftype *t = types_get(m->types, bt->type);
  *params = t->u.func.params;
  *nparams = t->u.func.nparams;
  *results = t->u.func.results;
  *nresults = t->u.func.nresults;
}
