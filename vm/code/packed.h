/* Register code in a form that does not depend on where it is loaded: for files of precompiled modules. What that form is, only packed.c knows. */
#ifndef CODE_PACKED_H
#define CODE_PACKED_H

#include "types/module.h"

/* The code of one function among the bytes of a file, in the host's own byte order, aligned to 8. */
struct packed {
  uint64_t at; /* from module->packed_base on */
  uint32_t nwords, ncatches, nplaces, nsteps; /* nwords 0: not packed, to be translated */
};

struct code;
struct packer;

/* Two numbers: of what words mean in this build of the engine, and of the options that code was made for. */
uint64_t packed_build(void);
uint32_t packed_options(const mv_options_t *);

/* For the functions of the module that lies in these bytes, which are valid and outlive the packer. */
MV_MUST_USE bool packer_new(const uint8_t *bytes, size_t size, mv_features_t, const mv_options_t *, struct packer **out, mv_error_t *err);
void packer_delete(struct packer *);
/* Translates and packs one function. *bytes are the packer's, until the next call; *out lacks `at`. */
MV_MUST_USE bool packer_pack(struct packer *, uint32_t func, struct packed *out, const void **bytes, size_t *size, mv_error_t *err);
/* The packed code of a function of module->packed, ready to run, in code's words and catches. */
MV_MUST_USE bool packed_load(const struct module *, struct code *, mv_error_t *err);

#endif
