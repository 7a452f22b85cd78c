/* All handlers, in any order. Included once, by exec/interp.c, in the place that its dispatcher needs.
 *
 * Compilers take minutes for one function of thousands of labels. So where the handlers are labels or cases (DISPATCH_ALL_FORMS is 0), vectors live
 * in slots only and there are no superinstructions; the other forms share one handler, which code/lower.c never chooses. */
#define BIN(id, T, trap, expr) FORMS_BIN(BIN_H, id, T, trap, expr)
#define RBIN(id, T, expr) FORMS_RBIN(RBIN_H, id, T, expr)
#define CMP(id, T, expr) FORMS_BIN(CMP_H, id, T, expr) FORMS_BR(BRT_H, id, T, expr)
#define FCMP(id, T, expr) FORMS_BIN(CMP_H, id, T, expr) FORMS_BR(BRT_H, id, T, expr) FORMS_BR(BRF_H, id, T, expr)
#define UN(id, T, R, trap, expr) FORMS_UN(UN_H, id, T, R, trap, expr)
#define BRU(id, T, expr) FORMS_BRU(BRU_H, id, T, expr)
#define GGET(id, R) FORMS_GGET(GGET_H, id, R)
#define GSET(id, T) FORMS_GSET(GSET_H, id, T)
#define MOV(id, T) FORMS_MOV(MOV_H, id, T)
#define CONST(id, T) FORMS_CONST(CONST_H, id, T)
#define SELECT(id, T) FORMS_SELECT(SELECT_H, id, T)
#define RET(id, T) FORMS_RET(RET_H, id, T)
#if DISPATCH_ALL_FORMS
#define LOAD(id, R, n, expr) FORMS_LOAD(LOAD_H, id, R, n, expr) FORMS_ADDLOAD(ADDLOAD_H, id, R, n, expr) FORMS_ADDLOAD(INCLOAD_H, id, R, n, expr)
#define STORE(id, T, n, stmt) FORMS_STORE(STORE_H, id, T, n, stmt) FORMS_INCSTORE(INCSTORE_H, id, T, n, stmt)
#define BIN2(id, T, first, second, expr) FORMS_BIN2(BIN2_H, id, T, expr)
#define FBIN2(id, T, first, second, side, expr) FORMS_FBIN2(BIN2_H, id, T, expr) FORMS_PINBIN2(PIN_BIN2_H, id, T, expr)
#define WIDE1(id, first, second, expr) FORMS_WIDE(WIDE_H, id, expr)
#define WIDE2 WIDE1
#define PIN(id, T, op, expr) FORMS_PIN(PIN_H, id, T, expr)
#define PINLOAD(id, T) PINLOAD_H(id, T)
#define ADDBR(id, T, add, cmp, expr) FORMS_ADDBR(ADDBR_H, id, T, expr)
#define LOADOP(id, T, load, op, side, n, get, expr) FORMS_LOADOP(LOADOP_H, id, T, n, get, expr)
#define LOADBIN2(id, T, first, second, side, n, get, expr) FORMS_LOADBIN2(LOADBIN2_H, id, T, n, get, expr)
#define FLOADOP(id, T, load, op, side, n, get, expr) FORMS_LOADOP(LOADOP_H, id, T, n, get, expr) FORMS_PINLOADOP(PIN_LOADOP_H, id, T, n, get, expr)
#define FLOADBIN2(id, T, first, second, side, n, get, expr) FORMS_LOADBIN2(LOADBIN2_H, id, T, n, get, expr) FORMS_PINLOADBIN2(PIN_LOADBIN2_H, id, T, n, get, expr)
#define LOADBR(id, T, load, cmp, n, get, expr) FORMS_LOADBR(LOADBR_H, id, T, n, get, expr)
#define BINBR(id, T, first, branch, expr) FORMS_BINBR(BINBR_H, id, T, expr)
#define FBINBR(id, T, first, branch, expr) FORMS_FBINBR(FBINBR_H, id, T, expr)
#define SELIMM(id, T) FORMS_SELIMM(SELIMM_H, id, T)
#else
#define LOAD(id, R, n, expr) FORMS_LOAD(LOAD_H, id, R, n, expr)
#define STORE(id, T, n, stmt) FORMS_STORE(STORE_H, id, T, n, stmt)
#endif
#include "code/rops.def"

#include "exec/ops_simd.h"
#if DISPATCH_ALL_FORMS
#define SIMD1(id) FORMS_UN(V1_H, id, 0)
#define SIMD2(id) FORMS_V2(V2_H, id, 0)
#define SIMD3(id) FORMS_V3(V3_H, id, 0)
#define SIMD_SHIFT(id) FORMS_VSHIFT(SHIFT_H, id, 0)
#define SIMD_TEST(id) FORMS_UN(VTEST_H, id, 0) FORMS_BRU(VBR_H, id, 0) FORMS_BRU(VBN_H, id, 0)
#define SIMD_SPLAT(id, b) FORMS_UN(SPLAT_H, id, b)
#define SIMD_EXTRACT(id, b) FORMS_UN(EXTRACT_H, id, b)
#define SIMD_REPLACE(id, b) FORMS_VREPLACE(REPLACE_H, id, b)
#define SIMD_LOAD(id, n) FORMS_LOAD(VLOAD_H, id, n)
#define SIMD_STORE(id, n) FORMS_VSTORE(VSTORE_H, id, n)
#define SIMD_SHUFFLE(id) FORMS_VREPLACE(SHUFFLE_H, id, 0)
#define SIMD_PERMUTE(id) FORMS_UN(PERMUTE_H, id, 0)
#define SIMD_ROTATE(id) FORMS_UN(ROTATE_H, id, 0)
#define SIMD_LOAD_OP(id, second, side) FORMS_LOADOP(LOADOP_H, id, v128, 16, v128_load(p), PAIR_##side(second, x, z))
#define SIMD_PAIR(id, first, second, side) FORMS_FBIN2(PAIR_H, id, first, second, side)
#define SIMD_SHIFT_OP(id, first, second) FORMS_VREPLACE(SHIFT_OP_H, id, first, second)
#define SIMD_OP_SHIFT(id, first, second) FORMS_VREPLACE(OP_SHIFT_H, id, first, second)
#else
#define SIMD1(id) V1_H(id, S, S, 0)
#define SIMD2(id) V2_H(id, S, S, S, 0)
#define SIMD3(id) V3_H(id, S, S, 0)
#define SIMD_SHIFT(id) SHIFT_H(id, S, S, S, 0) SHIFT_H(id, S, A, S, 0) SHIFT_H(id, S, I, S, 0)
#define SIMD_TEST(id) VTEST_H(id, S, A, 0) VTEST_H(id, S, S, 0)
#define SIMD_SPLAT(id, b) SPLAT_H(id, S, S, b) SPLAT_H(id, A, S, b)
#define SIMD_EXTRACT(id, b) EXTRACT_H(id, S, A, b) EXTRACT_H(id, S, S, b)
#define SIMD_REPLACE(id, b) REPLACE_H(id, S, S, S, b) REPLACE_H(id, S, A, S, b)
#define SIMD_LOAD(id, n) \
  VLOAD_H(id, S, S, n) VLOAD_H(id, A, S, n) VLOAD_H(id, P, S, n) VLOAD_H(id, Q, S, n) VLOAD_H(id, X, S, n) VLOAD_H(id, Y, S, n) VLOAD_H(id, I, S, n) \
  VLOAD_H(id, B, S, n) VLOAD_H(id, Z, S, n) VLOAD_H(id, U, S, n) VLOAD_H(id, V, S, n)
#define SIMD_STORE(id, n) \
  VSTORE_H(id, S, S, n) VSTORE_H(id, A, S, n) VSTORE_H(id, P, S, n) VSTORE_H(id, X, S, n) VSTORE_H(id, I, S, n) VSTORE_H(id, B, S, n) VSTORE_H(id, U, S, n)
#define SIMD_SHUFFLE(id) SHUFFLE_H(id, S, S, S, 0)
#define SIMD_PERMUTE(id) PERMUTE_H(id, S, S, 0)
#endif
#define SIMD_TWIN(shape, id) SIMD##shape(id##_cpu)
#include "exec/simd.def"

#if !DISPATCH_ALL_FORMS
#define M1(id, a, ...) HANDLER(ROP_##id##_##a);
#define M2(id, a, b, ...) HANDLER(ROP_##id##_##a##b);
#define M3(id, a, b, c, ...) HANDLER(ROP_##id##_##a##b##c);
#define M4(id, a, b, c, d, ...) HANDLER(ROP_##id##_##a##b##c##d);
#define BIN2(id, ...) FORMS_BIN2(M4, id, 0)
#define FBIN2(id, ...) FORMS_FBIN2(M4, id, 0) FORMS_PINBIN2(M2, pin_##id, 0)
#define WIDE1(id, ...) FORMS_WIDE(M3, id, 0)
#define WIDE2 WIDE1
#define PIN(id, ...) FORMS_PIN(M2, id, 0)
#define PINLOAD(id, ...) HANDLER(ROP_##id);
#define CMP(id, ...) FORMS_BR(M2, fuel_br_##id, 0)
#define FCMP(id, ...) CMP(id, 0) FORMS_BR(M2, fuel_bn_##id, 0)
#define BRU(id, ...) FORMS_BRU(M1, fuel_##id, 0)
#define ADDBR(id, ...) FORMS_ADDBR(M2, id, 0) FORMS_ADDBR(M2, fuel_##id, 0)
#define LOADOP(id, ...) FORMS_LOADOP(M3, id, 0)
#define LOADBIN2(id, ...) FORMS_LOADBIN2(M3, id, 0)
#define FLOADOP(id, ...) FORMS_LOADOP(M3, id, 0) FORMS_PINLOADOP(M1, pin_##id, 0)
#define FLOADBIN2(id, ...) FORMS_LOADBIN2(M3, id, 0) FORMS_PINLOADBIN2(M2, pin_##id, 0)
#define LOADBR(id, ...) FORMS_LOADBR(M3, id, 0) FORMS_LOADBR(M3, fuel_##id, 0)
#define BINBR(id, ...) FORMS_BINBR(M2, id, 0) FORMS_BINBR(M2, fuel_##id, 0)
#define FBINBR(id, ...) FORMS_FBINBR(M3, id, 0) FORMS_FBINBR(M3, fuel_##id, 0)
#define SELIMM(id, ...) FORMS_SELIMM(M4, id, 0)
#define LOAD(id, ...) FORMS_ADDLOAD(M1, add_##id, 0) FORMS_ADDLOAD(M1, inc_##id, 0)
#define STORE(id, ...) FORMS_INCSTORE(M2, inc_##id, 0)
#include "code/rops.def"
#define PAYING(id) FORMS_BRU(M1, id, 0) FORMS_BRU(M1, fuel_##id, 0)
#define SIMD1(id) M2(id, S, A, 0) M2(id, A, A, 0) M2(id, A, S, 0)
#define SIMD2(id) \
  M3(id, S, S, A, 0) M3(id, S, A, A, 0) M3(id, A, S, A, 0) M3(id, S, I, A, 0) M3(id, A, I, A, 0) M3(id, S, A, S, 0) M3(id, A, S, S, 0) M3(id, S, I, S, 0) M3(id, A, I, S, 0)
#define SIMD3(id) M2(id, S, A, 0) M2(id, A, A, 0) M2(id, C, A, 0) M2(id, A, S, 0) M2(id, C, S, 0)
#define SIMD_SHIFT(id) \
  M3(id, S, S, A, 0) M3(id, S, A, A, 0) M3(id, A, S, A, 0) M3(id, S, I, A, 0) M3(id, A, I, A, 0) M3(id, A, S, S, 0) M3(id, A, I, S, 0)
#define SIMD_TEST(id) M2(id, A, A, 0) M2(id, A, S, 0) PAYING(br_##id) PAYING(bn_##id)
#define SIMD_SPLAT(id, b) M2(id, S, A, 0) M2(id, A, A, 0)
#define SIMD_EXTRACT(id, b) M2(id, A, A, 0) M2(id, A, S, 0)
#define SIMD_REPLACE(id, b) M3(id, S, S, A, 0) M3(id, S, A, A, 0) M3(id, A, S, A, 0) M3(id, A, S, S, 0)
#define SIMD_LOAD(id, n) \
  M2(id, S, A, 0) M2(id, A, A, 0) M2(id, P, A, 0) M2(id, Q, A, 0) M2(id, X, A, 0) M2(id, Y, A, 0) M2(id, I, A, 0) M2(id, B, A, 0) M2(id, Z, A, 0) M2(id, U, A, 0) M2(id, V, A, 0)
#define SIMD_STORE(id, n) M2(id, S, A, 0) M2(id, A, A, 0) M2(id, P, A, 0) M2(id, X, A, 0) M2(id, I, A, 0) M2(id, B, A, 0) M2(id, U, A, 0)
#define SIMD_SHUFFLE(id) M3(id, S, S, A, 0) M3(id, S, A, A, 0) M3(id, A, S, A, 0) M3(id, S, A, S, 0) M3(id, A, S, S, 0)
#define SIMD_PERMUTE(id) M2(id, S, A, 0) M2(id, A, A, 0) M2(id, A, S, 0)
#define SIMD_ROTATE(id) FORMS_UN(M2, id, 0)
#define SIMD_TWIN(shape, id) SIMD##shape(id##_cpu)
#define SIMD_LOAD_OP(id, ...) FORMS_LOADOP(M3, id, 0)
#define SIMD_PAIR(id, ...) FORMS_FBIN2(M4, id, 0)
#define SIMD_SHIFT_OP(id, ...) FORMS_VREPLACE(M3, id, 0)
#define SIMD_OP_SHIFT SIMD_SHIFT_OP
#include "exec/simd.def"
  TRAP(TRAP_UNREACHABLE);
#endif

#include "exec/ops_control.h"
#include "exec/ops_misc.h"
#include "exec/ops_object.h"
