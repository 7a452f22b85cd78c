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

/* Branches on casts by descriptors: [h][base, top][type, off][struct code]; slow_ gives 1 to branch */
#define CAST_BRANCH(name) \
  HANDLER(ROP_##name) { \
    ex->top = fp + pc[1].u32[1]; \
    const int t = slow_##name(ex, inst, fp + pc[1].u32[0], pc); \
    if (unlikely(t < 0)) TRAP(-t); \
    if (t) NEXT((int32_t)pc[2].u32[1]); \
    NEXT(4); \
  }
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

/* [h][to, from or byte][size, -][memory, memory] */
HANDLER(ROP_memory_copy) {
  const struct mem_inst *to = inst->memories[pc[3].u32[0]], *from = inst->memories[pc[3].u32[1]];
  const uint64_t d = fp[pc[1].u32[0]], s = fp[pc[1].u32[1]], n = fp[pc[2].u32[0]];
  if (unlikely(!range_ok(d, n, to->size) || !range_ok(s, n, from->size))) TRAP(TRAP_OOB_MEMORY);
  if (n) memmove(to->base + d, from->base + s, (size_t)n);
  NEXT(4);
}
HANDLER(ROP_memory_fill) {
  const struct mem_inst *to = inst->memories[pc[3].u32[0]];
  const uint64_t d = fp[pc[1].u32[0]], n = fp[pc[2].u32[0]];
  if (unlikely(!range_ok(d, n, to->size))) TRAP(TRAP_OOB_MEMORY);
  if (n) memset(to->base + d, (int)(uint8_t)fp[pc[1].u32[1]], (size_t)n);
  NEXT(4);
}

/* Atomic accesses of memory 0 on hosts of its byte order: [h][address, d][x, y][offset] */
#define ATOMIC_RESULT(v) (acc = (v), fp[pc[1].u32[1]] = acc)
#define ATOMIC_load(p, x, y) ATOMIC_RESULT(__atomic_load_n(p, __ATOMIC_SEQ_CST))
#define ATOMIC_store(p, x, y) __atomic_store_n(p, x, __ATOMIC_SEQ_CST)
#define ATOMIC_add(p, x, y) ATOMIC_RESULT(__atomic_fetch_add(p, x, __ATOMIC_SEQ_CST))
#define ATOMIC_sub(p, x, y) ATOMIC_RESULT(__atomic_fetch_sub(p, x, __ATOMIC_SEQ_CST))
#define ATOMIC_and(p, x, y) ATOMIC_RESULT(__atomic_fetch_and(p, x, __ATOMIC_SEQ_CST))
#define ATOMIC_or(p, x, y) ATOMIC_RESULT(__atomic_fetch_or(p, x, __ATOMIC_SEQ_CST))
#define ATOMIC_xor(p, x, y) ATOMIC_RESULT(__atomic_fetch_xor(p, x, __ATOMIC_SEQ_CST))
#define ATOMIC_xchg(p, x, y) ATOMIC_RESULT(__atomic_exchange_n(p, x, __ATOMIC_SEQ_CST))
/* What is expected goes through memory: gcc for RISC-V compares a register whose upper half it has not extended. */
#define ATOMIC_cmpxchg(p, x, y) \
  (expected = x, x = expected, (void)__atomic_compare_exchange_n(p, &x, y, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST), ATOMIC_RESULT(x))
#define X(kind, bits) \
  HANDLER(ROP_atomic_##kind##bits) { \
    const uint64_t ea = (uint64_t)(uint32_t)fp[pc[1].u32[0]] + pc[3].u64; \
    if (unlikely(ea & (bits / 8 - 1))) TRAP(TRAP_UNALIGNED); \
    if (unlikely(ea + bits / 8 > len)) GOTO_HANDLER(oob); \
    uint##bits##_t *p = (uint##bits##_t *)(void *)(mem + ea), x = (uint##bits##_t)fp[pc[2].u32[0]], y = (uint##bits##_t)fp[pc[2].u32[1]]; \
    volatile uint##bits##_t expected; \
    ATOMIC_##kind(p, x, y); \
    NEXT(4); \
  }
ATOMIC_OPS(X)
#undef X
