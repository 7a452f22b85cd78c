/* What code.c keeps for a module beside the code of its functions. */
#ifndef CODE_MODULE_CODE_H
#define CODE_MODULE_CODE_H

#include <pthread.h>

#include "code/encoding.h"

struct module_code {
  pthread_mutex_t lock;      /* one translation at a time: modules may be shared by stores in several threads */
  const mv_options_t *opt;
  uint32_t *global_cell;     /* own global -> first cell in struct instance */
  union word stub[2];        /* what an untranslated function's entry points at: [0] frame size 0, [1] ROP_translate */
  uint64_t bytes, functions; /* translated so far */
  struct code code[];        /* of the module's own functions */
};

/* module->code points at the first of module_code's codes. */
static inline struct module_code *module_code_of(const struct module *m) {
  return (struct module_code *)((char *)m->code - offsetof(struct module_code, code));
}

struct arena;
struct ircode;
/* The intermediate code of one function, from a scratch arena; ir_fini it in any case. */
MV_MUST_USE bool ir_of_function(struct ircode *, struct arena *scratch, struct module *, uint32_t func, mv_error_t *err);
/* Which Wasm instruction a word of a function's code came from: found by translating it once more, so that nothing need be kept. */
bool code_offset(struct module *, const struct code *, const union word *pc, uint64_t *offset);

/* Of a profile: straight code from the Wasm instruction at `offset` on, that was entered so often. */
struct code_block {
  uint64_t offset, entered, instructions;
  uint64_t operations; /* that stand for its instructions */
};
/* Calls each(env, block) for every block of a translated function that was entered, in the order of the code. */
MV_MUST_USE bool code_blocks(struct module *, const struct code *, void (*each)(void *env, const struct code_block *), void *env, mv_error_t *err);

#endif
