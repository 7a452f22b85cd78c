/* What is known of operations of the intermediate code without changing them. */
#include "code/ir.h"

unsigned ir_branch_forms(const struct ir *i) {
  switch (rop_info(i->op)->shape) {
  case SHAPE_BR: return 5;
  case SHAPE_BRU: return 2;
  case SHAPE_ADDBR: case SHAPE_BINBR: return 4;
  case SHAPE_LOADBR: return 20;
  case SHAPE_FBINBR: return 6;
  default: return i->op == IR_br;
  }
}

const uint32_t *ir_targets(const struct ircode *c, const struct ir *i, uint32_t *n) {
  *n = 1;
  if (ir_branch_forms(i)) return &i->label;
  switch (i->op) {
  case IR_br_on_cast: case IR_br_on_cast_fail: case IR_br_on_cast_desc: case IR_br_on_cast_desc_fail: return &i->label;
  case IR_br_table_S: *n = i->c + 1; return &c->tables[i->label];
  default: *n = 0; return NULL;
  }
}
