/* Sums that stay in a register while a loop runs. A float that is stored and loaded again costs a dozen cycles, an addition three; so in an innermost
 * loop without calls one f64 and one f32 local that only takes part in s = s + x and the like is held in a pin, a register of the
 * interpreter's state. Its slot is written as well, so everything else may read it there. A pass between fuse.c and lower.c. */
#include <string.h>

#include "code/ir.h"

/* The operation that does the same with the value of `slot` in the pin, where its result goes, too; or 0. */
static unsigned pinned(const struct ir *i, uint32_t slot) {
  switch (i->op) {
#define PIN(id, T, op, e) \
  case IR_##op: return !(i->flags & IRF_IMM) && (i->a == slot) != (i->b == slot) ? IR_##id : 0;
#define FBIN2(id, ...) \
  case IR_##id: return i->c == slot && i->a != slot && i->b != slot ? IR_pin_##id : 0;
#define FLOADOP(id, ...) \
  case IR_##id: return i->c == slot ? IR_pin_##id : 0;
#define FLOADBIN2(id, ...) \
  case IR_##id: return i->e == slot && i->c != slot ? IR_pin_##id : 0;
#include "code/rops.def"
  default: return 0;
  }
}

static bool writes_to(const struct ir *i, uint32_t slot) {
  const unsigned shape = rop_info(i->op)->shape;
  if (i->d == slot) return true;
  switch (i->op) {
  case IR_mov3: return i->b == slot || i->cells == slot;
  case IR_mov2: case IR_mov_add: case IR_add2: return i->b == slot;
  case IR_copy: return slot >= i->b && slot - i->b < i->cells;
  default: return shape == SHAPE_ADDLOAD ? i->c == slot : shape == SHAPE_INCLOAD && (i->b == slot || i->c == slot);
  }
}

static bool is_real(const struct ir *i) { return i->op != IR_NOP && i->op != IR_LABEL; }

/* Follows the value that is in `slot` at the loop's begin through the operations that can have it in the pin: each may put it into another slot. It
 * must be in `slot` again wherever control flow divides or meets. Rewrites the operations if `commit`. */
static bool follow(struct ircode *c, uint32_t from, uint32_t to, uint32_t slot, bool commit) {
  uint32_t now = slot, found = 0, n;
  for (uint32_t at = from; at <= to; at++) {
    struct ir *i = &c->ir[at];
    if (i->op == IR_NOP) continue;
    if (now != slot && (i->op == IR_LABEL || ir_targets(c, i, &n))) return false;
    if (i->op == IR_LABEL) continue;
    const unsigned op = pinned(i, now);
    if (op) {
      if (commit) i->op = (uint16_t)op, i->flags |= i->a == now ? IRF_PIN : 0;
      now = i->d, found++;
    } else if (writes_to(i, now))
      return false;
  }
  return found != 0;
}

/* Pins one local of the type in the loop; returns its slot. */
static uint32_t pin(struct ircode *c, uint32_t from, uint32_t to, unsigned rt) {
  enum { TRIES = 8 };
  unsigned tries = 0;
  for (uint32_t at = from; at <= to && tries < TRIES; at++) {
    const struct ir *i = &c->ir[at];
    if (!is_real(i) || rop_info(i->op)->out != rt) continue;
    const uint32_t sums[] = {i->a, i->b, i->c, i->e};
    for (unsigned k = 0; k < 4; k++) {
      if (sums[k] >= c->first_temp || !pinned(i, sums[k])) continue;
      tries++;
      if (!follow(c, from, to, sums[k], false)) continue;
      (void)follow(c, from, to, sums[k], true);
      return sums[k];
    }
  }
  return NO_SLOT;
}

static bool calls(const struct ir *i) { return i->op >= IR_call && i->op <= IR_tail_ref; }

/* Before a loop the translator leaves room for what fills the pins. */
static void fill(struct ircode *c, uint32_t at, unsigned op, uint32_t slot) {
  if (slot == NO_SLOT) return;
  c->ir[at].op = (uint16_t)op;
  c->ir[at].a = slot;
}

bool ir_pin(struct ircode *c) {
  uint32_t *last = arena_array(c->arena, c->nlabels + 1u, sizeof *last); /* by label: the last branch to it */
  if (!last) return false;
  for (uint32_t at = 0; at < c->n; at++) {
    uint32_t n = 0;
    const uint32_t *to = is_real(&c->ir[at]) ? ir_targets(c, &c->ir[at], &n) : NULL;
    for (uint32_t k = 0; k < n; k++) last[to[k]] = at;
  }
  uint32_t inner = NO_SLOT, call = NO_SLOT; /* the nearest loop and call behind `at` */
  for (uint32_t at = (uint32_t)c->n; at-- > 0;) {
    struct ir *i = &c->ir[at];
    if (is_real(i) && calls(i)) call = at;
    if (i->op != IR_LABEL || i->c == NO_SLOT) continue;
    const uint32_t to = i->c;
    if (inner >= to && call >= to && last[i->label] > at && last[i->label] < to) { /* a catch clause's landing pad is behind the loop */
      fill(c, at - 1, IR_pin_load_f64, pin(c, at, to - 1, RT_f64));
      fill(c, at - 2, IR_pin_load_f32, pin(c, at, to - 1, RT_f32));
    }
    inner = at;
  }
  return true;
}
