/* Where fuel is paid. translate.c begins each block with an operation that pays for all of it. Here most of them go: a branch has a second handler, which
 * pays for what it leads to, either way; and who falls into a block pays before it. What each way through the function costs does not change, nor what
 * has been paid when it traps; only operations that nobody could see may be done before they are paid for. */
#include "code/ir.h"

/* What a branch costs is in `e` if it is taken, in `cells` if not; what a fuel operation costs, in `imm`. */

/* Marks labels to which something leads that cannot pay. */
static void mark_held(const struct ircode *c, uint8_t *held) {
  uint32_t n;
  for (size_t at = 0; at < c->n; at++) {
    const struct ir *i = &c->ir[at];
    const uint32_t *labels = i->op >= IR_COUNT || ir_branch_forms(i) ? NULL : ir_targets(c, i, &n);
    for (uint32_t k = 0; labels && k < n; k++) held[labels[k]] = 1;
  }
  for (size_t k = 0; k < c->ncatches; k++)
    if (c->catches[k].kind != CATCH_DELEGATE) held[c->catches[k].target] = 1;
}

/* Is what stands behind the operation reached by branches alone? */
static bool ends(const struct ir *i) {
  switch (i->op) {
  case IR_br: case IR_br_table_S: case IR_ret: case IR_ret_many: case IR_unreachable: case IR_throw: case IR_throw_ref:
  case IR_tail_call: case IR_tail_import: case IR_tail_indirect: case IR_tail_ref: return true;
  default: return rop_info(i->op)->shape == SHAPE_RET;
  }
}

/* Does it neither trap nor have an effect beyond the frame? */
static bool harmless(const struct ir *i) {
  switch (rop_info(i->op)->shape) {
  case SHAPE_BIN: return (i->op >= IR_i32_add && i->op <= IR_i32_rotr) || (i->op >= IR_i64_add && i->op <= IR_i64_rotr);
  case SHAPE_RBIN: case SHAPE_BIN2: case SHAPE_FBIN2: case SHAPE_WIDE: case SHAPE_MOV: case SHAPE_CONST: case SHAPE_SELECT: case SHAPE_SELIMM: case SHAPE_GGET: return true;
  case SHAPE_MISC: return i->op == IR_enter || i->op == IR_mov2 || i->op == IR_mov3 || i->op == IR_mov_add || i->op == IR_add2;
  default: return false;
  }
}

/* Finds who pays for what falls into operation `at`; false: nobody. */
static bool pay_before(struct ircode *c, size_t at, uint32_t cost) {
  while (at-- > 0) {
    struct ir *i = &c->ir[at];
    if (i->op == IR_NOP) continue;
    if (i->op == IR_LABEL) return false;
    if (i->op == IR_fuel) i->imm += cost;
    else if (ir_branch_forms(i)) i->cells += cost;
    else if (!ends(i)) {
      if (harmless(i)) continue;
      return false;
    }
    return true;
  }
  return false;
}

/* The same of the branch that follows operation `at`. A load in it may trap before it has paid. */
static bool pay_behind(struct ircode *c, size_t at, uint32_t cost) {
  while (++at < c->n) {
    struct ir *i = &c->ir[at];
    if (i->op == IR_NOP || (i->op != IR_LABEL && harmless(i))) continue;
    if (i->op == IR_LABEL || !ir_branch_forms(i) || rop_info(i->op)->shape == SHAPE_LOADBR) return false;
    i->e += cost;
    i->cells += cost;
    return true;
  }
  return false;
}

/* Takes the fuel operation at `at` away, or to the front of the labels before it: those who branch there will have paid. */
static void move_fuel(struct ircode *c, size_t at, const uint8_t *held, uint32_t *costs) {
  const struct ir fuel = c->ir[at];
  size_t first = at;
  for (; first > 0 && c->ir[first - 1].op >= IR_COUNT; first--)
    if (c->ir[first - 1].op == IR_LABEL && held[c->ir[first - 1].label]) return;
  for (size_t k = first; k < at; k++)
    if (c->ir[k].op == IR_LABEL) costs[c->ir[k].label] = (uint32_t)fuel.imm;
  const bool paid = pay_before(c, first, (uint32_t)fuel.imm);
  for (size_t k = at; k > first; k--) c->ir[k] = c->ir[k - 1];
  c->ir[first] = fuel;
  if (paid) c->ir[first].op = IR_NOP;
}

bool ir_pay(struct ircode *c) {
  uint8_t *held = arena_alloc(c->arena, c->nlabels + 1u);
  uint32_t *costs = arena_array(c->arena, c->nlabels + 1u, sizeof *costs);
  if (!held || !costs) return false;
  mark_held(c, held);
  for (size_t at = c->n; at-- > 0;) /* from the end, so that what falls through several labels is paid for at the first */
    if (c->ir[at].op == IR_fuel) move_fuel(c, at, held, costs);
  for (size_t at = 0; at < c->n; at++) {
    struct ir *i = &c->ir[at];
    if (i->op == IR_fuel && pay_behind(c, at, (uint32_t)i->imm)) i->op = IR_NOP;
    if (i->op >= IR_COUNT || !ir_branch_forms(i)) continue;
    i->e += costs[i->label];
    if (i->e || i->cells) i->flags |= IRF_PAYS;
  }
  return true;
}
