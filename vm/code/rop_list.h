/* H(rop) for every register operation in every form: the order of enum rop. */
#define L3(id, a, b, d, ...) H(ROP_##id##_##a##b##d)
#define L2(id, a, d, ...) H(ROP_##id##_##a##d)
#define L1(id, a, ...) H(ROP_##id##_##a)
#define L4(id, a, b, c, d, ...) H(ROP_##id##_##a##b##c##d)
/* The forms of a branch, and as many that pay fuel */
#define PAYING(FORMS, L, id) FORMS(L, id, 0) FORMS(L, fuel_##id, 0)
#define X(id) H(ROP_##id)
MISC_OPS(X)
#undef X
#define X(kind, bits) H(ROP_atomic_##kind##bits)
ATOMIC_OPS(X)
#undef X
#define BIN(id, ...) FORMS_BIN(L3, id, 0)
#define RBIN(id, ...) FORMS_RBIN(L2, id, 0)
#define CMP(id, ...) FORMS_BIN(L3, id, 0) PAYING(FORMS_BR, L2, br_##id)
#define FCMP(id, ...) CMP(id, 0) PAYING(FORMS_BR, L2, bn_##id)
#define UN(id, ...) FORMS_UN(L2, id, 0)
#define BRU(id, ...) PAYING(FORMS_BRU, L1, id)
#define LOAD(id, ...) FORMS_LOAD(L2, id, 0) FORMS_ADDLOAD(L1, add_##id, 0) FORMS_ADDLOAD(L1, inc_##id, 0)
#define STORE(id, ...) FORMS_STORE(L2, id, 0) FORMS_INCSTORE(L2, inc_##id, 0)
#define GGET(id, ...) FORMS_GGET(L1, id, 0)
#define GSET(id, ...) FORMS_GSET(L1, id, 0)
#define LF2(id, a, b, ...) H(ROP_field_##id##_##a##b)
#define LE2(id, a, b, ...) H(ROP_elem_##id##_##a##b)
#define LE3(id, a, b, d, ...) H(ROP_elem_##id##_##a##b##d)
#define OBJ_GET(id, ...) FORMS_UN(LF2, id, 0) FORMS_BIN(LE3, id, 0)
#define OBJ_SET(id, ...) FORMS_FSET(LF2, id, 0) FORMS_ESET(LE2, id, 0)
#define MOV(id, ...) FORMS_MOV(L1, id, 0)
#define CONST(id, ...) FORMS_CONST(L1, id, 0)
#define SELECT(id, ...) FORMS_SELECT(L2, id, 0)
#define RET(id, ...) FORMS_RET(L1, id, 0)
#define BIN2(id, ...) FORMS_BIN2(L4, id, 0)
#define FBIN2(id, ...) FORMS_FBIN2(L4, id, 0) FORMS_PINBIN2(L2, pin_##id, 0)
#define WIDE1(id, ...) FORMS_WIDE(L3, id, 0)
#define WIDE2 WIDE1
#define PIN(id, ...) FORMS_PIN(L2, id, 0)
#define PINLOAD(id, ...) H(ROP_##id)
#define ADDBR(id, ...) PAYING(FORMS_ADDBR, L2, id)
#define LOADOP(id, ...) FORMS_LOADOP(L3, id, 0)
#define LOADBIN2(id, ...) FORMS_LOADBIN2(L3, id, 0)
#define FLOADOP(id, ...) FORMS_LOADOP(L3, id, 0) FORMS_PINLOADOP(L1, pin_##id, 0)
#define FLOADBIN2(id, ...) FORMS_LOADBIN2(L3, id, 0) FORMS_PINLOADBIN2(L2, pin_##id, 0)
#define LOADBR(id, ...) PAYING(FORMS_LOADBR, L3, id)
#define BINBR(id, ...) PAYING(FORMS_BINBR, L2, id)
#define FBINBR(id, ...) PAYING(FORMS_FBINBR, L3, id)
#define SELIMM(id, ...) FORMS_SELIMM(L4, id, 0)
#include "code/rops.def"
#define SIMD1(id) FORMS_UN(L2, id, 0)
#define SIMD2(id) FORMS_V2(L3, id, 0)
#define SIMD3(id) FORMS_V3(L2, id, 0)
#define SIMD_SHIFT(id) FORMS_VSHIFT(L3, id, 0)
#define SIMD_TEST(id) FORMS_UN(L2, id, 0) PAYING(FORMS_BRU, L1, br_##id) PAYING(FORMS_BRU, L1, bn_##id)
#define SIMD_SPLAT(id, b) FORMS_UN(L2, id, 0)
#define SIMD_EXTRACT(id, b) FORMS_UN(L2, id, 0)
#define SIMD_REPLACE(id, b) FORMS_VREPLACE(L3, id, 0)
#define SIMD_LOAD(id, n) FORMS_LOAD(L2, id, 0)
#define SIMD_STORE(id, n) FORMS_VSTORE(L2, id, 0)
#define SIMD_SHUFFLE(id) FORMS_VREPLACE(L3, id, 0)
#define SIMD_PERMUTE(id) FORMS_UN(L2, id, 0)
#define SIMD_ROTATE(id) FORMS_UN(L2, id, 0)
#define SIMD_TWIN(shape, id) SIMD##shape(id##_cpu)
#define SIMD_PAIR(id, ...) FORMS_FBIN2(L4, id, 0)
#define SIMD_LOAD_OP(id, ...) FORMS_LOADOP(L3, id, 0)
#define SIMD_SHIFT_OP(id, ...) FORMS_VREPLACE(L3, id, 0)
#define SIMD_OP_SHIFT(id, ...) FORMS_VREPLACE(L3, id, 0)
#include "exec/simd.def"
#undef L4
#undef L3
#undef L2
#undef L1
#undef LF2
#undef LE2
#undef LE3
#undef PAYING
#undef H
