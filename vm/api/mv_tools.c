/* For test runners and tools: signatures, cells of globals, references that are no handles. */
#include <stdlib.h>

#include "api/api.h"

static char letter_of(const struct types *types, valtype t) {
  switch (valkind_of(types, t)) {
  case WASM_I32: return 'i';
  case WASM_I64: return 'I';
  case WASM_F32: return 'f';
  case WASM_F64: return 'F';
  case MV_V128: return 'v';
  case WASM_FUNCREF: return 'c';
  case WASM_EXTERNREF: return 'r';
  case MV_EXNREF: return 'x';
  default: return 'a';
  }
}

static void put(char *buf, size_t cap, size_t i, char c) {
  if (i + 1 < cap) {
    buf[i] = c;
    buf[i + 1] = 0;
  }
}

size_t mv_func_sig(const wasm_func_t *f, char *buf, size_t cap) {
  const struct types *types = f->ref.store->s->types;
  const struct deftype *t = types_get(types, f->ref.u.ext.u.func->type);
  size_t n = 0;
  if (cap) buf[0] = 0;
  for (uint32_t i = 0; i < t->u.func.nparams; i++) put(buf, cap, n++, letter_of(types, t->u.func.params[i]));
  put(buf, cap, n++, ':');
  for (uint32_t i = 0; i < t->u.func.nresults; i++) put(buf, cap, n++, letter_of(types, t->u.func.results[i]));
  return n;
}

char mv_global_cells(const wasm_global_t *g, uint64_t cells[2]) {
  const struct global_inst *inst = g->ref.u.ext.u.global;
  cells[0] = inst->cell[0];
  cells[1] = vt_cells(inst->type.type) == 2 ? inst->cell[1] : 0;
  return letter_of(g->ref.store->s->types, inst->type.type);
}

wasm_extern_t *mv_memory_share(const wasm_memory_t *m, wasm_store_t *to) {
  if (!m->ref.u.ext.u.memory->type.limits.shared || to->engine != m->ref.store->engine) return NULL;
  return extern_make(to, &m->ref.u.ext);
}

mv_ref_kind_t mv_ref_classify(wasm_store_t *w, char letter, uint64_t c, uint64_t *number) {
  (void)w;
  *number = 0;
  if (c == REF_NULL) return MV_REF_NULL;
  if (letter == 'c') return MV_REF_FUNC;
  if (ref_is_i31(c)) return MV_REF_I31;
  const struct object *o = ref_object(c);
  switch (o->kind) {
  case OBJ_STRUCT: return MV_REF_STRUCT;
  case OBJ_ARRAY: return MV_REF_ARRAY;
  case OBJ_EXN: return MV_REF_EXN;
  default:
    if (o->type == (uint32_t)REF_NUMBER + 1) *number = o->u.length;
    return MV_REF_HOST;
  }
}

bool mv_ref_host(wasm_store_t *w, uint64_t number, uint64_t *c, mv_error_t *err) {
  if (err) *err = (mv_error_t){.offset = MV_NO_OFFSET};
  for (const struct numbered_ref *n = w->numbers; n; n = n->next)
    if (n->number == number) {
      *c = n->root.ref;
      return true;
    }
  struct numbered_ref *n = malloc(sizeof *n);
  if (!n) return error_no_memory(err, sizeof *n);
  struct host_object *o = gc_host(w->s, NULL, NULL, err);
  if (!o) {
    free(n);
    return false;
  }
  o->head.type = (uint32_t)REF_NUMBER + 1;
  o->head.u.length = number;
  n->number = number;
  n->next = w->numbers;
  w->numbers = n;
  gc_root_add(w->s, &n->root, object_ref(&o->head));
  *c = n->root.ref;
  return true;
}
