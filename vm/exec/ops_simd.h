/* The handlers' macros for vectors, by shape: see exec/simd.def. Included by exec/handlers.h. */
#define V2_H(id, a, b, d, ...) \
  HANDLER(ROP_##id##_##a##b##d) { \
    PUT_##d(v128, simd_##id(GET_##a(v128, pc[1].u32[0]), GET_##b(v128, pc[1].u32[1])), WIDE_##b##_v128 ? pc[1].u32[1] : pc[2].u32[0]); \
    NEXT(WIDE_##b##_v128 ? 4 : 2 + EXTRA_##d); \
  }
#define SHUFFLE_H(id, a, b, d, ...) \
  HANDLER(ROP_##id##_##a##b##d) { \
    PUT_##d(v128, simd_##id(GET_##a(v128, pc[1].u32[0]), GET_##b(v128, pc[1].u32[1]), (const uint8_t *)&pc[3].u64), pc[2].u32[0]); \
    NEXT(5); \
  }
#define PERMUTE_H(id, a, d, ...) \
  HANDLER(ROP_##id##_##a##d) { \
    PUT_##d(v128, simd_##id(GET_##a(v128, pc[1].u32[0]), (const uint8_t *)&pc[2].u64), pc[1].u32[1]); \
    NEXT(4); \
  }
#define V3_FIRST_S SLOT_v128(pc[1].u32[0])
#define V3_FIRST_A va
#define V3_FIRST_C SLOT_v128(pc[1].u32[0])
#define V3_THIRD_S SLOT_v128(pc[2].u32[0])
#define V3_THIRD_A SLOT_v128(pc[2].u32[0])
#define V3_THIRD_C va
#define V3_H(id, k, d, ...) \
  HANDLER(ROP_##id##_##k##d) { \
    PUT_##d(v128, simd_##id(V3_FIRST_##k, SLOT_v128(pc[1].u32[1]), V3_THIRD_##k), pc[2].u32[1]); \
    NEXT(3); \
  }
#define SHIFT_H(id, a, b, d, ...) \
  HANDLER(ROP_##id##_##a##b##d) { \
    PUT_##d(v128, simd_##id(GET_##a(v128, pc[1].u32[0]), GET_##b(i32, pc[1].u32[1])), pc[2].u32[0]); \
    NEXT(2 + EXTRA_##d); \
  }
#define V1_H(id, a, d, ...) \
  HANDLER(ROP_##id##_##a##d) { \
    PUT_##d(v128, simd_##id(GET_##a(v128, pc[1].u32[0])), pc[1].u32[1]); \
    NEXT(2); \
  }
#define VTEST_H(id, a, d, ...) \
  HANDLER(ROP_##id##_##a##d) { \
    PUT_##d(i32, simd_##id(GET_##a(v128, pc[1].u32[0])), pc[1].u32[1]); \
    NEXT(2); \
  }
#define SPLAT_H(id, a, d, b) \
  HANDLER(ROP_##id##_##a##d) { \
    PUT_##d(v128, simd_##id(GET_##a(i##b, pc[1].u32[0])), pc[1].u32[1]); \
    NEXT(2); \
  }
#define EXTRACT_H(id, a, d, b) \
  HANDLER(ROP_##id##_##a##d) { \
    PUT_##d(i##b, simd_##id(GET_##a(v128, pc[1].u32[0]), pc[2].u32[0]), pc[1].u32[1]); \
    NEXT(3); \
  }
#define REPLACE_H(id, a, v, d, b) \
  HANDLER(ROP_##id##_##a##v##d) { \
    PUT_##d(v128, simd_##id(GET_##a(v128, pc[1].u32[0]), pc[2].u32[0], GET_##v(i##b, pc[1].u32[1])), pc[2].u32[1]); \
    NEXT(3); \
  }
#define ROTATE_H(id, a, d, ...) \
  HANDLER(ROP_##id##_##a##d) { \
    PUT_##d(v128, simd_##id(GET_##a(v128, pc[1].u32[0]), pc[2].u32[0]), pc[1].u32[1]); \
    NEXT(3); \
  }
#define VLOAD_H(id, am, d, n) LOAD_H(id, am, d, v128, n, simd_##id(p))
#define VSTORE_H(id, am, v, n) STORE_H(id, am, v, v128, n, simd_##id(p, x))


/* Tests that decide a branch: taken if one holds, or if it does not */
#define VBR_H(id, a, ...) BRANCH_H(br_##id##_##a, 3, pc[2], simd_##id(x), const v128 x = GET_##a(v128, pc[1].u32[0]))
#define VBN_H(id, a, ...) BRANCH_H(bn_##id##_##a, 3, pc[2], !simd_##id(x), const v128 x = GET_##a(v128, pc[1].u32[0]))

/* Superinstructions */
#define PAIR_LEFT(second, t, z) simd_##second(t, z)
#define PAIR_RIGHT(second, t, z) simd_##second(z, t)
#define PAIR_L PAIR_LEFT
#define PAIR_R PAIR_RIGHT
#define PAIR_H(id, a, b, c, d, first, second, side) \
  HANDLER(ROP_##id##_##a##b##c##d) { \
    const v128 x = GET_##a(v128, pc[1].u32[0]), y = GET_##b(v128, pc[1].u32[1]), z = GET_##c(v128, pc[2].u32[0]); \
    PUT_##d(v128, PAIR_##side(second, simd_##first(x, y), z), pc[2].u32[1]); \
    NEXT(3); \
  }
#define SHIFT_OP_H(id, a, b, d, first, second) \
  HANDLER(ROP_##id##_##a##b##d) { \
    PUT_##d(v128, simd_##second(GET_##b(v128, pc[1].u32[1]), simd_##first(GET_##a(v128, pc[1].u32[0]), pc[2].u32[0])), pc[2].u32[1]); \
    NEXT(3); \
  }
#define OP_SHIFT_H(id, a, b, d, first, second) \
  HANDLER(ROP_##id##_##a##b##d) { \
    PUT_##d(v128, simd_##second(simd_##first(GET_##a(v128, pc[1].u32[0]), GET_##b(v128, pc[1].u32[1])), pc[2].u32[0]), pc[2].u32[1]); \
    NEXT(3); \
  }
