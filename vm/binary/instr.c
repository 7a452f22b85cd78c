/* One instruction (core/binary/instructions), driven by ops.def. Knows the syntax of immediates, not what they mean. */
#include "binary/instr.h"

#include <string.h>

#include "base/bytes.h"
#include "binary/type.h"
#include "types/limits.h"

static const struct opinfo *illegal(struct reader *r, uint64_t offset, unsigned prefix, unsigned code, const struct opinfo *info) {
  const char *feature = info->text ? mv_feature_name(info->feature) : NULL;
  if (feature)
    error_set(r->err, MV_MALFORMED, offset, "illegal opcode %02x: %s needs the feature %s", prefix ? prefix : code, info->text, feature);
  else if (prefix)
    error_set(r->err, MV_MALFORMED, offset, "illegal opcode %02x %02x", prefix, code);
  else
    error_set(r->err, MV_MALFORMED, offset, "illegal opcode %02x", code);
  return NULL;
}

/* Reads the opcode; the result is its row, or NULL. */
static const struct opinfo *opcode(struct reader *r, const struct module *m, unsigned *op) {
  static const struct { uint16_t page, size; } pages[] = {{OP_PAGE_FB, 0x100}, {OP_PAGE_FC, 0x100}, {OP_PAGE_FD, 0x200}, {OP_PAGE_FE, 0x100}};
  uint64_t offset = reader_offset(r);
  uint8_t b;
  unsigned prefix = 0;
  uint32_t code;
  if (!reader_byte(r, &b)) return NULL;
  *op = code = b;
  if (b >= 0xfb && b <= 0xfe) {
    prefix = b;
    if (!reader_u32(r, &code)) return NULL;
    *op = code < pages[b - 0xfb].size ? pages[b - 0xfb].page + code : (unsigned)OP_LIMIT;
  }
  const struct opinfo *info = op_info(*op);
  bool on = info->text && (info->feature == 0 || (m->features >> info->feature & 1));
  return likely(on) ? info : illegal(r, offset, prefix, code, info);
}

static bool typeidx(struct reader *r, struct typectx *c, uint32_t *index) {
  uint64_t offset = reader_offset(r);
  if (!reader_u32(r, index)) return false;
  (void)typectx_id(c, *index, offset);
  return true;
}

static bool memarg(struct reader *r, const struct module *m, struct instr *out) {
  const uint8_t *at = r->pos;
  uint32_t flags;
  if (!reader_u32(r, &flags)) return false;
  if (flags >= ((m->features & MV_FEATURE(MULTI_MEMORY)) ? 0x80u : 0x40u))
    return error_set(r->err, MV_MALFORMED, (uint64_t)(at - r->base), "malformed memop flags");
  out->u.mem.align = flags & 0x3f;
  out->u.mem.memory = 0;
  if ((flags & 0x40) && !reader_u32(r, &out->u.mem.memory)) return false;
  return reader_u64(r, &out->u.mem.offset);
}

static bool bytes(struct reader *r, void *to, size_t n) {
  const uint8_t *from = r->pos;
  if (!reader_skip(r, n)) return false;
  memcpy(to, from, n);
  return true;
}

static bool f32(struct reader *r, uint32_t *v) {
  uint8_t b[4];
  if (!bytes(r, b, 4)) return false;
  *v = load_le32(b);
  return true;
}

static bool f64(struct reader *r, uint64_t *v) {
  uint8_t b[8];
  if (!bytes(r, b, 8)) return false;
  *v = load_le64(b);
  return true;
}

static bool labels(struct reader *r, struct instr *out) {
  uint32_t label;
  if (!reader_length(r, &out->u.list.count)) return false;
  out->u.list.items = *r;
  for (uint32_t i = 0; i <= out->u.list.count; i++)
    if (!reader_u32(r, &label)) return false;
  return true;
}

static bool select_types(struct reader *r, struct typectx *c, struct instr *out) {
  valtype t;
  if (!reader_length(r, &out->u.list.count)) return false;
  out->u.list.items = *r;
  for (uint32_t i = 0; i < out->u.list.count; i++)
    if (!read_valtype(r, c, &t)) return false;
  return true;
}

bool reader_catch(struct reader *r, struct catch_clause *clause) {
  clause->tag = 0;
  if (!reader_byte(r, &clause->kind)) return false;
  if (clause->kind > CATCH_ALL_REF) return reader_malformed(r, 1, "malformed catch clause");
  if (clause->kind <= CATCH_REF && !reader_u32(r, &clause->tag)) return false;
  return reader_u32(r, &clause->label);
}

static bool try_table(struct reader *r, struct typectx *c, struct instr *out) {
  struct catch_clause clause;
  if (!read_blocktype(r, c, &out->u.try_table.block) || !reader_length(r, &out->u.try_table.count)) return false;
  out->u.try_table.items = *r;
  for (uint32_t i = 0; i < out->u.try_table.count; i++)
    if (!reader_catch(r, &clause)) return false;
  return true;
}

static bool ref_type(struct reader *r, struct typectx *c, unsigned op, valtype *t) {
  if (!read_heaptype(r, c, t)) return false;
  if (op == OP_ref_null || op == OP_ref_test_null || op == OP_ref_cast_null || op == OP_ref_cast_desc_eq_null) *t |= VT_NULLABLE;
  return true;
}

static bool br_cast(struct reader *r, struct typectx *c, struct instr *out) {
  uint8_t flags;
  if (!reader_byte(r, &flags)) return false;
  if (flags > 3) return reader_malformed(r, 1, "malformed br_on_cast flags");
  if (!reader_u32(r, &out->u.cast.label) || !read_heaptype(r, c, &out->u.cast.from) || !read_heaptype(r, c, &out->u.cast.to)) return false;
  out->u.cast.nulls[0] = flags & 1;
  out->u.cast.nulls[1] = flags & 2;
  if (flags & 1) out->u.cast.from |= VT_NULLABLE;
  if (flags & 2) out->u.cast.to |= VT_NULLABLE;
  return true;
}

static bool zero_byte(struct reader *r) {
  uint8_t b;
  if (!reader_byte(r, &b)) return false;
  return b == 0 || reader_malformed(r, 1, "zero byte expected");
}

static bool immediates(struct reader *r, struct typectx *c, unsigned imm, struct instr *out) {
  uint32_t *a = &out->u.index.a, *b = &out->u.index.b;
  switch ((enum imm)imm) {
  case IMM_NONE: return true;
  case IMM_BLOCK: return read_blocktype(r, c, &out->u.block);
  case IMM_LABELS: return labels(r, out);
  case IMM_LABEL: case IMM_FUNC: case IMM_TABLE: case IMM_MEMORY: case IMM_GLOBAL: case IMM_LOCAL: case IMM_TAG: case IMM_DATA: case IMM_ELEM:
    return reader_u32(r, a);
  case IMM_TYPE: return typeidx(r, c, a);
  case IMM_CALL_INDIRECT: case IMM_TYPE_FIELD: case IMM_TYPE_N: case IMM_TYPE_DATA: case IMM_TYPE_ELEM: return typeidx(r, c, a) && reader_u32(r, b);
  case IMM_TYPE_TYPE: return typeidx(r, c, a) && typeidx(r, c, b);
  case IMM_MEMORY2: case IMM_DATA_MEMORY: case IMM_TABLE2: case IMM_ELEM_TABLE: return reader_u32(r, a) && reader_u32(r, b);
  case IMM_SELECT: return select_types(r, c, out);
  case IMM_I32: return reader_s32(r, &out->u.i32);
  case IMM_I64: return reader_s64(r, &out->u.i64);
  case IMM_F32: return f32(r, &out->u.f32);
  case IMM_F64: return f64(r, &out->u.f64);
  case IMM_V128: case IMM_SHUFFLE: return bytes(r, out->u.v128, 16);
  case IMM_MEMARG: return memarg(r, c->m, out);
  case IMM_MEMARG_LANE: return memarg(r, c->m, out) && reader_byte(r, &out->u.mem.lane);
  case IMM_LANE: return reader_byte(r, &out->u.lane);
  case IMM_HEAP: case IMM_REFTYPE: return ref_type(r, c, out->op, &out->u.ref);
  case IMM_BR_CAST: return br_cast(r, c, out);
  case IMM_TRY_TABLE: return try_table(r, c, out);
  case IMM_BYTE: return zero_byte(r);
  }
  return false;
}

bool instr_read(struct reader *r, const struct module *m, struct instr *out) {
  struct typectx c = {.m = m};
  unsigned op;
  out->offset = reader_offset(r);
  const struct opinfo *info = opcode(r, m, &op);
  if (!info) return false;
  out->op = (uint16_t)op;
  return immediates(r, &c, info->imm, out) && typectx_check(&c, r->err);
}

bool reader_locals(struct reader *r, const struct module *m, bool (*each)(void *env, uint32_t count, valtype), void *env) {
  struct typectx c = {.m = m};
  uint64_t offset = reader_offset(r), total = 0;
  uint32_t groups, count;
  valtype t;
  if (!reader_length(r, &groups)) return false;
  for (uint32_t i = 0; i < groups; i++) {
    if (!reader_u32(r, &count) || !read_valtype(r, &c, &t)) return false;
    total += count;
    if (each && total <= LIMIT_LOCALS && !c.unknown && !each(env, count, t)) return false;
  }
  if (total > UINT32_MAX) return error_set(r->err, MV_MALFORMED, offset, "too many locals");
  if (!typectx_check(&c, r->err)) return false;
  return total <= LIMIT_LOCALS || error_set(r->err, MV_LIMIT, offset, "too many locals: %u, at most %d", (unsigned)total, LIMIT_LOCALS);
}

bool expr_skip(struct reader *r, const struct module *m, bool in_body, mv_error_t *invalid) {
  struct instr in;
  uint64_t depth = 0;
  mv_error_t *err = r->err, one;
  for (;;) {
    const uint8_t *at = r->pos;
    one.kind = MV_OK;
    r->err = &one;
    bool ok = instr_read(r, m, &in);
    r->err = err;
    if (!ok && one.kind == MV_INVALID)
      error_set(invalid, one.kind, one.offset, "%s", one.message);
    else if (!ok)
      return error_set(err, one.kind, one.offset, "%s", one.message);
    if (in_body && instr_uses_data(in.op) && !m->has_data_count)
      return error_set(err, MV_MALFORMED, (uint64_t)(at - r->base), "data count section required");
    switch (in.op) {
    case OP_block: case OP_loop: case OP_if: case OP_try: case OP_try_table: depth++; break;
    case OP_else: case OP_catch: case OP_catch_all:
      if (depth == 0) return error_set(err, MV_MALFORMED, (uint64_t)(at - r->base), "END opcode expected");
      break;
    case OP_end: case OP_delegate:
      if (depth == 0) return in.op == OP_end || error_set(err, MV_MALFORMED, (uint64_t)(at - r->base), "END opcode expected");
      depth--;
      break;
    }
  }
}

bool module_scan_bodies(const struct module *m, uint32_t n, bool complete, mv_error_t *err) {
  for (uint32_t i = 0; i < n; i++) {
    mv_error_t one = {.kind = MV_OK}, invalid = {.kind = MV_OK};
    const struct body *b = &m->bodies[i];
    struct reader r = {m->bytes, m->bytes + b->offset, m->bytes + m->size, &one};
    bool ok = reader_locals(&r, m, NULL, NULL);
    if (!ok && one.kind != MV_MALFORMED) one.kind = MV_OK; /* the locals are behind us all the same */
    if (one.kind == MV_OK && expr_skip(&r, m, complete, &invalid) && r.pos != m->bytes + b->offset + b->size)
      reader_malformed(&r, 0, "section size mismatch");
    if (one.kind == MV_MALFORMED) return error_set(err, one.kind, one.offset, "%s", one.message);
  }
  return true;
}
