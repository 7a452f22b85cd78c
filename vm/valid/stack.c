/* The operand and control stacks (core/appendix/algorithm) and how their failures are worded. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "types/limits.h"
#include "valid/valid.h"

/* ---- reports ---- */

static void describe_place(const struct validator *v, char *buf, size_t cap) {
  struct name name;
  if (v->func == TYPE_NONE) {
    snprintf(buf, cap, "%s %u", v->where, v->index);
  } else if (module_func_name(v->m, v->func, &name)) {
    int n = (int)(name.size < 100 ? name.size : 100);
    while (n > 0 && (uint32_t)n < name.size && (name.bytes[n] & 0xc0) == 0x80) n--; /* whole characters */
    snprintf(buf, cap, "function %u, %.*s", v->func, n, name.bytes);
  } else {
    snprintf(buf, cap, "function %u", v->func);
  }
}

/* Names come from the module: no control characters of theirs, of ASCII or of Latin-1, reach a terminal. */
static void make_printable(char *text) {
  for (unsigned char *p = (unsigned char *)text; *p; p++) {
    if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) *p = p[1] = '?';
    if (*p < 0x20 || *p == 0x7f) *p = '?';
  }
}

bool invalid(struct validator *v, const char *format, ...) {
  char text[MV_ERROR_TEXT / 2 + 100], place[140];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  make_printable(text);
  if (!v->where && v->func == TYPE_NONE) return error_set(v->err, MV_INVALID, v->offset, "%s", text);
  describe_place(v, place, sizeof place);
  make_printable(place);
  return error_set(v->err, MV_INVALID, v->offset, "%s (in %s)", text, place);
}

bool malformed(struct validator *v, const char *text) { return error_set(v->err, MV_MALFORMED, v->offset, "%s", text); }

char *type_name(const struct validator *v, valtype t, char *buf, size_t cap) {
  uint32_t heap = vt_heap(t), i;
  if (!vt_is_ref(t) || heap >= HEAP_MAX_ID) return valtype_print(t, buf, cap);
  for (i = 0; i < v->m->ntypes && v->m->type_ids[i] != heap; i++) continue;
  return valtype_print((t & ((1u << VT_HEAP_SHIFT) - 1)) | i << VT_HEAP_SHIFT, buf, cap);
}

static char *list_name(const struct validator *v, const valtype *types, uint32_t n, char *buf, size_t cap) {
  char one[TYPE_TEXT];
  size_t at = 1;
  buf[0] = '[';
  for (uint32_t i = 0; i < n; i++) {
    type_name(v, types[i], one, sizeof one);
    size_t len = strlen(one);
    if (at + len + 8 > cap) {
      memcpy(buf + at, " ...", 4);
      at += 4;
      break;
    }
    if (i) buf[at++] = ' ';
    memcpy(buf + at, one, len);
    at += len;
  }
  buf[at++] = ']';
  buf[at] = 0;
  return buf;
}

bool mismatch(struct validator *v, const char *who, const valtype *want, uint32_t nwant, const char *what, const valtype *have, uint32_t nhave) {
  char a[LIST_TEXT], b[LIST_TEXT];
  return invalid(v, "type mismatch: %s requires %s but %s has %s", who, list_name(v, want, nwant, a, sizeof a), what, list_name(v, have, nhave, b, sizeof b));
}

bool match_lists(struct validator *v, const char *who, const valtype *want, uint32_t nwant, const char *what, const valtype *have, uint32_t nhave) {
  bool ok = nwant == nhave;
  if (ok && (nwant == 0 || memcmp(want, have, nwant * sizeof *want) == 0)) return true;
  for (uint32_t i = 0; ok && i < nwant; i++) ok = types_match(v->m->types, have[i], want[i]);
  return ok || mismatch(v, who, want, nwant, what, have, nhave);
}

/* ---- operands ---- */

bool stack_room(struct validator *v, size_t n) {
  size_t height = v->stack ? (size_t)(v->sp - v->stack) : STACK_PAD, cap = v->stack ? (size_t)(v->limit - v->stack) : 0;
  if (v->stack && n <= cap - height) return true;
  void *stack = v->stack;
  if (!array_reserve(&stack, &cap, height + n, sizeof *v->stack)) return error_no_memory(v->err, (height + n) * sizeof *v->stack);
  if (!v->stack) memset(stack, 0, STACK_PAD * sizeof *v->stack);
  v->stack = stack;
  v->sp = v->stack + height;
  v->limit = v->stack + cap;
  return true;
}

bool push(struct validator *v, valtype t) {
  if (v->sp == v->limit && !stack_room(v, 1)) return false;
  *v->sp++ = t;
  return true;
}

bool push_list(struct validator *v, const valtype *types, uint32_t n) {
  if (n > 1 && (size_t)(v->sp - v->stack) + n > LIMIT_OPERANDS)
    return error_set(v->err, MV_LIMIT, v->offset, "too many operands on the stack of function %u, at most %d", v->func, LIMIT_OPERANDS);
  if ((size_t)(v->limit - v->sp) < n && !stack_room(v, n)) return false;
  if (n) memcpy(v->sp, types, n * sizeof *types);
  v->sp += n;
  return true;
}

/* The topmost n operands, or as many as the frame has. */
static uint32_t operands(struct validator *v, uint32_t n) {
  size_t have = (size_t)(v->sp - frame_floor(v, top(v)));
  return have < n ? (uint32_t)have : n;
}

static bool stack_mismatch(struct validator *v, const valtype *want, uint32_t nwant) {
  uint32_t n = operands(v, nwant);
  return mismatch(v, "instruction", want, nwant, "stack", v->sp - n, n);
}

bool check_list(struct validator *v, const valtype *types, uint32_t n) {
  if (n == 0) return true;
  uint32_t have = operands(v, n);
  const valtype *stack = v->sp - have, *want = types + (n - have);
  if (have < n && !top(v)->unreachable) return stack_mismatch(v, types, n);
  if (have == 0 || memcmp(stack, want, have * sizeof *want) == 0) return true;
  for (uint32_t i = 0; i < have; i++)
    if (!types_match(v->m->types, stack[i], want[i])) return stack_mismatch(v, types, n);
  return true;
}

bool pop_list(struct validator *v, const valtype *types, uint32_t n) {
  if (!check_list(v, types, n)) return false;
  v->sp -= operands(v, n);
  return true;
}

bool pop(struct validator *v, valtype expected) {
  if (likely(v->sp > frame_floor(v, top(v)) && v->sp[-1] == expected)) {
    v->sp--;
    return true;
  }
  return pop_list(v, &expected, 1);
}

bool pop_any(struct validator *v, valtype *t) {
  if (operands(v, 1)) {
    *t = *--v->sp;
    return true;
  }
  *t = VT_BOT;
  return top(v)->unreachable || invalid(v, "type mismatch: instruction requires a value but stack has []");
}

bool pop_ref(struct validator *v, valtype *t) {
  char text[TYPE_TEXT];
  if (!pop_any(v, t)) return false;
  if (vt_code(*t) == VT_BOT) *t = VT_REFTYPE(HEAP_BOT, 0);
  return vt_is_ref(*t) ||
         invalid(v, "type mismatch: instruction requires reference type but stack has %s", type_name(v, *t, text, sizeof text));
}

/* ---- labels ---- */

/* The types of a block type, which must be that of a function. */
static bool frame_types(struct validator *v, const struct blocktype *bt, struct frame *f) {
  f->single = bt->result;
  f->nresults = bt->result != VT_BOT;
  if (bt->type == TYPE_NONE) return true;
  const struct deftype *t = types_get(v->m->types, bt->type);
  if (t->kind != COMP_FUNC) return invalid(v, "non-function type of a block");
  f->params = t->u.func.params;
  f->nparams = t->u.func.nparams;
  f->results = t->u.func.results;
  f->nresults = t->u.func.nresults;
  return true;
}

bool frame_push(struct validator *v, unsigned op, const struct blocktype *bt) {
  struct frame f = {.op = (uint16_t)op, .ninits = v->ninits};
  if (!frame_types(v, bt, &f) || (f.nparams && !pop_list(v, f.params, f.nparams))) return false;
  f.height = (uint32_t)(v->sp - v->stack - STACK_PAD);
  if (v->nframes == v->frames_cap) {
    void *frames = v->frames;
    if (!array_reserve(&frames, &v->frames_cap, v->nframes + 1, sizeof f)) return error_no_memory(v->err, (v->nframes + 1) * sizeof f);
    v->frames = frames;
  }
  v->frames[v->nframes++] = f;
  return push_list(v, f.params, f.nparams);
}

bool frame_finish(struct validator *v) {
  struct frame *f = top(v);
  const valtype *stack = frame_floor(v, f);
  uint32_t have = (uint32_t)(v->sp - stack);
  if (!pop_list(v, frame_results(f), f->nresults)) return false;
  return v->sp == stack || mismatch(v, "block", frame_results(f), f->nresults, "stack", stack, have);
}

/* Locals that were initialised in the frame are not any more behind it (core/valid/instructions: blocks). */
static void forget_inits(struct validator *v, const struct frame *f) {
  while (v->ninits > f->ninits) v->stamps[v->inits[--v->ninits]] = 0;
}

bool frame_restart(struct validator *v, unsigned op, const valtype *params, uint32_t n) {
  struct frame *f = top(v);
  forget_inits(v, f);
  f->op = (uint16_t)op;
  f->unreachable = false;
  v->sp = frame_floor(v, f);
  return push_list(v, params, n);
}

bool set_unreachable(struct validator *v) {
  struct frame *f = top(v);
  f->unreachable = true;
  v->sp = frame_floor(v, f);
  return true;
}
