/* Constant expressions (core/valid/instructions#constant-expressions), evaluated on an explicit stack of cells that the collector sees. The
 * validator has typed them; only the operators that it lets through occur. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "binary/instr.h"
#include "run/gc.h"

enum { STACK_INLINE = 32 };

struct eval {
  struct instance *inst;
  mv_error_t *err;
  cell *stack;
  size_t n, cap; /* cells */
  cell small[STACK_INLINE];
  struct gc_temp temp; /* shows stack[0..n) to the collector */
};

/* Makes room for k more cells. */
static bool reserve(struct eval *e, size_t k) {
  if (e->cap - e->n >= k) return true;
  size_t cap = e->cap * 2;
  while (cap - e->n < k) cap *= 2;
  cell *stack = malloc(cap * sizeof(cell));
  if (!stack) return error_no_memory(e->err, cap * sizeof(cell));
  memcpy(stack, e->stack, e->n * sizeof(cell));
  if (e->stack != e->small) free(e->stack);
  e->stack = stack;
  e->cap = cap;
  return true;
}

static bool push(struct eval *e, cell v) {
  if (!reserve(e, 1)) return false;
  e->stack[e->n++] = v;
  return true;
}

static cell pop(struct eval *e) { return e->n ? e->stack[--e->n] : 0; }
static cell *top(struct eval *e, size_t cells) { return &e->stack[e->n - cells]; }

static uint32_t type_at(const struct eval *e, const struct instr *in) { return e->inst->module->type_ids[in->u.index.a]; }

static const struct deftype *def(const struct eval *e, uint32_t id) { return types_get(e->inst->store->types, id); }

/* Everything on the stack stays there, seen by the collector, until the object exists. */
static void show(struct eval *e) {
  e->temp.cells = e->stack;
  e->temp.count = e->n;
}

static size_t field_cells(const struct deftype *t) {
  size_t n = 0;
  for (uint32_t i = 0; i < t->u.agg.nfields; i++) n += vt_cells(t->u.agg.fields[i].type);
  return n;
}

/* struct.new and its variants: desc: a descriptor lies on top of the fields. */
static bool new_struct(struct eval *e, uint32_t id, bool with_fields, bool desc, uint64_t offset) {
  const struct deftype *t = def(e, id);
  show(e);
  if (desc && *top(e, 1) == REF_NULL) return error_set(e->err, MV_TRAP, offset, "null descriptor reference");
  struct object *o = gc_struct(e->inst->store, id, e->err);
  if (!o) return false;
  if (desc) o->u.desc = pop(e);
  if (with_fields) {
    size_t cells = field_cells(t);
    const cell *v = top(e, cells);
    for (uint32_t i = 0; i < t->u.agg.nfields; i++) {
      const struct field *f = &t->u.agg.fields[i];
      field_set(o, f->offset, f->type, v);
      v += vt_cells(f->type);
    }
    e->n -= cells;
  }
  return push(e, object_ref(o));
}

/* One value for all elements (array.new), or `length` values (array.new_fixed), or none (array.new_default). */
static bool new_array(struct eval *e, uint32_t id, uint64_t length, size_t values) {
  valtype elem = def(e, id)->u.agg.fields[0].type;
  size_t cells = vt_cells(elem), size = vt_field_size(elem);
  show(e);
  struct object *o = gc_array(e->inst->store, id, length, e->err);
  if (!o) return false;
  const cell *v = top(e, values * cells);
  for (uint64_t i = 0; values && i < length; i++) field_set(o, i * size, elem, values == 1 ? v : v + i * cells);
  e->n -= values * cells;
  return push(e, object_ref(o));
}

static bool new_array_counted(struct eval *e, uint32_t id, size_t values) {
  uint32_t length = (uint32_t)pop(e);
  return new_array(e, id, length, values);
}

static bool get_global(struct eval *e, uint32_t index) {
  const struct global_inst *g = e->inst->globals[index];
  if (!push(e, g->cell[0])) return false;
  return vt_cells(g->type.type) == 1 || push(e, g->cell[1]);
}

static bool get_func(struct eval *e, uint32_t index) {
  struct func *f = instance_func(e->inst, index);
  return f ? push(e, (cell)(uintptr_t)f) : error_no_memory(e->err, sizeof *f);
}

static bool step(struct eval *e, const struct instr *in) {
  cell b;
  switch (in->op) {
  case OP_i32_const: return push(e, (uint32_t)in->u.i32);
  case OP_i64_const: return push(e, (uint64_t)in->u.i64);
  case OP_f32_const: return push(e, in->u.f32);
  case OP_f64_const: return push(e, in->u.f64);
  case OP_v128_const: return push(e, load_le64(in->u.v128)) && push(e, load_le64(in->u.v128 + 8));
  case OP_i32_add: b = pop(e); return push(e, (uint32_t)(pop(e) + b));
  case OP_i32_sub: b = pop(e); return push(e, (uint32_t)(pop(e) - b));
  case OP_i32_mul: b = pop(e); return push(e, (uint32_t)(pop(e) * b));
  case OP_i64_add: b = pop(e); return push(e, pop(e) + b);
  case OP_i64_sub: b = pop(e); return push(e, pop(e) - b);
  case OP_i64_mul: b = pop(e); return push(e, pop(e) * b);
  case OP_global_get: return get_global(e, in->u.index.a);
  case OP_ref_null: return push(e, REF_NULL);
  case OP_ref_func: return get_func(e, in->u.index.a);
  case OP_ref_i31: return push(e, ref_i31((uint32_t)pop(e)));
  case OP_any_convert_extern: case OP_extern_convert_any: return true;
  case OP_struct_new: return new_struct(e, type_at(e, in), true, false, in->offset);
  case OP_struct_new_default: return new_struct(e, type_at(e, in), false, false, in->offset);
  case OP_struct_new_desc: return new_struct(e, type_at(e, in), true, true, in->offset);
  case OP_struct_new_default_desc: return new_struct(e, type_at(e, in), false, true, in->offset);
  case OP_array_new: return new_array_counted(e, type_at(e, in), 1);
  case OP_array_new_default: return new_array_counted(e, type_at(e, in), 0);
  case OP_array_new_fixed: return new_array(e, type_at(e, in), in->u.index.b, in->u.index.b);
  default: return error_set(e->err, MV_INVALID, in->offset, "constant expression required");
  }
}

static bool eval_at(struct instance *inst, uint64_t *pos, uint64_t end, cell *result, mv_error_t *err) {
  const struct module *m = inst->module;
  struct reader r = {m->bytes, m->bytes + *pos, m->bytes + end, err};
  struct eval e = {.inst = inst, .err = err, .cap = STACK_INLINE};
  struct instr in;
  e.stack = e.small;
  gc_temp_push(inst->store, &e.temp, e.stack, 0);
  bool ok;
  while ((ok = instr_read(&r, m, &in)) && in.op != OP_end && (ok = step(&e, &in))) continue;
  gc_temp_pop(inst->store);
  if (ok) memcpy(result, e.stack, (e.n > 1 ? 2 : 1) * sizeof(cell));
  if (e.stack != e.small) free(e.stack);
  *pos = reader_offset(&r);
  return ok;
}

bool constexpr_next(struct instance *inst, uint64_t *pos, uint64_t end, cell *result, mv_error_t *err) {
  return eval_at(inst, pos, end, result, err);
}

bool constexpr_eval(struct instance *inst, const struct constexpr_ *expr, cell *result, mv_error_t *err) {
  const struct module *m = inst->module;
  struct reader r = {m->bytes, m->bytes + expr->offset, m->bytes + m->size, err};
  bool is64;
  uint64_t pos = expr->offset;
  if (const_read(&r, &is64, result)) return true;
  return eval_at(inst, &pos, expr->offset + expr->size, result, err);
}
