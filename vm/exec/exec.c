/* Entering and leaving the interpreter: the stack, calls from outside, what a trap is called, backtraces. */
#include <stdlib.h>
#include <string.h>

#include "binary/instr.h"
#include "code/code.h"
#include "code/module_code.h"
#include "exec/profile.h"
#include "exec/slow.h"
#include "run/gc.h"
#include "run/os.h"

enum {
  DEFAULT_STACK = 8 << 20,
  RED_ZONE = 4096,     /* cells behind the limit, for host calls' arguments and results */
  MAX_NESTING = 200    /* of host functions that call back: bounds the use of C's stack */
};

bool exec_new(struct store *s, mv_error_t *err) {
  struct exec *x = calloc(1, sizeof *x);
  if (!x) return error_no_memory(err, sizeof *x);
  const size_t bytes = s->options->max_stack ? s->options->max_stack : DEFAULT_STACK;
  x->stack_bytes = bytes + RED_ZONE * sizeof(cell);
  x->stack = os_map(x->stack_bytes);
  if (!x->stack) {
    free(x);
    return error_no_memory(err, bytes);
  }
  x->limit = s->stack_limit = x->stack + bytes / sizeof(cell);
  x->top = x->stack;
  x->max_depth = s->options->max_depth;
  x->store = s;
  x->exit_code[0].u64 = exec_handler(ROP_exit);
  x->cross_code[1].u64 = exec_handler(ROP_return_cross);
  s->exec = x;
  return true;
}

void exec_delete(struct store *s) {
  if (!s->exec) return;
  os_unmap(s->exec->stack, s->exec->stack_bytes);
  profile_delete(s->exec);
  free(s->exec);
  s->exec = NULL;
}

/* ---- how a trap is reported ---- */

static const struct { uint8_t kind; const char *text; } traps[TRAP_COUNT] = {
    [TRAP_INVALID_CONVERSION] = {MV_TRAP, "invalid conversion to integer"},
    [TRAP_INT_OVERFLOW] = {MV_TRAP, "integer overflow"},
    [TRAP_DIV_ZERO] = {MV_TRAP, "integer divide by zero"},
    [TRAP_UNREACHABLE] = {MV_TRAP, "unreachable"},
    [TRAP_OOB_MEMORY] = {MV_TRAP, "out of bounds memory access"},
    [TRAP_OOB_TABLE] = {MV_TRAP, "out of bounds table access"},
    [TRAP_OOB_ARRAY] = {MV_TRAP, "out of bounds array access"},
    [TRAP_NULL] = {MV_TRAP, "null reference"},
    [TRAP_NULL_I31] = {MV_TRAP, "null i31 reference"},
    [TRAP_NULL_STRUCT] = {MV_TRAP, "null structure reference"},
    [TRAP_NULL_ARRAY] = {MV_TRAP, "null array reference"},
    [TRAP_NULL_FUNC] = {MV_TRAP, "null function reference"},
    [TRAP_NULL_EXN] = {MV_TRAP, "null exception reference"},
    [TRAP_NULL_DESC] = {MV_TRAP, "null descriptor reference"},
    [TRAP_UNDEFINED_ELEMENT] = {MV_TRAP, "undefined element"},
    [TRAP_UNINITIALIZED_ELEMENT] = {MV_TRAP, "uninitialized element"},
    [TRAP_INDIRECT_TYPE] = {MV_TRAP, "indirect call type mismatch"},
    [TRAP_CAST] = {MV_TRAP, "cast failure"},
    [TRAP_CAST_DESC] = {MV_TRAP, "descriptor cast failure"},
    [TRAP_UNALIGNED] = {MV_TRAP, "unaligned atomic"},
    [TRAP_NOT_SHARED] = {MV_TRAP, "expected shared memory"},
    [TRAP_STACK] = {MV_EXHAUSTION, "call stack exhausted"},
    [TRAP_FUEL] = {MV_OUT_OF_FUEL, "all fuel consumed"},
    [TRAP_INTERRUPT] = {MV_INTERRUPTED, "execution interrupted"},
    [TRAP_EXCEPTION] = {MV_EXCEPTION, "uncaught exception"},
};

/* Records the frames from where the interpreter stopped (store_trace_add); gives the innermost offset. */
static uint64_t backtrace(struct exec *x) {
  struct instance *inst = x->instance;
  const union word *pc = x->pc;
  cell *fp = x->fp;
  uint64_t first = MV_NO_OFFSET;
  const struct code *c = code_of_pc(inst->module, pc);
  store_trace_clear(x->store);
  for (bool innermost = true; c; innermost = false) {
    uint64_t offset = MV_NO_OFFSET;
    if (!x->store->trace_lost && !code_offset(inst->module, c, pc, &offset)) offset = MV_NO_OFFSET; /* it takes a while; a trace is short */
    if (innermost) first = offset;
    store_trace_add(x->store, inst, c->func, offset);
    const cell *info = fp + c->params;
    const union word *ret = (const union word *)(uintptr_t)info[0];
    fp = (cell *)(uintptr_t)info[1];
    if (ret == &x->cross_code[1]) {
      ret = (const union word *)(uintptr_t)fp[0];
      inst = (struct instance *)(uintptr_t)fp[2];
      fp = (cell *)(uintptr_t)fp[1];
    }
    if (ret == x->exit_code) break;
    pc = ret - 1;
    c = (const struct code *)ret[-1].ptr;
  }
  return first;
}

static void report(struct exec *x, mv_error_t *err) {
  if (x->trap == TRAP_ERROR && err->kind == MV_EXIT) return; /* nobody asks where */
  const uint64_t offset = backtrace(x);
  if (x->trap == TRAP_ERROR) {
    if (err->offset == MV_NO_OFFSET && err->kind == MV_TRAP) err->offset = offset;
    return;
  }
  if (x->trap == TRAP_UNDEFINED_ELEMENT || x->trap == TRAP_UNINITIALIZED_ELEMENT) /* of an indirect call, whose index is still there */
    (void)error_set(err, MV_TRAP, offset, "%s %llu", traps[x->trap].text, (unsigned long long)x->fp[x->pc[3].u32[0]]);
  else
    (void)error_set(err, (mv_kind_t)traps[x->trap].kind, offset, "%s", traps[x->trap].text);
}

/* ---- calls from outside ---- */

bool exec_call(struct store *s, struct func *f, cell *cells, mv_error_t *err) {
  struct exec *x = s->exec;
  const struct deftype *t = types_get(s->types, f->type);
  mv_error_t own_error, *const outer_err = x->err;
  cell *const args = x->top;
  if (!err) err = &own_error;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  if (x->nesting >= MAX_NESTING) return error_set(err, MV_EXHAUSTION, MV_NO_OFFSET, "call stack exhausted: %d calls from host functions are nested", MAX_NESTING);
  if (!x->nesting) {
    s->exception = REF_NULL;
    x->depth = 0;
    store_trace_clear(s);
  }
  const uint32_t np = t->u.func.param_cells, nr = t->u.func.result_cells, most = np > nr ? np : nr;
  if (args + most + RED_ZONE / 2 > x->limit + RED_ZONE) return error_set(err, MV_EXHAUSTION, MV_NO_OFFSET, "call stack exhausted");
  memcpy(args, cells, np * sizeof(cell));
  x->err = err;
  x->nesting++;
  bool ok;
  if (f->kind == FUNC_HOST) {
    struct mv_caller caller = {s, NULL, err};
    x->top = args + most;
    s->stats.calls_host++;
    ok = f->host(&caller, f->env, args);
    if (!ok && err->kind == MV_OK) (void)error_set(err, MV_TRAP, MV_NO_OFFSET, "host function failed");
  } else {
    struct code *c = f->code;
    const uint32_t depth = x->depth;
    ok = true;
    if (code_entry(c)->u64 == exec_handler(ROP_translate) && !code_translate(c->module, c->func, err)) ok = false;
    else if ((size_t)((char *)x->limit - (char *)args) < code_entry(c)[-1].u64 || args > x->limit) ok = error_set(err, MV_EXHAUSTION, MV_NO_OFFSET, "call stack exhausted");
    else {
      args[c->params] = (cell)(uintptr_t)x->exit_code;
      args[c->params + 1] = 0;
      ok = interp_run(code_entry(c), args, f->instance);
      if (!ok) report(x, err);
    }
    x->depth = depth;
  }
  if (ok) memcpy(cells, args, nr * sizeof(cell));
  x->top = args;
  x->nesting--;
  x->err = outer_err;
  return ok;
}

void exec_stack_ranges(struct store *s, void (*each)(void *env, const cell *from, const cell *to), void *env) {
  if (s->exec) each(env, s->exec->stack, s->exec->top);
}

void exec_interrupt(struct store *s, bool on) { __atomic_store_n(&s->exec->interrupt, on, __ATOMIC_RELAXED); }
bool exec_interrupted(const struct store *s) { return __atomic_load_n(&s->exec->interrupt, __ATOMIC_RELAXED) != 0; }
void exec_set_fuel(struct store *s, uint64_t fuel) { s->exec->fuel = fuel; }
uint64_t exec_fuel(const struct store *s) { return s->exec->fuel; }
void exec_set_trace(struct store *s, FILE *out) { s->exec->trace = out; }
