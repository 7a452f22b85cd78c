/* The slow paths: what handlers leave to ordinary functions. `b` is the first of the operation's cells: operands in, results out. They give 0 or a trap. */
#ifndef EXEC_SLOW_H
#define EXEC_SLOW_H

#include "exec/exec_state.h"
#include "run/gc.h"

/* Cells of calls.c's frame between two instances */
enum { CROSS_CELLS = 4 };

#define SLOW_OPS(X) \
  X(memory_size) X(memory_init) X(data_drop) \
  X(table_get) X(table_set) X(table_size) X(table_grow) X(table_fill) X(table_copy) X(table_init) X(elem_drop) \
  X(ref_func) \
  X(struct_new_desc) X(struct_get) X(struct_set) X(ref_get_desc) X(ref_cast_desc) \
  X(array_new) X(array_new_default) X(array_new_data) X(array_new_elem) X(array_get) X(array_set) \
  X(array_fill) X(array_copy) X(array_init_data) X(array_init_elem) \
  X(add128) X(sub128) X(mul_wide_s) X(mul_wide_u) X(mem_load) X(mem_store) X(mem_lane) X(atomic) X(fence)

#undef X
#define X(name) int slow_##name(struct exec *, struct instance *, cell *b, const union word *pc);
SLOW_OPS(X)
X(memory_grow)
X(throw)
X(throw_ref)
/* 1: branch, 0: go on, negative: trap */
X(br_on_cast_desc)
X(br_on_cast_desc_fail)
#undef X

/* Fills a new object: see code/encoding.h's PLACE_... */
static inline void object_fill(struct object *o, const cell *fp, const union word *at, uint32_t n) {
  for (const union word *end = at + n; at < end; at++) {
    const uint32_t place = at->u32[1];
    const cell v = place & PLACE_IMM ? (cell)(int32_t)at->u32[0] : fp[at->u32[0]];
    uint8_t *p = (uint8_t *)o + (place >> PLACE_OFFSET);
    if (likely((place & PLACE_SIZE) == 3)) object_store64(p, v);
    else if ((place & PLACE_SIZE) == 2) object_store32(p, (uint32_t)v);
    else if ((place & PLACE_SIZE) == 1) object_store16(p, (uint16_t)v);
    else *p = (uint8_t)v;
  }
}
/* The object_new at pc, when there is no free cell at hand. */
int slow_object_new(struct exec *, struct instance *, cell *fp, const union word *pc);

/* Is a function of another type id a subtype all the same? */
bool slow_func_type(const struct instance *, const struct func *, uint32_t type);
void slow_trace(struct exec *, struct instance *, const cell *fp, const union word *pc);

#endif
