/* Subtyping (core/valid/matching), with exact types of the custom descriptors proposal. Knows nothing of modules. */
#include "types/types.h"

bool types_match_def(const struct types *ts, uint32_t sub, uint32_t super) {
  if (sub == super) return true;
  const struct deftype *a = types_get(ts, sub), *b = types_get(ts, super);
  return a->depth > b->depth && a->display[b->depth] == super;
}

static bool match_kind(unsigned kind, uint32_t super) {
  switch (kind) {
  case COMP_FUNC: return super == HEAP_FUNC;
  case COMP_STRUCT: return super == HEAP_STRUCT || super == HEAP_EQ || super == HEAP_ANY;
  default: return super == HEAP_ARRAY || super == HEAP_EQ || super == HEAP_ANY;
  }
}

bool types_match_heap(const struct types *ts, uint32_t sub, uint32_t super) {
  if (sub == super || sub == HEAP_BOT) return true;
  if (sub < HEAP_MAX_ID) return super < HEAP_MAX_ID ? types_match_def(ts, sub, super) : match_kind(types_get(ts, sub)->kind, super);
  switch (sub) {
  case HEAP_NONE: case HEAP_NOFUNC: case HEAP_NOEXTERN: case HEAP_NOEXN: return super != HEAP_BOT && types_bottom(ts, super) == sub;
  case HEAP_I31: case HEAP_STRUCT: case HEAP_ARRAY: return super == HEAP_EQ || super == HEAP_ANY;
  case HEAP_EQ: return super == HEAP_ANY;
  default: return false;
  }
}

bool types_match(const struct types *ts, valtype sub, valtype super) {
  if (sub == super || vt_code(sub) == VT_BOT) return true;
  if (!vt_is_ref(sub) || !vt_is_ref(super) || (vt_is_nullable(sub) && !vt_is_nullable(super))) return false;
  uint32_t a = vt_heap(sub), b = vt_heap(super);
  if ((super & VT_EXACT) && a < HEAP_MAX_ID) return (sub & VT_EXACT) && a == b;
  return types_match_heap(ts, a, b);
}

uint32_t types_top(const struct types *ts, uint32_t heap) {
  if (heap < HEAP_MAX_ID) return types_get(ts, heap)->kind == COMP_FUNC ? HEAP_FUNC : HEAP_ANY;
  switch (heap) {
  case HEAP_FUNC: case HEAP_NOFUNC: return HEAP_FUNC;
  case HEAP_EXTERN: case HEAP_NOEXTERN: return HEAP_EXTERN;
  case HEAP_EXN: case HEAP_NOEXN: return HEAP_EXN;
  default: return HEAP_ANY;
  }
}

uint32_t types_bottom(const struct types *ts, uint32_t heap) {
  switch (types_top(ts, heap)) {
  case HEAP_FUNC: return HEAP_NOFUNC;
  case HEAP_EXTERN: return HEAP_NOEXTERN;
  case HEAP_EXN: return HEAP_NOEXN;
  default: return HEAP_NONE;
  }
}

static bool match_field(const struct types *ts, const struct field *sub, const struct field *super) {
  if (sub->mutable != super->mutable) return false;
  return sub->mutable ? sub->type == super->type : types_match(ts, sub->type, super->type);
}

static bool match_list(const struct types *ts, const valtype *sub, uint32_t nsub, const valtype *super, uint32_t nsuper) {
  if (nsub != nsuper) return false;
  for (uint32_t i = 0; i < nsub; i++)
    if (!types_match(ts, sub[i], super[i])) return false;
  return true;
}

bool types_match_comp(const struct types *ts, const struct deftype *sub, const struct deftype *super) {
  if (sub->kind != super->kind) return false;
  if (sub->kind == COMP_FUNC)
    return match_list(ts, super->u.func.params, super->u.func.nparams, sub->u.func.params, sub->u.func.nparams) &&
           match_list(ts, sub->u.func.results, sub->u.func.nresults, super->u.func.results, super->u.func.nresults);
  if (sub->u.agg.nfields < super->u.agg.nfields) return false;
  for (uint32_t i = 0; i < super->u.agg.nfields; i++)
    if (!match_field(ts, &sub->u.agg.fields[i], &super->u.agg.fields[i])) return false;
  return true;
}
