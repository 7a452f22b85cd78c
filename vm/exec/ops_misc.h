/* Handlers of what is done by functions of exec/slow.c on consecutive cells: [h][base, top][x, y][z]. */

#define SLOW(name, after) \
  HANDLER(ROP_##name) { \
    ex->top = fp + pc[1].u32[1]; \
    const int t = slow_##name(ex, inst, fp + pc[1].u32[0], pc); \
    if (unlikely(t)) TRAP(t); \
    after; \
    NEXT(4); \
  }
#define X(name) SLOW(name, (void)0)
SLOW_OPS(X)
#undef X
SLOW(memory_grow, RELOAD_MEMORY())

/* Branches on casts: [h][base, top][type, off][struct code]; slow_ gives 1 to branch */
#define CAST_BRANCH(name) \
  HANDLER(ROP_##name) { \
    ex->top = fp + pc[1].u32[1]; \
    const int t = slow_##name(ex, inst, fp + pc[1].u32[0], pc); \
    if (unlikely(t < 0)) TRAP(-t); \
    if (t) NEXT((int32_t)pc[2].u32[1]); \
    NEXT(4); \
  }
CAST_BRANCH(br_on_cast)
CAST_BRANCH(br_on_cast_fail)
CAST_BRANCH(br_on_cast_desc)
CAST_BRANCH(br_on_cast_desc_fail)

/* Imported globals: [h][k, slot] */
HANDLER(ROP_gget_import) {
  fp[pc[1].u32[1]] = *inst->globals[pc[1].u32[0]]->cell;
  NEXT(2);
}
HANDLER(ROP_gget_import_v128) {
  const cell *g = inst->globals[pc[1].u32[0]]->cell;
  const cell lo = g[0], hi = g[1];
  fp[pc[1].u32[1]] = lo;
  fp[pc[1].u32[1] + 1] = hi;
  NEXT(2);
}
HANDLER(ROP_gset_import) {
  *inst->globals[pc[1].u32[0]]->cell = fp[pc[1].u32[1]];
  NEXT(2);
}
HANDLER(ROP_gset_import_v128) {
  cell *g = inst->globals[pc[1].u32[0]]->cell;
  g[0] = fp[pc[1].u32[1]];
  g[1] = fp[pc[1].u32[1] + 1];
  NEXT(2);
}

/* [h][a, b][d, -][lanes][lanes] */
HANDLER(ROP_shuffle) {
  KEEP_v128(simd_i8x16_shuffle(SLOT_v128(pc[1].u32[0]), SLOT_v128(pc[1].u32[1]), (const uint8_t *)&pc[3].u64));
  STORE_v128(pc[2].u32[0]);
  NEXT(5);
}

/* [h][object, d][offset]: a field of an object at a known place */
#define OBJ_GET(name, type) \
  HANDLER(ROP_##name) { \
    const uint8_t *o = (const uint8_t *)(uintptr_t)fp[pc[1].u32[0]]; \
    type v; \
    if (unlikely(!o)) TRAP(TRAP_NULL_STRUCT); \
    memcpy(&v, o + pc[2].u64, sizeof v); \
    acc = v; \
    fp[pc[1].u32[1]] = acc; \
    NEXT(3); \
  }
OBJ_GET(obj_get32, uint32_t)
OBJ_GET(obj_get64, uint64_t)
#define OBJ_SET(name, type) \
  HANDLER(ROP_##name) { \
    uint8_t *o = (uint8_t *)(uintptr_t)fp[pc[1].u32[0]]; \
    const type v = (type)fp[pc[1].u32[1]]; \
    if (unlikely(!o)) TRAP(TRAP_NULL_STRUCT); \
    memcpy(o + pc[2].u64, &v, sizeof v); \
    NEXT(3); \
  }
OBJ_SET(obj_set32, uint32_t)
OBJ_SET(obj_set64, uint64_t)
