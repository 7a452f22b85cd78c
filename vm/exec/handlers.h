/* All handlers, in any order. Included once, by exec/interp.c, in the place that its dispatcher needs. */
#define BIN(id, T, trap, expr) FORMS_BIN(BIN_H, id, T, trap, expr)
#define RBIN(id, T, expr) FORMS_RBIN(RBIN_H, id, T, expr)
#define CMP(id, T, expr) FORMS_BIN(CMP_H, id, T, expr) FORMS_BR(BRT_H, id, T, expr)
#define FCMP(id, T, expr) FORMS_BIN(CMP_H, id, T, expr) FORMS_BR(BRT_H, id, T, expr) FORMS_BR(BRF_H, id, T, expr)
#define UN(id, T, R, trap, expr) FORMS_UN(UN_H, id, T, R, trap, expr)
#define BRU(id, T, expr) FORMS_BRU(BRU_H, id, T, expr)
#define LOAD(id, R, n, expr) FORMS_LOAD(LOAD_H, id, R, n, expr)
#define STORE(id, T, n, stmt) FORMS_STORE(STORE_H, id, T, n, stmt)
#define GGET(id, R) FORMS_GGET(GGET_H, id, R)
#define GSET(id, T) FORMS_GSET(GSET_H, id, T)
#define MOV(id, T) FORMS_MOV(MOV_H, id, T)
#define CONST(id, T) FORMS_CONST(CONST_H, id, T)
#define SELECT(id, T) FORMS_SELECT(SELECT_H, id, T)
#define RET(id, T) FORMS_RET(RET_H, id, T)
#include "code/rops.def"
#define SIMD1(id) FORMS_UN(V1_H, id, 0)
#define SIMD2(id) FORMS_V2(V2_H, id, 0)
#define SIMD3(id) FORMS_V3(V3_H, id, 0)
#define SIMD_SHIFT(id) FORMS_VSHIFT(SHIFT_H, id, 0)
#define SIMD_TEST(id) FORMS_UN(VTEST_H, id, 0)
#define SIMD_SPLAT(id, b) FORMS_UN(SPLAT_H, id, b)
#define SIMD_EXTRACT(id, b) FORMS_UN(EXTRACT_H, id, b)
#define SIMD_REPLACE(id, b) FORMS_VREPLACE(REPLACE_H, id, b)
#define SIMD_LOAD(id, n) FORMS_LOAD(VLOAD_H, id, n)
#define SIMD_STORE(id, n) FORMS_VSTORE(VSTORE_H, id, n)
#include "exec/simd.def"
#include "exec/ops_control.h"
#include "exec/ops_misc.h"
