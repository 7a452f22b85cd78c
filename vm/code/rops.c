/* What is known of each register operation without its forms. */
#include "code/rops.h"

#define INFO(id, first, shape, in, out) [IR_##id] = {ROP_##first, SHAPE_##shape, RT_##in, RT_##out},

static const struct ropinfo infos[IR_COUNT + 2] = {
#define X(id) INFO(id, id, MISC, NONE, NONE)
    MISC_OPS(X)
#undef X
#define X(kind, bits) INFO(atomic_##kind##bits, atomic_##kind##bits, MISC, NONE, NONE)
    ATOMIC_OPS(X)
#undef X
#define BIN(id, T, ...) INFO(id, id##_SSA, BIN, T, T)
#define RBIN(id, T, ...) INFO(id, id##_SA, RBIN, T, T)
#define CMP(id, T, ...) INFO(id, id##_SSA, BIN, T, i32) INFO(br_##id, br_##id##_SS, BR, T, NONE)
#define FCMP(id, T, ...) CMP(id, T, 0) INFO(bn_##id, bn_##id##_SS, BR, T, NONE)
#define UN(id, T, R, ...) INFO(id, id##_SA, UN, T, R)
#define BRU(id, T, ...) INFO(id, id##_S, BRU, T, NONE)
#define LOAD(id, R, ...) INFO(id, id##_SA, LOAD, i32, R) INFO(add_##id, add_##id##_A, ADDLOAD, i32, R) INFO(inc_##id, inc_##id##_A, INCLOAD, i32, R)
#define STORE(id, T, ...) INFO(id, id##_SS, STORE, T, NONE) INFO(inc_##id, inc_##id##_SI, INCSTORE, T, i32)
#define GGET(id, R) INFO(id, id##_A, GGET, NONE, R)
#define GSET(id, T) INFO(id, id##_S, GSET, T, NONE)
#define OBJ_GET(id, R, ...) INFO(field_##id, field_##id##_SA, EXTRACT, i64, R) INFO(elem_##id, elem_##id##_SSA, BIN, i32, R)
#define OBJ_SET(id, T, ...) INFO(field_##id, field_##id##_SS, FSET, T, NONE) INFO(elem_##id, elem_##id##_SS, ESET, T, NONE)
#define MOV(id, T) INFO(id, id##_S, MOV, T, T)
#define CONST(id, T) INFO(id, id##_A, CONST, NONE, T)
#define SELECT(id, T) INFO(id, id##_SA, SELECT, T, T)
#define RET(id, T) INFO(id, id##_S, RET, T, NONE)
#define BIN2(id, T, ...) INFO(id, id##_SSSA, BIN2, T, T)
#define FBIN2(id, T, ...) INFO(id, id##_SSSA, FBIN2, T, T) INFO(pin_##id, pin_##id##_SS, PINBIN2, T, T)
#define WIDE1(id, ...) INFO(id, id##_SSA, WIDE, i64, i64)
#define WIDE2 WIDE1
#define PIN(id, T, ...) INFO(id, id##_RS, PIN, T, T)
#define PINLOAD(id, T) INFO(id, id, PINLOAD, T, T)
#define ADDBR(id, T, ...) INFO(id, id##_SS, ADDBR, T, T)
#define LOADOP(id, T, ...) INFO(id, id##_SSA, LOADOP, T, T)
#define LOADBIN2(id, T, ...) INFO(id, id##_SSA, LOADBIN2, T, T)
#define FLOADBIN2(id, T, ...) LOADBIN2(id, T, 0) INFO(pin_##id, pin_##id##_SS, PINLOADBIN2, T, T)
#define FLOADOP(id, T, ...) LOADOP(id, T, 0) INFO(pin_##id, pin_##id##_S, PINLOADOP, T, T)
#define LOADBR(id, T, ...) INFO(id, id##_SSA, LOADBR, T, T)
#define BINBR(id, T, ...) INFO(id, id##_SS, BINBR, T, NONE)
#define FBINBR(id, T, ...) INFO(id, id##_SSI, FBINBR, T, NONE)
#define SELIMM(id, T) INFO(id, id##_SSIA, SELIMM, i32, T)
#include "code/rops.def"
#define SIMD1(id) INFO(id, id##_SA, UN, v128, v128)
#define SIMD2(id) INFO(id, id##_SSA, V2, v128, v128)
#define SIMD3(id) INFO(id, id##_SA, V3, v128, v128)
#define SIMD_SHIFT(id) INFO(id, id##_SSA, SHIFT, v128, v128)
#define SIMD_TEST(id) INFO(id, id##_SA, UN, v128, i32) INFO(br_##id, br_##id##_S, BRU, v128, NONE) INFO(bn_##id, bn_##id##_S, BRU, v128, NONE)
#define SIMD_SPLAT(id, b) INFO(id, id##_SA, UN, i##b, v128)
#define SIMD_EXTRACT(id, b) INFO(id, id##_SA, EXTRACT, v128, i##b)
#define SIMD_REPLACE(id, b) INFO(id, id##_SSA, REPLACE, i##b, v128)
#define SIMD_LOAD(id, n) INFO(id, id##_SA, LOAD, i32, v128)
#define SIMD_STORE(id, n) INFO(id, id##_SS, VSTORE, v128, NONE)
#define SIMD_SHUFFLE(id) INFO(id, id##_SSA, SHUFFLE, v128, v128)
#define SIMD_PERMUTE(id) INFO(id, id##_SA, PERMUTE, v128, v128)
#define SIMD_ROTATE(id) INFO(id, id##_SA, EXTRACT, v128, v128)
#define SIMD_TWIN(shape, id) SIMD##shape(id##_cpu)
#define SIMD_PAIR(id, ...) INFO(id, id##_SSSA, FBIN2, v128, v128)
#define SIMD_LOAD_OP(id, ...) INFO(id, id##_SSA, LOADOP, v128, v128)
#define SIMD_SHIFT_OP(id, ...) INFO(id, id##_SSA, REPLACE, v128, v128)
#define SIMD_OP_SHIFT(id, ...) INFO(id, id##_SSA, REPLACE, v128, v128)
#include "exec/simd.def"
};

static const char *const names[] = {
#define X(id) [IR_##id] = #id,
    MISC_OPS(X)
#undef X
#define X(kind, bits) [IR_atomic_##kind##bits] = "atomic_" #kind #bits,
    ATOMIC_OPS(X)
#undef X
#define ROW(id, ...) [IR_##id] = #id,
#define BIN ROW
#define RBIN ROW
#define CMP(id, ...) [IR_##id] = #id, [IR_br_##id] = "br_" #id,
#define FCMP(id, ...) CMP(id, 0) [IR_bn_##id] = "br_not_" #id,
#define UN ROW
#define BRU ROW
#define LOAD(id, ...) [IR_##id] = #id, [IR_add_##id] = "add_" #id, [IR_inc_##id] = "inc_" #id,
#define STORE(id, ...) [IR_##id] = #id, [IR_inc_##id] = "inc_" #id,
#define GGET ROW
#define GSET ROW
#define OBJ_GET(id, ...) [IR_field_##id] = "field_" #id, [IR_elem_##id] = "elem_" #id,
#define OBJ_SET OBJ_GET
#define MOV ROW
#define CONST ROW
#define SELECT ROW
#define RET ROW
#define BIN2 ROW
#define FBIN2(id, ...) [IR_##id] = #id, [IR_pin_##id] = "pin_" #id,
#define WIDE1 ROW
#define WIDE2 ROW
#define PIN ROW
#define PINLOAD ROW
#define ADDBR ROW
#define LOADOP ROW
#define LOADBIN2 ROW
#define FLOADBIN2(id, ...) [IR_##id] = #id, [IR_pin_##id] = "pin_" #id,
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
#define SIMD_TEST(id) [IR_##id] = #id, [IR_br_##id] = "br_" #id, [IR_bn_##id] = "br_not_" #id,
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
};

bool rop_commutative(unsigned irop) {
  switch (irop) {
  case IR_i32_add: case IR_i32_mul: case IR_i32_and: case IR_i32_or: case IR_i32_xor:
  case IR_i64_add: case IR_i64_mul: case IR_i64_and: case IR_i64_or: case IR_i64_xor:
  case IR_v128_and: case IR_v128_or: case IR_v128_xor:
  case IR_i8x16_add: case IR_i16x8_add: case IR_i32x4_add: case IR_i64x2_add:
  case IR_i16x8_mul: case IR_i32x4_mul: case IR_i32x4_mul_cpu: case IR_i64x2_mul:
  case IR_i8x16_eq: case IR_i16x8_eq: case IR_i32x4_eq: case IR_i64x2_eq:
  case IR_i8x16_ne: case IR_i16x8_ne: case IR_i32x4_ne: case IR_i64x2_ne: return true;
  default: return false;
  }
}

const struct ropinfo *rop_info(unsigned irop) { return &infos[irop]; }
const char *rop_name(unsigned irop) { return irop < IR_COUNT ? names[irop] : ""; }
