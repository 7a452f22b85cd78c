/* Dispatch: how one handler hands over to the next. The handlers are written once, as
 *
 *   HANDLER(rop) { ... NEXT(words); }
 *
 * and become functions that tail-call each other with the whole state in registers (MV_DISPATCH_TAIL), labels of one function reached by computed
 * goto (MV_DISPATCH_GOTO), or cases of a plain switch for any C11 compiler (MV_DISPATCH_SWITCH).
 *
 * State: pc (operation), fp (frame), mem and len (memory 0), acc, fs, fd, va (accumulators), gs, gd (pins: see code/pin.c), inst. The rest is behind `ex`. */
#ifndef EXEC_DISPATCH_H
#define EXEC_DISPATCH_H

#include "exec/exec_state.h"
#include "exec/num.h"
#include "exec/simd.h"

#define MV_DISPATCH_TAIL 1
#define MV_DISPATCH_GOTO 2
#define MV_DISPATCH_SWITCH 3

#ifdef __has_attribute
#if __has_attribute(musttail) && __has_attribute(preserve_none) && (defined(__x86_64__) || defined(__aarch64__))
#define DISPATCH_CAN_TAIL 1
#define HANDLER_CC __attribute__((preserve_none))
#define MUSTTAIL __attribute__((musttail))
#endif
#endif
#if !defined(DISPATCH_CAN_TAIL) && defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && (defined(__x86_64__) || defined(__aarch64__))
/* gcc makes a jump of every call in tail position when it optimises and the arguments fit the registers, which these do */
#define DISPATCH_CAN_TAIL 1
#define HANDLER_CC
#define MUSTTAIL
#endif

#ifndef MV_DISPATCH
#if defined(DISPATCH_CAN_TAIL)
#define MV_DISPATCH MV_DISPATCH_TAIL
#elif defined(__GNUC__)
#define MV_DISPATCH MV_DISPATCH_GOTO
#else
#define MV_DISPATCH MV_DISPATCH_SWITCH
#endif
#endif

#define STATE_PARAMS \
  const union word *pc, cell *fp, uint8_t *mem, uint64_t len, uint64_t acc, struct instance *inst, float fs, double fd, v128 va, float gs, double gd
#define STATE pc, fp, mem, len, acc, inst, fs, fd, va, gs, gd

#ifdef MV_COUNT
#define DISPATCH_ALL_FORMS 1
#else
#define DISPATCH_ALL_FORMS (MV_DISPATCH == MV_DISPATCH_TAIL)
#endif

#define ex (inst->exec)

#if MV_DISPATCH == MV_DISPATCH_TAIL
typedef HANDLER_CC int handler_fn(STATE_PARAMS);
#define HANDLER(rop) HANDLER_CC static int h_##rop(STATE_PARAMS)
#define COLD_HANDLER(name) HANDLER_CC __attribute__((noinline, cold)) static int h_##name(STATE_PARAMS)
#define DISPATCH() MUSTTAIL return ((handler_fn *)pc->ptr)(STATE)
#define GOTO_HANDLER(name) MUSTTAIL return h_##name(STATE)
#define LEAVE(status) return (status)
#elif MV_DISPATCH == MV_DISPATCH_GOTO
#define HANDLER(rop) L_##rop:
#define COLD_HANDLER(name) L_##name:
#define DISPATCH() goto *pc->ptr
#define GOTO_HANDLER(name) goto L_##name
#define LEAVE(status) return (status)
#else
#define HANDLER(rop) case rop:
#define COLD_HANDLER(name) L_##name:
#define DISPATCH() goto dispatch
#define GOTO_HANDLER(name) goto L_##name
#define LEAVE(status) return (status)
#endif

#define NEXT(n) \
  do { \
    pc += (n); \
    DISPATCH(); \
  } while (0)
/* A taken branch whose target is the word itself: one load, where a distance costs an addition as well, and the next operation waits for it. */
#define GO(word) \
  do { \
    pc = (word).ptr; \
    DISPATCH(); \
  } while (0)
#define PAY(cost) \
  do { \
    const uint64_t left = ex->fuel, price = (cost); \
    if (unlikely(left < price)) TRAP(TRAP_FUEL); \
    ex->fuel = left - price; \
  } while (0)
/* Ends with a trap at this operation. */
#define TRAP(number) \
  do { \
    acc = (uint64_t)(number); \
    GOTO_HANDLER(trap); \
  } while (0)
#define RELOAD_MEMORY() (mem = inst->mem0->base, len = inst->mem0->size)
/* Goes on where calls.c has said. */
#define ENTER() \
  do { \
    pc = ex->entry.pc; \
    fp = ex->entry.fp; \
    inst = ex->entry.instance; \
    RELOAD_MEMORY(); \
    DISPATCH(); \
  } while (0)

/* ---- operands, by type and place ---- */

#define C_i32 uint32_t
#define C_i64 uint64_t
#define C_f32 float
#define C_f64 double
#define C_v128 v128

#define SLOT_i32(n) ((uint32_t)fp[n])
#define SLOT_i64(n) (fp[n])
#define SLOT_f32(n) f32_reinterpret_i32((uint32_t)fp[n])
#define SLOT_f64(n) f64_reinterpret_i64(fp[n])
#define SLOT_v128(n) v128_from_cells(&fp[n])

#define ACC_i32 ((uint32_t)acc)
#define ACC_i64 acc
#define ACC_f32 fs
#define ACC_f64 fd
#define ACC_v128 va

/* Immediates: 32-bit ones lie where a slot number would, 64-bit ones in the word behind */
#define IMM_AT_i32 (pc[1].u32[1])
#define IMM_AT_f32 f32_reinterpret_i32(pc[1].u32[1])
#define IMM_AT_i64 (pc[2].u64)
#define IMM_AT_v128 v128_from_cells(&pc[2].u64)
#define IMM_AT_f64 f64_reinterpret_i64(pc[2].u64)

#define GET_S(T, n) SLOT_##T(n)
#define GET_A(T, n) ACC_##T
#define GET_I(T, n) IMM_AT_##T

#define KEEP_i32(v) (acc = (v))
#define KEEP_i64(v) (acc = (v))
#define KEEP_f32(v) (fs = (v))
#define KEEP_f64(v) (fd = (v))
#define KEEP_v128(v) (va = (v))
#define STORE_i32(n) (fp[n] = (uint32_t)acc)
#define STORE_i64(n) (fp[n] = acc)
#define STORE_f32(n) (fp[n] = i32_reinterpret_f32(fs))
#define STORE_f64(n) (fp[n] = i64_reinterpret_f64(fd))
#define STORE_v128(n) v128_to_cells(va, &fp[n])
/* Result r of type R: to the accumulator, or to slot n as well */
#define PUT_A(R, r, n) KEEP_##R(r)
#define PUT_S(R, r, n) (KEEP_##R(r), STORE_##R(n))

/* 1 for the 64-bit immediate form, which moves the result operand one place forward */
#define WIDE_S_i32 0
#define WIDE_S_i64 0
#define WIDE_S_f32 0
#define WIDE_S_f64 0
#define WIDE_S_v128 0
#define WIDE_A_i32 0
#define WIDE_A_i64 0
#define WIDE_A_f32 0
#define WIDE_A_f64 0
#define WIDE_A_v128 0
#define WIDE_I_i32 0
#define WIDE_I_f32 0
#define WIDE_I_i64 1
#define WIDE_I_f64 1
#define WIDE_I_v128 1
#define EXTRA_A 0
#define EXTRA_S 1

#endif
