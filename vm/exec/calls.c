/* Calls that leave an instance's own code: host functions, functions of other instances, and the way out by exceptions
 * (core/exec/instructions#function-calls, #exceptions). */
#include <string.h>

#include "binary/instr.h"
#include "code/code.h"
#include "code/module_code.h"
#include "exec/slow.h"
#include "run/gc.h"

static size_t room(const struct exec *x, const cell *from) { return from < x->limit ? (size_t)((const char *)x->limit - (const char *)from) : 0; }

int enter_untranslated(struct exec *x, struct code *c, const cell *fp) {
  if (!code_translate(c->module, c->func, x->err)) return TRAP_ERROR;
  return room(x, fp) < code_entry(c)[-1].u64 ? TRAP_STACK : 0;
}

static int call_host(struct exec *x, struct instance *inst, struct func *f, cell *args, cell *top) {
  const struct deftype *t = types_get(x->store->types, f->type);
  const uint32_t cells = t->u.func.param_cells > t->u.func.result_cells ? t->u.func.param_cells : t->u.func.result_cells;
  cell *const before = x->top;
  struct mv_caller caller = {x->store, inst, x->err};
  if (args + cells > top) top = args + cells;
  if (room(x, top) == 0) return TRAP_STACK;
  x->top = top;
  x->store->stats.calls_host++;
  const bool ok = f->host(&caller, f->env, args);
  x->top = before;
  if (ok) return 0;
  if (x->err->kind == MV_OK) (void)error_set(x->err, MV_TRAP, MV_NO_OFFSET, "host function failed");
  if (x->err->kind != MV_EXCEPTION) return TRAP_ERROR;
  x->err->kind = MV_OK; /* on its way again: a frame below may catch it */
  return TRAP_EXCEPTION;
}

/* A frame between two instances: where to return to, the caller's frame and instance, the number of result cells. */
static int cross(struct exec *x, struct instance *inst, struct func *f, cell *at, cell ret, cell fp) {
  const struct deftype *t = types_get(x->store->types, f->type);
  const struct code *c = f->code;
  const union word *pc = code_entry(c);
  cell *args = at + CROSS_CELLS;
  if (room(x, args) < pc[-1].u64 + (t->u.func.param_cells + FRAME_INFO) * sizeof(cell)) return TRAP_STACK;
  memmove(args, at, t->u.func.param_cells * sizeof(cell));
  at[0] = ret;
  at[1] = fp;
  at[2] = (cell)(uintptr_t)inst;
  at[3] = t->u.func.result_cells;
  args[c->params] = (cell)(uintptr_t)&x->cross_code[1];
  args[c->params + 1] = (cell)(uintptr_t)at;
  x->entry = (struct entry){pc, args, f->instance, (cell)(uintptr_t)c};
  return 0;
}

int call_func(struct exec *x, struct instance *inst, struct func *f, cell *fp, cell *args, const union word *ret, cell *top) {
  if (f->kind == FUNC_WASM) return cross(x, inst, f, args, (cell)(uintptr_t)ret, (cell)(uintptr_t)fp);
  const int t = call_host(x, inst, f, args, top);
  x->entry = (struct entry){ret, fp, inst, args[0]};
  return t;
}

int tail_func(struct exec *x, struct instance *inst, struct func *f, cell *fp, cell *args, const cell *info) {
  const struct deftype *t = types_get(x->store->types, f->type);
  const cell ret = info[0], caller = info[1];
  if (f->kind == FUNC_HOST) { /* a call, and a return */
    const int trap = call_host(x, inst, f, args, args);
    if (trap) return trap;
    memmove(fp, args, t->u.func.result_cells * sizeof(cell));
    x->entry = (struct entry){(const union word *)(uintptr_t)ret, (cell *)(uintptr_t)caller, inst, fp[0]};
    return 0;
  }
  if (ret == (cell)(uintptr_t)&x->cross_code[1]) { /* the frame between is there already: it knows the caller's instance */
    const union word *pc = code_entry(f->code);
    if (room(x, fp) < pc[-1].u64 + (t->u.func.param_cells + FRAME_INFO) * sizeof(cell)) return TRAP_STACK;
    memmove(fp, args, t->u.func.param_cells * sizeof(cell));
    fp[f->code->params] = ret;
    fp[f->code->params + 1] = caller;
    x->entry = (struct entry){pc, fp, f->instance, (cell)(uintptr_t)f->code};
    return 0;
  }
  memmove(fp, args, t->u.func.param_cells * sizeof(cell));
  return cross(x, inst, f, fp, ret, caller);
}

/* Does a range's clause take the exception? */
static bool catches(const struct catch_range *r, const struct instance *inst, const struct exn *exn) {
  return r->kind == CATCH_ALL || r->kind == CATCH_ALL_REF || inst->tags[r->tag] == exn->tag;
}

static const struct catch_range *find_catch(const struct code *c, uint32_t at, const struct instance *inst, const struct exn *exn) {
  uint32_t depth = UINT32_MAX; /* after a delegate: only handlers at most so deep */
  for (uint32_t k = 0; k < c->ncatches; k++) {
    const struct catch_range *r = &c->catches[k];
    if (at < r->from || at >= r->to || r->depth > depth) continue;
    if (r->kind == CATCH_DELEGATE) depth = r->tag;
    else if (catches(r, inst, exn)) return r;
  }
  return NULL;
}

bool unwind(struct exec *x, const struct code *c, const union word *pc, cell *fp, struct instance *inst) {
  struct exn *exn = (struct exn *)ref_object(x->store->exception);
  if (!c) c = code_of_pc(inst->module, pc);
  while (c) {
    const struct catch_range *r = find_catch(c, (uint32_t)(pc - c->words), inst, exn);
    if (r) {
      uint32_t n = 0;
      if (r->kind == CATCH || r->kind == CATCH_REF) {
        n = (uint32_t)exn->head.u.length;
        memcpy(fp + r->slot, exn->payload, n * sizeof(cell));
      }
      if (r->kind == CATCH_REF || r->kind == CATCH_ALL_REF) fp[r->slot + n] = x->store->exception;
      if (r->exn != UINT32_MAX) fp[r->exn] = x->store->exception;
      x->store->exception = REF_NULL;
      x->entry = (struct entry){c->words + r->target, fp, inst, 0};
      return true;
    }
    const cell *info = fp + c->params;
    const union word *ret = (const union word *)(uintptr_t)info[0];
    fp = (cell *)(uintptr_t)info[1];
    if (x->max_depth && x->depth) x->depth--;
    if (ret == &x->cross_code[1]) {
      ret = (const union word *)(uintptr_t)fp[0];
      inst = (struct instance *)(uintptr_t)fp[2];
      fp = (cell *)(uintptr_t)fp[1];
    }
    if (ret == x->exit_code) return false;
    pc = ret - 1;
    c = (const struct code *)ret[-1].ptr;
  }
  return false;
}
