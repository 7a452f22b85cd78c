/* Typing of numeric, memory, table and variable instructions (core/valid/instructions). Most follow their signature in ops.def. */
#include "valid/valid.h"

/* ---- lookups ---- */

const struct memtype *memory_at(struct validator *v, uint32_t i) {
  if (i < v->m->nmemories) return &v->m->memories[i];
  invalid(v, "unknown memory %u", i);
  return NULL;
}

const struct tabletype *table_at(struct validator *v, uint32_t i) {
  if (i < v->m->ntables) return &v->m->tables[i].type;
  invalid(v, "unknown table %u", i);
  return NULL;
}

const struct elem *elem_at(struct validator *v, uint32_t i) {
  if (i < v->m->nelems) return &v->m->elems[i];
  invalid(v, "unknown elem segment %u", i);
  return NULL;
}

bool data_at(struct validator *v, uint32_t i) {
  if (!v->m->has_data_count) return malformed(v, "data count section required");
  return i < v->m->ndatas || invalid(v, "unknown data segment %u", i);
}

const struct deftype *functype_at(struct validator *v, uint32_t type) {
  if (type >= v->m->ntypes) {
    invalid(v, "unknown type %u", type);
    return NULL;
  }
  const struct deftype *t = types_get(v->m->types, v->m->type_ids[type]);
  if (t->kind == COMP_FUNC) return t;
  invalid(v, "non-function type %u", type);
  return NULL;
}

const struct deftype *func_at(struct validator *v, uint32_t func) {
  if (func < v->m->nfuncs) return module_func_type(v->m, func);
  invalid(v, "unknown function %u", func);
  return NULL;
}

const struct deftype *tag_at(struct validator *v, uint32_t tag) {
  if (tag < v->m->ntags) return types_get(v->m->types, v->m->tags[tag]);
  invalid(v, "unknown tag %u", tag);
  return NULL;
}

/* ---- by signature ---- */

/* A letter of a signature; `addr` is what 'a' stands for. */
static valtype letter(char c, valtype addr) {
  switch (c) {
  case 'i': return VT_I32;
  case 'I': return VT_I64;
  case 'f': return VT_F32;
  case 'F': return VT_F64;
  case 'v': return VT_V128;
  default: return addr;
  }
}

static bool by_signature(struct validator *v, const char *sig, valtype addr) {
  valtype in[8], out[8];
  uint32_t nin = 0, nout = 0;
  for (; *sig != ':'; sig++) in[nin++] = letter(*sig, addr);
  for (sig++; *sig; sig++) out[nout++] = letter(*sig, addr);
  return pop_list(v, in, nin) && push_list(v, out, nout);
}

/* Lanes of the shape that an instruction works on; 0: it names no lane. */
static unsigned lanes(unsigned op) {
  switch (op) {
  case OP_i8x16_extract_lane_s: case OP_i8x16_extract_lane_u: case OP_i8x16_replace_lane: return 16;
  case OP_i16x8_extract_lane_s: case OP_i16x8_extract_lane_u: case OP_i16x8_replace_lane: return 8;
  case OP_i32x4_extract_lane: case OP_i32x4_replace_lane: case OP_f32x4_extract_lane: case OP_f32x4_replace_lane: return 4;
  case OP_i64x2_extract_lane: case OP_i64x2_replace_lane: case OP_f64x2_extract_lane: case OP_f64x2_replace_lane: return 2;
  default: return 0;
  }
}

static bool check_lanes(struct validator *v, const struct instr *in) {
  unsigned n = lanes(in->op);
  if (n && in->u.lane >= n) return invalid(v, "invalid lane index %u", in->u.lane);
  for (unsigned i = 0; in->op == OP_i8x16_shuffle && i < 16; i++)
    if (in->u.v128[i] >= 32) return invalid(v, "invalid lane index %u", in->u.v128[i]);
  return true;
}

static bool memory_access(struct validator *v, const struct instr *in, const struct opinfo *info) {
  const struct memtype *mem = memory_at(v, in->u.mem.memory);
  if (!mem) return false;
  bool atomic = in->op >= OP_PAGE_FE;
  if (atomic && in->u.mem.align != info->align) return invalid(v, "atomic alignment must be natural");
  if (in->u.mem.align > info->align) return invalid(v, "alignment must not be larger than natural");
  if (!mem->limits.is64 && in->u.mem.offset > UINT32_MAX) return invalid(v, "offset out of range");
  if (info->imm == IMM_MEMARG_LANE && in->u.mem.lane >= 16u >> info->align) return invalid(v, "invalid lane index %u", in->u.mem.lane);
  return by_signature(v, info->sig, addr_type(&mem->limits));
}

/* ---- parametric and variables ---- */

static bool rule_select(struct validator *v) {
  char text[TYPE_TEXT];
  valtype a, b;
  if (!pop(v, VT_I32) || !pop_any(v, &b)) return false;
  if (vt_is_ref(b))
    return invalid(v, "type mismatch: instruction requires numeric or vector type but stack has %s", type_name(v, b, text, sizeof text));
  if (vt_code(b) != VT_BOT) return pop(v, b) && push(v, b);
  if (!pop_any(v, &a)) return false;
  if (vt_is_ref(a))
    return invalid(v, "type mismatch: instruction requires numeric or vector type but stack has %s", type_name(v, a, text, sizeof text));
  return push(v, a);
}

static bool rule_select_t(struct validator *v, struct instr *in) {
  valtype t;
  if (in->u.list.count != 1) return invalid(v, "invalid result arity other than 1 is not (yet) allowed");
  return reader_valtype(&in->u.list.items, v->m, &t) && pop(v, VT_I32) && pop(v, t) && pop(v, t) && push(v, t);
}

/* The type of a local, with LOCAL_UNSET if it needs initialisation; VT_BOT with a report if it does not exist. Those that are not spelled out
 * are found in their group. */
static valtype local_at(struct validator *v, uint32_t i) {
  if (i < v->nexpanded) return v->locals[i];
  if (i >= v->nlocals) {
    invalid(v, "unknown local %u", i);
    return VT_BOT;
  }
  uint32_t lo = 0, hi = v->ngroups - 1;
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2;
    if (i < v->groups[mid].end)
      hi = mid;
    else
      lo = mid + 1;
  }
  return v->groups[lo].type;
}

static bool initialise(struct validator *v, uint32_t i) {
  if (v->stamps[i] == v->stamp) return true;
  void *inits = v->inits;
  if (!array_reserve(&inits, &v->inits_cap, (size_t)v->ninits + 1, sizeof *v->inits)) return error_no_memory(v->err, v->ninits);
  v->inits = inits;
  v->inits[v->ninits++] = i;
  v->stamps[i] = v->stamp;
  return true;
}

static bool rule_local(struct validator *v, unsigned op, uint32_t i) {
  valtype t = local_at(v, i);
  bool unset = t & LOCAL_UNSET;
  if (t == VT_BOT) return false;
  t &= ~(valtype)LOCAL_UNSET;
  if (op == OP_local_get) return unset && v->stamps[i] != v->stamp ? invalid(v, "uninitialized local %u", i) : push(v, t);
  return pop(v, t) && (!unset || initialise(v, i)) && (op == OP_local_set || push(v, t));
}

static bool rule_global(struct validator *v, unsigned op, uint32_t i) {
  uint32_t n = v->constant ? v->nglobals : v->m->nglobals;
  if (i >= n) return invalid(v, "unknown global %u", i);
  const struct globaltype *g = &v->m->globals[i].type;
  if (op == OP_global_get) return push(v, g->type);
  return g->mutable ? pop(v, g->type) : invalid(v, "immutable global %u", i);
}

/* ---- bulk operations ---- */

/* Pops operands given in order. */
static bool pop3(struct validator *v, valtype a, valtype b, valtype c) {
  valtype list[3] = {a, b, c};
  return pop_list(v, list, 3);
}

/* The address type that both sides of a copy can express: the smaller one. */
static valtype smaller(const struct limits *a, const struct limits *b) { return a->is64 && b->is64 ? VT_I64 : VT_I32; }

static bool rule_memory_copy(struct validator *v, uint32_t to, uint32_t from) {
  const struct memtype *a = memory_at(v, to), *b = a ? memory_at(v, from) : NULL;
  return b && pop3(v, addr_type(&a->limits), addr_type(&b->limits), smaller(&a->limits, &b->limits));
}

static bool rule_table_copy(struct validator *v, uint32_t to, uint32_t from) {
  const struct tabletype *a = table_at(v, to), *b = a ? table_at(v, from) : NULL;
  return b && match_lists(v, "destination table", &a->type, 1, "source", &b->type, 1) &&
         pop3(v, addr_type(&a->limits), addr_type(&b->limits), smaller(&a->limits, &b->limits));
}

static bool rule_table_init(struct validator *v, uint32_t elem, uint32_t table) {
  const struct tabletype *t = table_at(v, table);
  const struct elem *e = t ? elem_at(v, elem) : NULL;
  return e && match_lists(v, "table", &t->type, 1, "element segment", &e->type, 1) && pop3(v, addr_type(&t->limits), VT_I32, VT_I32);
}

static bool rule_memory(struct validator *v, const struct instr *in) {
  bool init = in->op == OP_memory_init;
  const struct memtype *mem = memory_at(v, init ? in->u.index.b : in->u.index.a);
  if (!mem) return false;
  valtype a = addr_type(&mem->limits);
  switch (in->op) {
  case OP_memory_size: return push(v, a);
  case OP_memory_grow: return pop(v, a) && push(v, a);
  case OP_memory_fill: return pop3(v, a, VT_I32, a);
  default: return data_at(v, in->u.index.a) && pop3(v, a, VT_I32, VT_I32);
  }
}

static bool rule_table(struct validator *v, const struct instr *in) {
  const struct tabletype *t = table_at(v, in->u.index.a);
  if (!t) return false;
  valtype a = addr_type(&t->limits), grow[2] = {t->type, a}, set[2] = {a, t->type};
  switch (in->op) {
  case OP_table_get: return pop(v, a) && push(v, t->type);
  case OP_table_set: return pop_list(v, set, 2);
  case OP_table_size: return push(v, a);
  case OP_table_grow: return pop_list(v, grow, 2) && push(v, a);
  default: return pop3(v, a, t->type, a);
  }
}

static bool rule_special(struct validator *v, struct instr *in) {
  uint32_t a = in->u.index.a, b = in->u.index.b;
  valtype t;
  switch (in->op) {
  case OP_drop: return pop_any(v, &t);
  case OP_select: return rule_select(v);
  case OP_select_t: return rule_select_t(v, in);
  case OP_local_get: case OP_local_set: case OP_local_tee: return rule_local(v, in->op, a);
  case OP_global_get: case OP_global_set: return rule_global(v, in->op, a);
  case OP_memory_size: case OP_memory_grow: case OP_memory_fill: case OP_memory_init: return rule_memory(v, in);
  case OP_table_get: case OP_table_set: case OP_table_size: case OP_table_grow: case OP_table_fill: return rule_table(v, in);
  case OP_memory_copy: return rule_memory_copy(v, a, b);
  case OP_table_copy: return rule_table_copy(v, a, b);
  case OP_table_init: return rule_table_init(v, a, b);
  case OP_data_drop: return data_at(v, a);
  case OP_elem_drop: return elem_at(v, a) != NULL;
  default: break;
  }
  return in->op < OP_drop || in->op == OP_try_table ? rule_control(v, in) : rule_ref(v, in);
}

bool rule_instr(struct validator *v, struct instr *in) {
  const struct opinfo *info = op_info(in->op);
  switch (info->rule) {
  case RULE_PLAIN: return check_lanes(v, in) && by_signature(v, info->sig, VT_BOT);
  case RULE_LOAD: case RULE_STORE: return memory_access(v, in, info);
  default: return rule_special(v, in);
  }
}

/* ---- constant expressions (core/valid/instructions#constant-expressions) ---- */

bool is_constant(struct validator *v, const struct instr *in) {
  switch (in->op) {
  case OP_i32_const: case OP_i64_const: case OP_f32_const: case OP_f64_const: case OP_v128_const: case OP_ref_null: case OP_ref_func: case OP_end:
  case OP_ref_i31: case OP_struct_new: case OP_struct_new_default: case OP_struct_new_desc: case OP_struct_new_default_desc: case OP_array_new:
  case OP_array_new_default: case OP_array_new_fixed: case OP_any_convert_extern: case OP_extern_convert_any:
    return true;
  case OP_i32_add: case OP_i32_sub: case OP_i32_mul: case OP_i64_add: case OP_i64_sub: case OP_i64_mul:
    return v->m->features & MV_FEATURE(EXTENDED_CONST);
  case OP_global_get: return in->u.index.a >= v->nglobals || !v->m->globals[in->u.index.a].type.mutable; /* an unknown one is reported as such */
  default: return false;
  }
}
