/* The instructions of WebAssembly as numbers, made from ops.def. An op is its opcode with the prefix as a page: */
#ifndef TYPES_OPS_H
#define TYPES_OPS_H

#include "base/error.h"

enum {
  OP_PAGE_FB = 0x100, /* 0xFB n: GC */
  OP_PAGE_FC = 0x200, /* 0xFC n: saturating truncation, bulk memory, wide arithmetic */
  OP_PAGE_FD = 0x300, /* 0xFD n: SIMD; n up to 0x1ff */
  OP_PAGE_FE = 0x500, /* 0xFE n: threads */
  OP_LIMIT = 0x600,
  OP_PAGE_00 = 0
};

enum op {
#define OP(page, code, id, text, imm, sig, align, feature, rule) OP_##id = OP_PAGE_##page + (code),
#include "ops.def"
#undef OP
};

/* Kinds of immediates: what follows the opcode (core/binary/instructions). */
enum imm {
  IMM_NONE,
  IMM_BLOCK,        /* block type */
  IMM_LABEL, IMM_LABELS, /* br, br_table */
  IMM_FUNC, IMM_TABLE, IMM_MEMORY, IMM_GLOBAL, IMM_LOCAL, IMM_TYPE, IMM_TAG, IMM_DATA, IMM_ELEM,
  IMM_CALL_INDIRECT, /* type, table */
  IMM_SELECT,       /* list of value types */
  IMM_I32, IMM_I64, IMM_F32, IMM_F64, IMM_V128,
  IMM_MEMARG, IMM_MEMARG_LANE, IMM_LANE, IMM_SHUFFLE,
  IMM_HEAP,         /* heap type */
  IMM_REFTYPE,      /* heap type of ref.test/ref.cast; nullability is in the opcode */
  IMM_BR_CAST,      /* flags, label, two heap types */
  IMM_TYPE_FIELD,   /* type, field */
  IMM_TYPE_TYPE, IMM_TYPE_N, IMM_TYPE_DATA, IMM_TYPE_ELEM, /* array ops */
  IMM_MEMORY2, IMM_DATA_MEMORY, IMM_TABLE2, IMM_ELEM_TABLE, /* memory.copy, memory.init, table.copy, table.init */
  IMM_TRY_TABLE,    /* block type, catch clauses */
  IMM_BYTE          /* a reserved zero byte: atomic.fence */
};

/* Which typing rule the validator applies (core/valid/instructions). */
enum rule {
  RULE_PLAIN,   /* pops and pushes what `sig` says */
  RULE_LOAD, RULE_STORE, /* plain, with the memory's address type for the letter 'a' and the alignment checked */
  RULE_SPECIAL  /* a function of its own */
};

struct opinfo {
  const char *text;    /* NULL: no such instruction */
  const char *sig;     /* parameters ':' results: i I f F v, a = address; NULL if special */
  uint8_t imm, align, rule; /* align: natural alignment, log2 */
  uint8_t feature;     /* MV_FEATURE_BIT_...; 0 (mutable-global) for the basic set */
};

/* The row of an op below OP_LIMIT; text is NULL where there is none. Defined in types/ops.c. */
const struct opinfo *op_info(unsigned op);

#endif
