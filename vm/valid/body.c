/* Function bodies and constant expressions (core/valid/modules#functions, core/appendix/algorithm): the walk over the instructions.
 *
 * `fast` runs through what real code consists of: locals, constants, plain arithmetic, loads and stores of memory 0, simple blocks and branches. It
 * only accepts: where an operand is not what it should be, or anything is out of the ordinary, it stops in front of that instruction, and the
 * complete rules decide. Nothing is typed twice. */
#include <stdlib.h>
#include <string.h>

#include "binary/type.h"
#include "types/limits.h"
#include "valid/valid.h"

enum { FAST_MARGIN = 24 }; /* the longest instruction that `fast` reads */

/* ---- the fast path ---- */

/* An unsigned LEB128 of up to four bytes; NULL: longer. */
static inline const uint8_t *leb(const uint8_t *p, uint32_t *v) {
  uint32_t x = p[0];
  if (likely(x < 0x80)) {
    *v = x;
    return p + 1;
  }
  x = (x & 0x7f) | (uint32_t)p[1] << 7;
  if (p[1] < 0x80) {
    *v = x;
    return p + 2;
  }
  x = (x & 0x3fff) | (uint32_t)p[2] << 14;
  if (p[2] < 0x80) {
    *v = x;
    return p + 3;
  }
  x = (x & 0x1fffff) | (uint32_t)p[3] << 21;
  *v = x;
  return p[3] < 0x80 ? p + 4 : NULL;
}

/* Behind a LEB128 of at most n bytes, which cannot overflow its type; NULL: longer. */
static inline const uint8_t *skip_leb(const uint8_t *p, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (p[i] < 0x80) return p + i + 1;
  return NULL;
}

/* The value type of a byte of a block type: VT_BOT for 0x40, UINT32_MAX for what takes longer to find out. */
static inline valtype simple_block(uint8_t b) {
  if (b == 0x40) return VT_BOT;
  return b >= 0x7c && b <= 0x7f ? (valtype)(VT_I32 + (0x7f - b)) : UINT32_MAX;
}

static inline bool simple_frame(struct validator *v, unsigned op, valtype result, valtype *sp) {
  if (v->nframes == v->frames_cap) return false;
  v->frames[v->nframes++] = (struct frame){.single = result, .nresults = result != VT_BOT, .height = (uint32_t)(sp - v->stack - STACK_PAD), .ninits = v->ninits,
                                           .op = (uint16_t)op};
  return true;
}

/* Does the label exist, and take no operands? */
static inline bool plain_label(const struct validator *v, uint32_t label) {
  if (label >= v->nframes) return false;
  const struct frame *f = &v->frames[v->nframes - 1 - label];
  return (f->op == OP_loop ? f->nparams : f->nresults) == 0;
}

/* Walks from p on, at most to `end`; the result is the first instruction that it leaves alone. */
static const uint8_t *fast(struct validator *v, const uint8_t *p, const uint8_t *end) {
  const struct module *m = v->m;
  valtype *sp = v->sp, *floor = frame_floor(v, top(v)), t;
  const uint8_t *q;
  struct quick k;
  uint32_t x;
  for (;; p = q) {
    if (unlikely(p >= end)) break;
    unsigned op = *p;
    switch (op) {
    case OP_local_get:
      if (unlikely(!(q = leb(p + 1, &x)) || x >= v->nexpanded)) goto out;
      t = v->locals[x];
      if (unlikely(t & LOCAL_UNSET)) goto out;
      *sp++ = t;
      continue;
    case OP_local_set:
      if (unlikely(!(q = leb(p + 1, &x)) || x >= v->nexpanded || sp == floor || sp[-1] != v->locals[x])) goto out;
      sp--;
      continue;
    case OP_local_tee:
      if (unlikely(!(q = leb(p + 1, &x)) || x >= v->nexpanded || sp == floor || sp[-1] != v->locals[x])) goto out;
      continue;
    case OP_global_get:
      if (unlikely(!(q = leb(p + 1, &x)) || x >= m->nglobals)) goto out;
      *sp++ = m->globals[x].type.type;
      continue;
    case OP_global_set:
      if (unlikely(!(q = leb(p + 1, &x)) || x >= m->nglobals || !m->globals[x].type.mutable || sp == floor || sp[-1] != m->globals[x].type.type)) goto out;
      sp--;
      continue;
    case OP_i32_const:
      if (unlikely(!(q = skip_leb(p + 1, 4)))) goto out;
      *sp++ = VT_I32;
      continue;
    case OP_i64_const:
      if (unlikely(!(q = skip_leb(p + 1, 9)))) goto out;
      *sp++ = VT_I64;
      continue;
    case OP_f32_const:
      q = p + 5;
      *sp++ = VT_F32;
      continue;
    case OP_f64_const:
      q = p + 9;
      *sp++ = VT_F64;
      continue;
    case OP_drop:
      if (unlikely(sp == floor)) goto out;
      sp--;
      q = p + 1;
      continue;
    case OP_select:
      if (unlikely(sp - floor < 3 || sp[-1] != VT_I32 || sp[-2] != sp[-3] || sp[-2] >= VT_REF)) goto out;
      sp -= 2;
      q = p + 1;
      continue;
    case OP_i32_load: case OP_i64_load: case OP_f32_load: case OP_f64_load: case OP_i32_load8_s: case OP_i32_load8_u: case OP_i32_load16_s:
    case OP_i32_load16_u: case OP_i64_load8_s: case OP_i64_load8_u: case OP_i64_load16_s: case OP_i64_load16_u: case OP_i64_load32_s:
    case OP_i64_load32_u:
      if (unlikely(p[1] >= v->quick[op].aligns || !(q = leb(p + 2, &x)) || sp == floor || sp[-1] != v->mem0)) goto out;
      sp[-1] = v->quick[op].out;
      continue;
    case OP_i32_store: case OP_i64_store: case OP_f32_store: case OP_f64_store: case OP_i32_store8: case OP_i32_store16: case OP_i64_store8:
    case OP_i64_store16: case OP_i64_store32:
      if (unlikely(p[1] >= v->quick[op].aligns || !(q = leb(p + 2, &x)) || sp - floor < 2 || sp[-1] != v->quick[op].in || sp[-2] != v->mem0)) goto out;
      sp -= 2;
      continue;
    case OP_call: {
      if (unlikely(!(q = leb(p + 1, &x)) || x >= m->nfuncs)) goto out;
      const struct deftype *f = module_func_type(m, x);
      uint32_t n = f->u.func.nparams, nresults = f->u.func.nresults;
      if (unlikely(nresults > 2 || sp - floor < (ptrdiff_t)n)) goto out;
      for (uint32_t i = 0; i < n; i++)
        if (unlikely(sp[(ptrdiff_t)i - (ptrdiff_t)n] != f->u.func.params[i])) goto out;
      sp -= n;
      for (uint32_t i = 0; i < nresults; i++) *sp++ = f->u.func.results[i];
      continue;
    }
    case OP_if:
      if (unlikely(sp == floor || sp[-1] != VT_I32)) goto out;
      t = simple_block(p[1]);
      if (unlikely(t == UINT32_MAX || !simple_frame(v, op, t, sp - 1))) goto out;
      floor = --sp;
      q = p + 2;
      continue;
    case OP_block: case OP_loop:
      t = simple_block(p[1]);
      if (unlikely(t == UINT32_MAX || !simple_frame(v, op, t, sp))) goto out;
      floor = sp;
      q = p + 2;
      continue;
    case OP_else: {
      struct frame *f = top(v);
      if (unlikely(f->op != OP_if || f->nparams || f->ninits != v->ninits || f->results)) goto out;
      if (unlikely(sp - floor != (ptrdiff_t)f->nresults || (f->nresults && floor[0] != f->single))) goto out;
      f->op = OP_else;
      f->unreachable = false;
      sp = floor;
      q = p + 1;
      continue;
    }
    case OP_end: {
      const struct frame *f = top(v);
      if (unlikely(v->nframes == 1 || f->results || f->ninits != v->ninits || (f->op == OP_if && f->nresults))) goto out;
      if (unlikely(sp - floor != (ptrdiff_t)f->nresults || (f->nresults && floor[0] != f->single))) goto out;
      v->nframes--;
      floor = frame_floor(v, top(v));
      q = p + 1;
      continue;
    }
    case OP_br: case OP_br_if: {
      if (unlikely(!(q = leb(p + 1, &x)) || !plain_label(v, x))) goto out;
      if (op == OP_br_if) {
        if (unlikely(sp == floor || sp[-1] != VT_I32)) goto out;
        sp--;
        continue;
      }
      sp = floor;
      top(v)->unreachable = true;
      continue;
    }
    case OP_br_table:
      if (unlikely(!(q = leb(p + 1, &x)) || sp == floor || sp[-1] != VT_I32)) goto out;
      for (uint32_t n = x + 1; n > 0; n--)
        if (unlikely(q >= end || !(q = leb(q, &x)) || !plain_label(v, x))) goto out;
      sp = floor;
      top(v)->unreachable = true;
      continue;
    case OP_return: {
      const struct frame *f = &v->frames[0];
      if (unlikely(f->nresults > 1 || (f->nresults == 1 && (sp == floor || sp[-1] != f->results[0])))) goto out;
      sp = floor;
      top(v)->unreachable = true;
      q = p + 1;
      continue;
    }
    case OP_unreachable:
      sp = floor;
      top(v)->unreachable = true;
      q = p + 1;
      continue;
    case OP_nop: q = p + 1; continue;
    case 0xfd:
      if (unlikely(!(q = leb(p + 1, &x)) || x >= 0x200)) goto out;
      k = v->quick[QUICK_VECTOR + x];
      if (unlikely(k.n > 2 && (sp - floor < k.n || sp[-2] != k.in))) goto out;
      break;
    default:
      k = v->quick[op];
      q = p + 1;
      break;
    }
    if (unlikely(k.n == 0 || sp - floor < k.n || sp[-1] != k.in || sp[-(int)k.n] != k.in)) goto out;
    sp -= k.n - 1;
    sp[-1] = k.out;
  }
out:
  v->sp = sp;
  return p;
}

/* What `fast` can follow: numeric and vector instructions with one to three operands of one type, and the accesses of memory. */
static struct quick quick_row(const struct opinfo *info) {
  static const char letters[] = "?iIfFv"; /* by value type */
  struct quick q = {0, 0, 0, (uint8_t)(info->align + 1)};
  if (!info->sig) return q;
  const char *sig = info->sig, *colon = strchr(sig, ':');
  const char *in = colon > sig ? strchr(letters, colon[-1]) : NULL, *out = colon[1] ? strchr(letters, colon[1]) : NULL;
  size_t n = (size_t)(colon - sig);
  q.in = (uint8_t)(in ? in - letters : 0);
  q.out = (uint8_t)(out ? out - letters : 0);
  bool alike = in && strspn(sig, (const char[]){*in, 0}) == n;
  if (info->rule == RULE_PLAIN && info->imm == IMM_NONE && alike && out && !colon[2] && n <= 3) q.n = (uint8_t)n;
  return q;
}

/* Rows are learned when the rules have accepted an instruction for the first time: a small module does not pay for all of them. */
static void quick_learn(struct validator *v, unsigned op) {
  if (op >= OP_PAGE_FB && (op < OP_PAGE_FD || op >= OP_PAGE_FE)) return;
  struct quick *q = &v->quick[op < OP_PAGE_FB ? op : QUICK_VECTOR + op - OP_PAGE_FD];
  if (q->aligns == 0) *q = quick_row(op_info(op));
}

/* ---- the walk ---- */

static bool step(struct validator *v) {
  struct instr in;
  v->offset = reader_offset(&v->r);
  if (!instr_read(&v->r, v->m, &in)) return false;
  if (v->constant && !is_constant(v, &in)) return invalid(v, "constant expression required: %s is not constant", op_info(in.op)->text);
  if (!rule_instr(v, &in)) return false;
  quick_learn(v, in.op);
  return true;
}

/* What stands behind the last instruction of a body without an `end` decides what is said, as if one had read on. */
static bool missing_end(struct validator *v) {
  const uint8_t *end = v->m->bytes + v->m->size;
  v->offset = reader_offset(&v->r);
  if (v->r.pos >= end) return malformed(v, "unexpected end of section or function");
  return malformed(v, *v->r.pos == OP_end ? "section size mismatch" : "END opcode expected");
}

/* Instructions up to the `end` of the outermost frame, in front of `end`. */
static bool walk(struct validator *v, const uint8_t *end) {
  const uint8_t *fast_end = reader_left(&v->r) < FAST_MARGIN ? v->r.pos : v->r.end - FAST_MARGIN;
  if (fast_end > end) fast_end = end;
  while (v->nframes) {
    if (v->r.pos >= end) return missing_end(v);
    if (v->r.pos < fast_end) {
      /* Every byte pushes at most one operand in the fast path. */
      if (!stack_room(v, (size_t)(fast_end - v->r.pos) + FAST_MARGIN)) return false;
      const uint8_t *at = v->r.pos;
      v->r.pos = fast(v, at, fast_end);
      if (v->r.pos != at) continue;
    }
    if (!step(v)) return false;
  }
  return true;
}

/* ---- locals ---- */

static bool add_locals(void *env, uint32_t count, valtype t) {
  struct validator *v = env;
  if (count == 0) return true;
  void *groups = v->groups;
  if (!array_reserve(&groups, &v->groups_cap, (size_t)v->ngroups + 1, sizeof *v->groups)) return error_no_memory(v->err, v->ngroups);
  v->groups = groups;
  v->nlocals += count;
  v->groups[v->ngroups++] = (struct local_group){v->nlocals, vt_is_defaultable(t) ? t : t | LOCAL_UNSET};
  return true;
}

/* Spells the types of locals out, parameters first, but no more declared ones than the body has bytes: one that declares 50,000 in three
 * bytes must not cost more than its size. */
static bool expand_locals(struct validator *v, const struct deftype *type, uint32_t size) {
  uint32_t n = type->u.func.nparams, i = n, declared = v->nlocals - n;
  v->nexpanded = n + (declared < size ? declared : size);
  void *locals = v->locals;
  if (!array_reserve(&locals, &v->locals_cap, (size_t)v->nexpanded + 1, sizeof *v->locals)) return error_no_memory(v->err, v->nexpanded);
  v->locals = locals;
  if (n) memcpy(v->locals, type->u.func.params, n * sizeof *v->locals);
  for (uint32_t g = 0; g < v->ngroups; g++)
    for (; i < v->groups[g].end && i < v->nexpanded; i++) v->locals[i] = v->groups[g].type;
  return true;
}

/* Stamps tell which locals without a default have been given a value. */
static bool prepare_stamps(struct validator *v) {
  bool needed = false;
  for (uint32_t g = 0; g < v->ngroups && !needed; g++) needed = v->groups[g].type & LOCAL_UNSET;
  v->ninits = 0;
  v->stamp++;
  if (!needed || v->stamps) return true;
  v->stamps = calloc(LIMIT_LOCALS, sizeof *v->stamps);
  return v->stamps || error_no_memory(v->err, LIMIT_LOCALS * sizeof *v->stamps);
}

static bool read_locals(struct validator *v, const struct deftype *type, uint32_t size) {
  uint64_t offset = reader_offset(&v->r);
  v->nlocals = type->u.func.nparams;
  v->ngroups = 0;
  if (!reader_locals(&v->r, v->m, add_locals, v)) return false;
  if (v->nlocals > LIMIT_LOCALS) return error_set(v->err, MV_LIMIT, offset, "too many locals: %u, at most %d", v->nlocals, LIMIT_LOCALS);
  return expand_locals(v, type, size) && prepare_stamps(v);
}

bool validate_body(struct validator *v, uint32_t func) {
  const struct body *b = &v->m->bodies[func - v->m->nimported_funcs];
  const struct deftype *type = module_func_type(v->m, func);
  const uint8_t *start = v->m->bytes + b->offset;
  v->r = (struct reader){v->m->bytes, start, v->m->bytes + v->m->size, v->err};
  v->func = func;
  v->constant = false;
  v->nframes = 0;
  if (!stack_room(v, b->size)) return false;
  v->sp = v->stack + STACK_PAD;
  if (!read_locals(v, type, b->size)) return false;
  /* The body is a block whose label takes the results; parameters are locals, not operands. */
  struct blocktype none = {TYPE_NONE, VT_BOT};
  if (!frame_push(v, OP_block, &none)) return false;
  v->frames[0].results = type->u.func.results;
  v->frames[0].nresults = type->u.func.nresults;
  if (!walk(v, start + b->size)) return false;
  v->offset = reader_offset(&v->r);
  return v->r.pos == start + b->size || malformed(v, "section size mismatch");
}

/* ---- constant expressions ---- */

static bool constant(struct validator *v, valtype expected) {
  struct blocktype bt = {TYPE_NONE, expected};
  v->func = TYPE_NONE;
  v->constant = true;
  v->nframes = 0;
  v->nlocals = v->nexpanded = 0;
  v->ninits = 0;
  if (!stack_room(v, 8)) return false;
  v->sp = v->stack + STACK_PAD;
  if (!frame_push(v, OP_block, &bt)) return false;
  while (v->nframes)
    if (!step(v)) return false;
  return true;
}

bool validate_consts(struct validator *v, const struct constexpr_ *e, uint32_t count, valtype expected) {
  const uint8_t *start = v->m->bytes + e->offset;
  v->r = (struct reader){v->m->bytes, start, start + e->size, v->err};
  for (uint32_t i = 0; i < count; i++)
    if (!constant(v, expected)) return false;
  return true;
}

bool validate_const(struct validator *v, const struct constexpr_ *e, valtype expected) {
  const uint8_t *start = v->m->bytes + e->offset;
  struct reader r = {v->m->bytes, start, v->m->bytes + v->m->size, v->err};
  bool is64;
  uint64_t value;
  if (const_read(&r, &is64, &value) && expected == (valtype)(is64 ? VT_I64 : VT_I32)) return true;
  return validate_consts(v, e, 1, expected);
}
