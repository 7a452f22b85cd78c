/* What host functions may do: fail, and look at the instance that called them. */
#include <stdarg.h>
#include <string.h>

#include "api/api.h"

bool mv_throw_trap(mv_caller_t *c, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)error_setv(c->err, MV_TRAP, MV_NO_OFFSET, format, args);
  va_end(args);
  return false;
}

bool mv_throw(mv_caller_t *c, mv_kind_t kind, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)error_setv(c->err, kind, MV_NO_OFFSET, format, args);
  va_end(args);
  return false;
}

bool mv_throw_exit(mv_caller_t *c, int code) {
  if (c->err && c->err->kind == MV_OK) c->err->code = code;
  return mv_throw(c, MV_EXIT, "exit with code %d", code);
}

wasm_store_t *mv_caller_store(mv_caller_t *c) { return c->store->api; }
bool mv_caller_interrupted(mv_caller_t *c) { return exec_interrupted(c->store); }

/* The memory that host functions work on never changes, so the instance remembers it. */
bool mv_caller_memory(mv_caller_t *c, uint8_t **base, uint64_t *size) {
  struct instance *inst = c->instance;
  struct extern_ref x;
  if (!inst || inst->module->nmemories == 0) return false;
  if (!inst->api) inst->api = instance_export(inst, "memory", 6, &x) && x.kind == EXTERN_MEMORY ? x.u.memory : inst->mem0;
  const struct mem_inst *m = inst->api;
  *base = m->base;
  *size = m->size;
  return true;
}

wasm_extern_t *mv_caller_export(mv_caller_t *c, const char *name) {
  struct extern_ref x;
  if (!c->instance || !instance_export(c->instance, name, strlen(name), &x)) return NULL;
  return extern_make(c->store->api, &x);
}
