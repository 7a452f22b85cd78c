/* A decoded module (core/syntax/modules). Immutable once loaded and shared by its instances, except for the register code that grows
 * behind `code` (see code/code.h). All index spaces begin with the imports. Everything lives in the module's arena or in its bytes. */
#ifndef TYPES_MODULE_H
#define TYPES_MODULE_H

#include <stdatomic.h>

#include "types/types.h"

enum externkind { EXTERN_FUNC, EXTERN_TABLE, EXTERN_MEMORY, EXTERN_GLOBAL, EXTERN_TAG };

/* Limits of a table or memory (in elements or pages). */
struct limits {
  uint64_t min, max;
  bool has_max, shared, is64;
};

struct tabletype {
  valtype type;
  struct limits limits;
};

struct memtype {
  struct limits limits;
  uint8_t page_shift; /* 16, or 0 with custom page sizes */
};

struct globaltype {
  valtype type;
  bool mutable;
};

/* A name: bytes of the module, not terminated. */
struct name {
  const char *bytes;
  uint32_t size;
};

/* A constant expression: a range of the module's bytes, its `end` included. size 0: absent. */
struct constexpr_ {
  uint64_t offset;
  uint64_t size;
};

struct import {
  struct name module, name;
  uint8_t kind; /* enum externkind */
  bool exact;   /* custom descriptors: exact function import */
  uint32_t index; /* in its index space */
  uint64_t offset; /* in the binary, for errors */
};

struct export {
  struct name name;
  uint8_t kind;
  uint32_t index;
};

struct table {
  struct tabletype type;
  struct constexpr_ init; /* absent: null */
  uint64_t offset;
};

struct global {
  struct globaltype type;
  struct constexpr_ init;
};

enum segmode { SEG_ACTIVE, SEG_PASSIVE, SEG_DECLARATIVE };

struct elem {
  uint8_t mode; /* enum segmode */
  bool uses_exprs; /* items are expressions, else function indices (LEB128) */
  valtype type;
  uint32_t table;
  struct constexpr_ offset;
  uint32_t count;
  struct constexpr_ items; /* the bytes of all items */
};

struct data {
  uint8_t mode;
  uint32_t memory;
  struct constexpr_ offset;
  uint64_t start, size; /* range of the module's bytes */
};

/* A function body: the bytes behind its size field (locals, then the expression). */
struct body {
  uint64_t offset;
  uint32_t size;
};

struct customsec {
  struct name name;
  uint64_t offset; /* of the contents behind the name */
  uint64_t size;
  uint8_t after; /* id of the last non-custom section before it, 0 if none */
};

struct image;
struct packed;
struct code; /* register code of one function, code/code.h */

struct module {
  struct arena arena;
  const uint8_t *bytes;
  size_t size;
  bool own_bytes; /* free(bytes) with the module */
  mv_features_t features;
  struct types *types; /* the engine's registry */
  void *owner;         /* the API's handle; not used by the engine */

  uint32_t ntypes;
  uint32_t *type_ids; /* module type index -> canonical id */

  uint32_t nimports, nexports;
  struct import *imports;
  struct export *exports;

  /* Index spaces; imported ones come first. */
  uint32_t nfuncs, nimported_funcs;
  uint32_t *func_types; /* canonical ids */
  uint32_t ntables, nimported_tables;
  struct table *tables;
  uint32_t nmemories, nimported_memories;
  struct memtype *memories;
  uint32_t nglobals, nimported_globals;
  struct global *globals;
  uint32_t ntags, nimported_tags;
  uint32_t *tags; /* canonical ids of function types */

  bool has_start, has_data_count;
  uint32_t start;
  uint32_t nelems, ndatas, data_count;
  struct elem *elems;
  struct data *datas;
  struct body *bodies; /* [nfuncs - nimported_funcs] */

  uint32_t ncustoms;
  struct customsec *customs;
  struct { uint64_t offset, size; } sections[14]; /* contents of each section by id, custom sections aside; offset 0: absent */

  /* Functions that ref.func may name (core/valid: refs), a bit set over nfuncs; filled by the validator. */
  uint8_t *declared_refs;

  atomic_uint ninstances;          /* made so far, of any store */
  _Atomic(struct image *) image;   /* initial contents of its memory (run/image.c) */

  const struct packed *packed; /* [nfuncs - nimported_funcs] of a precompiled module (code/packed.h), else NULL */
  const uint8_t *packed_base;

  struct code *code; /* [nfuncs - nimported_funcs], owned by code/ */

  _Atomic(uint32_t *) func_names; /* where names stand, made at the first question (binary/names.c) */
};

static inline const struct deftype *module_func_type(const struct module *m, uint32_t func) {
  return types_get(m->types, m->func_types[func]);
}

/* Decodes `size` bytes (core/binary/modules). adopt: the bytes outlive the module, otherwise they are copied. On failure *out is NULL and
 * *err has a kind of MV_MALFORMED (or MV_LIMIT, MV_NO_MEMORY; MV_INVALID for unknown types and unsound type definitions, which cannot be made canonical) with the
 * offset. Defined in binary/. */
MV_MUST_USE bool module_decode(struct types *, mv_features_t, const uint8_t *bytes, size_t size, bool adopt, struct module **out, mv_error_t *err);
/* What decoding once found in the two longest sections, which need not be read again. */
struct module_tables {
  const struct body *bodies;
  const struct data *datas;
  uint32_t nbodies, ndatas;
};
/* Decodes the bytes of a valid module again, which are adopted, as are the tables. */
MV_MUST_USE bool module_restore(struct types *, mv_features_t, const uint8_t *bytes, size_t size, const struct module_tables *, struct module **out, mv_error_t *err);
/* Validates the whole module, all function bodies included (core/valid/modules). Defined in valid/. */
MV_MUST_USE bool module_validate(struct module *, mv_error_t *err);
/* Frees a decoded module; its code must have been released by code_fini. */
void module_delete(struct module *);

/* The name of a function from the name section, or else of an export; false if it has none. Defined in binary/. */
bool module_func_name(const struct module *, uint32_t func, struct name *out);
/* The module's own name from the name section. */
bool module_name(const struct module *, struct name *out);

#endif
