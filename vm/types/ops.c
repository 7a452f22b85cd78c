/* The rows of ops.def as a table. Rows are dense and found through an index of two bytes per possible opcode: most opcodes do not exist. */
#include "types/ops.h"

#include <stddef.h>

enum row {
  ROW_NONE,
#define OP(page, code, id, text, imm, sig, align, feature, rule) ROW_##id,
#include "ops.def"
#undef OP
  ROW_COUNT
};

static const struct opinfo rows[ROW_COUNT] = {
    [ROW_NONE] = {NULL, NULL, IMM_NONE, 0, RULE_SPECIAL, 0},
#define OP(page, code, id, text, imm, sig, align, feature, rule) [ROW_##id] = {text, sig, imm, align, rule, MV_FEATURE_BIT_##feature},
#include "ops.def"
#undef OP
};

static const uint16_t row_of[OP_LIMIT] = {
#define OP(page, code, id, text, imm, sig, align, feature, rule) [OP_##id] = ROW_##id,
#include "ops.def"
#undef OP
};

/* Two rows with one encoding must fail to compile: their case labels would be the same. */
static inline void one_row_per_encoding(unsigned op) {
  switch (op) {
#define OP(page, code, id, text, imm, sig, align, feature, rule) case OP_##id:
#include "ops.def"
#undef OP
  default: break;
  }
}

const struct opinfo *op_info(unsigned op) {
  (void)one_row_per_encoding;
  return &rows[op < OP_LIMIT ? row_of[op] : ROW_NONE];
}
