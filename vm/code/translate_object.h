/* Structs, arrays and casts (core/exec/instructions#aggregate-instructions, #reference-instructions). Part of translate.c. */

/* The type of a cast, b and c of *i. c is the id of a struct or array type, which an object's is compared with at once, or no id. Nobody is of another type
 * than its own where that is final. */
static void cast_type(const struct tr *t, struct ir *i, valtype type) {
  const uint32_t heap = vt_heap(type);
  i->b = type, i->c = UINT32_MAX;
  if (heap >= HEAP_MAX_ID) return;
  const struct deftype *dt = types_get(t->c->module->types, heap);
  if (dt->kind == COMP_FUNC) return;
  i->c = heap;
  if (dt->final) i->b |= VT_EXACT;
}

/* ref.test and ref.cast, which leaves its operand where it is */
static void cast(struct tr *t, const struct instr *in) {
  const bool test = in->op == OP_ref_test || in->op == OP_ref_test_null;
  if (in->u.ref == VT_REFTYPE(HEAP_I31, 0)) {
    unary(t, test ? IR_is_i31 : IR_cast_i31);
    return;
  }
  struct val *v = &t->stack[t->depth - 1];
  const uint32_t s = operand(t, v, false);
  struct ir *i = tr_emit(t, test ? IR_ref_test : IR_ref_cast);
  i->a = s, i->cells = 1;
  cast_type(t, i, in->u.ref);
  touch(t, s);
  if (!test) return;
  (void)pop(t);
  push_result(t, RT_i32);
}

/* A branch on a cast: the reference stays in its home on both paths. */
static void cast_branch(struct tr *t, unsigned op, unsigned inverse, uint32_t operands, valtype type, uint32_t depth) {
  struct ctrl *c = label_ctrl(t, depth);
  settle_top(t, operands);
  const uint32_t base = t->stack[t->depth - operands].home, top = t->height;
  if (operands == 2) (void)pop(t);
  const uint32_t n = c->kind == CTRL_FUNC ? 0 : arity(t, c);
  settle_carried(t, c);
  const bool direct = c->kind != CTRL_FUNC && in_place(t, c, n);
  const uint32_t skip = direct ? 0 : new_label(t);
  struct ir *i = tr_emit(t, direct ? op : inverse);
  i->a = base, i->cells = operands, i->b = type, i->imm2 = top, i->label = direct ? c->label : skip;
  i->flags |= IRF_FIXED;
  if (operands == 1 && type == VT_REFTYPE(HEAP_I31, 0)) {
    i->op = i->op == IR_br_on_cast ? IR_br_i31 : IR_br_not_i31;
    i->flags |= IRF_KEEP;
  } else if (operands == 1)
    cast_type(t, i, type);
  new_block(t);
  if (direct) c->used = true;
  else branch_around(t, c, n, skip);
}

/* The operation on a field of the type (its element twin is the next one), or 0: vectors go the long way. */
static unsigned object_get(valtype t, bool sign) {
  switch (vt_code(t)) {
  case VT_I8: return sign ? IR_field_get8_s : IR_field_get8_u;
  case VT_I16: return sign ? IR_field_get16_s : IR_field_get16_u;
  case VT_I32: return IR_field_get_i32;
  case VT_F32: return IR_field_get_f32;
  case VT_F64: return IR_field_get_f64;
  case VT_V128: return 0;
  default: return IR_field_get_i64;
  }
}

static unsigned object_set(valtype t) {
  switch (vt_code(t)) {
  case VT_I8: return IR_field_set8;
  case VT_I16: return IR_field_set16;
  case VT_I32: return IR_field_set_i32;
  case VT_F32: return IR_field_set_f32;
  case VT_F64: return IR_field_set_f64;
  case VT_V128: return 0;
  default: return IR_field_set_i64;
  }
}

static bool fits_short(const struct tr *t, const struct val *v) {
  return t->c->fusion && fits_imm(v) && (v->rt == RT_i32 || v->rt == RT_f32 || v->imm == (uint64_t)(int32_t)v->imm);
}

static void object_fetch(struct tr *t, unsigned op, uint32_t offset) {
  struct val v = pop(t);
  const uint32_t s = operand(t, &v, false);
  struct ir *i = tr_emit(t, op);
  i->a = s, i->imm2 = sizeof(struct object) + offset;
  touch(t, s);
  push_result(t, rop_info(op)->out);
}

/* Into a field, or into an element whose index is an operand. */
static void object_store(struct tr *t, unsigned op, uint32_t offset, bool element) {
  struct val x = pop(t), n = {0};
  if (element) n = pop(t);
  struct val v = pop(t);
  const bool imm = fits_short(t, &x), nimm = element && fits_short(t, &n);
  const uint32_t sv = operand(t, &v, false), sn = element && !nimm ? operand(t, &n, true) : NO_SLOT, sx = imm ? NO_SLOT : operand(t, &x, rop_info(op)->in == RT_i32);
  struct ir *i = tr_emit(t, op);
  i->a = sv;
  if (element) {
    i->b = sn, i->c = sx, i->imm = n.imm, i->imm2 = x.imm;
    i->flags |= (nimm ? IRF_IMM : 0) | (imm ? IRF_IMM2 : 0);
  } else {
    i->b = sx, i->imm = x.imm, i->imm2 = sizeof(struct object) + offset;
    i->flags |= imm ? IRF_IMM : 0;
  }
  touch(t, sv);
  if (sn != NO_SLOT) touch(t, sn);
  if (sx != NO_SLOT) touch(t, sx);
}

static void place(struct tr *t, uint32_t *n, uint32_t operand, size_t offset, unsigned flags) {
  struct ircode *c = t->c;
  if (!array_reserve((void **)&c->tables, &c->tables_cap, c->ntables + 2, sizeof *c->tables)) {
    t->failed = !error_no_memory(c->err, sizeof *c->tables);
    return;
  }
  c->tables[c->ntables++] = operand;
  c->tables[c->ntables++] = (uint32_t)offset << PLACE_OFFSET | flags;
  ++*n;
}

/* A new struct, or an array of count elements. The values are taken from wherever they are; what is zero is so already. An array's header says more than a
 * struct's: that is placed like values. */
static void object_new(struct tr *t, const struct deftype *type, uint32_t count) {
  const uint32_t first = (uint32_t)t->c->ntables, bottom = t->depth - count, top = t->height;
  const bool array = type->kind == COMP_ARRAY;
  uint32_t n = 0;
  if (array) {
    place(t, &n, OBJ_ARRAY, offsetof(struct object, kind), PLACE_IMM);
    place(t, &n, count, offsetof(struct object, u.length), PLACE_IMM | 3);
  }
  for (uint32_t k = 0; k < count && !t->failed; k++) {
    struct val *v = &t->stack[bottom + k];
    const struct field *f = &type->u.agg.fields[array ? 0 : k];
    const unsigned size = vt_field_size(f->type), log2 = size == 16 ? 3 : log2_size(size);
    const size_t at = sizeof(struct object) + (array ? (size_t)k * size : f->offset);
    if (v->kind == VAL_CONST && v->rt != RT_v128 && v->imm == 0 && t->c->fusion) continue;
    if (fits_short(t, v)) {
      place(t, &n, (uint32_t)v->imm, at, PLACE_IMM | log2);
      continue;
    }
    const uint32_t s = operand(t, v, size <= 4);
    place(t, &n, s, at, log2);
    if (size == 16) place(t, &n, s + 1, at + 8, log2);
  }
  struct ir *i = tr_emit(t, IR_object_new);
  i->a = type->id, i->c = n, i->label = first, i->imm = top;
  i->b = (uint32_t)sizeof(struct object) + (array ? count * vt_field_size(type->u.agg.fields[0].type) : type->u.agg.size);
  for (uint32_t k = 0; k < n; k++)
    if (!(t->c->tables[first + 2 * k + 1] & PLACE_IMM)) touch(t, t->c->tables[first + 2 * k]);
  for (uint32_t k = 0; k < count; k++) (void)pop(t);
  push_result(t, RT_i64);
}
