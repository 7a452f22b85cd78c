/* Superinstructions: operations that follow each other and hand a value on become one (see the rows in rops.def). A pass over the intermediate code
 * between translate.c and lower.c; to add a superinstruction, add its row and the pattern here. */
#include "code/ir.h"

/* A pair of operations, and on which side of the second the first's result stands. */
#define PAIR(a, b, side) ((uint32_t)(a) << 16 | (uint32_t)(b) << 1 | (side))
enum { SIDE_L, SIDE_R };

/* The operation that does `first` and then `second` on its result, or 0. */
static unsigned fused(unsigned first, unsigned second, unsigned side) {
  switch (PAIR(first, second, side)) {
#define ROW(id, first, second, side) \
  case PAIR(IR_##first, IR_##second, SIDE_##side): return IR_##id;
#define BIN2(id, T, first, second, e) ROW(id, first, second, R)
#define FBIN2(id, T, first, second, side, e) ROW(id, first, second, side)
#define ADDBR(id, T, add, cmp, e) ROW(id, add, br_##cmp, L)
#define LOADOP(id, T, load, op, side, n, get, e) ROW(id, load, op, side)
#define LOADBIN2(id, T, first, second, side, n, get, e) ROW(id, first, second, side)
#define FLOADOP(id, T, load, op, side, n, get, e) ROW(id, load, op, side)
#define FLOADBIN2(id, T, first, second, side, n, get, e) ROW(id, first, second, side)
#define LOADBR(id, T, load, cmp, n, get, e) ROW(id, load, br_##cmp, L)
#define FBINBR(id, T, first, branch, e) \
  case PAIR(IR_##first, IR_##branch, SIDE_L): return IR_##id;
#define BINBR(id, T, first, branch, e) \
  case PAIR(IR_##first, IR_##branch, SIDE_L): return IR_##id;
#include "code/rops.def"
#define SIMD_PAIR ROW
#define SIMD_LOAD_OP(id, second, side) ROW(id, v128_load, second, side)
#include "exec/simd.def"
#undef ROW
  default: return 0;
  }
}

static bool short_imm(unsigned rt, uint64_t imm) { return rt == RT_i32 || (rt == RT_i64 && imm == (uint64_t)(int32_t)imm); }

/* The second operation takes t on one side: which, and the other operand, a slot or (where the order does not count) its immediate. */
struct other { unsigned side; uint32_t slot; bool imm; };

static bool other_operand(const struct ir *c, uint32_t t, unsigned rt, struct other *o) {
  const bool imm = (c->flags & IRF_IMM) != 0;
  *o = (struct other){SIDE_R, c->a, false};
  if (!imm && c->b == t && c->a != t) return true;
  if (c->a != t || (!imm && c->b == t)) return false;
  *o = (struct other){rop_commutative(c->op) ? SIDE_R : SIDE_L, c->b, imm};
  return !imm || (rop_commutative(c->op) && short_imm(rt, c->imm));
}

/* A wrapped value that becomes an operand: operations on i32 read the lower half of a cell anyway. */
static bool fuse_wrap(const struct ir *p, struct ir *c) {
  if (p->op != IR_i32_wrap_i64 || rop_info(c->op)->shape != SHAPE_BIN || rop_info(c->op)->in != RT_i32) return false;
  const bool b = !(c->flags & IRF_IMM) && c->b == p->d;
  if (c->a != p->d && !b) return false;
  if (c->a == p->d) c->a = p->a;
  if (b) c->b = p->a;
  return true;
}

/* What steps a pointer by the way: add_ and inc_ of a load, inc_ of a store, or 0. */
static unsigned stepping(unsigned op, bool after) {
  switch (op) {
#define LOAD(id, ...) case IR_##id: return after ? IR_inc_##id : IR_add_##id;
#define STORE(id, ...) case IR_##id: return after ? IR_inc_##id : 0;
#include "code/rops.def"
  default: return 0;
  }
}

static bool fuse_binary(const struct ir *p, struct ir *c) {
  const struct ropinfo *pi = rop_info(p->op), *ci = rop_info(c->op);
  struct other o;
  if ((ci->shape != SHAPE_BIN && ci->shape != SHAPE_V2) || ci->in != ci->out || ci->in != pi->out) return false;
  if (!other_operand(c, p->d, ci->in, &o)) return false;
  const unsigned op = fused(p->op, c->op, o.side);
  if (!op) return false;
  const unsigned shape = rop_info(op)->shape;
  struct ir r = *p;
  r.op = (uint16_t)op;
  r.d = c->d;
  r.c = o.slot;
  if (shape == SHAPE_LOADOP) {
    if (p->am == AM_CONST || p->am == AM_SHIFTED || o.imm) return false;
  } else if (shape == SHAPE_LOADBIN2) {
    if (o.imm) return false;
    r.c = p->c, r.e = o.slot;
  } else {
    const bool imm = (p->flags & IRF_IMM) != 0;
    if (imm && (shape == SHAPE_FBIN2 || !short_imm(pi->in, p->imm))) return false;
    if (o.imm) r.flags |= IRF_IMM2, r.imm2 = c->imm;
  }
  *c = r;
  return true;
}

/* The operation of two of which one has a constant of 64 bits, or 0. */
enum { WIDE_FIRST, WIDE_SECOND };
static unsigned fused_wide(unsigned first, unsigned second, unsigned which) {
  switch (PAIR(first, second, which)) {
#define WIDE1(id, first, second, e) \
  case PAIR(IR_##first, IR_##second, WIDE_FIRST): return IR_##id;
#define WIDE2(id, first, second, e) \
  case PAIR(IR_##first, IR_##second, WIDE_SECOND): return IR_##id;
#include "code/rops.def"
  default: return 0;
  }
}

static bool fuse_wide(const struct ir *p, struct ir *c) {
  const bool imm = (p->flags & IRF_IMM) != 0, imm2 = (c->flags & IRF_IMM) != 0;
  const bool wide = imm && !short_imm(RT_i64, p->imm), wide2 = imm2 && !short_imm(RT_i64, c->imm);
  const unsigned op = wide == wide2 ? 0 : fused_wide(p->op, c->op, wide ? WIDE_FIRST : WIDE_SECOND);
  if (!op) return false;
  struct ir r = *p;
  r.op = (uint16_t)op, r.flags = 0, r.d = c->d;
  if (wide) {
    const bool right = !imm2 && c->a != p->d && rop_commutative(c->op);
    if (right ? c->b != p->d : c->a != p->d || (!imm2 && c->b == p->d)) return false;
    r.c = right ? c->a : c->b, r.imm2 = c->imm;
    if (imm2) r.flags |= IRF_IMM2;
  } else {
    if (c->a != p->d) return false;
    r.c = p->b, r.imm2 = p->imm, r.imm = c->imm;
    if (imm) r.flags |= IRF_IMM2;
    else if (rop_commutative(p->op) && p->b > p->a) r.a = p->b, r.c = p->a; /* a temporary, which may be in the accumulator */
  }
  r.b = NO_SLOT;
  *c = r;
  return true;
}

/* A comparison that branches on slot t as its left operand; a test for zero is one, too. */
static bool branch_on(const struct ir *c, uint32_t t, unsigned rt, struct ir *r) {
  static const uint16_t swapped[] = {IR_br_i32_eq, IR_br_i32_ne, IR_br_i32_gt_s, IR_br_i32_gt_u, IR_br_i32_lt_s, IR_br_i32_lt_u, IR_br_i32_ge_s, IR_br_i32_ge_u, IR_br_i32_le_s, IR_br_i32_le_u};
  *r = *c;
  if (c->op == IR_brnz_i32 || c->op == IR_brz_i32 || c->op == IR_brnz_i64 || c->op == IR_brz_i64) {
    const bool zero = c->op == IR_brz_i32 || c->op == IR_brz_i64;
    if (rop_info(c->op)->in != rt || (c->flags & IRF_KEEP)) return false;
    r->op = rt == RT_i32 ? (zero ? IR_br_i32_eq : IR_br_i32_ne) : zero ? IR_br_i64_eq : IR_br_i64_ne;
    r->flags |= IRF_IMM, r->imm = 0;
  } else if (rop_info(c->op)->shape != SHAPE_BR || rop_info(c->op)->in != rt || (rt != RT_i32 && rt != RT_i64))
    return false;
  if (r->flags & IRF_IMM) return r->a == t && short_imm(rt, r->imm);
  if (r->b == t && r->a != t) {
    const unsigned first = rt == RT_i32 ? IR_br_i32_eq : IR_br_i64_eq;
    r->b = r->a, r->a = t;
    r->op = (uint16_t)(swapped[(r->op - first) / 2] - IR_br_i32_eq + first);
  }
  return r->a == t && r->b != t;
}

static bool fuse_branch(const struct ir *p, struct ir *c) {
  const unsigned rt = rop_info(p->op)->in;
  struct ir r;
  if ((p->op != IR_i32_add && p->op != IR_i64_add) || !branch_on(c, p->d, rt, &r)) return false;
  const bool imm = (r.flags & IRF_IMM) != 0, pimm = (p->flags & IRF_IMM) != 0;
  if (pimm && !short_imm(rt, p->imm)) return false;
  const unsigned op = fused(p->op, r.op, SIDE_L);
  if (!op) return false;
  *c = *p;
  c->op = (uint16_t)op;
  c->label = r.label;
  c->flags = (uint8_t)((pimm ? IRF_IMM : 0) | (imm ? IRF_IMM2 : 0));
  c->c = imm ? NO_SLOT : r.b;
  c->imm2 = r.imm;
  return true;
}

/* A load, and a branch on its value */
static bool fuse_load_branch(const struct ir *p, struct ir *c) {
  struct ir r;
  if (rop_info(p->op)->shape != SHAPE_LOAD || p->am == AM_CONST || p->am == AM_SCALED || p->am == AM_SHIFTED) return false;
  if (!branch_on(c, p->d, rop_info(p->op)->out, &r)) return false;
  const unsigned op = fused(p->op, r.op, SIDE_L);
  if (!op) return false;
  *c = *p;
  c->op = (uint16_t)op;
  c->label = r.label;
  c->flags = r.flags & IRF_IMM;
  c->imm = r.imm;
  c->c = r.b;
  return true;
}

/* Bits are masked and tested. */
static bool fuse_test(const struct ir *p, struct ir *c) {
  if (rop_info(c->op)->shape != SHAPE_BRU || c->a != p->d || (c->flags & IRF_KEEP)) return false;
  const unsigned op = fused(p->op, c->op, SIDE_L);
  if (!op || ((p->flags & IRF_IMM) && !short_imm(rop_info(op)->in, p->imm))) return false;
  const uint32_t label = c->label;
  *c = *p;
  c->op = (uint16_t)op;
  c->label = label;
  c->d = NO_SLOT;
  return true;
}

/* A sum of floats is compared. */
static bool fuse_float_test(const struct ir *p, struct ir *c) {
  const bool imm = (c->flags & IRF_IMM) != 0;
  if (p->op != IR_f64_add || (p->flags & IRF_IMM) || rop_info(c->op)->shape != SHAPE_BR || c->a != p->d || (!imm && c->b == p->d)) return false;
  const unsigned op = fused(p->op, c->op, SIDE_L);
  if (!op) return false;
  struct ir r = *p;
  r.op = (uint16_t)op;
  r.d = NO_SLOT;
  r.c = c->b, r.imm = c->imm, r.label = c->label;
  r.flags = c->flags & IRF_IMM;
  *c = r;
  return true;
}

static bool is_step(const struct ir *i) { return i->op == IR_i32_add && (i->flags & IRF_IMM); }

/* A pointer's step, before or after a load by it, or after a store */
static bool fuse_step(const struct ircode *code, const struct ir *p, struct ir *c) {
  const unsigned ps = rop_info(p->op)->shape, cs = rop_info(c->op)->shape;
  struct ir r = *c;
  if (cs == SHAPE_LOAD && c->am == AM_SLOT && (is_step(p) || p->op == IR_mov_add) && p->d < code->first_temp && (p->a < code->first_temp || p->a == p->d)) {
    if (p->op == IR_mov_add ? c->a != p->b || p->b == p->d : c->a != p->d) return false;
    r.op = (uint16_t)stepping(c->op, p->op == IR_mov_add);
    r.a = p->a, r.b = p->op == IR_mov_add ? p->b : NO_SLOT, r.c = p->d, r.imm = p->imm;
  } else if (c->d >= code->first_temp || c->a != c->d || c->a != p->a || p->am != AM_SLOT) {
    return false;
  } else if (ps == SHAPE_LOAD && is_step(c) && p->d != p->a) {
    r = *p;
    r.op = (uint16_t)stepping(p->op, true);
    r.b = p->d, r.c = c->d, r.imm = c->imm; /* the place for the copy is overwritten by the value */
  } else if (ps == SHAPE_STORE && c->op == IR_i32_add) {
    const unsigned rt = rop_info(p->op)->in;
    if ((p->flags & IRF_IMM) && !short_imm(rt, p->imm)) return false;
    r = *p;
    r.op = (uint16_t)stepping(p->op, true);
    r.b = c->flags & IRF_IMM ? (uint32_t)c->imm : c->b;
    if (c->flags & IRF_IMM) r.flags |= IRF_IMM2;
    r.d = c->d;
  } else
    return false;
  if (!r.op) return false;
  *c = r;
  return true;
}

/* Two pointers' steps */
static bool fuse_steps(const struct ircode *code, const struct ir *p, struct ir *c) {
  if (!is_step(p) || !is_step(c) || p->d >= code->first_temp || c->d >= code->first_temp) return false;
  const struct ir second = *c;
  *c = *p;
  c->op = IR_add2;
  c->b = p->d, c->c = second.a, c->d = second.d, c->imm2 = second.imm;
  return true;
}

/* The operation of two that make one of shape REPLACE, whose third operand is a count: a shift and then an operation, or the reverse. */
static unsigned fused_shift(unsigned first, unsigned second) {
  switch (PAIR(first, second, 0)) {
#define SIMD_SHIFT_OP(id, first, second) \
  case PAIR(IR_##first, IR_##second, 0): return IR_##id;
#define SIMD_OP_SHIFT SIMD_SHIFT_OP
#include "exec/simd.def"
  default: return 0;
  }
}

/* A shift by a constant has it in imm, a rotation in imm2. */
static bool shift_count(const struct ir *i, uint64_t *count) {
  const unsigned shape = rop_info(i->op)->shape;
  *count = shape == SHAPE_EXTRACT ? i->imm2 : i->imm;
  return shape == SHAPE_EXTRACT || (shape == SHAPE_SHIFT && (i->flags & IRF_IMM));
}

static bool fuse_shift(const struct ir *p, struct ir *c) {
  const unsigned op = fused_shift(p->op, c->op);
  uint64_t count;
  if (!op) return false;
  struct ir r = *p;
  if (shift_count(p, &count)) {
    if (c->flags & IRF_IMM || (c->a == p->d) == (c->b == p->d)) return false;
    r.b = c->a == p->d ? c->b : c->a;
  } else if (p->flags & IRF_IMM || !shift_count(c, &count) || c->a != p->d)
    return false;
  r.op = (uint16_t)op, r.flags = 0, r.imm2 = count, r.d = c->d;
  *c = r;
  return true;
}

/* x << n | x >> (width - n): three operations */
static bool fuse_rotate(const struct ircode *code, const struct ir *l, const struct ir *r, struct ir *c) {
  unsigned op, width;
  if (c->op != IR_v128_or || (c->flags & IRF_IMM) || !(l->flags & r->flags & IRF_IMM)) return false;
  if (l->op == IR_i32x4_shr_u || l->op == IR_i64x2_shr_u || l->op == IR_i16x8_shr_u) {
    const struct ir *t = l;
    l = r, r = t;
  }
  if (l->op == IR_i32x4_shl && r->op == IR_i32x4_shr_u) op = IR_i32x4_rotl, width = 32;
  else if (l->op == IR_i64x2_shl && r->op == IR_i64x2_shr_u) op = IR_i64x2_rotl, width = 64;
  else if (l->op == IR_i16x8_shl && r->op == IR_i16x8_shr_u) op = IR_i16x8_rotl, width = 16;
  else return false;
  const uint64_t n = l->imm & (width - 1);
  if (n + (r->imm & (width - 1)) != width || l->a != r->a || l->d == r->d || l->d == l->a || r->d == l->a) return false;
  if (l->d < code->first_temp || r->d < code->first_temp) return false;
  if (!(c->a == l->d && c->b == r->d) && !(c->a == r->d && c->b == l->d)) return false;
  c->op = (uint16_t)op;
  c->a = l->a, c->b = NO_SLOT, c->imm2 = n;
  return true;
}

static bool is_move(const struct ir *i) { return i->op == IR_mov_i64 || i->op == IR_mov_f32 || i->op == IR_mov_f64; }

static bool fuse_moves(const struct ir *p, struct ir *c) {
  if (!is_move(c)) return false;
  if (is_move(p)) {
    const struct ir second = *c;
    *c = *p;
    c->op = IR_mov2;
    c->b = p->d, c->c = second.a, c->d = second.d;
    return true;
  }
  return false;
}

static bool fuse_moves3(const struct ir *p, struct ir *c) {
  if (p->op != IR_mov2 || !is_move(c)) return false;
  const struct ir third = *c;
  *c = *p;
  c->op = IR_mov3;
  c->e = third.a, c->cells = third.d;
  return true;
}

/* q = p; p += constant: how a pointer walks */
static bool fuse_mov_add(const struct ir *p, struct ir *c) {
  if (p->op != IR_mov_i64 || c->op != IR_i32_add || !(c->flags & IRF_IMM) || (c->a != p->d && c->a != p->a)) return false;
  c->op = IR_mov_add;
  c->a = p->a, c->b = p->d;
  return true;
}

static bool fuse(const struct ircode *code, const struct ir *p, struct ir *c) {
  if (fuse_moves(p, c) || fuse_moves3(p, c) || fuse_mov_add(p, c) || fuse_branch(p, c)) return true;
  if (fuse_step(code, p, c) || fuse_steps(code, p, c)) return true;
  if (p->d == NO_SLOT) return false;
  if (fuse_load_branch(p, c)) return true;
  if (p->d < code->first_temp && p->d != c->d) return false;
  return fuse_wrap(p, c) || fuse_binary(p, c) || fuse_wide(p, c) || fuse_shift(p, c) || fuse_test(p, c) || fuse_float_test(p, c);
}

void ir_fuse(struct ircode *c) {
  uint32_t prev = NO_SLOT, before = NO_SLOT;
  for (uint32_t at = 0; at < c->n; at++) {
    struct ir *i = &c->ir[at];
    if (i->op == IR_NOP) continue;
    if (i->op == IR_LABEL) {
      prev = before = NO_SLOT;
      continue;
    }
    if (before != NO_SLOT && fuse_rotate(c, &c->ir[before], &c->ir[prev], i)) {
      c->ir[before].op = c->ir[prev].op = IR_NOP;
      prev = before = NO_SLOT;
      for (uint32_t k = at; k-- > 0 && c->ir[k].op != IR_LABEL && prev == NO_SLOT;)
        if (c->ir[k].op != IR_NOP) prev = k;
    }
    if (prev != NO_SLOT && fuse(c, &c->ir[prev], i)) c->ir[prev].op = IR_NOP, prev = before;
    before = prev;
    prev = at;
  }
}
