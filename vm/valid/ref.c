/* Typing of reference and aggregate instructions (core/valid/instructions#reference-instructions, #aggregate-reference-instructions) and of the
 * custom descriptors proposal. Type indices have been checked to exist when the instruction was read. */
#include <string.h>

#include "types/limits.h"
#include "valid/valid.h"

static const struct deftype *type_at(struct validator *v, uint32_t index) { return types_get(v->m->types, v->m->type_ids[index]); }

static const struct deftype *struct_at(struct validator *v, uint32_t index) {
  const struct deftype *t = type_at(v, index);
  if (t->kind == COMP_STRUCT) return t;
  invalid(v, "non-structure type %u", index);
  return NULL;
}

/* The element of an array type. */
static const struct field *array_at(struct validator *v, uint32_t index) {
  const struct deftype *t = type_at(v, index);
  if (t->kind == COMP_ARRAY) return t->u.agg.fields;
  invalid(v, "non-array type %u", index);
  return NULL;
}

static const struct field *mutable_array_at(struct validator *v, uint32_t index) {
  const struct field *f = array_at(v, index);
  if (!f || f->mutable) return f;
  invalid(v, "immutable array type %u", index);
  return NULL;
}

static valtype null_ref(uint32_t heap) { return VT_REFTYPE(heap, VT_NULLABLE); }
static bool is_packed(valtype t) { return vt_code(t) == VT_I8 || vt_code(t) == VT_I16; }
static valtype unpacked(valtype t) { return is_packed(t) ? VT_I32 : t; }

/* The result of an allocation: never null, and of exactly this type. */
static bool push_new(struct validator *v, uint32_t id) { return push(v, VT_REFTYPE(id, v->exact)); }

/* ---- references ---- */

static bool rule_ref_func(struct validator *v, uint32_t index) {
  const struct deftype *t = func_at(v, index);
  if (!t) return false;
  if (v->constant)
    declare_ref(v->m, index);
  else if (!(v->m->declared_refs[index >> 3] >> (index & 7) & 1))
    return invalid(v, "undeclared function reference %u", index);
  bool exact = index >= v->m->nimported_funcs || (v->exact_imports && v->exact_imports[index]);
  return push(v, VT_REFTYPE(t->id, exact ? v->exact : 0));
}

static bool rule_br_on_null(struct validator *v, const valtype *types, uint32_t n) {
  valtype t;
  return pop_ref(v, &t) && pop_list(v, types, n) && push_list(v, types, n) && push(v, t & ~(valtype)VT_NULLABLE);
}

static bool rule_br_on_non_null(struct validator *v, const valtype *types, uint32_t n) {
  if (n == 0 || !vt_is_ref(types[n - 1])) return mismatch(v, "instruction", &(valtype){null_ref(HEAP_BOT)}, 1, "label", types, n);
  return pop(v, types[n - 1] | VT_NULLABLE) && pop_list(v, types, n - 1) && push_list(v, types, n - 1);
}

static bool rule_convert(struct validator *v, uint32_t from, uint32_t to) {
  valtype t;
  if (!pop_ref(v, &t)) return false;
  valtype want = null_ref(from);
  return match_lists(v, "instruction", &want, 1, "stack", &t, 1) && push(v, VT_REFTYPE(to, t & VT_NULLABLE));
}

/* ---- casts ---- */

static uint32_t top_of(struct validator *v, valtype t) { return types_top(v->m->types, vt_heap(t)); }

/* The type of the descriptor that a cast to `t` compares with: exact when the cast is. VT_BOT with a report if there is none. */
static valtype descriptor_of(struct validator *v, valtype t) {
  char text[TYPE_TEXT];
  uint32_t heap = vt_heap(t), i;
  if (heap < HEAP_MAX_ID) {
    uint32_t desc = types_get(v->m->types, heap)->descriptor;
    if (desc != TYPE_NONE) return VT_REFTYPE(desc, VT_NULLABLE | (t & VT_EXACT));
    for (i = 0; v->m->type_ids[i] != heap; i++) continue;
    invalid(v, "type %u does not have a descriptor", i);
  } else {
    /* the heap type's bare name is what stands between "(ref " and ")" */
    valtype_print(t & ~(valtype)VT_NULLABLE, text, sizeof text);
    invalid(v, "type %.*s does not have a descriptor", (int)(strcspn(text, ")") - 5), text + 5);
  }
  return VT_BOT;
}

static bool rule_ref_cast(struct validator *v, const struct instr *in) {
  valtype t = in->u.ref, desc;
  bool test = in->op == OP_ref_test || in->op == OP_ref_test_null;
  if (in->op == OP_ref_cast_desc_eq || in->op == OP_ref_cast_desc_eq_null) {
    if ((desc = descriptor_of(v, t)) == VT_BOT || !pop(v, desc)) return false;
  }
  return pop(v, null_ref(top_of(v, t))) && push(v, test ? VT_I32 : t);
}

/* br_on_cast and its kin. Without descriptors the target must be a subtype of the source; with them, one hierarchy is enough. */
static bool rule_br_on_cast(struct validator *v, const struct instr *in, const valtype *types, uint32_t n) {
  char a[TYPE_TEXT], b[TYPE_TEXT];
  valtype from = in->u.cast.from, to = in->u.cast.to;
  valtype rest = vt_is_nullable(to) ? from & ~(valtype)VT_NULLABLE : from; /* from \ to */
  bool fail = in->op == OP_br_on_cast_fail || in->op == OP_br_on_cast_desc_eq_fail;
  bool by_desc = in->op == OP_br_on_cast_desc_eq || in->op == OP_br_on_cast_desc_eq_fail;
  bool related = v->m->features & MV_FEATURE(DESCRIPTORS) ? top_of(v, from) == top_of(v, to) : types_match(v->m->types, to, from);
  if (!related)
    return invalid(v, "type mismatch on cast: type %s does not match %s", type_name(v, to, a, sizeof a), type_name(v, from, b, sizeof b));
  valtype sent = fail ? rest : to, kept = fail ? to : rest, desc = VT_BOT;
  if (n == 0) return mismatch(v, "label", types, n, "branch", &sent, 1);
  if (!match_lists(v, "label", &types[n - 1], 1, "branch", &sent, 1)) return false;
  if (by_desc && ((desc = descriptor_of(v, to)) == VT_BOT || !pop(v, desc))) return false;
  return pop(v, from) && pop_list(v, types, n - 1) && push_list(v, types, n - 1) && push(v, kept);
}

static bool rule_branch(struct validator *v, const struct instr *in) {
  uint32_t index = in->op == OP_br_on_null || in->op == OP_br_on_non_null ? in->u.index.a : in->u.cast.label;
  if (index >= v->nframes) return invalid(v, "unknown label %u", index);
  const struct frame *f = &v->frames[v->nframes - 1 - index];
  bool loop = f->op == OP_loop;
  const valtype *types = loop ? f->params : frame_results(f);
  uint32_t n = loop ? f->nparams : f->nresults;
  if (in->op == OP_br_on_null) return rule_br_on_null(v, types, n);
  return in->op == OP_br_on_non_null ? rule_br_on_non_null(v, types, n) : rule_br_on_cast(v, in, types, n);
}

/* ---- structs ---- */

/* Is nothing left but operands of unknown number and type? Then any number of them can be popped. */
static bool is_bottomless(struct validator *v) { return top(v)->unreachable && v->sp == frame_floor(v, top(v)); }

/* A struct may have 10,000 fields, and a body name it a million times: first the plain run of operands that just fit. */
static bool pop_fields(struct validator *v, const struct deftype *t) {
  const struct field *fields = t->u.agg.fields;
  const valtype *floor = frame_floor(v, top(v));
  valtype *sp = v->sp;
  uint32_t i = t->u.agg.nfields;
  while (i > 0 && sp > floor && sp[-1] == unpacked(fields[i - 1].type)) sp--, i--;
  for (v->sp = sp; i > 0 && !is_bottomless(v); i--)
    if (!pop(v, unpacked(fields[i - 1].type))) return false;
  return true;
}

static bool rule_struct_new(struct validator *v, const struct instr *in) {
  const struct deftype *t = struct_at(v, in->u.index.a);
  bool dflt = in->op == OP_struct_new_default || in->op == OP_struct_new_default_desc;
  bool by_desc = in->op == OP_struct_new_desc || in->op == OP_struct_new_default_desc;
  if (!t) return false;
  if (by_desc && t->descriptor == TYPE_NONE) return invalid(v, "type without descriptor requires non-descriptor allocation");
  if (!by_desc && t->descriptor != TYPE_NONE) return invalid(v, "type with descriptor requires descriptor allocation");
  for (uint32_t i = 0; dflt && i < t->u.agg.nfields; i++)
    if (!vt_is_defaultable(t->u.agg.fields[i].type)) return invalid(v, "field type is not defaultable");
  if (by_desc && !pop(v, VT_REFTYPE(t->descriptor, VT_NULLABLE | v->exact))) return false;
  return (dflt || pop_fields(v, t)) && push_new(v, t->id);
}

static bool rule_struct_field(struct validator *v, const struct instr *in) {
  const struct deftype *t = struct_at(v, in->u.index.a);
  if (!t) return false;
  if (in->u.index.b >= t->u.agg.nfields) return invalid(v, "unknown field %u", in->u.index.b);
  const struct field *f = &t->u.agg.fields[in->u.index.b];
  valtype value = unpacked(f->type), ref = null_ref(t->id);
  if (in->op == OP_struct_set) return f->mutable ? pop(v, value) && pop(v, ref) : invalid(v, "immutable field %u", in->u.index.b);
  if (is_packed(f->type) != (in->op != OP_struct_get))
    return invalid(v, "type mismatch: field is %s", is_packed(f->type) ? "packed" : "not packed");
  return pop(v, ref) && push(v, value);
}

static bool rule_get_desc(struct validator *v, uint32_t index) {
  const struct deftype *t = type_at(v, index);
  valtype exact = VT_REFTYPE(t->id, VT_NULLABLE | VT_EXACT), found;
  if (t->descriptor == TYPE_NONE) return invalid(v, "type without descriptor %u", index);
  if (!pop_ref(v, &found)) return false;
  bool is_exact = types_match(v->m->types, found, exact);
  valtype want = is_exact ? exact : null_ref(t->id);
  return match_lists(v, "instruction", &want, 1, "stack", &found, 1) && push(v, VT_REFTYPE(t->descriptor, is_exact ? VT_EXACT : 0));
}

/* ---- arrays ---- */

static bool rule_array_new(struct validator *v, const struct instr *in) {
  const struct field *f = array_at(v, in->u.index.a);
  uint32_t id = v->m->type_ids[in->u.index.a];
  if (!f) return false;
  if (in->op == OP_array_new_default && !vt_is_defaultable(f->type)) return invalid(v, "array type is not defaultable");
  return pop(v, VT_I32) && (in->op == OP_array_new_default || pop(v, unpacked(f->type))) && push_new(v, id);
}

static bool rule_array_new_fixed(struct validator *v, uint32_t type, uint32_t n) {
  const struct field *f = array_at(v, type);
  if (!f) return false;
  if (n > LIMIT_ARRAY_NEW_FIXED)
    return error_set(v->err, MV_LIMIT, v->offset, "too many operands of array.new_fixed: %u, at most %d", n, LIMIT_ARRAY_NEW_FIXED);
  for (uint32_t i = 0; i < n && !is_bottomless(v); i++)
    if (!pop(v, unpacked(f->type))) return false;
  return push_new(v, v->m->type_ids[type]);
}

/* Data can be read into numbers and vectors, an element segment into references that its type matches. */
static bool check_source(struct validator *v, const struct instr *in, const struct field *f) {
  valtype t = unpacked(f->type);
  if (in->op == OP_array_new_data || in->op == OP_array_init_data)
    return data_at(v, in->u.index.b) && (!vt_is_ref(t) || invalid(v, "array type is not numeric or vector"));
  const struct elem *e = elem_at(v, in->u.index.b);
  return e && match_lists(v, "array", &t, 1, "element segment", &e->type, 1);
}

static bool rule_array_new_segment(struct validator *v, const struct instr *in) {
  const struct field *f = array_at(v, in->u.index.a);
  return f && check_source(v, in, f) && pop(v, VT_I32) && pop(v, VT_I32) && push_new(v, v->m->type_ids[in->u.index.a]);
}

static bool rule_array_init(struct validator *v, const struct instr *in) {
  const struct field *f = mutable_array_at(v, in->u.index.a);
  valtype want[4] = {null_ref(v->m->type_ids[in->u.index.a]), VT_I32, VT_I32, VT_I32};
  return f && check_source(v, in, f) && pop_list(v, want, 4);
}

static bool rule_array_get(struct validator *v, const struct instr *in) {
  const struct field *f = array_at(v, in->u.index.a);
  valtype want[2] = {null_ref(v->m->type_ids[in->u.index.a]), VT_I32};
  if (!f) return false;
  if (is_packed(f->type) != (in->op != OP_array_get))
    return invalid(v, "type mismatch: array is %s", is_packed(f->type) ? "packed" : "not packed");
  return pop_list(v, want, 2) && push(v, unpacked(f->type));
}

static bool rule_array_set(struct validator *v, const struct instr *in) {
  const struct field *f = mutable_array_at(v, in->u.index.a);
  if (!f) return false;
  valtype want[4] = {null_ref(v->m->type_ids[in->u.index.a]), VT_I32, unpacked(f->type), VT_I32};
  return pop_list(v, want, in->op == OP_array_fill ? 4 : 3);
}

static bool rule_array_copy(struct validator *v, uint32_t to, uint32_t from) {
  const struct field *a = mutable_array_at(v, to), *b = a ? array_at(v, from) : NULL;
  if (!b) return false;
  if (!types_match(v->m->types, b->type, a->type)) return invalid(v, "array types do not match");
  valtype want[5] = {null_ref(v->m->type_ids[to]), VT_I32, null_ref(v->m->type_ids[from]), VT_I32, VT_I32};
  return pop_list(v, want, 5);
}

bool rule_ref(struct validator *v, struct instr *in) {
  uint32_t a = in->u.index.a, b = in->u.index.b;
  valtype t, eq[2] = {null_ref(HEAP_EQ), null_ref(HEAP_EQ)};
  switch (in->op) {
  case OP_ref_null: return push(v, in->u.ref);
  case OP_ref_is_null: return pop_ref(v, &t) && push(v, VT_I32);
  case OP_ref_func: return rule_ref_func(v, a);
  case OP_ref_eq: return pop_list(v, eq, 2) && push(v, VT_I32);
  case OP_ref_as_non_null: return pop_ref(v, &t) && push(v, t & ~(valtype)VT_NULLABLE);
  case OP_br_on_null: case OP_br_on_non_null: case OP_br_on_cast: case OP_br_on_cast_fail: case OP_br_on_cast_desc_eq: case OP_br_on_cast_desc_eq_fail:
    return rule_branch(v, in);
  case OP_struct_new: case OP_struct_new_default: case OP_struct_new_desc: case OP_struct_new_default_desc: return rule_struct_new(v, in);
  case OP_struct_get: case OP_struct_get_s: case OP_struct_get_u: case OP_struct_set: return rule_struct_field(v, in);
  case OP_array_new: case OP_array_new_default: return rule_array_new(v, in);
  case OP_array_new_fixed: return rule_array_new_fixed(v, a, b);
  case OP_array_new_data: case OP_array_new_elem: return rule_array_new_segment(v, in);
  case OP_array_init_data: case OP_array_init_elem: return rule_array_init(v, in);
  case OP_array_get: case OP_array_get_s: case OP_array_get_u: return rule_array_get(v, in);
  case OP_array_set: case OP_array_fill: return rule_array_set(v, in);
  case OP_array_copy: return rule_array_copy(v, a, b);
  case OP_array_len: return pop(v, null_ref(HEAP_ARRAY)) && push(v, VT_I32);
  case OP_ref_test: case OP_ref_test_null: case OP_ref_cast: case OP_ref_cast_null: case OP_ref_cast_desc_eq: case OP_ref_cast_desc_eq_null:
    return rule_ref_cast(v, in);
  case OP_any_convert_extern: return rule_convert(v, HEAP_EXTERN, HEAP_ANY);
  case OP_extern_convert_any: return rule_convert(v, HEAP_ANY, HEAP_EXTERN);
  case OP_ref_i31: return pop(v, VT_I32) && push(v, VT_REFTYPE(HEAP_I31, 0));
  case OP_i31_get_s: case OP_i31_get_u: return pop(v, null_ref(HEAP_I31)) && push(v, VT_I32);
  case OP_ref_get_desc: return rule_get_desc(v, a);
  default: return malformed(v, "illegal opcode");
  }
}
