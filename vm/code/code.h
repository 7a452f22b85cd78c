/* Register code: what a function body is translated to at its first call, and how the rest of the engine handles it. */
#ifndef CODE_CODE_H
#define CODE_CODE_H

#include "types/module.h"

/* After decoding and validation: allocates module->code with every function still untranslated. */
MV_MUST_USE bool code_init(struct module *, const mv_options_t *, mv_error_t *err);
/* Releases all register code of the module. */
void code_fini(struct module *);
/* Translates one function now (eager mode, disassembly). */
MV_MUST_USE bool code_translate(struct module *, uint32_t func, mv_error_t *err);
/* Bytes of register code and number of translated functions. */
void code_stats(const struct module *, uint64_t *bytes, uint64_t *functions);
/* Prints Wasm and register code of one function side by side. */
MV_MUST_USE bool code_dump(struct module *, uint32_t func, FILE *out, mv_error_t *err);

#endif
