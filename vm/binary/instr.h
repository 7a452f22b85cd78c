/* One decoded instruction: the common input of validator, translator and printer (core/binary/instructions). */
#ifndef BINARY_INSTR_H
#define BINARY_INSTR_H

#include "binary/reader.h"
#include "types/ops.h"

/* A block type: no or one result, or a function type. */
struct blocktype {
  uint32_t type;  /* canonical id of a function type, or TYPE_NONE */
  valtype result; /* when type is TYPE_NONE: the result, VT_BOT for none */
};

enum { CATCH = 0, CATCH_REF = 1, CATCH_ALL = 2, CATCH_ALL_REF = 3 };

struct catch_clause {
  uint8_t kind; /* enum above */
  uint32_t tag; /* of CATCH and CATCH_REF */
  uint32_t label;
};

struct instr {
  uint16_t op;     /* enum op */
  uint64_t offset; /* of the opcode in the module */
  union {
    struct { uint32_t a, b; } index; /* one or two indices, in binary order: IMM_FUNC ... IMM_CALL_INDIRECT (type, table), IMM_TYPE_FIELD, IMM_MEMORY2 ...
                                        Types are the module's type indices (checked to exist). IMM_LABEL: a. */
    int32_t i32;
    int64_t i64;
    uint32_t f32; /* bits */
    uint64_t f64;
    uint8_t v128[16]; /* also IMM_SHUFFLE */
    struct { uint32_t align, memory; uint64_t offset; uint8_t lane; } mem; /* IMM_MEMARG, _LANE; align: log2 as written */
    uint8_t lane;
    struct blocktype block;
    valtype ref; /* IMM_HEAP, IMM_REFTYPE: a reference type; nullability set according to the opcode (ref.null: nullable) */
    struct { bool nulls[2]; uint32_t label; valtype from, to; } cast; /* IMM_BR_CAST */
    struct { uint32_t count; struct reader items; } list; /* IMM_LABELS: `count` targets, then the default (count + 1 u32);
                                                              IMM_SELECT: value types, to be read with reader_valtype */
    struct { struct blocktype block; uint32_t count; struct reader items; } try_table; /* items: read with reader_catch */
  } u;
};

/* Reads one instruction at r->pos. All immediates are syntax-checked, indices are not range-checked but for type indices; features are
 * checked against the module's (an instruction of a feature that is off is "illegal opcode"). For lists, r->pos is behind the list afterwards and `items` stands at its start. */
MV_MUST_USE bool instr_read(struct reader *r, const struct module *m, struct instr *out);

/* Reads what nearly all constant expressions are, a short i32.const or i64.const and its end; modules have hundreds of thousands of them.
 * false: it is something else, or too near to the end of the bytes, and *r is where it was. */
static inline bool const_read(struct reader *r, bool *is64, uint64_t *value) {
  const uint8_t *p = r->pos;
  uint32_t x = 0;
  unsigned shift = 0;
  if (r->end - p < 6 || (*p != OP_i32_const && *p != OP_i64_const)) return false;
  *is64 = *p == OP_i64_const;
  do {
    x |= (*++p & 0x7fu) << shift;
    shift += 7;
  } while (*p >= 0x80 && shift < 28);
  if (*p >= 0x80 || p[1] != OP_end) return false;
  if (*p & 0x40) x |= UINT32_MAX << shift;
  *value = *is64 ? (uint64_t)(int64_t)(int32_t)x : x;
  r->pos = p + 2;
  return true;
}

/* Does the instruction name a data segment? Then a function body that holds it needs a data count section. */
static inline bool instr_uses_data(unsigned op) {
  return op == OP_memory_init || op == OP_data_drop || op == OP_array_new_data || op == OP_array_init_data;
}

MV_MUST_USE bool reader_valtype(struct reader *, const struct module *, valtype *);
MV_MUST_USE bool reader_catch(struct reader *, struct catch_clause *);

/* Skips the locals declarations of a body: calls each(env, count, type) per group, unless it is NULL, as long as all together stay below the limit; reports
 * "too many locals" (malformed from 2^32 on, a limit before). The type of a group with an unknown type index is not passed on. */
MV_MUST_USE bool reader_locals(struct reader *, const struct module *, bool (*each)(void *env, uint32_t count, valtype), void *env);

/* The parameters and results of a block type; fills pointers that stay valid with the registry (or with *bt for a single result). */
void blocktype_types(const struct module *, const struct blocktype *bt, const valtype **params, uint32_t *nparams, const valtype **results, uint32_t *nresults);

#endif
