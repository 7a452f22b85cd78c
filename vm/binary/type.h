/* Reading value, reference and block types (core/binary/types). Private to binary/.
 *
 * A type index that does not exist makes a module invalid, not malformed: it is noted here and reading goes on with a placeholder, so that
 * what is malformed behind it is still found. */
#ifndef BINARY_TYPE_H
#define BINARY_TYPE_H

#include "binary/instr.h"

struct typectx {
  const struct module *m;
  uint32_t rec;     /* members of the rec group that is being declared: type indices ntypes .. ntypes + rec - 1 */
  bool unknown;     /* an unknown type was met: the first one is index, at offset */
  uint32_t index;
  uint64_t offset;
};

/* Reports the unknown type that was noted, if any, to `err` (kind MV_INVALID); true if there was none. */
bool typectx_check(const struct typectx *, mv_error_t *err);
/* The canonical id of a type index, or HEAP_REC | position. */
uint32_t typectx_id(struct typectx *, uint32_t index, uint64_t offset);

MV_MUST_USE bool read_valtype(struct reader *, struct typectx *, valtype *);
MV_MUST_USE bool read_reftype(struct reader *, struct typectx *, valtype *);
MV_MUST_USE bool read_storagetype(struct reader *, struct typectx *, valtype *);
/* A heap type as an exact or inexact non-null reference to it. */
MV_MUST_USE bool read_heaptype(struct reader *, struct typectx *, valtype *);
MV_MUST_USE bool read_blocktype(struct reader *, struct typectx *, struct blocktype *);

/* Walks instructions up to and including the `end` of the expression: syntax only. Reports what is malformed to r->err; what is invalid
 * already in itself (an unknown type) goes to `invalid`. in_body: references to data segments need a data count section. */
MV_MUST_USE bool expr_skip(struct reader *, const struct module *, bool in_body, mv_error_t *invalid);
/* Looks for anything malformed in the first n function bodies of a module that is to be refused: bodies are not looked into while decoding, so what
 * is malformed there would otherwise be found too late. complete: all sections have been read. true: nothing. */
MV_MUST_USE bool module_scan_bodies(const struct module *, uint32_t n, bool complete, mv_error_t *err);

/* The type section, r at its count (binary/typesec.c). */
MV_MUST_USE bool read_types(struct module *, struct reader *, mv_error_t *invalid);

#endif
