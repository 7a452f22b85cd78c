/* Register operations: the operand forms of every row of rops.def, simd.def and the list of operations without forms.
 *
 * An operand is S (a slot of the frame), A (the accumulator of its class) or I (an immediate); a result goes to A, or to S and A both. The name
 * ROP_i32_add_SIA says: slot plus immediate to the accumulator. The order of the forms in each list is known to code/lower.c, which
 * computes a form's number from its operands. Encodings are described in code/encoding.h. */
#ifndef CODE_ROPS_H
#define CODE_ROPS_H

#include "types/ops.h"

/* F(id, T, ..., operands) for each form of a shape */
#define FORMS_BIN(F, id, ...) \
  F(id, S, S, A, __VA_ARGS__) F(id, S, A, A, __VA_ARGS__) F(id, A, S, A, __VA_ARGS__) F(id, S, I, A, __VA_ARGS__) F(id, A, I, A, __VA_ARGS__) \
  F(id, S, S, S, __VA_ARGS__) F(id, S, A, S, __VA_ARGS__) F(id, A, S, S, __VA_ARGS__) F(id, S, I, S, __VA_ARGS__) F(id, A, I, S, __VA_ARGS__)
#define FORMS_RBIN(F, id, ...) \
  F(id, S, A, __VA_ARGS__) F(id, A, A, __VA_ARGS__) F(id, S, S, __VA_ARGS__) F(id, A, S, __VA_ARGS__)
#define FORMS_BR(F, id, ...) \
  F(id, S, S, __VA_ARGS__) F(id, S, A, __VA_ARGS__) F(id, A, S, __VA_ARGS__) F(id, S, I, __VA_ARGS__) F(id, A, I, __VA_ARGS__)
#define FORMS_UN(F, id, ...) FORMS_RBIN(F, id, __VA_ARGS__)
#define FORMS_BRU(F, id, ...) F(id, S, __VA_ARGS__) F(id, A, __VA_ARGS__)
/* Addresses: S slot, A accumulator, P slot + slot, Q slot + accumulator, X slot + slot * n, Y slot + accumulator * n, I constant,
 * B slot + constant, Z accumulator + constant, U (slot << k) + constant, V (accumulator << k) + constant (sums wrap; the static offset does not) */
#define FORMS_LOAD(F, id, ...) \
  F(id, S, A, __VA_ARGS__) F(id, A, A, __VA_ARGS__) F(id, P, A, __VA_ARGS__) F(id, Q, A, __VA_ARGS__) F(id, X, A, __VA_ARGS__) F(id, Y, A, __VA_ARGS__) F(id, I, A, __VA_ARGS__) F(id, B, A, __VA_ARGS__) F(id, Z, A, __VA_ARGS__) F(id, U, A, __VA_ARGS__) F(id, V, A, __VA_ARGS__) \
  F(id, S, S, __VA_ARGS__) F(id, A, S, __VA_ARGS__) F(id, P, S, __VA_ARGS__) F(id, Q, S, __VA_ARGS__) F(id, X, S, __VA_ARGS__) F(id, Y, S, __VA_ARGS__) F(id, I, S, __VA_ARGS__) F(id, B, S, __VA_ARGS__) F(id, Z, S, __VA_ARGS__) F(id, U, S, __VA_ARGS__) F(id, V, S, __VA_ARGS__)
#define FORMS_STORE(F, id, ...) \
  F(id, S, S, __VA_ARGS__) F(id, A, S, __VA_ARGS__) F(id, P, S, __VA_ARGS__) F(id, X, S, __VA_ARGS__) F(id, I, S, __VA_ARGS__) F(id, B, S, __VA_ARGS__) F(id, U, S, __VA_ARGS__) \
  F(id, S, A, __VA_ARGS__) F(id, A, A, __VA_ARGS__) F(id, P, A, __VA_ARGS__) F(id, X, A, __VA_ARGS__) F(id, I, A, __VA_ARGS__) F(id, B, A, __VA_ARGS__) F(id, U, A, __VA_ARGS__) \
  F(id, S, I, __VA_ARGS__) F(id, A, I, __VA_ARGS__) F(id, P, I, __VA_ARGS__) F(id, X, I, __VA_ARGS__) F(id, I, I, __VA_ARGS__) F(id, B, I, __VA_ARGS__) F(id, U, I, __VA_ARGS__)
#define FORMS_VSTORE(F, id, ...) \
  F(id, S, S, __VA_ARGS__) F(id, A, S, __VA_ARGS__) F(id, P, S, __VA_ARGS__) F(id, X, S, __VA_ARGS__) F(id, I, S, __VA_ARGS__) F(id, B, S, __VA_ARGS__) F(id, U, S, __VA_ARGS__) \
  F(id, S, A, __VA_ARGS__) F(id, A, A, __VA_ARGS__) F(id, P, A, __VA_ARGS__) F(id, X, A, __VA_ARGS__) F(id, I, A, __VA_ARGS__) F(id, B, A, __VA_ARGS__) F(id, U, A, __VA_ARGS__)
#define FORMS_MOV(F, id, ...) F(id, S, __VA_ARGS__) F(id, A, __VA_ARGS__)
#define FORMS_CONST(F, id, ...) F(id, A, __VA_ARGS__) F(id, S, __VA_ARGS__)
/* Objects: a field's object and value, an element's index and value */
#define FORMS_FSET(F, id, ...) \
  F(id, S, S, __VA_ARGS__) F(id, A, S, __VA_ARGS__) F(id, S, A, __VA_ARGS__) F(id, A, A, __VA_ARGS__) F(id, S, I, __VA_ARGS__) F(id, A, I, __VA_ARGS__)
#define FORMS_ESET(F, id, ...) \
  F(id, S, S, __VA_ARGS__) F(id, I, S, __VA_ARGS__) F(id, S, A, __VA_ARGS__) F(id, I, A, __VA_ARGS__) F(id, S, I, __VA_ARGS__) F(id, I, I, __VA_ARGS__)
#define FORMS_SELECT(F, id, ...) FORMS_RBIN(F, id, __VA_ARGS__)
#define FORMS_GGET(F, id, ...) FORMS_CONST(F, id, __VA_ARGS__)
#define FORMS_GSET(F, id, ...) F(id, S, __VA_ARGS__) F(id, A, __VA_ARGS__) F(id, I, __VA_ARGS__)
#define FORMS_RET(F, id, ...) FORMS_GSET(F, id, __VA_ARGS__)
#define FORMS_V2(F, id, ...) FORMS_BIN(F, id, __VA_ARGS__)
/* Three vectors: none, the first (A) or the third (C) in the accumulator */
#define FORMS_V3(F, id, ...) \
  F(id, S, A, __VA_ARGS__) F(id, A, A, __VA_ARGS__) F(id, C, A, __VA_ARGS__) F(id, S, S, __VA_ARGS__) F(id, A, S, __VA_ARGS__) F(id, C, S, __VA_ARGS__)
#define FORMS_VSHIFT(F, id, ...) FORMS_BIN(F, id, __VA_ARGS__)
#define FORMS_VREPLACE(F, id, ...) \
  F(id, S, S, A, __VA_ARGS__) F(id, S, A, A, __VA_ARGS__) F(id, A, S, A, __VA_ARGS__) \
  F(id, S, S, S, __VA_ARGS__) F(id, S, A, S, __VA_ARGS__) F(id, A, S, S, __VA_ARGS__)

/* Superinstructions: first two operands and the third */
#define FORMS_BIN2(F, id, ...) \
  F(id, S, S, S, A, __VA_ARGS__) F(id, S, I, S, A, __VA_ARGS__) F(id, S, S, A, A, __VA_ARGS__) F(id, S, I, A, A, __VA_ARGS__) F(id, A, S, S, A, __VA_ARGS__) F(id, A, I, S, A, __VA_ARGS__) F(id, S, S, I, A, __VA_ARGS__) F(id, S, I, I, A, __VA_ARGS__) F(id, A, S, I, A, __VA_ARGS__) F(id, A, I, I, A, __VA_ARGS__) F(id, A, I, A, A, __VA_ARGS__) \
  F(id, S, S, S, S, __VA_ARGS__) F(id, S, I, S, S, __VA_ARGS__) F(id, S, S, A, S, __VA_ARGS__) F(id, S, I, A, S, __VA_ARGS__) F(id, A, S, S, S, __VA_ARGS__) F(id, A, I, S, S, __VA_ARGS__) F(id, S, S, I, S, __VA_ARGS__) F(id, S, I, I, S, __VA_ARGS__) F(id, A, S, I, S, __VA_ARGS__) F(id, A, I, I, S, __VA_ARGS__) F(id, A, I, A, S, __VA_ARGS__)
#define FORMS_FBIN2(F, id, ...) \
  F(id, S, S, S, A, __VA_ARGS__) F(id, S, S, A, A, __VA_ARGS__) F(id, A, S, S, A, __VA_ARGS__) F(id, S, A, S, A, __VA_ARGS__) \
  F(id, S, S, S, S, __VA_ARGS__) F(id, S, S, A, S, __VA_ARGS__) F(id, A, S, S, S, __VA_ARGS__) F(id, S, A, S, S, __VA_ARGS__)
#define FORMS_WIDE(F, id, ...) \
  F(id, S, S, A, __VA_ARGS__) F(id, A, S, A, __VA_ARGS__) F(id, S, I, A, __VA_ARGS__) F(id, A, I, A, __VA_ARGS__) \
  F(id, S, S, S, __VA_ARGS__) F(id, A, S, S, __VA_ARGS__) F(id, S, I, S, __VA_ARGS__) F(id, A, I, S, __VA_ARGS__)
#define FORMS_ADDBR(F, id, ...) F(id, S, S, __VA_ARGS__) F(id, S, I, __VA_ARGS__) F(id, I, S, __VA_ARGS__) F(id, I, I, __VA_ARGS__)
#define FORMS_LOADOP(F, id, ...) \
  F(id, S, S, A, __VA_ARGS__) F(id, B, S, A, __VA_ARGS__) F(id, P, S, A, __VA_ARGS__) F(id, X, S, A, __VA_ARGS__) \
  F(id, S, A, A, __VA_ARGS__) F(id, B, A, A, __VA_ARGS__) F(id, P, A, A, __VA_ARGS__) F(id, X, A, A, __VA_ARGS__) \
  F(id, S, S, S, __VA_ARGS__) F(id, B, S, S, __VA_ARGS__) F(id, P, S, S, __VA_ARGS__) F(id, X, S, S, __VA_ARGS__) \
  F(id, S, A, S, __VA_ARGS__) F(id, B, A, S, __VA_ARGS__) F(id, P, A, S, __VA_ARGS__) F(id, X, A, S, __VA_ARGS__)
#define FORMS_LOADBIN2(F, id, ...) FORMS_LOADOP(F, id, __VA_ARGS__)
#define FORMS_LOADBR(F, id, ...) \
  F(id, S, S, A, __VA_ARGS__) F(id, A, S, A, __VA_ARGS__) F(id, B, S, A, __VA_ARGS__) F(id, Z, S, A, __VA_ARGS__) F(id, P, S, A, __VA_ARGS__) \
  F(id, S, I, A, __VA_ARGS__) F(id, A, I, A, __VA_ARGS__) F(id, B, I, A, __VA_ARGS__) F(id, Z, I, A, __VA_ARGS__) F(id, P, I, A, __VA_ARGS__) \
  F(id, S, S, S, __VA_ARGS__) F(id, A, S, S, __VA_ARGS__) F(id, B, S, S, __VA_ARGS__) F(id, Z, S, S, __VA_ARGS__) F(id, P, S, S, __VA_ARGS__) \
  F(id, S, I, S, __VA_ARGS__) F(id, A, I, S, __VA_ARGS__) F(id, B, I, S, __VA_ARGS__) F(id, Z, I, S, __VA_ARGS__) F(id, P, I, S, __VA_ARGS__)
#define FORMS_BINBR(F, id, ...) F(id, S, S, __VA_ARGS__) F(id, A, S, __VA_ARGS__) F(id, S, I, __VA_ARGS__) F(id, A, I, __VA_ARGS__)
#define FORMS_FBINBR(F, id, ...) \
  F(id, S, S, I, __VA_ARGS__) F(id, A, S, I, __VA_ARGS__) F(id, S, A, I, __VA_ARGS__) F(id, S, S, S, __VA_ARGS__) F(id, A, S, S, __VA_ARGS__) F(id, S, A, S, __VA_ARGS__)
#define FORMS_SELIMM(F, id, ...) \
  F(id, S, S, I, A, __VA_ARGS__) F(id, A, S, I, A, __VA_ARGS__) F(id, S, I, S, A, __VA_ARGS__) F(id, A, I, S, A, __VA_ARGS__) F(id, S, I, I, A, __VA_ARGS__) F(id, A, I, I, A, __VA_ARGS__) \
  F(id, S, S, I, S, __VA_ARGS__) F(id, A, S, I, S, __VA_ARGS__) F(id, S, I, S, S, __VA_ARGS__) F(id, A, I, S, S, __VA_ARGS__) F(id, S, I, I, S, __VA_ARGS__) F(id, A, I, I, S, __VA_ARGS__)
/* Sums in a pin: R is the pin, which is the result, too */
#define FORMS_PIN(F, id, ...) F(id, R, S, __VA_ARGS__) F(id, R, A, __VA_ARGS__) F(id, S, R, __VA_ARGS__) F(id, A, R, __VA_ARGS__)
#define FORMS_PINBIN2(F, id, ...) F(id, S, S, __VA_ARGS__) F(id, A, S, __VA_ARGS__) F(id, S, A, __VA_ARGS__)
#define FORMS_PINLOADOP(F, id, ...) F(id, S, __VA_ARGS__) F(id, B, __VA_ARGS__) F(id, P, __VA_ARGS__) F(id, X, __VA_ARGS__)
#define FORMS_PINLOADBIN2(F, id, ...) \
  F(id, S, S, __VA_ARGS__) F(id, B, S, __VA_ARGS__) F(id, P, S, __VA_ARGS__) F(id, X, S, __VA_ARGS__) \
  F(id, S, A, __VA_ARGS__) F(id, B, A, __VA_ARGS__) F(id, P, A, __VA_ARGS__) F(id, X, A, __VA_ARGS__)
/* A load and its pointer's step; what is stored, and the step */
#define FORMS_ADDLOAD(F, id, ...) F(id, A, __VA_ARGS__) F(id, S, __VA_ARGS__)
#define FORMS_INCSTORE(F, id, ...) \
  F(id, S, I, __VA_ARGS__) F(id, A, I, __VA_ARGS__) F(id, I, I, __VA_ARGS__) F(id, S, S, __VA_ARGS__) F(id, A, S, __VA_ARGS__) F(id, I, S, __VA_ARGS__)

/* Atomic accesses of memory 0, by kind and bits; a narrow result is extended by zeros. The order is that of the instructions. */
#define ATOMIC_SIZES(X, kind) X(kind, 8) X(kind, 16) X(kind, 32) X(kind, 64)
#define ATOMIC_OPS(X) \
  ATOMIC_SIZES(X, load) ATOMIC_SIZES(X, store) ATOMIC_SIZES(X, add) ATOMIC_SIZES(X, sub) ATOMIC_SIZES(X, and) ATOMIC_SIZES(X, or) \
  ATOMIC_SIZES(X, xor) ATOMIC_SIZES(X, xchg) ATOMIC_SIZES(X, cmpxchg)

/* Operations without forms; their operands lie in slots. The comment says: operands -> result; `base` operations work like a stack machine on
 * consecutive slots from `base`. */
#define MISC_OPS(X) \
  X(translate) X(exit) X(return_cross) X(unreachable) X(br) X(fuel_br) X(br_table_S) X(br_table_A) X(fuel) X(poll) X(enter) X(enter_depth) X(leave_depth) X(trace) X(profile) \
  X(copy) X(mov2) X(mov3) X(mov_add) X(add2) X(ret) X(ret_many) \
  X(call) X(call_import) X(call_indirect) X(call_ref) X(tail_call) X(tail_import) X(tail_indirect) X(tail_ref) \
  X(gget_import) X(gget_import_v128) X(gset_import) X(gset_import_v128) \
  X(memory_size) X(memory_grow) X(memory_fill) X(memory_copy) X(memory_init) X(data_drop) \
  X(table_get) X(table_set) X(table_size) X(table_grow) X(table_fill) X(table_copy) X(table_init) X(elem_drop) \
  X(ref_func) X(ref_test) X(ref_cast) X(br_on_cast) X(br_on_cast_fail) \
  X(object_new) X(struct_new_desc) X(struct_get) X(struct_set) X(ref_get_desc) X(ref_cast_desc) X(br_on_cast_desc) X(br_on_cast_desc_fail) \
  X(array_new) X(array_new_default) X(array_new_data) X(array_new_elem) X(array_get) X(array_set) \
  X(array_fill) X(array_copy) X(array_init_data) X(array_init_elem) \
  X(throw) X(throw_ref) \
  X(add128) X(sub128) X(mul_wide_s) X(mul_wide_u) \
  X(mem_load) X(mem_store) X(mem_lane) X(atomic) X(fence)

/* Every register operation in every form */
enum rop {
#define H(rop) rop,
#include "code/rop_list.h"
  ROP_COUNT
};

enum shape {
  SHAPE_MISC, SHAPE_BIN, SHAPE_RBIN, SHAPE_BR, SHAPE_UN, SHAPE_BRU, SHAPE_LOAD, SHAPE_STORE, SHAPE_GGET, SHAPE_GSET, SHAPE_MOV, SHAPE_CONST,
  SHAPE_SELECT, SHAPE_RET, SHAPE_V2, SHAPE_V3, SHAPE_SHIFT, SHAPE_REPLACE, SHAPE_EXTRACT, SHAPE_VSTORE,
  SHAPE_BIN2, SHAPE_FBIN2, SHAPE_WIDE, SHAPE_ADDBR, SHAPE_LOADOP, SHAPE_FSET, SHAPE_ESET, SHAPE_SHUFFLE, SHAPE_PERMUTE,
  SHAPE_LOADBIN2, SHAPE_LOADBR, SHAPE_BINBR, SHAPE_FBINBR, SHAPE_SELIMM, SHAPE_ADDLOAD, SHAPE_INCLOAD, SHAPE_INCSTORE,
  SHAPE_PIN, SHAPE_PINBIN2, SHAPE_PINLOADOP, SHAPE_PINLOADBIN2, SHAPE_PINLOAD
};

/* The operations as the intermediate code names them: without forms. */
enum irop {
#define X(id) IR_##id,
  MISC_OPS(X)
#undef X
#define X(kind, bits) IR_atomic_##kind##bits,
  ATOMIC_OPS(X)
#undef X
#define ROW(id, ...) IR_##id,
#define ROWS(id, ...) IR_##id, IR_br_##id,
#define BIN ROW
#define RBIN ROW
#define CMP ROWS
#define FCMP(id, ...) IR_##id, IR_br_##id, IR_bn_##id,
#define UN ROW
#define BRU ROW
#define LOAD(id, ...) IR_##id, IR_add_##id, IR_inc_##id,
#define STORE(id, ...) IR_##id, IR_inc_##id,
#define GGET ROW
#define GSET ROW
#define OBJ_GET(id, ...) IR_field_##id, IR_elem_##id,
#define OBJ_SET OBJ_GET
#define MOV ROW
#define CONST ROW
#define SELECT ROW
#define RET ROW
#define BIN2 ROW
#define FBIN2(id, ...) IR_##id, IR_pin_##id,
#define WIDE1 ROW
#define WIDE2 ROW
#define PIN ROW
#define PINLOAD ROW
#define ADDBR ROW
#define LOADOP ROW
#define LOADBIN2 ROW
#define FLOADBIN2(id, ...) IR_##id, IR_pin_##id,
#define FLOADOP FLOADBIN2
#define LOADBR ROW
#define BINBR ROW
#define FBINBR ROW
#define SELIMM ROW
#include "code/rops.def"
#define SIMD1(id) ROW(id, 0)
#define SIMD2(id) ROW(id, 0)
#define SIMD3(id) ROW(id, 0)
#define SIMD_SHIFT(id) ROW(id, 0)
#define SIMD_TEST(id) IR_##id, IR_br_##id, IR_bn_##id,
#define SIMD_SPLAT ROW
#define SIMD_EXTRACT ROW
#define SIMD_REPLACE ROW
#define SIMD_LOAD ROW
#define SIMD_STORE ROW
#define SIMD_SHUFFLE(id) ROW(id, 0)
#define SIMD_PERMUTE(id) ROW(id, 0)
#define SIMD_ROTATE(id) ROW(id, 0)
#define SIMD_TWIN(shape, id) ROW(id##_cpu, 0)
#define SIMD_PAIR ROW
#define SIMD_LOAD_OP ROW
#define SIMD_SHIFT_OP ROW
#define SIMD_OP_SHIFT ROW
#include "exec/simd.def"
#undef ROW
#undef ROWS
  IR_COUNT
};

/* Types of operands, which also name the accumulators: i32 and i64 share one. */
enum rtype { RT_NONE, RT_i32, RT_i64, RT_f32, RT_f64, RT_v128 };

struct ropinfo {
  uint16_t base; /* enum rop: its first form */
  uint8_t shape; /* enum shape */
  uint8_t in, out; /* enum rtype of operands and result */
};

const struct ropinfo *rop_info(unsigned irop);
const char *rop_name(unsigned irop);
/* The value in the first word of an operation that makes the interpreter run it. Provided by exec/. */
uint64_t exec_handler(unsigned rop);
/* Does this interpreter have superinstructions and a vector accumulator? See exec/handlers.h. */
bool exec_all_forms(void);
/* Does this processor run the twins of exec/simd.def? Asking it takes microseconds. */
bool exec_has_twins(void);
/* May the operands be exchanged? Not those of floats: which NaN comes out may differ. */
bool rop_commutative(unsigned irop);

#endif
