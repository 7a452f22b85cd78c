/* State of one translation; private to code/translate.c and its parts. */
#ifndef CODE_TRANSLATE_H
#define CODE_TRANSLATE_H

#include "code/ir.h"

enum { VAL_CONST, VAL_LOCAL, VAL_TEMP };

/* An entry of the operand stack. */
struct val {
  uint8_t kind, rt;
  bool dirty;     /* an i32 whose slot has more than 32 bits: the upper ones count for nothing */
  uint32_t slot;  /* where it is */
  uint32_t home;  /* where it belongs */
  uint32_t def;   /* the operation that made it, or NO_SLOT */
  uint64_t imm, imm2;
};

enum { CTRL_FUNC, CTRL_BLOCK, CTRL_LOOP, CTRL_IF, CTRL_TRY_TABLE, CTRL_TRY, CTRL_CATCH };

struct ctrl {
  uint8_t kind;
  bool used; /* the label at the end is the target of a branch */
  struct blocktype type;
  uint32_t label, else_label, trampoline;
  uint32_t begin; /* of a loop: its first operation */
  uint32_t depth, base; /* of the operand stack, below the parameters: entries, cells */
  uint32_t try_from, try_to, exn;
  uint32_t pads, pads_end;
  uint32_t set; /* height of tr.set at its begin */
};

/* Where a try_table's clause arrives. */
struct pad {
  struct catch_clause clause;
  bool func;
  uint32_t pad, slot, cells, label, base;
};

struct module_code; /* what code.c keeps for all functions */

struct tr {
  struct ircode *c;
  const mv_options_t *opt;
  const struct module_code *owner;
  const struct deftype *type;
  bool failed, unreachable;
  uint32_t skip; /* nesting within unreachable code */
  uint32_t pos;
  uint32_t block;   /* first operation that may be changed */
  uint32_t fuel_ir; /* the current block's fuel operation */
  uint32_t tries, next_exn;
  uint8_t twins;    /* of vector operations: 0 not asked yet, 1 none, 2 the processor runs them */
  uint32_t copied; /* entries of br_tables at the ends of loop heads that were copied */

  struct val *stack;
  size_t stack_cap;
  uint32_t depth, height, lazy;
  struct ctrl *ctrls;
  size_t ctrls_cap;
  uint32_t nctrls;
  struct pad *pads;
  size_t pads_cap;
  uint32_t npads;
  uint32_t *tramps;
  size_t tramps_cap;

  uint32_t nlocals;
  uint32_t *local_slot;
  uint8_t *local_rt;
  uint32_t *refs, *touched, *written; /* by slot, of locals: entries that stand for it; last use; last write */

  /* Initialisation of locals, by the rule of core/valid for non-null ones: what a block has set counts until its end. */
  uint8_t *is_set;
  uint32_t *set; /* slots in the order in which they were set */
  size_t set_cap;
  uint32_t nset, enter, zero_from, zero_to;

  struct val val_sink; /* popped from an empty stack, which happens only after a failure */
};

#endif
