/* Handlers of control: leaving, branches, calls and returns (core/exec/instructions#control-instructions, #function-calls). */

/* Ends the interpreter, unless what happened is an exception that one of its frames catches. */
COLD_HANDLER(trap) {
  if (acc == TRAP_EXCEPTION && unwind(ex, NULL, pc, fp, inst)) ENTER();
  if (acc == TRAP_FUEL) ex->fuel = 0; /* how much was missing depends on where the translator lets it be paid */
  ex->trap = (int)acc;
  ex->pc = pc;
  ex->fp = fp;
  ex->instance = inst;
  LEAVE(false);
}

/* An access beyond `len`: another thread may have grown the memory since it was read. */
COLD_HANDLER(oob) {
  if (inst->mem0->size > len) {
    RELOAD_MEMORY();
    DISPATCH();
  }
  TRAP(TRAP_OOB_MEMORY);
}

HANDLER(ROP_exit) {
  ex->fp = fp;
  LEAVE(true);
}

HANDLER(ROP_unreachable) { TRAP(TRAP_UNREACHABLE); }

/* The first call of a function; acc is its struct code. */
HANDLER(ROP_translate) {
  struct code *c = (struct code *)(uintptr_t)acc;
  const int t = enter_untranslated(ex, c, fp);
  if (unlikely(t)) {
    const cell *info = fp + c->params; /* the trap is the caller's */
    pc = (const union word *)(uintptr_t)info[0] - 1;
    fp = (cell *)(uintptr_t)info[1];
    TRAP(t);
  }
  pc = code_entry(c);
  DISPATCH();
}

/* [h][target] */
HANDLER(ROP_br) { GO(pc[1]); }
/* [h][target][cost] */
HANDLER(ROP_fuel_br) {
  PAY(pc[2].u32[0]);
  GO(pc[1]);
}

/* [h][a, count][off ...]: count targets, then the default */
#define BR_TABLE(form, index) \
  HANDLER(ROP_br_table_##form) { \
    const uint32_t i = (index), n = pc[1].u32[1]; \
    NEXT((int32_t)(&pc[2])[(i < n ? i : n) >> 1].u32[(i < n ? i : n) & 1]); \
  }
BR_TABLE(S, (uint32_t)fp[pc[1].u32[0]])
BR_TABLE(A, (uint32_t)acc)

/* [h][cost]: Wasm instructions up to the next branch */
HANDLER(ROP_fuel) {
  PAY(pc[1].u64);
  NEXT(2);
}

HANDLER(ROP_poll) {
  if (unlikely(__atomic_load_n(&ex->interrupt, __ATOMIC_RELAXED))) TRAP(TRAP_INTERRUPT);
  NEXT(1);
}

/* [h][from, count]: zeroes locals */
HANDLER(ROP_enter) {
  cell *p = fp + pc[1].u32[0], *end = p + pc[1].u32[1];
  do *p++ = 0;
  while (p < end);
  NEXT(2);
}

HANDLER(ROP_enter_depth) {
  if (unlikely(ex->depth >= ex->max_depth)) TRAP(TRAP_STACK);
  ex->depth++;
  NEXT(1);
}

HANDLER(ROP_leave_depth) {
  ex->depth--;
  NEXT(1);
}

HANDLER(ROP_trace) {
  slow_trace(ex, inst, fp, pc);
  NEXT(4);
}

/* [h][cost][struct code][count]: like fuel, for the profile; the last word counts how often the block was entered */
HANDLER(ROP_profile) {
  ((union word *)(uintptr_t)pc)[3].u64++;
  ex->unsampled += pc[1].u64;
  if (unlikely(ex->unsampled >= ex->sample_at)) profile_sample(ex, pc[2].ptr, fp);
  NEXT(4);
}

/* [h][from, to][cells] */
HANDLER(ROP_copy) {
  memmove(fp + pc[1].u32[1], fp + pc[1].u32[0], pc[2].u32[0] * sizeof(cell));
  NEXT(3);
}

/* [h][a, b][c, d]: two moves, a to b, then c to d; [e, f] for three */
HANDLER(ROP_mov2) {
  fp[pc[1].u32[1]] = fp[pc[1].u32[0]];
  fp[pc[2].u32[1]] = fp[pc[2].u32[0]];
  NEXT(3);
}

HANDLER(ROP_mov3) {
  fp[pc[1].u32[1]] = fp[pc[1].u32[0]];
  fp[pc[2].u32[1]] = fp[pc[2].u32[0]];
  fp[pc[3].u32[1]] = fp[pc[3].u32[0]];
  NEXT(4);
}

/* [h][a, b][imm, d]: a moves to b; d = a + imm, of 32 bits */
HANDLER(ROP_mov_add) {
  const cell v = fp[pc[1].u32[0]];
  fp[pc[1].u32[1]] = v;
  acc = (uint32_t)((uint32_t)v + pc[2].u32[0]);
  fp[pc[2].u32[1]] = acc;
  NEXT(3);
}

/* [h][a, b][c, d][imm, imm2]: b = a + imm, then d = c + imm2, of 32 bits */
HANDLER(ROP_add2) {
  fp[pc[1].u32[1]] = (uint32_t)((uint32_t)fp[pc[1].u32[0]] + pc[3].u32[0]);
  acc = (uint32_t)((uint32_t)fp[pc[2].u32[0]] + pc[3].u32[1]);
  fp[pc[2].u32[1]] = acc;
  NEXT(4);
}

#define RETURN_TO(info_cell) \
  const cell *info = fp + (info_cell); \
  const union word *to = (const union word *)(uintptr_t)info[0]; \
  cell *caller = (cell *)(uintptr_t)info[1];

/* [h][-, info] */
HANDLER(ROP_ret) {
  RETURN_TO(pc[1].u32[1])
  pc = to;
  fp = caller;
  DISPATCH();
}

/* [h][from, info][cells] */
HANDLER(ROP_ret_many) {
  RETURN_TO(pc[1].u32[1])
  const cell *from = fp + pc[1].u32[0];
  for (uint32_t i = 0, n = pc[2].u32[0]; i < n; i++) fp[i] = from[i];
  pc = to;
  fp = caller;
  DISPATCH();
}

/* The frame at fp is a struct of calls.c's making: return address, frame and instance of the caller, number of result cells; then the callee's frame. */
HANDLER(ROP_return_cross) {
  pc = (const union word *)(uintptr_t)fp[0];
  cell *caller = (cell *)(uintptr_t)fp[1];
  inst = (struct instance *)(uintptr_t)fp[2];
  for (uint32_t i = 0, n = (uint32_t)fp[3]; i < n; i++) fp[i] = fp[i + CROSS_CELLS];
  fp = caller;
  RELOAD_MEMORY();
  DISPATCH();
}

#define CALL_CODE(c, args, info, ret) \
  do { \
    const struct code *callee = (c); \
    const union word *e = code_entry(callee); \
    if (unlikely((size_t)((char *)inst->stack_limit - (char *)(args)) < e[-1].u64)) TRAP(TRAP_STACK); \
    (info)[0] = (cell)(uintptr_t)(ret); \
    (info)[1] = (cell)(uintptr_t)fp; \
    acc = (uint64_t)(uintptr_t)callee; \
    fp = (args); \
    pc = e; \
    DISPATCH(); \
  } while (0)
#define CALL_FUNC(f, args, ret, top) \
  do { \
    const int t = call_func(ex, inst, f, fp, args, ret, top); \
    if (unlikely(t)) TRAP(t); \
    acc = ex->entry.acc; \
    fs = f32_reinterpret_i32((uint32_t)acc); \
    fd = f64_reinterpret_i64(acc); \
    ENTER(); \
  } while (0)

/* [h][args, info][struct code][caller] */
HANDLER(ROP_call) { CALL_CODE((const struct code *)pc[2].ptr, fp + pc[1].u32[0], fp + pc[1].u32[1], pc + 4); }

/* [h][args, info][function, top][caller] */
HANDLER(ROP_call_import) { CALL_FUNC(inst->funcs[pc[2].u32[0]], fp + pc[1].u32[0], pc + 4, fp + pc[2].u32[1]); }

#define INDIRECT_FUNC(f) \
  const struct table_inst *table = inst->tables[pc[2].u32[1]]; \
  const uint64_t i = fp[pc[3].u32[0]]; \
  if (unlikely(i >= table->size)) TRAP(TRAP_UNDEFINED_ELEMENT); \
  struct func *f = (struct func *)(uintptr_t)table->elems[i]; \
  if (unlikely(!f)) TRAP(TRAP_UNINITIALIZED_ELEMENT); \
  if (unlikely(f->type != pc[2].u32[0]) && !slow_func_type(inst, f, pc[2].u32[0])) TRAP(TRAP_INDIRECT_TYPE);
#define REF_FUNC(f) \
  struct func *f = (struct func *)(uintptr_t)fp[pc[2].u32[0]]; \
  if (unlikely(!f)) TRAP(TRAP_NULL_FUNC);

/* [h][args, info][type, table][index, top][caller] */
HANDLER(ROP_call_indirect) {
  INDIRECT_FUNC(f)
  if (likely(f->instance == inst)) CALL_CODE(f->code, fp + pc[1].u32[0], fp + pc[1].u32[1], pc + 5);
  CALL_FUNC(f, fp + pc[1].u32[0], pc + 5, fp + pc[3].u32[1]);
}

/* [h][args, info][slot, top][caller] */
HANDLER(ROP_call_ref) {
  REF_FUNC(f)
  if (likely(f->instance == inst)) CALL_CODE(f->code, fp + pc[1].u32[0], fp + pc[1].u32[1], pc + 4);
  CALL_FUNC(f, fp + pc[1].u32[0], pc + 4, fp + pc[2].u32[1]);
}

/* Tail calls: the arguments move to the frame's begin, info behind them. */
#define TAIL_CODE(c, args, n, info_cell, params) \
  do { \
    const struct code *callee = (c); \
    const union word *e = code_entry(callee); \
    if (unlikely((size_t)((char *)inst->stack_limit - (char *)fp) < e[-1].u64)) TRAP(TRAP_STACK); \
    const cell *from = (args), ret = fp[info_cell], caller = fp[(info_cell) + 1]; \
    for (uint32_t k = 0, cells = (n); k < cells; k++) fp[k] = from[k]; \
    fp[params] = ret; \
    fp[(params) + 1] = caller; \
    acc = (uint64_t)(uintptr_t)callee; \
    pc = e; \
    DISPATCH(); \
  } while (0)
#define TAIL_FUNC(f, args, info_cell) \
  do { \
    const int t = tail_func(ex, inst, f, fp, args, fp + (info_cell)); \
    if (unlikely(t)) TRAP(t); \
    acc = ex->entry.acc; \
    fs = f32_reinterpret_i32((uint32_t)acc); \
    fd = f64_reinterpret_i64(acc); \
    ENTER(); \
  } while (0)

/* [h][args, info][struct code][cells] */
HANDLER(ROP_tail_call) { TAIL_CODE((const struct code *)pc[2].ptr, fp + pc[1].u32[0], pc[3].u32[0], pc[1].u32[1], pc[3].u32[0]); }

/* [h][args, info][function, cells][-] */
HANDLER(ROP_tail_import) { TAIL_FUNC(inst->funcs[pc[2].u32[0]], fp + pc[1].u32[0], pc[1].u32[1]); }

/* [h][args, info][type, table][index, cells][-] */
HANDLER(ROP_tail_indirect) {
  INDIRECT_FUNC(f)
  if (likely(f->instance == inst)) TAIL_CODE(f->code, fp + pc[1].u32[0], pc[3].u32[1], pc[1].u32[1], pc[3].u32[1]);
  TAIL_FUNC(f, fp + pc[1].u32[0], pc[1].u32[1]);
}

/* [h][args, info][slot, cells][-] */
HANDLER(ROP_tail_ref) {
  REF_FUNC(f)
  if (likely(f->instance == inst)) TAIL_CODE(f->code, fp + pc[1].u32[0], pc[2].u32[1], pc[1].u32[1], pc[2].u32[1]);
  TAIL_FUNC(f, fp + pc[1].u32[0], pc[1].u32[1]);
}

/* Exceptions: [h][base, top][tag, -][struct code] */
#define THROW(name) \
  HANDLER(ROP_##name) { \
    ex->top = fp + pc[1].u32[1]; \
    const int t = slow_##name(ex, inst, fp + pc[1].u32[0], pc); \
    if (t != TRAP_EXCEPTION) TRAP(t); \
    if (!unwind(ex, (const struct code *)pc[3].ptr, pc, fp, inst)) TRAP(TRAP_EXCEPTION); \
    ENTER(); \
  }
THROW(throw)
THROW(throw_ref)
