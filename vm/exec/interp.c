/* The interpreter (core/exec/instructions): handlers for every register operation, made from rops.def and simd.def by the macros below, and
 * from exec/ops_*.h. They know the encoding (code/encoding.h) and nothing of modules' binaries.
 *
 * A handler must not use C's stack for more than a moment: it ends in a tail call. What needs a loop or a call of something large is a function of
 * exec/slow.c or exec/calls.c. */
#include "exec/dispatch.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "exec/profile.h"
#include "exec/slow.h"

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wunused-parameter"
#pragma clang diagnostic ignored "-Wunused-variable"
#pragma clang diagnostic ignored "-Wunused-label"
#pragma clang diagnostic ignored "-Wpedantic"
#pragma clang diagnostic ignored "-Wunused-value"
#pragma clang diagnostic ignored "-Wconversion"
#pragma clang diagnostic ignored "-Wshadow"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wunused-label"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#endif

/* ---- operand shapes: each macro writes the handler of one form ---- */

#define BIN_H(id, a, b, d, T, trap, expr) \
  HANDLER(ROP_##id##_##a##b##d) { \
    const C_##T x = GET_##a(T, pc[1].u32[0]), y = GET_##b(T, pc[1].u32[1]); \
    const int t = (trap); \
    if (unlikely(t)) TRAP(t); \
    PUT_##d(T, (C_##T)(expr), WIDE_##b##_##T ? pc[1].u32[1] : pc[2].u32[0]); \
    NEXT(2 + (WIDE_##b##_##T ? 1 : EXTRA_##d)); \
  }
/* x is the immediate, y the operand */
#define RBIN_H(id, a, d, T, expr) \
  HANDLER(ROP_##id##_##a##d) { \
    const C_##T y = GET_##a(T, pc[1].u32[0]), x = IMM_AT_##T; \
    PUT_##d(T, (C_##T)(expr), WIDE_I_##T ? pc[1].u32[1] : pc[2].u32[0]); \
    NEXT(2 + (WIDE_I_##T ? 1 : EXTRA_##d)); \
  }
#define CMP_H(id, a, b, d, T, expr) \
  HANDLER(ROP_##id##_##a##b##d) { \
    const C_##T x = GET_##a(T, pc[1].u32[0]), y = GET_##b(T, pc[1].u32[1]); \
    PUT_##d(i32, (uint32_t)(expr), WIDE_##b##_##T ? pc[1].u32[1] : pc[2].u32[0]); \
    NEXT(2 + (WIDE_##b##_##T ? 1 : EXTRA_##d)); \
  }
/* A branch of so many words, after what reads its operands; and one that pays, with one more: [taken, not taken] */
#define BRANCH_H(name, words, target, taken, ...) \
  HANDLER(ROP_##name) { \
    __VA_ARGS__; \
    if (taken) GO(target); \
    NEXT(words); \
  } \
  PAYING_H(name, words, target, taken, __VA_ARGS__)
#if DISPATCH_ALL_FORMS
#define PAYING_H(name, words, target, taken, ...) \
  HANDLER(ROP_fuel_##name) { \
    __VA_ARGS__; \
    if (taken) { \
      PAY(pc[words].u32[0]); \
      GO(target); \
    } \
    PAY(pc[words].u32[1]); \
    NEXT((words) + 1); \
  }
#else
#define PAYING_H(...)
#endif
#define BR_H(name, a, b, T, expr) \
  BRANCH_H(name##_##a##b, 3 + WIDE_##b##_##T, pc[2 + WIDE_##b##_##T], expr, const C_##T x = GET_##a(T, pc[1].u32[0]), y = GET_##b(T, pc[1].u32[1]))
#define BRT_H(id, a, b, T, expr) BR_H(br_##id, a, b, T, expr)
#define BRF_H(id, a, b, T, expr) BR_H(bn_##id, a, b, T, !(expr))
#define BRU_H(id, a, T, expr) BRANCH_H(id##_##a, 3, pc[2], expr, const C_##T x = GET_##a(T, pc[1].u32[0]))
#define UN_H(id, a, d, T, R, trap, expr) \
  HANDLER(ROP_##id##_##a##d) { \
    const C_##T x = GET_##a(T, pc[1].u32[0]); \
    C_##R out; \
    const int t = (trap); \
    if (unlikely(t)) TRAP(t); \
    PUT_##d(R, (C_##R)(expr), pc[1].u32[1]); \
    NEXT(2); \
  }

/* The end of an access, so that one add and one compare check it: 32-bit address plus static offset plus size cannot overflow. [h][a, b][end, ...] */
#define ACCESS_END pc[2].u32[0]
#define SLOT_A ((uint32_t)fp[pc[1].u32[0]])
#define SLOT_B ((uint32_t)fp[pc[1].u32[1]])
#define CONST_B pc[1].u32[1]
#define SHIFT (pc[3].u32[0] & 31)
#define ADDRESS_S(n) SLOT_A
#define ADDRESS_A(n) ((uint32_t)acc)
#define ADDRESS_P(n) (SLOT_A + SLOT_B)
#define ADDRESS_Q(n) (SLOT_A + (uint32_t)acc)
#define ADDRESS_X(n) (SLOT_A + SLOT_B * (n))
#define ADDRESS_Y(n) (SLOT_A + (uint32_t)acc * (n))
#define ADDRESS_B(n) (SLOT_A + CONST_B)
#define ADDRESS_Z(n) ((uint32_t)acc + CONST_B)
#define ADDRESS_U(n) ((SLOT_A << SHIFT) + CONST_B)
#define ADDRESS_V(n) (((uint32_t)acc << SHIFT) + CONST_B)
#define ADDRESS_I(n) 0
/* U and V have a word for the shift. */
#define ACCESS_WORDS(am) (3 + (#am[0] == 'U' || #am[0] == 'V'))
/* Makes `p` the n bytes of an access. */
#define ACCESS(am, n) \
  const uint64_t end = (uint64_t)ADDRESS_##am(n) + ACCESS_END; \
  if (unlikely(end > len)) GOTO_HANDLER(oob); \
  uint8_t *const p = mem + end - (n);
#define LOAD_H(id, am, d, R, n, expr) \
  HANDLER(ROP_##id##_##am##d) { \
    ACCESS(am, n) \
    PUT_##d(R, (C_##R)(expr), pc[2].u32[1]); \
    NEXT(ACCESS_WORDS(am)); \
  }
#define STORE_VAL_S(T) SLOT_##T(pc[2].u32[1])
#define STORE_VAL_A(T) ACC_##T
#define STORE_VAL_I(T) STORE_IMM_##T
#define STORE_IMM_i32 pc[2].u32[1]
#define STORE_IMM_f32 f32_reinterpret_i32(pc[2].u32[1])
#define STORE_IMM_i64 pc[3].u64
#define STORE_IMM_f64 f64_reinterpret_i64(pc[3].u64)
#define STORE_H(id, am, v, T, n, stmt) \
  HANDLER(ROP_##id##_##am##v) { \
    ACCESS(am, n) \
    const C_##T x = STORE_VAL_##v(T); \
    stmt; \
    NEXT(ACCESS_WORDS(am) + WIDE_##v##_##T); \
  }
#define GGET_H(id, d, R) \
  HANDLER(ROP_##id##_##d) { \
    const cell *g = &inst->cells[pc[1].u32[0]]; \
    PUT_##d(R, CELLS_##R(g), pc[1].u32[1]); \
    NEXT(2); \
  }
#define CELLS_i64(g) (*(g))
#define CELLS_f32(g) f32_reinterpret_i32((uint32_t)*(g))
#define CELLS_f64(g) f64_reinterpret_i64(*(g))
#define CELLS_v128(g) v128_from_cells(g)
#define TO_CELLS_i64(v, g) (*(g) = (v))
#define TO_CELLS_f32(v, g) (*(g) = i32_reinterpret_f32(v))
#define TO_CELLS_f64(v, g) (*(g) = i64_reinterpret_f64(v))
#define TO_CELLS_v128(v, g) v128_to_cells(v, g)
#define GSET_H(id, a, T) GSET_H_##a(id, T)
#define GSET_H_S(id, T) \
  HANDLER(ROP_##id##_S) { \
    TO_CELLS_##T(SLOT_##T(pc[1].u32[1]), &inst->cells[pc[1].u32[0]]); \
    NEXT(2); \
  }
#define GSET_H_A(id, T) \
  HANDLER(ROP_##id##_A) { \
    TO_CELLS_##T(ACC_##T, &inst->cells[pc[1].u32[0]]); \
    NEXT(2); \
  }
#define GSET_H_I(id, T) GSET_I_##T(id)
#define GSET_I_CELL(id) \
  HANDLER(ROP_##id##_I) { \
    inst->cells[pc[1].u32[0]] = pc[2].u64; \
    NEXT(3); \
  }
#define GSET_I_i64(id) GSET_I_CELL(id)
#define GSET_I_f32(id) GSET_I_CELL(id)
#define GSET_I_f64(id) GSET_I_CELL(id)
#define GSET_I_v128(id) \
  HANDLER(ROP_##id##_I) { TRAP(TRAP_UNREACHABLE); }
#define MOV_H(id, a, T) MOV_##a(id, T)
/* Slot to slot leaves the accumulators alone */
#define MOV_S(id, T) \
  HANDLER(ROP_##id##_S) { \
    const cell *s = &fp[pc[1].u32[0]]; \
    cell *d = &fp[pc[1].u32[1]]; \
    if (sizeof(C_##T) == 16) { \
      cell lo = s[0], hi = s[1]; \
      d[0] = lo, d[1] = hi; \
    } else \
      *d = *s; \
    NEXT(2); \
  }
#define MOV_A(id, T) \
  HANDLER(ROP_##id##_A) { \
    STORE_##T(pc[1].u32[1]); \
    NEXT(2); \
  }
#define CONST_H(id, d, T) \
  HANDLER(ROP_##id##_##d) { \
    PUT_##d(T, CONST_##T, pc[1].u32[0]); \
    NEXT(sizeof(C_##T) == 16 ? 4 : 3); \
  }
#define CONST_i64 (pc[2].u64)
#define CONST_f32 f32_reinterpret_i32((uint32_t)pc[2].u64)
#define CONST_f64 f64_reinterpret_i64(pc[2].u64)
#define CONST_v128 v128_from_cells(&pc[2].u64)
#define SELECT_H(id, c, d, T) \
  HANDLER(ROP_##id##_##c##d) { \
    const uint32_t n = GET_##c(i32, pc[1].u32[0]) ? pc[1].u32[1] : pc[2].u32[0]; \
    PUT_##d(T, SLOT_##T(n), pc[2].u32[1]); \
    NEXT(3); \
  }
/* One result: to the accumulator and to the callee's first cell, which is where the caller expects it */
#define RET_H(id, a, T) RET_##a(id, T)
#define RET_BODY(T, v) \
  const cell *info = fp + pc[1].u32[1]; \
  const union word *to = (const union word *)(uintptr_t)info[0]; \
  cell *caller = (cell *)(uintptr_t)info[1]; \
  KEEP_##T(v); \
  STORE_##T(0); \
  pc = to; \
  fp = caller; \
  DISPATCH();
#define RET_S(id, T) \
  HANDLER(ROP_##id##_S) { RET_BODY(T, SLOT_##T(pc[1].u32[0])) }
#define RET_A(id, T) \
  HANDLER(ROP_##id##_A) { RET_BODY(T, ACC_##T) }
#define RET_I(id, T) \
  HANDLER(ROP_##id##_I) { RET_BODY(T, CONST_##T) }
/* Sums that live in a register while a loop runs, and in their slot as well: see code/pin.c. [h][a, b][d] */
#define PIN_f32 gs
#define PIN_f64 gd
#define PIN_GET_R(T, n) PIN_##T
#define PIN_GET_S(T, n) SLOT_##T(n)
#define PIN_GET_A(T, n) ACC_##T
#define PIN_PUT(T, v, n) (PUT_S(T, v, n), PIN_##T = ACC_##T)
#define PIN_H(id, a, b, T, expr) \
  HANDLER(ROP_##id##_##a##b) { \
    const C_##T x = PIN_GET_##a(T, pc[1].u32[0]), y = PIN_GET_##b(T, pc[1].u32[1]); \
    PIN_PUT(T, expr, pc[2].u32[0]); \
    NEXT(3); \
  }
#define PIN_BIN2_H(id, a, b, T, expr) \
  HANDLER(ROP_pin_##id##_##a##b) { \
    const C_##T x = PIN_GET_##a(T, pc[1].u32[0]), y = PIN_GET_##b(T, pc[1].u32[1]), z = PIN_##T; \
    PIN_PUT(T, expr, pc[2].u32[1]); \
    NEXT(3); \
  }
#define PIN_LOADBIN2_H(id, am, c, T, n, get, expr) \
  HANDLER(ROP_pin_##id##_##am##c) { \
    ACCESS(am, n) \
    const C_##T x = (get), y = SHORT_##c(T, pc[2].u32[1]), z = PIN_##T; \
    PIN_PUT(T, expr, pc[3].u32[1]); \
    NEXT(4); \
  }
#define PIN_LOADOP_H(id, am, T, n, get, expr) \
  HANDLER(ROP_pin_##id##_##am) { \
    ACCESS(am, n) \
    const C_##T x = (get), z = PIN_##T; \
    PIN_PUT(T, expr, pc[3].u32[0]); \
    NEXT(4); \
  }
#define PINLOAD_H(id, T) \
  HANDLER(ROP_##id) { \
    PIN_##T = SLOT_##T(pc[1].u32[0]); \
    NEXT(2); \
  }

/* Superinstructions. Immediates have 32 bits, sign-extended. */
#define SHORT_S(T, n) SLOT_##T(n)
#define SHORT_A(T, n) ACC_##T
#define SHORT_I(T, n) ((C_##T)(int32_t)(n))
#define BIN2_H(id, a, b, c, d, T, expr) \
  HANDLER(ROP_##id##_##a##b##c##d) { \
    const C_##T x = SHORT_##a(T, pc[1].u32[0]), y = SHORT_##b(T, pc[1].u32[1]), z = SHORT_##c(T, pc[2].u32[0]); \
    PUT_##d(T, (C_##T)(expr), pc[2].u32[1]); \
    NEXT(3); \
  }
#define WIDE_H(id, a, c, d, expr) \
  HANDLER(ROP_##id##_##a##c##d) { \
    const uint64_t x = GET_##a(i64, pc[1].u32[0]), y = pc[2].u64, z = SHORT_##c(i64, pc[1].u32[1]); \
    PUT_##d(i64, expr, pc[3].u32[0]); \
    NEXT(4); \
  }
#define ADDBR_H(id, b, c, T, expr) \
  BRANCH_H(id##_##b##c, 4, pc[3], expr, \
           const C_##T x = (C_##T)(SLOT_##T(pc[1].u32[0]) + SHORT_##b(T, pc[1].u32[1])), y = SHORT_##c(T, pc[2].u32[0]); \
           PUT_S(T, x, pc[2].u32[1]))
#define SELIMM_H(id, c, a, b, d, T) \
  HANDLER(ROP_##id##_##c##a##b##d) { \
    const C_##T x = SHORT_##a(T, pc[1].u32[1]), y = SHORT_##b(T, pc[2].u32[0]); \
    PUT_##d(T, GET_##c(i32, pc[1].u32[0]) ? x : y, pc[2].u32[1]); \
    NEXT(3); \
  }
#define BINBR_H(id, a, b, T, expr) \
  BRANCH_H(id##_##a##b, 3, pc[2], expr, const C_##T x = SHORT_##a(T, pc[1].u32[0]), y = SHORT_##b(T, pc[1].u32[1]))
/* [h][a, b][end, c][d] */
#define LOADOP_H(id, am, c, d, T, n, get, expr) \
  HANDLER(ROP_##id##_##am##c##d) { \
    ACCESS(am, n) \
    const C_##T x = (get), z = SHORT_##c(T, pc[2].u32[1]); \
    PUT_##d(T, (C_##T)(expr), pc[3].u32[0]); \
    NEXT(4); \
  }
/* [h][a, b][z][target] */
#define FBINBR_Z_I(T) CELLS_##T(&pc[2].u64)
#define FBINBR_Z_S(T) SLOT_##T(pc[2].u32[0])
#define FBINBR_H(id, a, b, c, T, expr) \
  BRANCH_H(id##_##a##b##c, 4, pc[3], expr, const C_##T x = GET_##a(T, pc[1].u32[0]), y = GET_##b(T, pc[1].u32[1]), z = FBINBR_Z_##c(T))
/* [h][a, b][end, y][z, d] */
#define LOADBIN2_H(id, am, c, d, T, n, get, expr) \
  HANDLER(ROP_##id##_##am##c##d) { \
    ACCESS(am, n) \
    const C_##T x = (get), y = SHORT_##c(T, pc[2].u32[1]), z = SLOT_##T(pc[3].u32[0]); \
    PUT_##d(T, (C_##T)(expr), pc[3].u32[1]); \
    NEXT(4); \
  }
/* [h][a, b][end, y][d][target] */
#define LOADBR_H(id, am, c, d, T, n, get, expr) \
  BRANCH_H(id##_##am##c##d, 5, pc[4], expr, \
           ACCESS(am, n) \
           const C_##T x = (get), y = SHORT_##c(T, pc[2].u32[1]); \
           PUT_##d(T, x, pc[3].u32[0]))
/* [h][a, step][pointer, end][d]: pointer = a + step; d = the value there. Nothing is written before the check, for it may be done again. */
#define ADDLOAD_H(id, d, R, n, expr) \
  HANDLER(ROP_add_##id##_##d) { \
    const uint32_t address = (uint32_t)fp[pc[1].u32[0]] + pc[1].u32[1]; \
    const uint64_t end = (uint64_t)address + pc[2].u32[1]; \
    if (unlikely(end > len)) GOTO_HANDLER(oob); \
    const uint8_t *p = mem + end - (n); \
    fp[pc[2].u32[0]] = address; \
    PUT_##d(R, (C_##R)(expr), pc[3].u32[0]); \
    NEXT(4); \
  }
/* [h][a, copy][step, pointer][end, d]: copy = a; pointer = a + step; d = the value at a */
#define INCLOAD_H(id, d, R, n, expr) \
  HANDLER(ROP_inc_##id##_##d) { \
    const cell address = fp[pc[1].u32[0]]; \
    const uint64_t end = (uint64_t)(uint32_t)address + pc[3].u32[0]; \
    if (unlikely(end > len)) GOTO_HANDLER(oob); \
    const uint8_t *p = mem + end - (n); \
    fp[pc[1].u32[1]] = address; \
    fp[pc[2].u32[1]] = (uint32_t)address + pc[2].u32[0]; \
    PUT_##d(R, (C_##R)(expr), pc[3].u32[1]); \
    NEXT(4); \
  }
/* [h][a, end][v, step]: v to memory at a; a += step */
#define INCSTORE_H(id, v, b, T, n, stmt) \
  HANDLER(ROP_inc_##id##_##v##b) { \
    const uint32_t address = (uint32_t)fp[pc[1].u32[0]]; \
    const uint64_t end = (uint64_t)address + pc[1].u32[1]; \
    if (unlikely(end > len)) GOTO_HANDLER(oob); \
    uint8_t *p = mem + end - (n); \
    const C_##T x = SHORT_##v(T, pc[2].u32[0]); \
    stmt; \
    PUT_S(i32, address + SHORT_##b(i32, pc[2].u32[1]), pc[1].u32[0]); \
    NEXT(3); \
  }

bool exec_all_forms(void) { return DISPATCH_ALL_FORMS; }
bool exec_has_twins(void) { return simd_has_twins(); }

/* ---- one dispatcher of three ---- */

/* bench/pairs.c builds the switch with a hook that sees every operation */
#ifdef MV_COUNT
void MV_COUNT(unsigned rop);
#define COUNT(rop) MV_COUNT(rop)
#else
#define COUNT(rop) (void)0
#endif

#if MV_DISPATCH == MV_DISPATCH_TAIL

static HANDLER_CC int h_oob(STATE_PARAMS);
static HANDLER_CC int h_trap(STATE_PARAMS);

#include "exec/handlers.h"

#define H(rop) h_##rop,
static handler_fn *const handlers[] = {
#include "code/rop_list.h"
};

uint64_t exec_handler(unsigned rop) { return (uint64_t)(uintptr_t)handlers[rop]; }

bool interp_run(const union word *pc, cell *fp, struct instance *inst) {
  const v128 zero = v128_from_cells((const uint64_t[2]){0, 0});
  return ((handler_fn *)pc->ptr)(pc, fp, inst->mem0->base, inst->mem0->size, 0, inst, 0, 0, zero, 0, 0);
}

#else

#if MV_DISPATCH == MV_DISPATCH_GOTO
/* Called without a state it fills *table with the addresses of the labels. */
static bool run(const union word *pc, cell *fp, struct instance *inst, const void *const **table) {
#define H(rop) &&L_##rop,
  static const void *const labels[] = {
#include "code/rop_list.h"
  };
  if (!pc) {
    *table = labels;
    return true;
  }
#else
bool interp_run(const union word *pc, cell *fp, struct instance *inst) {
#endif
  uint8_t *mem = inst->mem0->base;
  uint64_t len = inst->mem0->size, acc = 0;
  float fs = 0, gs = 0;
  double fd = 0, gd = 0;
  v128 va = v128_from_cells((const uint64_t[2]){0, 0});
#if MV_DISPATCH == MV_DISPATCH_GOTO
  DISPATCH();
#include "exec/handlers.h"
}

uint64_t exec_handler(unsigned rop) {
  const void *const *table;
  (void)run(NULL, NULL, NULL, &table);
  return (uint64_t)(uintptr_t)table[rop];
}

bool interp_run(const union word *pc, cell *fp, struct instance *inst) { return run(pc, fp, inst, NULL); }
#else
dispatch:
  COUNT(pc->u32[0]);
  switch (pc->u32[0]) {
#include "exec/handlers.h"
  default: LEAVE(false);
  }
}

uint64_t exec_handler(unsigned rop) { return rop; }
#endif
#endif
