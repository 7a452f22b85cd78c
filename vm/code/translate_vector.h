/* Vectors (core/exec/instructions#vector-instructions). Part of translate.c. */

/* The twin of an operation that has one, if this processor runs it. */
static unsigned twin(struct tr *t, unsigned op) {
  unsigned r;
  switch (op) {
#define SIMD_TWIN(shape, id) \
  case IR_##id: r = IR_##id##_cpu; break;
#include "exec/simd.def"
  default: return op;
  }
  if (!t->twins) t->twins = exec_has_twins() ? 2 : 1;
  return t->twins == 2 ? r : op;
}

static void vector(struct tr *t, unsigned op, unsigned lane) {
  const struct ropinfo *info = rop_info(op);
  const unsigned n = info->shape == SHAPE_V3 ? 3 : info->shape == SHAPE_V2 || info->shape == SHAPE_SHIFT || info->shape == SHAPE_REPLACE ? 2 : 1;
  uint32_t sy = NO_SLOT, sz = NO_SLOT;
  struct val z, y = {0}, x;
  bool imm = false;
  if (n == 3) z = pop(t), sz = operand(t, &z, true);
  if (n >= 2) y = pop(t);
  x = pop(t);
  if (info->shape == SHAPE_SHIFT) imm = fits_imm(&y);
  if (info->shape == SHAPE_V2 && t->c->all_forms) {
    if (x.kind == VAL_CONST && rop_commutative(op)) {
      const struct val swap = x;
      x = y, y = swap;
    }
    imm = y.kind == VAL_CONST;
  }
  if (n >= 2 && !imm) sy = operand(t, &y, true);
  const uint32_t sx = operand(t, &x, info->in == RT_i32);
  struct ir *i = tr_emit(t, twin(t, op));
  i->a = sx, i->b = sy, i->c = sz;
  if (imm) i->flags |= IRF_IMM, i->imm = y.imm, i->imm2 = y.imm2;
  if (info->shape == SHAPE_EXTRACT || info->shape == SHAPE_REPLACE) i->imm2 = lane;
  touch(t, sx);
  if (sy != NO_SLOT) touch(t, sy);
  if (sz != NO_SLOT) touch(t, sz);
  push_result(t, info->out);
}

/* Lanes of 32 and 64 bits lie in cells of their own or are half of one. The lowest one is free where cells are integers. */
static bool extract(struct tr *t, unsigned op, unsigned lane) {
  const bool wide = op == IR_i64x2_extract_lane || op == IR_f64x2_extract_lane, is_float = op == IR_f32x4_extract_lane || op == IR_f64x2_extract_lane;
  if (!wide && op != IR_i32x4_extract_lane && op != IR_f32x4_extract_lane) return false;
  struct val v = pop(t);
  const uint32_t s = operand(t, &v, true);
  const unsigned rt = op == IR_f64x2_extract_lane ? RT_f64 : wide ? RT_i64 : is_float ? RT_f32 : RT_i32;
  if (!lane && !is_float && t->c->fusion) {
    struct val *r = push(t, v.kind, rt);
    r->slot = s;
    r->dirty = !wide;
    if (v.kind == VAL_LOCAL) t->refs[s]++, t->lazy++;
    return true;
  }
  const bool high = !wide && lane & 1;
  struct ir *i = tr_emit(t, is_float ? (wide ? IR_f64_reinterpret_i64 : high ? IR_f32_high : IR_f32_reinterpret_i32) : wide ? IR_mov_i64 : high ? IR_i32_high : IR_i32_wrap_i64);
  i->a = s + (wide ? lane : lane >> 1);
  touch(t, s);
  push_result(t, rt);
  return true;
}

/* A shuffle of one vector is a permutation. */
static void shuffle(struct tr *t, const struct instr *in) {
  struct val y = pop(t), x = pop(t);
  uint64_t lanes[2];
  uint8_t all = 0, common = 0x10;
  memcpy(lanes, in->u.v128, 16);
  for (unsigned k = 0; k < 16; k++) all |= in->u.v128[k], common &= in->u.v128[k];
  const uint32_t sx = operand(t, &x, true), sy = operand(t, &y, true);
  const bool one = !(all & 0x10) || common || sx == sy;
  struct ir *i = tr_emit(t, twin(t, one ? IR_i8x16_permute : IR_i8x16_shuffle));
  i->a = common ? sy : sx;
  if (!one) i->b = sy;
  i->imm = lanes[0], i->imm2 = lanes[1];
  if (one) i->imm &= 0x0f0f0f0f0f0f0f0fu, i->imm2 &= 0x0f0f0f0f0f0f0f0fu;
  touch(t, sx), touch(t, sy);
  push_result(t, RT_v128);
}

/* A lane from or to memory 0: an access and a lane. */
static void lane_access(struct tr *t, const struct instr *in) {
  static const uint16_t ops[8][2] = {{IR_i32_load8_u, IR_i8x16_replace_lane},  {IR_i32_load16_u, IR_i16x8_replace_lane},    {IR_i32_load, IR_i32x4_replace_lane},  {IR_i64_load, IR_i64x2_replace_lane},
                                     {IR_i32_store8, IR_i8x16_extract_lane_u}, {IR_i32_store16, IR_i16x8_extract_lane_u}, {IR_i32_store, IR_i32x4_extract_lane}, {IR_i64_store, IR_i64x2_extract_lane}};
  const unsigned k = in->op - OP_v128_load8_lane, size = 1u << (k & 3), rt = size == 8 ? RT_i64 : RT_i32;
  if (k < 4) {
    const struct val v = pop(t);
    load(t, in, ops[k][0], size, rt);
    struct val x = pop(t);
    const uint32_t sx = operand(t, &x, true);
    struct val y = v;
    const uint32_t sy = operand(t, &y, true);
    struct ir *i = tr_emit(t, ops[k][1]);
    i->a = sy, i->b = sx, i->imm2 = in->u.mem.lane;
    touch(t, sx), touch(t, sy);
    push_result(t, RT_v128);
    return;
  }
  if (!extract(t, ops[k][1], in->u.mem.lane)) vector(t, ops[k][1], in->u.mem.lane);
  store(t, in, ops[k][0], size, rt);
}
