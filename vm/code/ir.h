/* The intermediate code between a function body and its register code: a list of operations on slots. translate.c makes it in one walk over
 * the body; lower.c decides which operands live in accumulators, picks the forms and writes the words. Private to code/. */
#ifndef CODE_IR_H
#define CODE_IR_H

#include "binary/instr.h"
#include "code/encoding.h"

enum { IR_NOP = IR_COUNT, IR_LABEL };

#define NO_SLOT UINT32_MAX

/* How an address is made, before lower.c knows what is in an accumulator */
enum addr_mode { AM_SLOT, AM_SUM, AM_SCALED, AM_CONST, AM_OFFSET, AM_SHIFTED };

enum {
  IRF_IMM = 1,   /* b (of BIN, BR, STORE's value, RET, GSET) is the immediate */
  IRF_KEEP = 2,  /* reads a temporary that stays on the operand stack */
  IRF_FIXED = 4, /* the result cannot go elsewhere */
  IRF_IMM2 = 8,  /* superinstructions: c is the immediate imm2 */
  IRF_CHOICE1 = 16, IRF_CHOICE2 = 32, /* selects: the first, second choice is a number, not a slot */
  IRF_PIN = 64, /* a is in the pin */
  IRF_PAYS = 128 /* branches: fuel, e if taken and cells if not; see fuel.c */
};

struct ir {
  uint16_t op;    /* enum irop, IR_NOP or IR_LABEL */
  uint8_t flags, am;
  uint8_t rt;     /* calls: enum rtype of the result */
  char fa, fb, fc, fd; /* the forms of operands and result: 'S', 'A', 'I'; by lower.c */
  uint32_t a, b, c, d, e;
  uint32_t label; /* of branches and IR_LABEL (c: of a loop, where it ends); br_table: first entry in tables */
  uint32_t cells; /* base operations: operands (in cells) that they read */
  uint64_t imm, imm2;
  uint32_t pos;   /* offset of the Wasm instruction in the module */
  uint32_t at;    /* word in the code; by lower.c */
};

struct ircode {
  struct module *module;
  uint32_t func;
  struct arena *arena; /* scratch */
  struct ir *ir;
  size_t n, cap;
  uint32_t nlabels;
  uint32_t *tables; /* labels of br_tables */
  size_t ntables, tables_cap;
  struct catch_range *catches; /* from, to: indices of ir; target: a label */
  size_t ncatches, catches_cap;
  uint32_t first_temp; /* slots from here on are temporaries */
  uint32_t params;     /* cells */
  uint32_t frame;      /* cells */
  bool fusion;  /* accumulators and fused forms */
  bool all_forms; /* superinstructions and the vector accumulator too */
  mv_error_t *err;
};

struct module_code;
MV_MUST_USE bool ir_translate(struct ircode *, const mv_options_t *, const struct module_code *, mv_error_t *err);
void ir_fini(struct ircode *);
/* Merges operations into superinstructions. */
void ir_fuse(struct ircode *);
/* How many forms a branch has, behind which come as many that pay fuel; 0: not a branch or one that cannot */
unsigned ir_branch_forms(const struct ir *);
/* Where the operation may go on unless behind itself: `n` labels, or NULL. */
const uint32_t *ir_targets(const struct ircode *, const struct ir *, uint32_t *n);
/* Merges fuel operations into branches; false: no memory. */
MV_MUST_USE bool ir_pay(struct ircode *);
/* Gives sums in loops a register; false: no memory. */
MV_MUST_USE bool ir_pin(struct ircode *);
/* Chooses forms and writes words; *words is malloc'ed. */
MV_MUST_USE bool ir_lower(struct ircode *, union word **words, uint32_t *nwords, mv_error_t *err);

#endif
