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
#define SELCMP(id, T, cmp, e) ROW(id, cmp, select_i64, L)
#define LOADOP(id, T, load, op, side, n, get, e) ROW(id, load, op, side)
#include "code/rops.def"
#undef ROW
  default: return 0;
  }
}

static bool is_commutative(unsigned op) {
  switch (op) {
  case IR_i32_add: case IR_i32_mul: case IR_i32_and: case IR_i32_or: case IR_i32_xor:
  case IR_i64_add: case IR_i64_mul: case IR_i64_and: case IR_i64_or: case IR_i64_xor: return true;
  default: return false;
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
  *o = (struct other){is_commutative(c->op) ? SIDE_R : SIDE_L, c->b, imm};
  return !imm || (is_commutative(c->op) && short_imm(rt, c->imm));
}

static bool fuse_binary(const struct ir *p, struct ir *c) {
  const struct ropinfo *pi = rop_info(p->op), *ci = rop_info(c->op);
  struct other o;
  if (ci->shape != SHAPE_BIN || ci->in != ci->out || ci->in != pi->out) return false;
  if (!other_operand(c, p->d, ci->in, &o)) return false;
  const unsigned op = fused(p->op, c->op, o.side);
  if (!op) return false;
  const unsigned shape = rop_info(op)->shape;
  struct ir r = *p;
  r.op = (uint16_t)op;
  r.d = c->d;
  r.c = o.slot;
  if (shape == SHAPE_LOADOP) {
    if (p->am == AM_CONST || o.imm) return false;
  } else {
    const bool imm = (p->flags & IRF_IMM) != 0;
    if (imm && (shape == SHAPE_FBIN2 || !short_imm(pi->in, p->imm))) return false;
    if (o.imm) r.flags |= IRF_IMM2, r.imm2 = c->imm;
  }
  *c = r;
  return true;
}

static bool fuse_branch(const struct ir *p, struct ir *c) {
  const unsigned rt = rop_info(p->op)->in;
  unsigned br = c->op;
  struct ir r = *c;
  if (p->op != IR_i32_add && p->op != IR_i64_add) return false;
  if (c->op == IR_brnz_i32 || c->op == IR_brz_i32) {
    if (rt != RT_i32 || (c->flags & IRF_KEEP)) return false;
    br = c->op == IR_brnz_i32 ? IR_br_i32_ne : IR_br_i32_eq;
    r.flags |= IRF_IMM, r.imm = 0;
  } else if (rop_info(c->op)->shape != SHAPE_BR || rop_info(c->op)->in != rt)
    return false;
  const bool imm = (r.flags & IRF_IMM) != 0, pimm = (p->flags & IRF_IMM) != 0;
  if (c->a != p->d || (!imm && c->b == p->d)) return false;
  if ((imm && !short_imm(rt, r.imm)) || (pimm && !short_imm(rt, p->imm))) return false;
  const unsigned op = fused(p->op, br, SIDE_L);
  if (!op) return false;
  *c = *p;
  c->op = (uint16_t)op;
  c->label = r.label;
  c->flags = (uint8_t)((pimm ? IRF_IMM : 0) | (imm ? IRF_IMM2 : 0));
  c->c = imm ? NO_SLOT : r.b;
  c->imm2 = r.imm;
  return true;
}

static bool fuse_select(const struct ir *p, struct ir *c) {
  const bool eqz = p->op == IR_i32_eqz || p->op == IR_i64_eqz;
  const unsigned rt = rop_info(p->op)->in, first = p->op == IR_i32_eqz ? IR_i32_eq : p->op == IR_i64_eqz ? IR_i64_eq : p->op;
  if (c->op != IR_select_i64 || c->c != p->d || c->a == p->d || c->b == p->d) return false;
  const bool imm = eqz || (p->flags & IRF_IMM);
  if (imm && !eqz && !short_imm(rt, p->imm)) return false;
  const unsigned op = fused(first, c->op, SIDE_L);
  if (!op) return false;
  struct ir r = *p;
  r.op = (uint16_t)op;
  r.flags = imm ? IRF_IMM : 0;
  if (eqz) r.imm = 0;
  r.c = c->a, r.e = c->b, r.d = c->d;
  *c = r;
  return true;
}

/* local += constant, and the branch back to a loop's begin */
static bool fuse_jump(const struct ir *p, struct ir *c) {
  if (c->op != IR_br || (p->op != IR_i32_add && p->op != IR_i64_add) || !(p->flags & IRF_IMM) || !short_imm(rop_info(p->op)->in, p->imm)) return false;
  const uint32_t label = c->label;
  *c = *p;
  c->op = p->op == IR_i32_add ? IR_i32_add_br : IR_i64_add_br;
  c->label = label;
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
  if (fuse_moves(p, c) || fuse_moves3(p, c) || fuse_mov_add(p, c) || fuse_jump(p, c) || fuse_branch(p, c)) return true;
  return p->d != NO_SLOT && p->d >= code->first_temp && (fuse_binary(p, c) || fuse_select(p, c));
}

void ir_fuse(struct ircode *c) {
  uint32_t prev = NO_SLOT;
  for (uint32_t at = 0; at < c->n; at++) {
    struct ir *i = &c->ir[at];
    if (i->op == IR_NOP) continue;
    if (i->op == IR_LABEL) {
      prev = NO_SLOT;
      continue;
    }
    if (prev != NO_SLOT && fuse(c, &c->ir[prev], i)) c->ir[prev].op = IR_NOP;
    prev = at;
  }
}
