/* Handlers of objects: allocation, fields, elements, casts (core/exec/instructions#reference-instructions, #aggregate-instructions). What they do not find at
 * once they leave to cold ones. */

/* [h][d, n][type, size][top][slot, place]...: n operands go to their places in a new object of `size` bytes */
COLD_HANDLER(object_new_slow) {
  const int t = slow_object_new(ex, inst, fp, pc);
  if (t) TRAP(t);
  acc = fp[pc[1].u32[0]];
  NEXT(4 + pc[1].u32[1]);
}
HANDLER(ROP_object_new) {
  struct object *o = gc_fast(inst->store->heap, OBJ_STRUCT, pc[2].u32[0], pc[2].u32[1]);
  if (unlikely(!o)) GOTO_HANDLER(object_new_slow);
  object_fill(o, fp, pc + 4, pc[1].u32[1]);
  acc = object_ref(o);
  fp[pc[1].u32[0]] = acc;
  NEXT(4 + pc[1].u32[1]);
}

/* Fields: [h][object, d][offset], [h][object, value][offset] */
#define FIELD_H(o, null) \
  if (unlikely(!(o))) TRAP(null); \
  uint8_t *p = (uint8_t *)(uintptr_t)(o);
#define FIELD_GET_H(id, a, d, R, expr) \
  HANDLER(ROP_field_##id##_##a##d) { \
    FIELD_H(GET_##a(i64, pc[1].u32[0]), TRAP_NULL_STRUCT) \
    p += pc[2].u32[0]; \
    PUT_##d(R, (C_##R)(expr), pc[1].u32[1]); \
    NEXT(3); \
  }
/* Immediates have 32 bits, those of wide types sign-extended. */
#define OBJ_VAL_S(T, n) SLOT_##T(n)
#define OBJ_VAL_A(T, n) ACC_##T
#define OBJ_VAL_I(T, n) OBJ_IMM_##T(n)
#define OBJ_IMM_i32(n) (n)
#define OBJ_IMM_i64(n) ((uint64_t)(int32_t)(n))
#define OBJ_IMM_f32(n) f32_reinterpret_i32(n)
#define OBJ_IMM_f64(n) f64_reinterpret_i64((uint64_t)(int32_t)(n))
#define FIELD_SET_H(id, a, v, T, stmt) \
  HANDLER(ROP_field_##id##_##a##v) { \
    const C_##T x = OBJ_VAL_##v(T, pc[1].u32[1]); \
    FIELD_H(GET_##a(i64, pc[1].u32[0]), TRAP_NULL_STRUCT) \
    p += pc[2].u32[0]; \
    stmt; \
    NEXT(3); \
  }

/* Elements: [h][array, index][d], [h][array, index][value] */
#define ELEM_H(o, i, n) \
  FIELD_H(o, TRAP_NULL_ARRAY) \
  const uint32_t at = (i); \
  if (unlikely(at >= ((const struct object *)(void *)p)->u.length)) TRAP(TRAP_OOB_ARRAY); \
  p += sizeof(struct object) + (size_t)at * (n);
#define ELEM_GET_H(id, a, b, d, R, n, expr) \
  HANDLER(ROP_elem_##id##_##a##b##d) { \
    ELEM_H(GET_##a(i64, pc[1].u32[0]), GET_##b(i32, pc[1].u32[1]), n) \
    PUT_##d(R, (C_##R)(expr), pc[2].u32[0]); \
    NEXT(2 + EXTRA_##d); \
  }
#define ELEM_SET_H(id, b, v, T, n, stmt) \
  HANDLER(ROP_elem_##id##_##b##v) { \
    const C_##T x = OBJ_VAL_##v(T, pc[2].u32[0]); \
    ELEM_H(fp[pc[1].u32[0]], GET_##b(i32, pc[1].u32[1]), n) \
    stmt; \
    NEXT(3); \
  }
#define OBJ_GET(id, R, n, expr) FORMS_UN(FIELD_GET_H, id, R, expr) FORMS_BIN(ELEM_GET_H, id, R, n, expr)
#define OBJ_SET(id, T, n, stmt) FORMS_FSET(FIELD_SET_H, id, T, stmt) FORMS_ESET(ELEM_SET_H, id, T, n, stmt)
#include "code/rops.def"

/* Casts: [h][reference, d or off][type, id]; see cast_type in code/translate_instr.h */
#define CAST(name, yes, no) \
  COLD_HANDLER(name##_slow) { \
    if (ref_matches(inst->store, fp[pc[1].u32[0]], pc[2].u32[0])) yes; \
    no; \
  } \
  HANDLER(ROP_##name) { \
    const cell r = fp[pc[1].u32[0]]; \
    if (!r) { \
      if (vt_is_nullable(pc[2].u32[0])) yes; \
      no; \
    } \
    if (likely(!ref_is_i31(r))) { \
      const struct object *o = ref_object(r); \
      if (likely(o->type == pc[2].u32[1] && (o->kind == OBJ_STRUCT || o->kind == OBJ_ARRAY))) yes; \
      if (pc[2].u32[0] & VT_EXACT && pc[2].u32[1] < HEAP_MAX_ID) no; \
    } \
    GOTO_HANDLER(name##_slow); \
  }
#define TESTED(r) \
  do { \
    acc = (r); \
    fp[pc[1].u32[1]] = acc; \
    NEXT(3); \
  } while (0)
CAST(ref_test, TESTED(1), TESTED(0))
CAST(ref_cast, NEXT(3), TRAP(TRAP_CAST))
CAST(br_on_cast, NEXT((int32_t)pc[1].u32[1]), NEXT(3))
CAST(br_on_cast_fail, NEXT(3), NEXT((int32_t)pc[1].u32[1]))
