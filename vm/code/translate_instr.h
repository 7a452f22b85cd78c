/* The walk over a body: one instruction after the other (core/exec/instructions gives the order of the cases). Part of translate.c. */

enum { PLAIN_NONE, PLAIN_BIN, PLAIN_UN, PLAIN_LOAD, PLAIN_STORE, PLAIN_VEC };

/* The instructions that are one register operation of the same name. */
static const struct plain { uint16_t ir; uint8_t kind, size, rt; } plain[OP_LIMIT] = {
#define BIN(id, T, trap, e) [OP_##id] = {IR_##id, PLAIN_BIN, 0, 0},
#define CMP(id, T, e) [OP_##id] = {IR_##id, PLAIN_BIN, 0, 0},
#define FCMP(id, T, e) [OP_##id] = {IR_##id, PLAIN_BIN, 0, 0},
#define UN(id, T, R, trap, e) [OP_##id] = {IR_##id, PLAIN_UN, 0, 0},
#define OWN_UN(id, T, R, trap, e)
#define LOAD(id, R, n, e) [OP_##id] = {IR_##id, PLAIN_LOAD, n, RT_##R},
#define STORE(id, T, n, e) [OP_##id] = {IR_##id, PLAIN_STORE, n, RT_##T},
#include "code/rops.def"
#define SIMD1(id) [OP_##id] = {IR_##id, PLAIN_VEC, 0, 0},
#define SIMD2(id) SIMD1(id)
#define SIMD3(id) SIMD1(id)
#define SIMD_SHIFT(id) SIMD1(id)
#define SIMD_TEST(id) SIMD1(id)
#define SIMD_SPLAT(id, b) SIMD1(id)
#define SIMD_EXTRACT(id, b) SIMD1(id)
#define SIMD_REPLACE(id, b) SIMD1(id)
#define SIMD_LOAD(id, n) [OP_##id] = {IR_##id, PLAIN_LOAD, n, RT_v128},
#define SIMD_STORE(id, n) [OP_##id] = {IR_##id, PLAIN_STORE, n, RT_v128},
#include "exec/simd.def"
};

static enum rtype rtype_of_letter(char c) {
  switch (c) {
  case 'i': return RT_i32;
  case 'f': return RT_f32;
  case 'F': return RT_f64;
  case 'v': return RT_v128;
  default: return RT_i64;
  }
}

/* An operation on homes that takes and gives what the row's signature says. */
static void base_by_signature(struct tr *t, unsigned op, const struct instr *in, uint32_t x, uint32_t y, uint64_t z) {
  const char *sig = op_info(in->op)->sig;
  uint32_t n = 0;
  while (sig[n] != ':') n++;
  base_op(t, op, n, x, y, z, sig[n + 1] ? rtype_of_letter(sig[n + 1]) : 0);
  if (sig[n + 1] && sig[n + 2]) push_temp(t, rtype_of_letter(sig[n + 2]));
}

static void push_const(struct tr *t, unsigned rt, uint64_t imm) { push(t, VAL_CONST, rt)->imm = imm; }

static unsigned addr_rt(bool is64) { return is64 ? RT_i64 : RT_i32; }

static const struct deftype *type_at(const struct tr *t, uint32_t index) { return types_get(t->c->module->types, t->c->module->type_ids[index]); }
static uint64_t type_id(const struct tr *t, uint32_t index) { return t->c->module->type_ids[index]; }

static void br_on_null(struct tr *t, uint32_t depth) {
  struct val v = pop(t);
  conditional(t, label_ctrl(t, depth), &v, IR_brz_i64, IR_brnz_i64);
  struct val *top = push(t, v.kind, v.rt);
  top->slot = v.slot;
  if (v.kind == VAL_LOCAL) t->refs[v.slot]++, t->lazy++;
}

static void br_on_non_null(struct tr *t, uint32_t depth) {
  struct ctrl *c = label_ctrl(t, depth);
  settle_top(t, 1);
  const uint32_t slot = t->stack[t->depth - 1].slot, n = c->kind == CTRL_FUNC ? 0 : arity(t, c);
  settle_carried(t, c);
  const bool direct = c->kind != CTRL_FUNC && in_place(t, c, n);
  const uint32_t skip = direct ? 0 : new_label(t);
  struct ir *i = tr_emit(t, direct ? IR_brnz_i64 : IR_brz_i64);
  i->a = slot, i->label = direct ? c->label : skip, i->flags |= IRF_KEEP;
  new_block(t);
  if (direct) c->used = true;
  else branch_around(t, c, n, skip);
  (void)pop(t);
}

static void drop(struct tr *t) {
  const struct val v = pop(t);
  if (v.kind != VAL_TEMP || !is_last(t, v.def)) return;
  const unsigned shape = rop_info(t->c->ir[v.def].op)->shape;
  if (shape == SHAPE_CONST || shape == SHAPE_MOV || shape == SHAPE_GGET) t->c->n--;
}

static void throw_op(struct tr *t, unsigned op, uint32_t operands, uint32_t tag) {
  base_op(t, op, operands, tag, 0, 0, 0);
  unreachable(t);
}

/* Structs, arrays and references. */
static void gc_instr(struct tr *t, const struct instr *in) {
  const uint32_t a = in->u.index.a, b = in->u.index.b;
  unsigned op;
  switch (in->op) {
  case OP_struct_new: case OP_struct_new_default: object_new(t, type_at(t, a), in->op == OP_struct_new ? type_at(t, a)->u.agg.nfields : 0); break;
  case OP_struct_new_desc: base_op(t, IR_struct_new_desc, type_at(t, a)->u.agg.nfields + 1, 0, 0, type_id(t, a), RT_i64); break;
  case OP_struct_new_default_desc: base_op(t, IR_struct_new_desc, 1, 1, 0, type_id(t, a), RT_i64); break;
  case OP_struct_get: case OP_struct_get_s: case OP_struct_get_u: {
    const struct field *f = &type_at(t, a)->u.agg.fields[b];
    op = object_get(f->type, in->op == OP_struct_get_s);
    if (op) object_fetch(t, op, f->offset);
    else base_op(t, IR_struct_get, 1, b, 0, type_id(t, a), RT_v128);
    break;
  }
  case OP_struct_set: {
    const struct field *f = &type_at(t, a)->u.agg.fields[b];
    op = object_set(f->type);
    if (op) object_store(t, op, f->offset, false);
    else base_op(t, IR_struct_set, 2, b, 0, type_id(t, a), 0);
    break;
  }
  case OP_array_new: base_op(t, IR_array_new, 2, 0, 0, type_id(t, a), RT_i64); break;
  case OP_array_new_default: base_op(t, IR_array_new_default, 1, 0, 0, type_id(t, a), RT_i64); break;
  case OP_array_new_fixed: object_new(t, type_at(t, a), b); break;
  case OP_array_new_data: base_op(t, IR_array_new_data, 2, b, 0, type_id(t, a), RT_i64); break;
  case OP_array_new_elem: base_op(t, IR_array_new_elem, 2, b, 0, type_id(t, a), RT_i64); break;
  case OP_array_get: case OP_array_get_s: case OP_array_get_u:
    op = object_get(type_at(t, a)->u.agg.fields[0].type, in->op == OP_array_get_s);
    if (op) binary(t, op + 1);
    else base_op(t, IR_array_get, 2, 0, 0, type_id(t, a), RT_v128);
    break;
  case OP_array_set:
    op = object_set(type_at(t, a)->u.agg.fields[0].type);
    if (op) object_store(t, op + 1, 0, true);
    else base_op(t, IR_array_set, 3, 0, 0, type_id(t, a), 0);
    break;
  case OP_array_fill: base_op(t, IR_array_fill, 4, 0, 0, type_id(t, a), 0); break;
  case OP_array_copy: base_op(t, IR_array_copy, 5, 0, 0, type_id(t, a), 0); break;
  case OP_array_init_data: base_op(t, IR_array_init_data, 4, b, 0, type_id(t, a), 0); break;
  case OP_array_init_elem: base_op(t, IR_array_init_elem, 4, b, 0, type_id(t, a), 0); break;
  case OP_ref_test: case OP_ref_test_null: case OP_ref_cast: case OP_ref_cast_null: cast(t, in); break;
  case OP_br_on_cast: cast_branch(t, IR_br_on_cast, IR_br_on_cast_fail, 1, in->u.cast.to, in->u.cast.label); break;
  case OP_br_on_cast_fail: cast_branch(t, IR_br_on_cast_fail, IR_br_on_cast, 1, in->u.cast.to, in->u.cast.label); break;
  case OP_any_convert_extern: case OP_extern_convert_any: break;
  case OP_ref_get_desc: base_op(t, IR_ref_get_desc, 1, 0, 0, 0, RT_i64); break;
  case OP_ref_cast_desc_eq: case OP_ref_cast_desc_eq_null: base_op(t, IR_ref_cast_desc, 2, in->u.ref, 0, 0, RT_i64); break;
  case OP_br_on_cast_desc_eq: cast_branch(t, IR_br_on_cast_desc, IR_br_on_cast_desc_fail, 2, in->u.cast.to, in->u.cast.label); break;
  case OP_br_on_cast_desc_eq_fail: cast_branch(t, IR_br_on_cast_desc_fail, IR_br_on_cast_desc, 2, in->u.cast.to, in->u.cast.label); break;
  default: unary(t, plain[in->op].ir); break; /* ref.i31, i31.get, array.len */
  }
}

static void memory_bulk(struct tr *t, unsigned op, uint32_t to, uint32_t from) {
  struct val c = pop(t), b = pop(t), a = pop(t);
  const uint32_t sa = operand(t, &a, false), sb = operand(t, &b, false), sc = operand(t, &c, false);
  struct ir *i = tr_emit(t, op);
  i->a = sa, i->b = sb, i->c = sc, i->imm = (uint64_t)from << 32 | to;
  touch(t, sa), touch(t, sb), touch(t, sc);
}

/* Loads, stores and read-modify-writes; seven instructions of each kind, of which the first two are i32 and i64 in full. */
static void atomic(struct tr *t, const struct instr *in) {
  static const uint8_t log2_of[7] = {2, 3, 0, 1, 0, 1, 2};
  const uint32_t n = in->op - OP_i32_atomic_load, kind = n / 7, first = IR_atomic_load8 + 4 * kind;
  const unsigned operands = kind == 0 ? 1 : first == IR_atomic_cmpxchg8 ? 3 : 2;
  struct val v[3];
  uint32_t s[3] = {NO_SLOT, NO_SLOT, NO_SLOT};
  for (unsigned k = operands; k-- > 0;) v[k] = pop(t);
  for (unsigned k = 0; k < operands; k++) s[k] = operand(t, &v[k], true);
  struct ir *i = tr_emit(t, first + log2_of[n % 7]);
  i->a = s[0], i->b = s[1], i->c = s[2], i->imm = in->u.mem.offset;
  for (unsigned k = 0; k < operands; k++) touch(t, s[k]);
  if (first != IR_atomic_store8) push_result(t, n % 7 == 1 || n % 7 >= 4 ? RT_i64 : RT_i32);
}

/* Bulk memory and tables. */
static void bulk_instr(struct tr *t, const struct instr *in) {
  const struct module *m = t->c->module;
  const uint32_t a = in->u.index.a, b = in->u.index.b;
  switch (in->op) {
  case OP_memory_size: base_op(t, IR_memory_size, 0, a, 0, 0, addr_rt(m->memories[a].limits.is64)); break;
  case OP_memory_grow: base_op(t, IR_memory_grow, 1, a, 0, 0, addr_rt(m->memories[a].limits.is64)); break;
  case OP_memory_fill: memory_bulk(t, IR_memory_fill, a, 0); break;
  case OP_memory_copy: memory_bulk(t, IR_memory_copy, a, b); break;
  case OP_memory_init: base_op(t, IR_memory_init, 3, a, b, 0, 0); break;
  case OP_data_drop: base_op(t, IR_data_drop, 0, a, 0, 0, 0); break;
  case OP_table_get: base_op(t, IR_table_get, 1, a, 0, 0, RT_i64); break;
  case OP_table_set: base_op(t, IR_table_set, 2, a, 0, 0, 0); break;
  case OP_table_size: base_op(t, IR_table_size, 0, a, 0, 0, addr_rt(m->tables[a].type.limits.is64)); break;
  case OP_table_grow: base_op(t, IR_table_grow, 2, a, 0, 0, addr_rt(m->tables[a].type.limits.is64)); break;
  case OP_table_fill: base_op(t, IR_table_fill, 3, a, 0, 0, 0); break;
  case OP_table_copy: base_op(t, IR_table_copy, 3, a, b, 0, 0); break;
  case OP_table_init: base_op(t, IR_table_init, 3, a, b, 0, 0); break;
  case OP_elem_drop: base_op(t, IR_elem_drop, 0, a, 0, 0, 0); break;
  }
}

static void instruction(struct tr *t, const struct instr *in) {
  const struct module *m = t->c->module;
  const struct plain *p = &plain[in->op];
  switch (p->kind) {
  case PLAIN_BIN: binary(t, p->ir); return;
  case PLAIN_UN:
    if (in->op == OP_i32_eqz || in->op == OP_i64_eqz) eqz(t, p->ir);
    else if (in->op == OP_i32_wrap_i64 && t->c->fusion && t->stack[t->depth - 1].kind != VAL_CONST) {
      t->stack[t->depth - 1].dirty = true;
      retype(t, RT_i32);
    } else if (in->op == OP_i32_reinterpret_f32) retype(t, RT_i32);
    else if (in->op == OP_f32_reinterpret_i32 && !t->stack[t->depth - 1].dirty) retype(t, RT_f32);
    else if (in->op == OP_i64_reinterpret_f64) retype(t, RT_i64);
    else if (in->op == OP_f64_reinterpret_i64) retype(t, RT_f64);
    else unary(t, p->ir);
    return;
  case PLAIN_LOAD: load(t, in, p->ir, p->size, p->rt); return;
  case PLAIN_STORE: store(t, in, p->ir, p->size, p->rt); return;
  case PLAIN_VEC: {
    const unsigned shape = rop_info(p->ir)->shape, lane = shape == SHAPE_EXTRACT || shape == SHAPE_REPLACE ? in->u.lane : 0;
    if (shape != SHAPE_EXTRACT || !extract(t, p->ir, lane)) vector(t, p->ir, lane);
    return;
  }
  default: break;
  }
  switch (in->op) {
  case OP_unreachable:
    (void)tr_emit(t, IR_unreachable);
    unreachable(t);
    return;
  case OP_nop: return;
  case OP_block: begin(t, CTRL_BLOCK, in); return;
  case OP_loop: begin(t, CTRL_LOOP, in); return;
  case OP_if: begin(t, CTRL_IF, in); return;
  case OP_try: begin(t, CTRL_TRY, in); return;
  case OP_try_table:
    begin(t, CTRL_TRY_TABLE, in);
    if (!t->failed) try_table_clauses(t, in);
    return;
  case OP_br:
    branch_to(t, label_ctrl(t, in->u.index.a));
    unreachable(t);
    return;
  case OP_br_if: {
    struct val v = pop(t);
    conditional(t, label_ctrl(t, in->u.index.a), &v, 0, 0);
    return;
  }
  case OP_br_table: br_table(t, in); return;
  case OP_return:
    emit_return(t, false);
    unreachable(t);
    return;
  case OP_call: call(t, in->u.index.a, false); return;
  case OP_return_call: call(t, in->u.index.a, true); return;
  case OP_call_indirect: call_dynamic(t, type_at(t, in->u.index.a), IR_call_indirect, in->u.index.b, false); return;
  case OP_return_call_indirect: call_dynamic(t, type_at(t, in->u.index.a), IR_tail_indirect, in->u.index.b, true); return;
  case OP_call_ref: call_dynamic(t, type_at(t, in->u.index.a), IR_call_ref, 0, false); return;
  case OP_return_call_ref: call_dynamic(t, type_at(t, in->u.index.a), IR_tail_ref, 0, true); return;
  case OP_drop: drop(t); return;
  case OP_select: case OP_select_t: select_op(t); return;
  case OP_local_get: local_get(t, in->u.index.a); return;
  case OP_local_set: local_set(t, in->u.index.a, false); return;
  case OP_local_tee: local_set(t, in->u.index.a, true); return;
  case OP_global_get: global_get(t, in->u.index.a); return;
  case OP_global_set: global_set(t, in->u.index.a); return;
  case OP_i32_const: push_const(t, RT_i32, (uint32_t)in->u.i32); return;
  case OP_i64_const: push_const(t, RT_i64, (uint64_t)in->u.i64); return;
  case OP_f32_const: push_const(t, RT_f32, in->u.f32); return;
  case OP_f64_const: push_const(t, RT_f64, in->u.f64); return;
  case OP_v128_const: {
    struct val *v = push(t, VAL_CONST, RT_v128);
    v->imm = load_le64(in->u.v128);
    v->imm2 = load_le64(in->u.v128 + 8);
    return;
  }
  case OP_i64_extend_i32_u: {
    struct val *v = &t->stack[t->depth - 1];
    if (v->dirty) settle(t, v);
    retype(t, RT_i64);
    return;
  }
  case OP_i8x16_shuffle: shuffle(t, in); return;
  case OP_ref_null: push_const(t, RT_i64, REF_NULL); return;
  case OP_ref_func: base_op(t, IR_ref_func, 0, in->u.index.a, 0, 0, RT_i64); return;
  case OP_ref_eq: binary(t, IR_i64_eq); return;
  case OP_br_on_null: br_on_null(t, in->u.index.a); return;
  case OP_br_on_non_null: br_on_non_null(t, in->u.index.a); return;
  case OP_throw: throw_op(t, IR_throw, types_get(m->types, m->tags[in->u.index.a])->u.func.nparams, in->u.index.a); return;
  case OP_throw_ref: throw_op(t, IR_throw_ref, 1, 0); return;
  case OP_rethrow: {
    struct ir *i = tr_emit(t, IR_throw_ref);
    i->a = label_ctrl(t, in->u.index.a)->exn, i->cells = 1, i->imm2 = t->height;
    unreachable(t);
    return;
  }
  case OP_i64_add128: base_by_signature(t, IR_add128, in, 0, 0, 0); return;
  case OP_i64_sub128: base_by_signature(t, IR_sub128, in, 0, 0, 0); return;
  case OP_i64_mul_wide_s: base_by_signature(t, IR_mul_wide_s, in, 0, 0, 0); return;
  case OP_i64_mul_wide_u: base_by_signature(t, IR_mul_wide_u, in, 0, 0, 0); return;
  case OP_atomic_fence: base_op(t, IR_fence, 0, 0, 0, 0, 0); return;
  default: break;
  }
  switch (op_info(in->op)->imm) {
  case IMM_MEMARG:
    if (in->op >= OP_i32_atomic_load && !MV_BIG_ENDIAN && plain_access(t, in, 1u << op_info(in->op)->align)) {
      atomic(t, in);
      return;
    }
    base_by_signature(t, IR_atomic, in, in->u.mem.memory, in->op, in->u.mem.offset); return;
  case IMM_MEMARG_LANE:
    if (plain_access(t, in, 1u << op_info(in->op)->align)) lane_access(t, in);
    else base_by_signature(t, IR_mem_lane, in, in->u.mem.memory, in->op | (uint32_t)in->u.mem.lane << 16, in->u.mem.offset);
    return;
  case IMM_MEMORY: case IMM_MEMORY2: case IMM_DATA_MEMORY: case IMM_DATA: case IMM_TABLE: case IMM_TABLE2: case IMM_ELEM_TABLE: case IMM_ELEM:
    bulk_instr(t, in);
    return;
  default: gc_instr(t, in); return;
  }
}

/* Fuel and profile: else and end are punctuation and cost nothing. */
static void count_instr(struct tr *t, unsigned op) {
  if ((!t->opt->fuel && !t->opt->profile) || op == OP_else || op == OP_end) return;
  price_block(t);
  for (uint32_t k = t->fuel_ir; k < t->block; k++) t->c->ir[k].imm++;
}

/* May one instruction take long? A time limit is looked at before each of those. */
static bool takes_long(unsigned op) {
  switch (op) {
  case OP_memory_fill: case OP_memory_copy: case OP_memory_init: case OP_memory_grow: case OP_table_fill: case OP_table_copy: case OP_table_init: case OP_table_grow:
  case OP_array_new: case OP_array_new_default: case OP_array_new_data: case OP_array_new_elem: case OP_array_fill: case OP_array_copy: case OP_array_init_data:
  case OP_array_init_elem: return true;
  default: return false;
  }
}

static void one(struct tr *t, const struct instr *in) {
  if (t->unreachable) {
    switch (in->op) {
    case OP_block: case OP_loop: case OP_if: case OP_try: case OP_try_table: t->skip++; return;
    case OP_end: case OP_delegate:
      if (t->skip) {
        t->skip--;
        return;
      }
      break;
    case OP_else: case OP_catch: case OP_catch_all:
      if (t->skip) return;
      break;
    default: return;
    }
  }
  count_instr(t, in->op);
  if (t->opt->interruptible && takes_long(in->op)) (void)tr_emit(t, IR_poll);
  if (t->opt->trace) {
    struct ir *i = tr_emit(t, IR_trace);
    i->b = in->op, i->imm = in->offset;
    new_block(t);
  }
  switch (in->op) {
  case OP_else: else_op(t); return;
  case OP_end: end(t); return;
  case OP_catch: case OP_catch_all: legacy_catch(t, in); return;
  case OP_delegate: legacy_delegate(t, in->u.index.a); return;
  default: instruction(t, in); return;
  }
}

/* ---- the whole function ---- */

static bool add_locals(void *env, uint32_t count, valtype type) {
  struct tr *t = env;
  const unsigned rt = rtype_of(type);
  for (; count; count--) {
    t->local_slot[t->nlocals] = t->height;
    t->local_rt[t->nlocals++] = (uint8_t)rt;
    t->height += rt_cells(rt);
  }
  return true;
}

static bool count_locals(void *env, uint32_t count, valtype type) {
  (void)type;
  *(uint32_t *)env += count;
  return true;
}

/* try instructions of the legacy proposal, each of which keeps its exception in a cell of its own */
static uint32_t count_tries(struct reader r, const struct module *m) {
  struct instr in;
  uint32_t n = 0;
  while (r.pos < r.end && instr_read(&r, m, &in)) n += in.op == OP_try;
  return n;
}

static bool prologue(struct tr *t, struct reader *r) {
  const struct module *m = t->c->module;
  const struct body *b = &m->bodies[t->c->func - m->nimported_funcs];
  const uint32_t nparams = t->type->u.func.nparams;
  uint32_t n = nparams;
  *r = (struct reader){m->bytes, m->bytes + b->offset, m->bytes + b->offset + b->size, t->c->err};
  struct reader locals = *r;
  if (!reader_locals(&locals, m, count_locals, &n)) return false;
  t->local_slot = arena_array(t->c->arena, n + 1u, sizeof *t->local_slot);
  t->local_rt = arena_array(t->c->arena, n + 1u, 1);
  if (!t->local_slot || !t->local_rt) return error_no_memory(t->c->err, n);
  for (uint32_t k = 0; k < nparams; k++) (void)add_locals(t, 1, t->type->u.func.params[k]);
  t->c->params = t->height;
  t->height += FRAME_INFO;
  const uint32_t first = t->height;
  if (!reader_locals(r, m, add_locals, t)) return false;
  t->next_exn = t->height;
  if (m->features & MV_FEATURE(LEGACY_EXCEPTIONS)) t->height += count_tries(*r, m);
  t->c->first_temp = t->c->frame = t->height;
  if (t->type->u.func.result_cells > t->c->frame) t->c->frame = t->type->u.func.result_cells;
  t->refs = arena_array(t->c->arena, t->height + 1u, sizeof *t->refs);
  t->touched = arena_array(t->c->arena, t->height + 1u, sizeof *t->touched);
  t->written = arena_array(t->c->arena, t->height + 1u, sizeof *t->written);
  t->is_set = arena_array(t->c->arena, t->height + 1u, 1);
  if (!t->refs || !t->touched || !t->written || !t->is_set) return error_no_memory(t->c->err, t->height);
  memset(t->touched, 0xff, t->height * sizeof *t->touched);
  memset(t->written, 0xff, t->height * sizeof *t->written);
  memset(t->is_set, 1, first);
  if (t->opt->max_depth) (void)tr_emit(t, IR_enter_depth);
  if (t->height > first) { /* which cells, the walk will tell: see end_prologue */
    (void)tr_emit(t, IR_enter);
    t->enter = (uint32_t)t->c->n - 1;
    t->zero_from = t->height, t->zero_to = first;
  }
  if (t->opt->interruptible) (void)tr_emit(t, IR_poll);
  new_block(t);
  struct ctrl *c = push_ctrl(t, CTRL_FUNC, NULL);
  if (!c) return false;
  c->base = t->height;
  return true;
}

/* Only locals that may be read before they are written need their zero. */
static void end_prologue(struct tr *t) {
  if (t->enter == NO_SLOT || t->c->n <= t->enter) return;
  struct ir *i = &t->c->ir[t->enter];
  if (t->zero_from >= t->zero_to) i->op = IR_NOP;
  i->a = t->zero_from, i->b = t->zero_to - t->zero_from;
}

bool ir_translate(struct ircode *c, const mv_options_t *opt, const struct module_code *owner, mv_error_t *err) {
  struct tr t = {.c = c, .opt = opt, .owner = owner, .type = module_func_type(c->module, c->func), .fuel_ir = NO_SLOT, .enter = NO_SLOT};
  struct reader r;
  struct instr in;
  c->err = err;
  /* the first room is made here, so that tr_emit and push always have a place to write to */
  bool ok = (array_reserve((void **)&c->ir, &c->cap, 64, sizeof *c->ir) && array_reserve((void **)&t.stack, &t.stack_cap, 16, sizeof *t.stack)) ||
            error_no_memory(err, sizeof *c->ir);
  ok = ok && prologue(&t, &r);
  while (ok && t.nctrls) {
    t.pos = (uint32_t)reader_offset(&r);
    ok = instr_read(&r, c->module, &in);
    if (ok) one(&t, &in);
    ok = ok && !t.failed;
  }
  if (ok) end_prologue(&t);
  free(t.set);
  free(t.stack);
  free(t.ctrls);
  free(t.pads);
  free(t.tramps);
  return ok || error_set(err, MV_INVALID, t.pos, "body cannot be translated");
}

void ir_fini(struct ircode *c) {
  free(c->ir);
  free(c->tables);
  free(c->catches);
}
