/* The life of register code: allocation with the module, translation at the first call, release. */
#include "code/code.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "code/ir.h"
#include "code/module_code.h"
#include "code/packed.h"

bool code_init(struct module *m, const mv_options_t *opt, mv_error_t *err) {
  const size_t n = m->nfuncs - m->nimported_funcs, ng = m->nglobals - m->nimported_globals;
  size_t bytes;
  if (!checked_mul(n, sizeof(struct code), &bytes) || !checked_add(bytes, sizeof(struct module_code), &bytes)) return error_no_memory(err, SIZE_MAX);
  struct module_code *mc = arena_alloc(&m->arena, bytes);
  uint32_t *cells = arena_array(&m->arena, ng + 1, sizeof *cells);
  if (!mc || !cells) return error_no_memory(err, bytes);
  if (pthread_mutex_init(&mc->lock, NULL)) return error_set(err, MV_NO_MEMORY, MV_NO_OFFSET, "a mutex could not be made");
  mc->opt = opt;
  mc->global_cell = cells;
  uint32_t at = 0;
  for (size_t k = 0; k < ng; k++) {
    cells[k] = at;
    at += vt_cells(m->globals[m->nimported_globals + k].type.type);
  }
  mc->stub[1].u64 = exec_handler(ROP_translate);
  for (size_t k = 0; k < n; k++) {
    struct code *c = &mc->code[k];
    c->entry = &mc->stub[1];
    c->func = m->nimported_funcs + (uint32_t)k;
    c->module = m;
    c->params = module_func_type(m, c->func)->u.func.param_cells;
  }
  m->code = mc->code;
  if (opt->eager)
    for (uint32_t f = m->nimported_funcs; f < m->nfuncs; f++)
      if (!code_translate(m, f, err)) {
        code_fini(m);
        return false;
      }
  return true;
}

void code_fini(struct module *m) {
  if (!m->code) return;
  struct module_code *mc = module_code_of(m);
  for (size_t k = 0; k < m->nfuncs - m->nimported_funcs; k++) {
    free(mc->code[k].words);
    free(mc->code[k].catches);
  }
  (void)pthread_mutex_destroy(&mc->lock);
  m->code = NULL;
}

bool ir_of_function(struct ircode *c, struct arena *scratch, struct module *m, uint32_t func, mv_error_t *err) {
  const struct module_code *mc = module_code_of(m);
  *c = (struct ircode){.module = m, .func = func, .arena = scratch, .fusion = !mc->opt->no_fusion && !mc->opt->trace};
  c->all_forms = c->fusion && exec_all_forms();
  if (!ir_translate(c, mc->opt, mc, err)) return false;
  if (c->all_forms) {
    ir_fuse(c);
    if (!ir_pin(c) || (mc->opt->fuel && !ir_pay(c))) return error_no_memory(err, c->nlabels);
  }
  return true;
}

static bool translate(struct module *m, struct code *code, mv_error_t *err) {
  struct arena scratch;
  struct ircode c;
  arena_init(&scratch);
  const bool ok = ir_of_function(&c, &scratch, m, code->func, err) && ir_lower(&c, &code->words, &code->nwords, err);
  if (ok) {
    code->catches = c.catches;
    code->ncatches = (uint32_t)c.ncatches;
    c.catches = NULL;
  }
  ir_fini(&c);
  arena_fini(&scratch);
  return ok;
}

bool code_translate(struct module *m, uint32_t func, mv_error_t *err) {
  struct module_code *mc = module_code_of(m);
  const uint32_t k = func - m->nimported_funcs;
  struct code *code = &m->code[k];
  (void)pthread_mutex_lock(&mc->lock);
  bool ok = true;
  if (!code->words) {
    struct code made = *code;
    ok = m->packed && m->packed[k].nwords ? packed_load(m, &made, err) : translate(m, &made, err);
    if (ok) {
      code->words = made.words;
      code->nwords = made.nwords;
      code->catches = made.catches;
      code->ncatches = made.ncatches;
      mc->bytes += code->nwords * sizeof *code->words;
      mc->functions++;
#if defined(__GNUC__)
      __atomic_store_n(&code->entry, (const union word *)code->words + 1, __ATOMIC_RELEASE);
#else
      code->entry = code->words + 1;
#endif
    }
  }
  (void)pthread_mutex_unlock(&mc->lock);
  return ok;
}

void code_stats(const struct module *m, uint64_t *bytes, uint64_t *functions) {
  const struct module_code *mc = module_code_of(m);
  *bytes = mc->bytes;
  *functions = mc->functions;
}

struct code *code_of_pc(struct module *m, const union word *pc) {
  for (size_t k = 0; k < m->nfuncs - m->nimported_funcs; k++) {
    struct code *c = &m->code[k];
    if (c->words && pc >= c->words && pc < c->words + c->nwords) return c;
  }
  return NULL;
}

bool code_offset(struct module *m, const struct code *code, const union word *pc, uint64_t *offset) {
  struct arena scratch;
  struct ircode c;
  union word *words = NULL;
  uint32_t n = 0;
  bool found = false;
  arena_init(&scratch);
  if (ir_of_function(&c, &scratch, m, code->func, NULL) && ir_lower(&c, &words, &n, NULL)) {
    const uint32_t at = (uint32_t)(pc - code->words);
    for (size_t k = 0; k < c.n && c.ir[k].at <= at; k++)
      if (c.ir[k].op != IR_NOP && c.ir[k].op != IR_LABEL) *offset = c.ir[k].pos, found = true;
  }
  free(words);
  ir_fini(&c);
  arena_fini(&scratch);
  return found;
}

bool code_blocks(struct module *m, const struct code *code, void (*each)(void *env, const struct code_block *), void *env, mv_error_t *err) {
  struct arena scratch;
  struct ircode c;
  union word *words = NULL;
  uint32_t n = 0;
  arena_init(&scratch);
  const bool ok = ir_of_function(&c, &scratch, m, code->func, err) && ir_lower(&c, &words, &n, err);
  for (size_t k = 0; ok && k < c.n; k++) {
    if (c.ir[k].op != IR_profile) continue;
    struct code_block b = {.offset = c.ir[k].pos, .instructions = c.ir[k].imm, .entered = code->words[c.ir[k].at + 3].u64};
    for (size_t i = k + 1; i < c.n && c.ir[i].op != IR_profile; i++) b.operations += c.ir[i].op != IR_NOP && c.ir[i].op != IR_LABEL;
    if (b.entered) each(env, &b);
  }
  free(words);
  ir_fini(&c);
  arena_fini(&scratch);
  return ok;
}
