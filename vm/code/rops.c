/* What is known of each register operation without its forms. */
#include "code/rops.h"

#define INFO(id, first, shape, in, out) [IR_##id] = {ROP_##first, SHAPE_##shape, RT_##in, RT_##out},

static const struct ropinfo infos[IR_COUNT + 2] = {
#define X(id) INFO(id, id, MISC, NONE, NONE)
    MISC_OPS(X)
#undef X
#define BIN(id, T, ...) INFO(id, id##_SSA, BIN, T, T)
#define RBIN(id, T, ...) INFO(id, id##_SA, RBIN, T, T)
#define CMP(id, T, ...) INFO(id, id##_SSA, BIN, T, i32) INFO(br_##id, br_##id##_SS, BR, T, NONE)
#define FCMP(id, T, ...) CMP(id, T, 0) INFO(bn_##id, bn_##id##_SS, BR, T, NONE)
#define UN(id, T, R, ...) INFO(id, id##_SA, UN, T, R)
#define BRU(id, T, ...) INFO(id, id##_S, BRU, T, NONE)
#define LOAD(id, R, ...) INFO(id, id##_SA, LOAD, i32, R)
#define STORE(id, T, ...) INFO(id, id##_SS, STORE, T, NONE)
#define GGET(id, R) INFO(id, id##_A, GGET, NONE, R)
#define GSET(id, T) INFO(id, id##_S, GSET, T, NONE)
#define MOV(id, T) INFO(id, id##_S, MOV, T, T)
#define CONST(id, T) INFO(id, id##_A, CONST, NONE, T)
#define SELECT(id, T) INFO(id, id##_SA, SELECT, T, T)
#define RET(id, T) INFO(id, id##_S, RET, T, NONE)
#define BIN2(id, T, ...) INFO(id, id##_SSSA, BIN2, T, T)
#define FBIN2(id, T, ...) INFO(id, id##_SSSA, FBIN2, T, T)
#define ADDBR(id, T, ...) INFO(id, id##_SS, ADDBR, T, T)
#define SELCMP(id, T, ...) INFO(id, id##_SSA, SELCMP, T, i64)
#define LOADOP(id, T, ...) INFO(id, id##_SSA, LOADOP, T, T)
#include "code/rops.def"
#define SIMD1(id) INFO(id, id##_SA, UN, v128, v128)
#define SIMD2(id) INFO(id, id##_SSA, V2, v128, v128)
#define SIMD3(id) INFO(id, id##_SA, V3, v128, v128)
#define SIMD_SHIFT(id) INFO(id, id##_SSA, SHIFT, v128, v128)
#define SIMD_TEST(id) INFO(id, id##_SA, UN, v128, i32)
#define SIMD_SPLAT(id, b) INFO(id, id##_SA, UN, i##b, v128)
#define SIMD_EXTRACT(id, b) INFO(id, id##_SA, EXTRACT, v128, i##b)
#define SIMD_REPLACE(id, b) INFO(id, id##_SSA, REPLACE, i##b, v128)
#define SIMD_LOAD(id, n) INFO(id, id##_SA, LOAD, i32, v128)
#define SIMD_STORE(id, n) INFO(id, id##_SS, VSTORE, v128, NONE)
#include "exec/simd.def"
};

static const char *const names[] = {
#define X(id) [IR_##id] = #id,
    MISC_OPS(X)
#undef X
#define ROW(id, ...) [IR_##id] = #id,
#define BIN ROW
#define RBIN ROW
#define CMP(id, ...) [IR_##id] = #id, [IR_br_##id] = "br_" #id,
#define FCMP(id, ...) CMP(id, 0) [IR_bn_##id] = "br_not_" #id,
#define UN ROW
#define BRU ROW
#define LOAD ROW
#define STORE ROW
#define GGET ROW
#define GSET ROW
#define MOV ROW
#define CONST ROW
#define SELECT ROW
#define RET ROW
#define BIN2 ROW
#define FBIN2 ROW
#define ADDBR ROW
#define SELCMP ROW
#define LOADOP ROW
#include "code/rops.def"
#define SIMD1(id) ROW(id, 0)
#define SIMD2(id) ROW(id, 0)
#define SIMD3(id) ROW(id, 0)
#define SIMD_SHIFT(id) ROW(id, 0)
#define SIMD_TEST(id) ROW(id, 0)
#define SIMD_SPLAT ROW
#define SIMD_EXTRACT ROW
#define SIMD_REPLACE ROW
#define SIMD_LOAD ROW
#define SIMD_STORE ROW
#include "exec/simd.def"
};

const struct ropinfo *rop_info(unsigned irop) { return &infos[irop]; }
const char *rop_name(unsigned irop) { return irop < IR_COUNT ? names[irop] : ""; }
