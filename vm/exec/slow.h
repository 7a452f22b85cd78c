/* The slow paths: what handlers leave to ordinary functions. `b` is the first of the operation's cells: operands in, results out. They give 0 or a trap. */
#ifndef EXEC_SLOW_H
#define EXEC_SLOW_H

#include "exec/exec_state.h"

/* Cells of calls.c's frame between two instances */
enum { CROSS_CELLS = 4 };

#define SLOW_OPS(X) \
  X(memory_size) X(memory_fill) X(memory_copy) X(memory_init) X(data_drop) \
  X(table_get) X(table_set) X(table_size) X(table_grow) X(table_fill) X(table_copy) X(table_init) X(elem_drop) \
  X(ref_func) X(ref_test) X(ref_cast) \
  X(struct_new) X(struct_new_default) X(struct_new_desc) X(struct_get) X(struct_get_s) X(struct_set) X(ref_get_desc) X(ref_cast_desc) \
  X(array_new) X(array_new_default) X(array_new_fixed) X(array_new_data) X(array_new_elem) X(array_get) X(array_get_s) X(array_set) X(array_len) \
  X(array_fill) X(array_copy) X(array_init_data) X(array_init_elem) \
  X(add128) X(sub128) X(mul_wide_s) X(mul_wide_u) X(mem_load) X(mem_store) X(mem_lane) X(atomic) X(fence)

#undef X
#define X(name) int slow_##name(struct exec *, struct instance *, cell *b, const union word *pc);
SLOW_OPS(X)
X(memory_grow)
X(throw)
X(throw_ref)
/* 1: branch, 0: go on, negative: trap */
X(br_on_cast)
X(br_on_cast_fail)
X(br_on_cast_desc)
X(br_on_cast_desc_fail)
#undef X

/* Is a function of another type id a subtype all the same? */
bool slow_func_type(const struct instance *, const struct func *, uint32_t type);
void slow_trace(struct exec *, struct instance *, const cell *fp, const union word *pc);

#endif
