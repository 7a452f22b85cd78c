/* From a validated body to intermediate code in one walk (core/syntax/instructions).
 *
 * The operand stack exists at translation time only: an entry is a constant, a local that has not been read yet, or a temporary in its home, the
 * slot that belongs to its height. So local.get and constants cost nothing, comparisons fuse with branches, address sums with accesses, and local.set
 * redirects the producer of its operand. Whatever is merged by control flow is in its home at labels. Unreachable code is skipped. */
#include <stdlib.h>
#include <string.h>

#include "code/ir.h"
#include "base/bytes.h"
#include "code/module_code.h"
#include "code/translate.h"
#include "run/gc.h"

struct ir *tr_emit(struct tr *t, unsigned op) {
  if (!array_reserve((void **)&t->c->ir, &t->c->cap, t->c->n + 1, sizeof(struct ir))) {
    t->failed = !error_no_memory(t->c->err, sizeof(struct ir));
    t->c->n--; /* goes on in the last place, to fail at the end of the instruction */
  }
  struct ir *i = &t->c->ir[t->c->n++];
  *i = (struct ir){.op = (uint16_t)op, .a = NO_SLOT, .b = NO_SLOT, .c = NO_SLOT, .d = NO_SLOT, .pos = t->pos};
  return i;
}

/* ---- the operand stack ---- */

static enum rtype rtype_of(valtype v) {
  switch (vt_code(v)) {
  case VT_I32: return RT_i32;
  case VT_F32: return RT_f32;
  case VT_F64: return RT_f64;
  case VT_V128: return RT_v128;
  default: return RT_i64;
  }
}

static unsigned rt_cells(unsigned rt) { return rt == RT_v128 ? 2 : 1; }

static struct val *push(struct tr *t, unsigned kind, unsigned rt) {
  if (!array_reserve((void **)&t->stack, &t->stack_cap, t->depth + 1, sizeof(struct val))) {
    t->failed = !error_no_memory(t->c->err, sizeof(struct val));
    t->depth--;
  }
  struct val *v = &t->stack[t->depth++];
  *v = (struct val){.kind = (uint8_t)kind, .rt = (uint8_t)rt, .slot = t->height, .home = t->height, .def = NO_SLOT};
  t->height += rt_cells(rt);
  if (t->height > t->c->frame) t->c->frame = t->height;
  return v;
}

static void push_temp(struct tr *t, unsigned rt) { (void)push(t, VAL_TEMP, rt); }

static struct val pop(struct tr *t) {
  if (!t->depth) return t->val_sink; /* only after a failure */
  const struct val v = t->stack[--t->depth];
  t->height = v.home;
  if (v.kind == VAL_LOCAL) t->refs[v.slot]--, t->lazy--;
  return v;
}

static void touch(struct tr *t, uint32_t slot) {
  if (slot < t->c->first_temp) t->touched[slot] = (uint32_t)t->c->n - 1;
}

static void wrote(struct tr *t, uint32_t slot) {
  if (slot < t->c->first_temp) t->touched[slot] = t->written[slot] = (uint32_t)t->c->n - 1;
}

/* The last operation's result becomes the top of the stack. */
static void push_result(struct tr *t, unsigned rt) {
  struct val *v = push(t, VAL_TEMP, rt);
  v->def = (uint32_t)t->c->n - 1;
  t->c->ir[v->def].d = v->home;
}

static void emit_const(struct tr *t, const struct val *v, uint32_t slot) {
  static const uint16_t op[] = {[RT_i32] = IR_const_i64, [RT_i64] = IR_const_i64, [RT_f32] = IR_const_f32, [RT_f64] = IR_const_f64, [RT_v128] = IR_const_v128};
  struct ir *i = tr_emit(t, op[v->rt]);
  i->d = slot;
  i->imm = v->imm;
  i->imm2 = v->imm2;
  wrote(t, slot);
}

static unsigned mov_op(unsigned rt) {
  return rt == RT_v128 ? IR_mov_v128 : rt == RT_f32 ? IR_mov_f32 : rt == RT_f64 ? IR_mov_f64 : IR_mov_i64;
}

/* Puts a value into a slot. */
static void emit_move(struct tr *t, const struct val *v, uint32_t slot, bool keep) {
  if (v->kind == VAL_CONST) {
    emit_const(t, v, slot);
    return;
  }
  if (v->slot == slot && !v->dirty) return;
  struct ir *i = tr_emit(t, v->dirty ? IR_i32_wrap_i64 : mov_op(v->rt));
  i->a = v->slot;
  i->d = slot;
  if (keep) i->flags |= IRF_KEEP;
  touch(t, v->slot);
  wrote(t, slot);
}

/* Puts a stack entry into its home. */
static void settle(struct tr *t, struct val *v) {
  if (v->kind == VAL_TEMP && !v->dirty) return;
  emit_move(t, v, v->home, false);
  if (v->kind == VAL_LOCAL) t->refs[v->slot]--, t->lazy--;
  v->kind = VAL_TEMP;
  v->slot = v->home;
  v->dirty = false;
  v->def = (uint32_t)t->c->n - 1;
}

/* The topmost n entries into their homes. */
static void settle_top(struct tr *t, uint32_t n) {
  for (uint32_t k = n <= t->depth ? t->depth - n : 0; k < t->depth; k++) settle(t, &t->stack[k]);
}

/* All entries that still stand for locals, because control flow may divide before they are read. */
static void settle_locals(struct tr *t) {
  for (uint32_t k = t->depth; t->lazy && k-- > 0;)
    if (t->stack[k].kind == VAL_LOCAL) settle(t, &t->stack[k]);
}

/* Those that stand for one local, before it is written. */
static void settle_refs(struct tr *t, uint32_t slot) {
  for (uint32_t k = t->depth; t->refs[slot] && k-- > 0;)
    if (t->stack[k].kind == VAL_LOCAL && t->stack[k].slot == slot) settle(t, &t->stack[k]);
}

/* ---- operands ---- */

/* The slot of an operand; a constant goes to its home first. Typed i32 reads may take a dirty value. */
static uint32_t operand(struct tr *t, struct val *v, bool dirty_ok) {
  if (v->kind == VAL_CONST || (v->dirty && !dirty_ok)) {
    emit_move(t, v, v->home, false);
    v->slot = v->home;
    v->kind = VAL_TEMP;
    v->dirty = false;
  }
  return v->slot;
}

static bool in_block(const struct tr *t, uint32_t def) { return def != NO_SLOT && def >= t->block && t->c->fusion; }
static bool is_last(const struct tr *t, uint32_t def) { return in_block(t, def) && def + 1 == t->c->n; }

/* Would the operand of operation `def` still read the same here? */
static bool unchanged(const struct tr *t, uint32_t slot, uint32_t def) {
  if (def + 1 == t->c->n) return true;
  return slot < t->c->first_temp && (t->written[slot] == NO_SLOT || t->written[slot] <= def);
}

static void remove_ir(struct tr *t, uint32_t def) {
  if (def + 1 == t->c->n) t->c->n--;
  else t->c->ir[def].op = IR_NOP;
}

static bool fits_choice(const struct val *v) { return v->kind == VAL_CONST && (v->rt == RT_i32 || (v->rt == RT_i64 && v->imm == (uint64_t)(int32_t)v->imm)); }
static bool fits_imm(const struct val *v) { return v->kind == VAL_CONST && v->rt != RT_v128; }

/* ---- numeric instructions ---- */

/* Numbers of the comparisons within their type, in rops.def's order */
static const uint8_t int_inverse[] = {1, 0, 8, 9, 6, 7, 4, 5, 2, 3}, int_swap[] = {0, 1, 4, 5, 2, 3, 8, 9, 6, 7}, float_swap[] = {0, 1, 3, 2, 5, 4};

struct cmp { unsigned base, stride, count; };
static bool cmp_of(unsigned op, struct cmp *c) {
  if (op >= IR_i32_eq && op <= IR_i32_ge_u) *c = (struct cmp){IR_i32_eq, 2, 10};
  else if (op >= IR_i64_eq && op <= IR_i64_ge_u) *c = (struct cmp){IR_i64_eq, 2, 10};
  else if (op >= IR_f32_eq && op <= IR_f32_ge) *c = (struct cmp){IR_f32_eq, 3, 6};
  else if (op >= IR_f64_eq && op <= IR_f64_ge) *c = (struct cmp){IR_f64_eq, 3, 6};
  else return false;
  return (op - c->base) % c->stride == 0;
}

static unsigned reversed(unsigned op) {
  switch (op) {
  case IR_i32_sub: return IR_i32_rsub;
  case IR_i32_shl: return IR_i32_rshl;
  case IR_i32_shr_u: return IR_i32_rshr_u;
  case IR_i64_sub: return IR_i64_rsub;
  case IR_i64_shl: return IR_i64_rshl;
  case IR_i64_shr_u: return IR_i64_rshr_u;
  case IR_f32_sub: return IR_f32_rsub;
  case IR_f64_sub: return IR_f64_rsub;
  case IR_f32_div: return IR_f32_rdiv;
  case IR_f64_div: return IR_f64_rdiv;
  default: return 0;
  }
}

static void binary(struct tr *t, unsigned op) {
  struct val b = pop(t), a = pop(t);
  const struct ropinfo *info = rop_info(op);
  const bool dirty = info->in == RT_i32;
  struct cmp c;
  if (fits_imm(&a) && !fits_imm(&b) && t->c->fusion) {
    const struct val swap = a;
    if (rop_commutative(op)) a = b, b = swap;
    else if (cmp_of(op, &c)) {
      const unsigned k = (op - c.base) / c.stride;
      op = c.base + c.stride * (c.count == 10 ? int_swap[k] : float_swap[k]);
      a = b, b = swap;
    } else if (reversed(op)) op = reversed(op), a = b, b = swap;
  }
  const uint32_t sa = operand(t, &a, dirty), sb = fits_imm(&b) ? NO_SLOT : operand(t, &b, dirty);
  if (sa == sb && t->c->all_forms && (op == IR_f64_mul || op == IR_f32_mul)) {
    tr_emit(t, op == IR_f64_mul ? IR_f64_square : IR_f32_square)->a = sa;
    touch(t, sa);
    push_result(t, info->out);
    return;
  }
  struct ir *i = tr_emit(t, op);
  i->a = sa;
  i->b = sb;
  if (sb == NO_SLOT) i->flags |= IRF_IMM, i->imm = b.imm;
  touch(t, sa);
  if (sb != NO_SLOT) touch(t, sb);
  push_result(t, info->out);
}

static void unary(struct tr *t, unsigned op) {
  struct val a = pop(t);
  const struct ropinfo *info = rop_info(op);
  const uint32_t s = operand(t, &a, info->in == RT_i32);
  struct ir *i = tr_emit(t, op);
  i->a = s;
  touch(t, s);
  push_result(t, info->out);
}

/* eqz of a comparison of integers is the opposite comparison. */
static void eqz(struct tr *t, unsigned op) {
  struct val *v = &t->stack[t->depth - 1];
  struct cmp c;
  if (op == IR_i32_eqz && v->kind == VAL_TEMP && !v->dirty && is_last(t, v->def)) {
    struct ir *i = &t->c->ir[v->def];
    if (cmp_of(i->op, &c) && c.count == 10) {
      i->op = (uint16_t)(c.base + c.stride * int_inverse[(i->op - c.base) / c.stride]);
      return;
    }
  }
  unary(t, op);
}

/* The bits of a value seen as another type: slots do not care. */
static void retype(struct tr *t, unsigned rt) { t->stack[t->depth - 1].rt = (uint8_t)rt; }

/* The condition of a select is not negated but its choices are exchanged. One of 64 bits is read as 32 where that is all there is of it. */
static bool negated(struct tr *t, struct val *c) {
  if (c->kind != VAL_TEMP || c->dirty || !is_last(t, c->def)) return false;
  const struct ir i = t->c->ir[c->def];
  if (i.op == IR_i64_eqz) {
    const struct ir *p = &t->c->ir[c->def - 1];
    if (c->def <= t->block || p->op != IR_i64_and || p->d != i.a || !(p->flags & IRF_IMM) || p->imm > UINT32_MAX) return false;
  } else if (i.op != IR_i32_eqz)
    return false;
  t->c->n--;
  c->slot = i.a;
  return true;
}

static void select_op(struct tr *t) {
  struct val c = pop(t), b = pop(t), a = pop(t);
  if (negated(t, &c)) {
    const struct val first = a;
    a = b, b = first;
  }
  const unsigned rt = a.rt;
  const bool ints = (rt == RT_i32 || rt == RT_i64) && t->c->all_forms, choice1 = ints && fits_choice(&a), choice2 = ints && fits_choice(&b);
  if (choice1 || choice2) {
    const uint32_t sa = choice1 ? (uint32_t)a.imm : operand(t, &a, false), sb = choice2 ? (uint32_t)b.imm : operand(t, &b, false), sc = operand(t, &c, true);
    struct ir *i = tr_emit(t, rt == RT_i32 ? IR_select_imm_i32 : IR_select_imm_i64);
    i->a = sa, i->b = sb, i->c = sc;
    i->flags |= (uint8_t)((choice1 ? IRF_CHOICE1 : 0) | (choice2 ? IRF_CHOICE2 : 0));
    if (!choice1) touch(t, sa);
    if (!choice2) touch(t, sb);
    touch(t, sc);
    push_result(t, rt);
    return;
  }
  const uint32_t sa = operand(t, &a, false), sb = operand(t, &b, false), sc = operand(t, &c, true);
  struct ir *i = tr_emit(t, rt == RT_v128 ? IR_select_v128 : rt == RT_f32 ? IR_select_f32 : rt == RT_f64 ? IR_select_f64 : IR_select_i64);
  i->a = sa, i->b = sb, i->c = sc;
  touch(t, sa), touch(t, sb), touch(t, sc);
  push_result(t, rt);
}

/* ---- base operations: operands in consecutive homes ---- */

static void base_op(struct tr *t, unsigned op, uint32_t operands, uint32_t x, uint32_t y, uint64_t z, unsigned result) {
  settle_top(t, operands);
  const uint32_t end = t->height;
  for (uint32_t k = 0; k < operands; k++) (void)pop(t);
  struct ir *i = tr_emit(t, op);
  i->a = t->height;
  i->cells = end - t->height;
  i->b = x, i->c = y, i->imm = z;
  i->flags |= IRF_FIXED;
  i->imm2 = end; /* top */
  if (result) push_temp(t, result);
  if (t->height > i->imm2) i->imm2 = t->height;
  if (t->failed) return;
}

/* ---- memory ---- */

/* The access at the instruction, if it can be done by one operation on memory 0. */
static bool plain_access(const struct tr *t, const struct instr *in, unsigned size) {
  const struct module *m = t->c->module;
  return in->u.mem.memory == 0 && !m->memories[0].limits.is64 && in->u.mem.offset <= UINT32_MAX - size;
}

/* Sets the address operand of *i, which is the last operation, from v. shift: log2 of the access size. */
struct addr { uint8_t am; uint32_t a, b, shift; uint64_t end; };

static struct addr address(struct tr *t, struct val *v, uint64_t end, unsigned shift, bool shifted) {
  struct addr r = {AM_SLOT, NO_SLOT, NO_SLOT, 0, end};
  if (v->kind == VAL_CONST && t->c->fusion && (uint32_t)v->imm + end <= UINT32_MAX) {
    r.am = AM_CONST;
    r.end = (uint32_t)v->imm + end;
    return r;
  }
  if (v->kind == VAL_TEMP && !v->dirty && in_block(t, v->def)) {
    const uint32_t def = v->def;
    const struct ir i = t->c->ir[def];
    if (shifted && i.op == IR_i32_shl && i.d == v->slot && (i.flags & IRF_IMM) && unchanged(t, i.a, def)) {
      r.am = AM_SHIFTED, r.a = i.a, r.b = 0, r.shift = (uint32_t)i.imm & 31;
      remove_ir(t, def);
      return r;
    }
    if (i.op == IR_i32_add && i.d == v->slot && (i.flags & IRF_IMM) && unchanged(t, i.a, def)) {
      const bool last = def + 1 == t->c->n;
      r.am = AM_OFFSET, r.a = i.a, r.b = (uint32_t)i.imm;
      remove_ir(t, def);
      if (shifted && def > t->block && i.a >= t->c->first_temp) {
        const struct ir s = t->c->ir[def - 1];
        if (s.op == IR_i32_shl && s.d == i.a && (s.flags & IRF_IMM) && (last || unchanged(t, s.a, def - 1))) {
          r.am = AM_SHIFTED, r.a = s.a, r.shift = (uint32_t)s.imm & 31;
          remove_ir(t, def - 1);
        }
      }
      return r;
    }
    if (i.op == IR_i32_add && i.d == v->slot && !(i.flags & IRF_IMM) && unchanged(t, i.a, def) && unchanged(t, i.b, def)) {
      r.am = AM_SUM, r.a = i.a, r.b = i.b;
      const bool last = def + 1 == t->c->n;
      remove_ir(t, def);
      /* slot + (slot << shift), the shift being the operation before */
      if (shift && def > t->block) {
        const struct ir s = t->c->ir[def - 1];
        if (s.op == IR_i32_shl && s.d >= t->c->first_temp && (s.flags & IRF_IMM) && s.imm == shift && (s.d == r.b) != (s.d == r.a) && (last || unchanged(t, s.a, def - 1))) {
          if (s.d == r.a) r.a = r.b;
          r.b = s.a;
          r.am = AM_SCALED;
          remove_ir(t, def - 1);
        }
      }
      return r;
    }
  }
  r.a = operand(t, v, true);
  return r;
}

static void set_address(struct tr *t, struct ir *i, const struct addr *r) {
  i->am = r->am, i->a = r->a, i->b = r->b, i->imm2 = r->end;
  if (r->am == AM_SHIFTED) i->e = r->shift;
  if (r->a != NO_SLOT) touch(t, r->a);
  if (r->b != NO_SLOT && r->am != AM_OFFSET && r->am != AM_SHIFTED) touch(t, r->b);
}

static unsigned log2_size(unsigned size) { return size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : size == 8 ? 3 : 4; }

static void load(struct tr *t, const struct instr *in, unsigned op, unsigned size, unsigned rt) {
  if (!plain_access(t, in, size)) {
    base_op(t, IR_mem_load, 1, in->u.mem.memory, in->op, in->u.mem.offset, rt);
    return;
  }
  struct val v = pop(t);
  const struct addr r = address(t, &v, in->u.mem.offset + size, log2_size(size), true);
  set_address(t, tr_emit(t, op), &r);
  push_result(t, rt);
}

static void store(struct tr *t, const struct instr *in, unsigned op, unsigned size, unsigned rt) {
  if (!plain_access(t, in, size)) {
    base_op(t, IR_mem_store, 2, in->u.mem.memory, in->op, in->u.mem.offset, 0);
    return;
  }
  struct val x = pop(t), v = pop(t);
  const bool imm = fits_imm(&x) && t->c->fusion;
  const uint32_t sx = imm ? NO_SLOT : operand(t, &x, rt == RT_i32);
  const struct addr r = address(t, &v, in->u.mem.offset + size, log2_size(size), !imm || rt == RT_i32 || rt == RT_f32);
  struct ir *i = tr_emit(t, op);
  i->c = sx;
  if (imm) i->flags |= IRF_IMM, i->imm = x.imm;
  else touch(t, sx);
  set_address(t, &t->c->ir[t->c->n - 1], &r);
}

/* ---- variables ---- */

/* A local is read that may not have been written: it needs its zero at the function's begin. */
static void needs_zero(struct tr *t, uint32_t slot, unsigned cells) {
  if (slot < t->zero_from) t->zero_from = slot;
  if (slot + cells > t->zero_to) t->zero_to = slot + cells;
}

static void mark_set(struct tr *t, uint32_t slot) {
  if (t->is_set[slot]) return;
  if (!array_reserve((void **)&t->set, &t->set_cap, t->nset + 1, sizeof *t->set)) {
    t->failed = !error_no_memory(t->c->err, sizeof *t->set);
    return;
  }
  t->is_set[slot] = 1;
  t->set[t->nset++] = slot;
}

static void unset_to(struct tr *t, uint32_t n) {
  while (t->nset > n) t->is_set[t->set[--t->nset]] = 0;
}

static void local_get(struct tr *t, uint32_t x) {
  const uint32_t slot = t->local_slot[x];
  if (!t->is_set[slot]) needs_zero(t, slot, rt_cells(t->local_rt[x]));
  struct val *v = push(t, VAL_LOCAL, t->local_rt[x]);
  v->slot = slot;
  t->refs[slot]++;
  t->lazy++;
}

static bool can_redirect(const struct tr *t, const struct val *v, uint32_t slot) {
  if (v->kind != VAL_TEMP || v->dirty || !in_block(t, v->def) || t->refs[slot]) return false;
  const struct ir *i = &t->c->ir[v->def];
  if (i->d != v->slot || (i->flags & IRF_FIXED) || i->op == IR_NOP) return false;
  if (v->def + 1 == t->c->n) return true;
  return !t->tries && (t->touched[slot] == NO_SLOT || t->touched[slot] <= v->def);
}

static void local_set(struct tr *t, uint32_t x, bool tee) {
  const uint32_t slot = t->local_slot[x];
  struct val v = pop(t);
  mark_set(t, slot);
  if (!(v.kind == VAL_LOCAL && v.slot == slot && !v.dirty)) {
    if (can_redirect(t, &v, slot)) {
      t->c->ir[v.def].d = slot;
      t->written[slot] = v.def;
      t->touched[slot] = v.def;
      /* a later operation may have moved past; it neither reads nor writes this local */
    } else {
      if (t->refs[slot]) {
        settle_refs(t, slot);
      }
      emit_move(t, &v, slot, false);
    }
  }
  if (tee) local_get(t, x);
}

static void global_get(struct tr *t, uint32_t x) {
  const struct module *m = t->c->module;
  const unsigned rt = rtype_of(m->globals[x].type.type);
  struct ir *i;
  if (x < m->nimported_globals) {
    i = tr_emit(t, rt == RT_v128 ? IR_gget_import_v128 : IR_gget_import);
    i->a = x;
    push_result(t, rt);
    return;
  }
  i = tr_emit(t, rt == RT_v128 ? IR_gget_v128 : rt == RT_f32 ? IR_gget_f32 : rt == RT_f64 ? IR_gget_f64 : IR_gget_i64);
  i->a = t->owner->global_cell[x - m->nimported_globals];
  push_result(t, rt);
}

static void global_set(struct tr *t, uint32_t x) {
  const struct module *m = t->c->module;
  const unsigned rt = rtype_of(m->globals[x].type.type);
  struct val v = pop(t);
  if (x < m->nimported_globals) {
    const uint32_t s = operand(t, &v, false);
    struct ir *i = tr_emit(t, rt == RT_v128 ? IR_gset_import_v128 : IR_gset_import);
    i->a = x, i->d = NO_SLOT, i->c = s;
    touch(t, s);
    return;
  }
  const bool imm = fits_imm(&v);
  const uint32_t s = imm ? NO_SLOT : operand(t, &v, false);
  struct ir *i = tr_emit(t, rt == RT_v128 ? IR_gset_v128 : rt == RT_f32 ? IR_gset_f32 : rt == RT_f64 ? IR_gset_f64 : IR_gset_i64);
  i->imm2 = t->owner->global_cell[x - m->nimported_globals];
  i->a = s;
  if (imm) i->flags |= IRF_IMM, i->imm = v.imm;
  else touch(t, s);
}

/* ---- control ---- */

static uint32_t new_label(struct tr *t) { return t->c->nlabels++; }

/* After a branch or a label nothing may be fused with what stands before. */
static void new_block(struct tr *t) {
  t->block = (uint32_t)t->c->n;
  t->fuel_ir = NO_SLOT;
}

/* The block's first operation takes the price of all its instructions. */
static void price_block(struct tr *t) {
  if (t->fuel_ir != NO_SLOT) return;
  t->fuel_ir = (uint32_t)t->c->n;
  if (t->opt->fuel) (void)tr_emit(t, IR_fuel);
  if (t->opt->profile) (void)tr_emit(t, IR_profile);
  t->block = (uint32_t)t->c->n;
}

static void place_label(struct tr *t, uint32_t label) {
  tr_emit(t, IR_LABEL)->label = label;
  new_block(t);
}

static void emit_br(struct tr *t, uint32_t label) {
  tr_emit(t, IR_br)->label = label;
  new_block(t);
}

static void unreachable(struct tr *t) {
  struct ctrl *c = &t->ctrls[t->nctrls - 1];
  while (t->depth > c->depth) (void)pop(t);
  t->height = c->base;
  t->unreachable = true;
  new_block(t);
}

static void types_of(const struct tr *t, const struct ctrl *c, const valtype **types, uint32_t *n) {
  const valtype *p, *r;
  uint32_t np, nr;
  if (c->kind == CTRL_FUNC) {
    *types = t->type->u.func.results, *n = t->type->u.func.nresults;
    return;
  }
  blocktype_types(t->c->module, &c->type, &p, &np, &r, &nr);
  if (c->kind == CTRL_LOOP) *types = p, *n = np;
  else *types = r, *n = nr;
}

static uint32_t arity(const struct tr *t, const struct ctrl *c) {
  const valtype *types;
  uint32_t n;
  types_of(t, c, &types, &n);
  return n;
}

/* Are the top n entries in their homes? */
static bool settled(const struct tr *t, uint32_t n) {
  const struct val *v = &t->stack[t->depth - n];
  for (uint32_t k = 0; k < n; k++)
    if (v[k].kind != VAL_TEMP || v[k].dirty) return false;
  return true;
}

/* Are the top n entries where a branch to c wants them? */
static bool in_place(const struct tr *t, const struct ctrl *c, uint32_t n) {
  return !n || (t->stack[t->depth - n].home == c->base && settled(t, n));
}

/* Before a branch to c that may not be taken: what it carries goes to its home if it belongs there, and if it is much, for then each branch is one
 * copy; a move for each value would make code out of proportion to the module. */
enum { MOVES_MOST = 16 };
static void settle_carried(struct tr *t, const struct ctrl *c) {
  const uint32_t n = arity(t, c);
  if (n && (n > MOVES_MOST || (c->kind != CTRL_FUNC && t->stack[t->depth - n].home == c->base))) settle_top(t, n);
}

/* Moves the top n entries to the homes at which c's label expects them; the stack stays as it is. Downwards, so in order. */
static void move_results(struct tr *t, const struct ctrl *c, uint32_t n, bool keep) {
  uint32_t to = c->base;
  if (n > MOVES_MOST && settled(t, n)) {
    struct ir *i = tr_emit(t, IR_copy);
    i->a = t->stack[t->depth - n].home, i->b = to, i->cells = t->height - i->a;
    i->flags |= IRF_FIXED;
    if (to + i->cells > t->c->frame) t->c->frame = to + i->cells;
    return;
  }
  for (uint32_t k = t->depth - n; k < t->depth; k++) {
    emit_move(t, &t->stack[k], to, keep);
    to += rt_cells(t->stack[k].rt);
  }
  if (to > t->c->frame) t->c->frame = to;
}

static void emit_return(struct tr *t, bool keep) {
  const uint32_t n = t->type->u.func.nresults, info = t->c->params;
  if (t->opt->max_depth) (void)tr_emit(t, IR_leave_depth);
  if (n == 1) {
    struct val v = t->stack[t->depth - 1];
    const bool imm = fits_imm(&v);
    const uint32_t s = imm ? NO_SLOT : operand(t, &v, false);
    struct ir *i = tr_emit(t, v.rt == RT_v128 ? IR_ret_v128 : v.rt == RT_f32 ? IR_ret_f32 : v.rt == RT_f64 ? IR_ret_f64 : IR_ret_i64);
    i->a = s, i->b = info;
    if (keep) i->flags |= IRF_KEEP;
    if (imm) i->flags |= IRF_IMM, i->imm = v.imm;
  } else if (n) {
    for (uint32_t k = t->depth - n; k < t->depth; k++) { /* copies, for the stack may be needed after a conditional return */
      struct val v = t->stack[k];
      if (v.kind != VAL_TEMP || v.dirty) emit_move(t, &v, v.home, keep);
    }
    const uint32_t from = t->stack[t->depth - n].home;
    struct ir *i = tr_emit(t, IR_ret_many);
    i->a = from, i->b = info, i->cells = t->height - from;
  } else
    tr_emit(t, IR_ret)->b = info;
  new_block(t);
}

/* Back to a loop that begins with a few operations and a br_table, as interpreters have it: they are done here and now, which saves the branch and tells
 * the processor's predictor where it is. */
static bool repeat_head(struct tr *t, const struct ctrl *c) {
  enum { MOST = 8, ENTRIES = 1 << 15 };
  const uint32_t from = c->begin;
  uint32_t n = 0;
  if (c->kind != CTRL_LOOP || !t->c->all_forms) return false;
  while (from + n < t->block && n < MOST && t->c->ir[from + n].op != IR_LABEL && t->c->ir[from + n].op != IR_br_table_S) n++;
  const struct ir *last = &t->c->ir[from + n];
  if (from + n >= t->block || last->op != IR_br_table_S || last->c + t->copied > ENTRIES) return false;
  t->copied += last->c + 1;
  for (uint32_t k = 0; k <= n; k++) {
    struct ir *i = tr_emit(t, IR_NOP);
    *i = t->c->ir[from + k];
  }
  new_block(t);
  return true;
}

static void branch_to(struct tr *t, struct ctrl *c) {
  if (c->kind == CTRL_FUNC) {
    emit_return(t, false);
    return;
  }
  move_results(t, c, arity(t, c), false);
  c->used = true;
  if (!repeat_head(t, c)) emit_br(t, c->label);
}

/* The branch taken if a test of a vector holds; the opposite one is the next. */
static unsigned branch_on_test(unsigned op) {
  switch (op) {
#define SIMD_TEST(id) \
  case IR_##id: return IR_br_##id;
#include "exec/simd.def"
  default: return 0;
  }
}

/* Emits a conditional branch on v to `label`: taken if v is non-zero (or zero, if `when` is false). Fuses with the comparison that made v. */
static void branch_if(struct tr *t, struct val *v, bool when, uint32_t label) {
  struct cmp c;
  if (v->kind == VAL_TEMP && !v->dirty && in_block(t, v->def) && t->c->ir[v->def].d == v->slot) {
    struct ir i = t->c->ir[v->def];
    uint32_t def = v->def;
    const bool movable = i.a == NO_SLOT || unchanged(t, i.a, def);
    if (i.op == IR_i32_eqz && is_last(t, def) && def > t->block) {
      const struct ir below = t->c->ir[def - 1];
      if (below.d == i.a && i.a >= t->c->first_temp && cmp_of(below.op, &c)) { /* a float comparison: integer ones were inverted */
        t->c->n--;
        i = below, def--, when = !when;
      }
    }
    if (cmp_of(i.op, &c) && movable && ((i.flags & IRF_IMM) || unchanged(t, i.b, def))) {
      unsigned k = (i.op - c.base) / c.stride;
      remove_ir(t, def);
      if (!when && c.count == 10) k = int_inverse[k];
      struct ir *b = tr_emit(t, c.base + c.stride * k + (!when && c.count == 6 ? 2u : 1u));
      b->a = i.a, b->b = i.b, b->imm = i.imm, b->flags = i.flags, b->label = label;
      touch(t, b->a);
      if (b->b != NO_SLOT) touch(t, b->b);
      new_block(t);
      return;
    }
    const unsigned test = t->c->all_forms && movable ? branch_on_test(i.op) : 0;
    if (test) {
      remove_ir(t, def);
      struct ir *b = tr_emit(t, when ? test : test + 1);
      b->a = i.a, b->label = label;
      touch(t, b->a);
      new_block(t);
      return;
    }
    if ((i.op == IR_i32_eqz || i.op == IR_i64_eqz || i.op == IR_ref_is_null) && movable) {
      remove_ir(t, def);
      struct ir *b = tr_emit(t, i.op == IR_i32_eqz ? (when ? IR_brz_i32 : IR_brnz_i32) : when ? IR_brz_i64 : IR_brnz_i64);
      b->a = i.a, b->label = label;
      touch(t, b->a);
      new_block(t);
      return;
    }
  }
  const uint32_t s = operand(t, v, true);
  struct ir *b = tr_emit(t, when ? IR_brnz_i32 : IR_brz_i32);
  b->a = s, b->label = label;
  touch(t, s);
  new_block(t);
}

/* The branch to c with n results, which the condition before it jumps over to `skip`. */
static void branch_around(struct tr *t, struct ctrl *c, uint32_t n, uint32_t skip) {
  if (c->kind == CTRL_FUNC) emit_return(t, true);
  else {
    move_results(t, c, n, true);
    c->used = true;
    emit_br(t, c->label);
  }
  place_label(t, skip);
}

/* A branch to c whose condition `cond` emits (to a label, taken when `when`): directly, or around the moves it needs. */
static void conditional(struct tr *t, struct ctrl *c, struct val *v, unsigned ref_op, unsigned ref_inverse) {
  const uint32_t n = c->kind == CTRL_FUNC ? 0 : arity(t, c);
  settle_carried(t, c);
  if (c->kind != CTRL_FUNC && in_place(t, c, n)) {
    c->used = true;
    if (ref_op) {
      const uint32_t s = operand(t, v, true);
      struct ir *b = tr_emit(t, ref_op);
      b->a = s, b->label = c->label;
      if (v->kind == VAL_TEMP && ref_op == IR_brz_i64) b->flags |= IRF_KEEP;
      touch(t, s);
      new_block(t);
    } else
      branch_if(t, v, true, c->label);
    return;
  }
  const uint32_t skip = new_label(t);
  if (ref_op) {
    const uint32_t s = operand(t, v, true);
    struct ir *b = tr_emit(t, ref_inverse);
    b->a = s, b->label = skip;
    b->flags |= IRF_KEEP;
    touch(t, s);
    new_block(t);
  } else
    branch_if(t, v, false, skip);
  branch_around(t, c, n, skip);
}

static struct ctrl *label_ctrl(struct tr *t, uint32_t depth) { return &t->ctrls[t->nctrls - 1 - depth]; }

static void br_table(struct tr *t, const struct instr *in) {
  struct val v = pop(t);
  struct reader r = in->u.list.items;
  struct ircode *c = t->c;
  const uint32_t n = in->u.list.count, s = operand(t, &v, true);
  struct reader first_item = r;
  uint32_t any;
  if (reader_u32(&first_item, &any) && arity(t, label_ctrl(t, any)) > MOVES_MOST) settle_carried(t, label_ctrl(t, any)); /* all carry the same */
  struct ir *i = tr_emit(t, IR_br_table_S);
  i->a = s, i->c = n, i->label = (uint32_t)c->ntables;
  touch(t, s);
  if (!array_reserve((void **)&c->tables, &c->tables_cap, c->ntables + n + 1, sizeof *c->tables)) {
    t->failed = !error_no_memory(c->err, (size_t)n * sizeof *c->tables);
    return;
  }
  new_block(t);
  uint32_t ntramps = 0;
  const uint32_t first = c->nlabels; /* labels from here on are those of the trampolines */
  for (uint32_t k = 0; k <= n; k++) {
    uint32_t depth;
    if (!reader_u32(&r, &depth)) {
      t->failed = true;
      return;
    }
    struct ctrl *to = label_ctrl(t, depth);
    if (to->kind != CTRL_FUNC && in_place(t, to, arity(t, to))) to->used = true, c->tables[c->ntables++] = to->label;
    else {
      if (to->trampoline < first || to->trampoline == NO_SLOT) {
        if (!array_reserve((void **)&t->tramps, &t->tramps_cap, ntramps + 1, sizeof *t->tramps)) {
          t->failed = !error_no_memory(c->err, sizeof *t->tramps);
          return;
        }
        t->tramps[ntramps++] = (uint32_t)(to - t->ctrls);
        to->trampoline = new_label(t);
      }
      c->tables[c->ntables++] = to->trampoline;
    }
  }
  for (uint32_t k = 0; k < ntramps; k++) {
    struct ctrl *to = &t->ctrls[t->tramps[k]];
    place_label(t, to->trampoline);
    to->trampoline = NO_SLOT;
    branch_to(t, to);
  }
  unreachable(t);
}

static struct ctrl *push_ctrl(struct tr *t, unsigned kind, const struct blocktype *bt) {
  if (!array_reserve((void **)&t->ctrls, &t->ctrls_cap, t->nctrls + 1, sizeof(struct ctrl))) {
    t->failed = !error_no_memory(t->c->err, sizeof(struct ctrl));
    return NULL;
  }
  struct ctrl *c = &t->ctrls[t->nctrls++];
  *c = (struct ctrl){.kind = (uint8_t)kind, .label = new_label(t), .else_label = NO_SLOT, .trampoline = NO_SLOT, .exn = NO_SLOT, .set = t->nset};
  if (bt) c->type = *bt;
  return c;
}

static void begin(struct tr *t, unsigned kind, const struct instr *in) {
  const struct blocktype *bt = kind == CTRL_TRY_TABLE ? &in->u.try_table.block : &in->u.block;
  struct val cond = {0};
  if (kind == CTRL_IF) cond = pop(t);
  struct ctrl *c = push_ctrl(t, kind, bt);
  if (!c) return;
  const valtype *p, *r;
  uint32_t np, nr;
  blocktype_types(t->c->module, &c->type, &p, &np, &r, &nr);
  settle_locals(t);
  if (kind != CTRL_BLOCK) settle_top(t, np);
  c->depth = t->depth - np;
  c->base = np ? t->stack[c->depth].home : t->height;
  if (kind == CTRL_IF) {
    c->else_label = new_label(t);
    const uint32_t label = c->else_label;
    branch_if(t, &cond, false, label);
  } else if (kind == CTRL_LOOP) {
    for (unsigned k = 0; t->c->all_forms && k < 2; k++) (void)tr_emit(t, IR_NOP); /* see fill of pin.c */
    place_label(t, c->label);
    c->begin = (uint32_t)t->c->n;
    if (t->opt->interruptible) {
      price_block(t); /* where branches come by, which can pay it */
      (void)tr_emit(t, IR_poll);
      t->block = (uint32_t)t->c->n;
    }
  } else if (kind == CTRL_TRY || kind == CTRL_TRY_TABLE) {
    new_block(t);
    c->try_from = (uint32_t)t->c->n;
    t->tries++;
    if (kind == CTRL_TRY) c->exn = t->next_exn++;
  }
}

static void reset_to(struct tr *t, const struct ctrl *c, const valtype *types, uint32_t n) {
  while (t->depth > c->depth) (void)pop(t);
  t->height = c->base;
  for (uint32_t k = 0; k < n; k++) push_temp(t, rtype_of(types[k]));
}

static void else_op(struct tr *t) {
  struct ctrl *c = &t->ctrls[t->nctrls - 1];
  const valtype *p, *r;
  uint32_t np, nr;
  blocktype_types(t->c->module, &c->type, &p, &np, &r, &nr);
  if (!t->unreachable) {
    move_results(t, c, nr, false);
    c->used = true;
    emit_br(t, c->label);
  }
  unset_to(t, c->set);
  place_label(t, c->else_label);
  c->else_label = NO_SLOT;
  c->kind = CTRL_BLOCK;
  t->unreachable = false;
  reset_to(t, c, p, np);
}

#include "code/translate_exception.h"

static void end(struct tr *t) {
  struct ctrl *c = &t->ctrls[t->nctrls - 1];
  unset_to(t, c->set);
  const valtype *types, *p, *r;
  uint32_t n, np;
  if (c->kind == CTRL_FUNC) {
    if (!t->unreachable) emit_return(t, false);
    emit_pads(t);
    t->nctrls--;
    return;
  }
  blocktype_types(t->c->module, &c->type, &p, &np, &r, &n);
  types = r;
  if (c->kind == CTRL_LOOP) t->c->ir[c->begin - 1].c = (uint32_t)t->c->n;
  if (c->kind == CTRL_TRY_TABLE) end_try_table(t, c);
  else if (c->kind == CTRL_TRY) t->tries--; /* without a catch */
  const bool label = c->kind != CTRL_LOOP && (c->used || c->else_label != NO_SLOT);
  if (label) {
    if (!t->unreachable) move_results(t, c, n, false);
    if (c->else_label != NO_SLOT) place_label(t, c->else_label);
    if (c->used) place_label(t, c->label);
    reset_to(t, c, types, n);
    t->unreachable = false;
  } else if (t->unreachable)
    reset_to(t, c, NULL, 0);
  t->nctrls--;
}

/* ---- calls ---- */

static uint32_t call_args(struct tr *t, const struct deftype *ft, uint32_t *top) {
  settle_top(t, ft->u.func.nparams);
  const uint32_t base = ft->u.func.nparams ? t->stack[t->depth - ft->u.func.nparams].home : t->height;
  uint32_t cells = ft->u.func.param_cells > ft->u.func.result_cells ? ft->u.func.param_cells : ft->u.func.result_cells;
  *top = base + cells + FRAME_INFO;
  if (*top > t->c->frame) t->c->frame = *top;
  return base;
}

static void call_results(struct tr *t, const struct deftype *ft, uint32_t base) {
  for (uint32_t k = 0; k < ft->u.func.nparams; k++) (void)pop(t);
  const uint32_t def = (uint32_t)t->c->n - 1;
  struct ir *i = &t->c->ir[def];
  i->cells = ft->u.func.param_cells;
  i->flags |= IRF_FIXED;
  i->rt = RT_NONE;
  if (ft->u.func.nresults == 1) i->rt = (uint8_t)rtype_of(ft->u.func.results[0]), i->d = base;
  for (uint32_t k = 0; k < ft->u.func.nresults; k++) push_temp(t, rtype_of(ft->u.func.results[k]));
}

/* a: arguments, b: info, c: what to call by; imm, imm2: the rest */
static void call(struct tr *t, uint32_t func, bool tail) {
  const struct module *m = t->c->module;
  const struct deftype *ft = module_func_type(m, func);
  uint32_t top;
  const uint32_t base = call_args(t, ft, &top);
  const bool import = func < m->nimported_funcs;
  if (tail && t->opt->max_depth) (void)tr_emit(t, IR_leave_depth);
  struct ir *i = tr_emit(t, tail ? (import ? IR_tail_import : IR_tail_call) : import ? IR_call_import : IR_call);
  i->a = base, i->b = tail ? t->c->params : base + ft->u.func.param_cells;
  i->c = func, i->imm = tail ? ft->u.func.param_cells : top;
  call_results(t, ft, base);
  if (tail) {
    if (ft->u.func.param_cells + FRAME_INFO > t->c->frame) t->c->frame = ft->u.func.param_cells + FRAME_INFO;
    unreachable(t);
  }
}

static void call_dynamic(struct tr *t, const struct deftype *ft, unsigned op, uint32_t table, bool tail) {
  struct val v = pop(t);
  const bool ref = op == IR_call_ref || op == IR_tail_ref;
  const uint32_t s = operand(t, &v, false); /* its home may be the callee's info: read before that is written */
  uint32_t top;
  const uint32_t base = call_args(t, ft, &top);
  if (tail && t->opt->max_depth) (void)tr_emit(t, IR_leave_depth);
  struct ir *i = tr_emit(t, op);
  i->a = base, i->b = tail ? t->c->params : base + ft->u.func.param_cells;
  i->c = s, i->imm = tail ? ft->u.func.param_cells : top, i->imm2 = ref ? 0 : (uint64_t)table << 32 | ft->id;
  touch(t, s);
  call_results(t, ft, base);
  if (tail) {
    if (ft->u.func.param_cells + FRAME_INFO > t->c->frame) t->c->frame = ft->u.func.param_cells + FRAME_INFO;
    unreachable(t);
  }
}

#include "code/translate_vector.h"
#include "code/translate_object.h"
#include "code/translate_instr.h"
