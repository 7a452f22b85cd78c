/* Typing of control instructions (core/valid/instructions#control-instructions), exceptions old and new included. */
#include "valid/valid.h"

/* ---- labels ---- */

/* The types that a branch to the label must find. */
static void label_types(const struct frame *f, const valtype **types, uint32_t *n) {
  bool loop = f->op == OP_loop;
  *types = loop ? f->params : frame_results(f);
  *n = loop ? f->nparams : f->nresults;
}

static struct frame *label_at(struct validator *v, uint32_t label) {
  if (label < v->nframes) return &v->frames[v->nframes - 1 - label];
  invalid(v, "unknown label %u", label);
  return NULL;
}

static bool label(struct validator *v, uint32_t index, const valtype **types, uint32_t *n) {
  const struct frame *f = label_at(v, index);
  if (f) label_types(f, types, n);
  return f != NULL;
}

/* ---- blocks ---- */

static bool rule_else(struct validator *v) {
  struct frame *f = top(v);
  if (f->op != OP_if) return malformed(v, "END opcode expected: misplaced else");
  return frame_finish(v) && frame_restart(v, OP_else, f->params, f->nparams);
}

static bool leave_block(struct validator *v) {
  struct frame *f = top(v);
  const valtype single = f->single, *results = f->results;
  uint32_t n = f->nresults;
  if (!frame_restart(v, OP_end, NULL, 0)) return false;
  v->nframes--;
  return v->nframes == 0 || push_list(v, results ? results : &single, n);
}

static bool rule_end(struct validator *v) {
  struct frame *f = top(v);
  if (!frame_finish(v)) return false;
  if (f->op == OP_if && !match_lists(v, "instruction", frame_results(f), f->nresults, "stack", f->params, f->nparams)) return false;
  return leave_block(v);
}

/* ---- branches ---- */

static bool rule_br(struct validator *v, uint32_t index) {
  const valtype *types;
  uint32_t n;
  return label(v, index, &types, &n) && pop_list(v, types, n) && set_unreachable(v);
}

static bool rule_br_if(struct validator *v, uint32_t index) {
  const valtype *types;
  uint32_t n;
  return label(v, index, &types, &n) && pop(v, VT_I32) && pop_list(v, types, n) && push_list(v, types, n);
}

/* Each label is looked at once, however often it is named: a table may have a million entries. */
static bool rule_br_table(struct validator *v, const struct instr *in) {
  struct reader r = in->u.list.items;
  const valtype *types, *last = NULL;
  uint32_t index, n, arity = UINT32_MAX, number = ++v->br_tables;
  if (!pop(v, VT_I32)) return false;
  for (uint32_t i = 0; i <= in->u.list.count; i++) {
    if (!reader_u32(&r, &index)) return false;
    struct frame *f = label_at(v, index);
    if (!f) return false;
    if (f->seen == number) continue;
    f->seen = number;
    label_types(f, &types, &n);
    if (types == last && n == arity) continue;
    if (arity != UINT32_MAX && n != arity) return mismatch(v, "label", types, n, "another label", last, arity);
    if (!check_list(v, types, n)) return false;
    last = types;
    arity = n;
  }
  return set_unreachable(v);
}

static bool rule_return(struct validator *v) {
  const struct frame *f = &v->frames[0];
  return pop_list(v, frame_results(f), f->nresults) && set_unreachable(v);
}

/* ---- calls ---- */

static bool call_type(struct validator *v, const struct deftype *t) {
  return t && pop_list(v, t->u.func.params, t->u.func.nparams) && push_list(v, t->u.func.results, t->u.func.nresults);
}

static bool return_call_type(struct validator *v, const struct deftype *t) {
  const struct frame *f = &v->frames[0];
  return t && match_lists(v, "current function", frame_results(f), f->nresults, "callee", t->u.func.results, t->u.func.nresults) &&
         pop_list(v, t->u.func.params, t->u.func.nparams) && set_unreachable(v);
}

/* The function type of call_indirect x y, with the table checked and the index popped. */
static const struct deftype *indirect(struct validator *v, uint32_t type, uint32_t index) {
  char text[TYPE_TEXT];
  const struct tabletype *table = table_at(v, index);
  const struct deftype *t = table ? functype_at(v, type) : NULL;
  if (!t) return NULL;
  if (!types_match(v->m->types, table->type, VT_FUNCREF)) {
    invalid(v, "type mismatch: instruction requires table of function type but table has element type %s",
            type_name(v, table->type, text, sizeof text));
    return NULL;
  }
  return pop(v, addr_type(&table->limits)) ? t : NULL;
}

static const struct deftype *by_ref(struct validator *v, uint32_t type) {
  const struct deftype *t = functype_at(v, type);
  return t && pop(v, VT_REFTYPE(t->id, VT_NULLABLE)) ? t : NULL;
}

/* ---- exceptions ---- */

static bool rule_throw(struct validator *v, uint32_t tag) {
  const struct deftype *t = tag_at(v, tag);
  return t && pop_list(v, t->u.func.params, t->u.func.nparams) && set_unreachable(v);
}

/* A catch clause carries the tag's parameters, and the exception behind them, to its label. */
static bool check_catch(struct validator *v, const struct catch_clause *c) {
  valtype exn = VT_REFTYPE(HEAP_EXN, 0);
  const struct deftype *t = NULL;
  const valtype *types;
  uint32_t n, nparams = 0, extra = c->kind & 1;
  if (c->kind <= CATCH_REF && !(t = tag_at(v, c->tag))) return false;
  if (t) nparams = t->u.func.nparams;
  if (!label(v, c->label, &types, &n)) return false;
  const valtype *params = t ? t->u.func.params : NULL;
  if (n != nparams + extra) return mismatch(v, "label", types, n, "catch handler", params, nparams);
  return match_lists(v, "label", types, nparams, "catch handler", params, nparams) &&
         (!extra || match_lists(v, "label", types + nparams, 1, "catch handler", &exn, 1));
}

/* The labels of the clauses are those around the block. */
static bool rule_try_table(struct validator *v, const struct instr *in) {
  struct reader r = in->u.try_table.items;
  struct catch_clause c;
  for (uint32_t i = 0; i < in->u.try_table.count; i++)
    if (!reader_catch(&r, &c) || !check_catch(v, &c)) return false;
  return frame_push(v, in->op, &in->u.try_table.block);
}

static bool rule_catch(struct validator *v, const struct instr *in) {
  const struct frame *f = top(v);
  const struct deftype *t = NULL;
  if (f->op != OP_try && f->op != OP_catch) return malformed(v, "END opcode expected: misplaced catch");
  if (in->op == OP_catch && !(t = tag_at(v, in->u.index.a))) return false;
  return frame_finish(v) && frame_restart(v, in->op, t ? t->u.func.params : NULL, t ? t->u.func.nparams : 0);
}

static bool rule_rethrow(struct validator *v, uint32_t index) {
  const struct frame *f = label_at(v, index);
  if (!f) return false;
  if (f->op != OP_catch && f->op != OP_catch_all) return invalid(v, "invalid rethrow label %u", index);
  return set_unreachable(v);
}

/* Ends a `try`; its label counts from outside that block. */
static bool rule_delegate(struct validator *v, uint32_t index) {
  if (top(v)->op != OP_try) return malformed(v, "END opcode expected: misplaced delegate");
  if (index >= v->nframes - 1) return invalid(v, "unknown label %u", index);
  return frame_finish(v) && leave_block(v);
}

bool rule_control(struct validator *v, struct instr *in) {
  uint32_t a = in->u.index.a, b = in->u.index.b;
  switch (in->op) {
  case OP_unreachable: return set_unreachable(v);
  case OP_if: return pop(v, VT_I32) && frame_push(v, OP_if, &in->u.block);
  case OP_block: case OP_loop: case OP_try: return frame_push(v, in->op, &in->u.block);
  case OP_else: return rule_else(v);
  case OP_end: return rule_end(v);
  case OP_br: return rule_br(v, a);
  case OP_br_if: return rule_br_if(v, a);
  case OP_br_table: return rule_br_table(v, in);
  case OP_return: return rule_return(v);
  case OP_call: return call_type(v, func_at(v, a));
  case OP_call_indirect: return call_type(v, indirect(v, a, b));
  case OP_call_ref: return call_type(v, by_ref(v, a));
  case OP_return_call: return return_call_type(v, func_at(v, a));
  case OP_return_call_indirect: return return_call_type(v, indirect(v, a, b));
  case OP_return_call_ref: return return_call_type(v, by_ref(v, a));
  case OP_throw: return rule_throw(v, a);
  case OP_throw_ref: return pop(v, VT_EXNREF) && set_unreachable(v);
  case OP_try_table: return rule_try_table(v, in);
  case OP_catch: case OP_catch_all: return rule_catch(v, in);
  case OP_rethrow: return rule_rethrow(v, a);
  case OP_delegate: return rule_delegate(v, a);
  default: return malformed(v, "illegal opcode");
  }
}
