/* Bulk operations, tables, objects and rarer memory accesses (core/exec/instructions): each works on its cells like a stack machine. */
#include "exec/slow.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "exec/num.h"
#include "exec/simd.h"
#include "run/gc.h"

#define OPERATION(name) int slow_##name(struct exec *ex, struct instance *inst, cell *b, const union word *pc)
#define ARG_X (pc[2].u32[0])
#define ARG_Y (pc[2].u32[1])
#define ARG_Z (pc[3].u64)
#define UNUSED ((void)ex, (void)inst, (void)b, (void)pc)

bool slow_func_type(const struct instance *inst, const struct func *f, uint32_t type) { return types_match_def(inst->store->types, f->type, type); }

/* ---- memory ---- */

OPERATION(memory_size) {
  const struct mem_inst *m = inst->memories[ARG_X];
  UNUSED;
  b[0] = m->size >> m->type.page_shift;
  return 0;
}

OPERATION(memory_grow) {
  struct mem_inst *m = inst->memories[ARG_X];
  UNUSED;
  const uint64_t old = memory_grow(m, b[0]);
  b[0] = m->type.limits.is64 ? old : (uint32_t)old;
  return 0;
}

OPERATION(memory_init) {
  UNUSED;
  return memory_init(inst, ARG_Y, ARG_X, b[0], b[1], b[2]) ? 0 : TRAP_OOB_MEMORY;
}

OPERATION(data_drop) {
  UNUSED;
  data_drop(inst, ARG_X);
  return 0;
}

/* Address of an access of n bytes at cell + static offset, or NULL. */
static uint8_t *access(struct instance *inst, const union word *pc, cell address, unsigned n) {
  struct mem_inst *m = inst->memories[ARG_X];
  uint64_t ea;
  if (!checked_add64(address, ARG_Z, &ea) || !range_ok(ea, n, m->size)) return NULL;
  return m->base + ea;
}

#define SET_i32(v) (b[0] = (uint32_t)(v))
#define SET_i64(v) (b[0] = (v))
#define SET_f32(v) (b[0] = i32_reinterpret_f32(v))
#define SET_f64(v) (b[0] = i64_reinterpret_f64(v))

OPERATION(mem_load) {
  const uint8_t *p;
  UNUSED;
  switch (ARG_Y) {
#define LOAD(id, R, n, expr) \
  case OP_##id: \
    if (!(p = access(inst, pc, b[0], n))) return TRAP_OOB_MEMORY; \
    SET_##R(expr); \
    return 0;
#include "code/rops.def"
#define SIMD_LOAD(id, n) \
  case OP_##id: \
    if (!(p = access(inst, pc, b[0], n))) return TRAP_OOB_MEMORY; \
    v128_to_cells(simd_##id(p), b); \
    return 0;
#include "exec/simd.def"
  default: return TRAP_UNREACHABLE;
  }
}

#define GET_i32 ((uint32_t)b[1])
#define GET_i64 (b[1])
#define GET_f32 f32_reinterpret_i32((uint32_t)b[1])
#define GET_f64 f64_reinterpret_i64(b[1])
#define OPERAND_i32 uint32_t
#define OPERAND_i64 uint64_t
#define OPERAND_f32 float
#define OPERAND_f64 double

OPERATION(mem_store) {
  uint8_t *p;
  UNUSED;
  switch (ARG_Y) {
#define STORE(id, T, n, stmt) \
  case OP_##id: { \
    if (!(p = access(inst, pc, b[0], n))) return TRAP_OOB_MEMORY; \
    const OPERAND_##T x = GET_##T; \
    stmt; \
    return 0; \
  }
#include "code/rops.def"
#define SIMD_STORE(id, n) \
  case OP_##id: \
    if (!(p = access(inst, pc, b[0], n))) return TRAP_OOB_MEMORY; \
    simd_##id(p, v128_from_cells(b + 1)); \
    return 0;
#include "exec/simd.def"
  default: return TRAP_UNREACHABLE;
  }
}

OPERATION(mem_lane) {
  const unsigned lane = ARG_Y >> 16;
  uint8_t *p;
  UNUSED;
  switch (ARG_Y & 0xffff) {
#define SIMD_LOAD_LANE(id, n) \
  case OP_##id: \
    if (!(p = access(inst, pc, b[0], n))) return TRAP_OOB_MEMORY; \
    v128_to_cells(simd_##id(p, v128_from_cells(b + 1), lane), b); \
    return 0;
#define SIMD_STORE_LANE(id, n) \
  case OP_##id: \
    if (!(p = access(inst, pc, b[0], n))) return TRAP_OOB_MEMORY; \
    simd_##id(p, v128_from_cells(b + 1), lane); \
    return 0;
#include "exec/simd.def"
  default: return TRAP_UNREACHABLE;
  }
}

/* ---- tables ---- */

OPERATION(table_get) {
  const struct table_inst *t = inst->tables[ARG_X];
  UNUSED;
  if (b[0] >= t->size) return TRAP_OOB_TABLE;
  b[0] = t->elems[b[0]];
  return 0;
}

OPERATION(table_set) {
  struct table_inst *t = inst->tables[ARG_X];
  UNUSED;
  if (b[0] >= t->size) return TRAP_OOB_TABLE;
  t->elems[b[0]] = b[1];
  return 0;
}

OPERATION(table_size) {
  UNUSED;
  b[0] = inst->tables[ARG_X]->size;
  return 0;
}

OPERATION(table_grow) {
  struct table_inst *t = inst->tables[ARG_X];
  UNUSED;
  const uint64_t old = table_grow(inst->store, t, b[1], b[0]);
  b[0] = t->type.limits.is64 ? old : (uint32_t)old;
  return 0;
}

OPERATION(table_fill) {
  UNUSED;
  return table_fill(inst->tables[ARG_X], b[0], b[1], b[2]) ? 0 : TRAP_OOB_TABLE;
}

OPERATION(table_copy) {
  UNUSED;
  return table_copy(inst->tables[ARG_X], inst->tables[ARG_Y], b[0], b[1], b[2]) ? 0 : TRAP_OOB_TABLE;
}

OPERATION(table_init) {
  UNUSED;
  if (table_init(inst, ARG_Y, ARG_X, b[0], b[1], b[2], ex->err)) return 0;
  return ex->err->kind != MV_OK ? TRAP_ERROR : TRAP_OOB_TABLE;
}

OPERATION(elem_drop) {
  UNUSED;
  elem_drop(inst, ARG_X);
  return 0;
}

/* ---- references ---- */

OPERATION(ref_func) {
  UNUSED;
  const struct func *f = instance_func(inst, ARG_X);
  if (!f) {
    (void)error_no_memory(ex->err, sizeof *f);
    return TRAP_ERROR;
  }
  b[0] = (cell)(uintptr_t)f;
  return 0;
}

/* ---- custom descriptors ---- */

OPERATION(ref_get_desc) {
  UNUSED;
  if (!b[0]) return TRAP_NULL;
  b[0] = ref_object(b[0])->u.desc;
  return 0;
}

/* Is the reference of the type, by its descriptor? b: reference, descriptor. */
static bool has_desc(const cell *b, valtype type) {
  if (!b[0]) return vt_is_nullable(type);
  return !ref_is_i31(b[0]) && ref_object(b[0])->kind == OBJ_STRUCT && ref_object(b[0])->u.desc == b[1];
}

OPERATION(ref_cast_desc) {
  UNUSED;
  if (!b[1]) return TRAP_NULL_DESC;
  return has_desc(b, ARG_X) ? 0 : TRAP_CAST_DESC;
}

OPERATION(br_on_cast_desc) {
  UNUSED;
  if (!b[1]) return -TRAP_NULL_DESC;
  return has_desc(b, ARG_X);
}

OPERATION(br_on_cast_desc_fail) {
  UNUSED;
  if (!b[1]) return -TRAP_NULL_DESC;
  return !has_desc(b, ARG_X);
}

/* ---- structs ---- */

static const struct deftype *type_of(const struct instance *inst, uint64_t id) { return types_get(inst->store->types, (uint32_t)id); }

int slow_object_new(struct exec *ex, struct instance *inst, cell *fp, const union word *pc) {
  const struct deftype *t = type_of(inst, pc[2].u32[0]);
  ex->top = fp + pc[3].u64;
  struct object *o = t->kind == COMP_STRUCT ? gc_struct(inst->store, t->id, ex->err)
                                            : gc_array(inst->store, t->id, (pc[2].u32[1] - sizeof *o) / vt_field_size(t->u.agg.fields[0].type), ex->err);
  if (!o) return TRAP_ERROR;
  object_fill(o, fp, pc + 4, pc[1].u32[1]);
  fp[pc[1].u32[0]] = object_ref(o);
  return 0;
}

/* x: 1 for default fields. The descriptor is the last operand. */
OPERATION(struct_new_desc) {
  const struct deftype *t = type_of(inst, ARG_Z);
  uint32_t cells = 0;
  UNUSED;
  for (uint32_t k = 0; !ARG_X && k < t->u.agg.nfields; k++) cells += vt_cells(t->u.agg.fields[k].type);
  if (!b[cells]) return TRAP_NULL_DESC;
  const cell *v = b;
  struct object *o = gc_struct(inst->store, t->id, ex->err);
  if (!o) return TRAP_ERROR;
  for (uint32_t k = 0; !ARG_X && k < t->u.agg.nfields; k++) {
    const struct field *f = &t->u.agg.fields[k];
    field_set(o, f->offset, f->type, v);
    v += vt_cells(f->type);
  }
  o->u.desc = b[cells];
  b[0] = object_ref(o);
  return 0;
}

OPERATION(struct_get) {
  const struct field *f = &type_of(inst, ARG_Z)->u.agg.fields[ARG_X];
  UNUSED;
  if (!b[0]) return TRAP_NULL_STRUCT;
  field_get(ref_object(b[0]), f->offset, f->type, false, b);
  return 0;
}

OPERATION(struct_set) {
  const struct field *f = &type_of(inst, ARG_Z)->u.agg.fields[ARG_X];
  UNUSED;
  if (!b[0]) return TRAP_NULL_STRUCT;
  field_set(ref_object(b[0]), f->offset, f->type, b + 1);
  return 0;
}

/* ---- arrays ---- */

static valtype elem_type(const struct instance *inst, uint64_t id) { return type_of(inst, id)->u.agg.fields[0].type; }

/* A type's elements are small, so an offset within an array that exists fits. */
static uint32_t elem_offset(valtype t, uint64_t index) { return (uint32_t)(index * vt_field_size(t)); }

static void fill(struct object *o, valtype t, uint64_t from, uint64_t n, const cell *v) {
  const unsigned size = vt_field_size(t);
  uint8_t *p = object_data(o) + from * size, *end = p + n * size;
  switch (size) {
  case 1: memset(p, (uint8_t)*v, (size_t)n); break;
  case 2: for (; p < end; p += 2) object_store16(p, (uint16_t)*v); break;
  case 4: for (; p < end; p += 4) object_store32(p, (uint32_t)*v); break;
  default: for (; p < end; p += size) memcpy(p, v, size); break;
  }
}

OPERATION(array_new) {
  const valtype t = elem_type(inst, ARG_Z);
  const unsigned cells = vt_cells(t);
  UNUSED;
  const uint64_t n = (uint32_t)b[cells];
  struct object *o = gc_array(inst->store, (uint32_t)ARG_Z, n, ex->err);
  if (!o) return TRAP_ERROR;
  if (b[0] || (cells == 2 && b[1])) fill(o, t, 0, n, b);
  b[0] = object_ref(o);
  return 0;
}

OPERATION(array_new_default) {
  UNUSED;
  struct object *o = gc_array(inst->store, (uint32_t)ARG_Z, (uint32_t)b[0], ex->err);
  if (!o) return TRAP_ERROR;
  b[0] = object_ref(o);
  return 0;
}

/* Elements from little-endian bytes. */
static void from_bytes(struct object *o, valtype t, uint64_t at, const uint8_t *bytes, uint64_t n) {
  const unsigned size = vt_field_size(t);
  uint8_t *p = object_data(o) + at * size;
  if (!MV_BIG_ENDIAN || size == 1) {
    memcpy(p, bytes, (size_t)(n * size));
    return;
  }
  for (; n; n--, p += size, bytes += size) {
    cell v[2];
    switch (size) {
    case 2: object_store16(p, load_le16(bytes)); break;
    case 4: object_store32(p, load_le32(bytes)); break;
    case 8: object_store64(p, load_le64(bytes)); break;
    default: v128_to_cells(v128_load(bytes), v), memcpy(p, v, sizeof v); break;
    }
  }
}

OPERATION(array_new_data) {
  const valtype t = elem_type(inst, ARG_Z);
  const uint64_t from = (uint32_t)b[0], n = (uint32_t)b[1];
  const uint8_t *bytes;
  uint64_t size;
  UNUSED;
  data_bytes(inst, ARG_X, &bytes, &size);
  if (!range_ok(from, n * vt_field_size(t), size)) return TRAP_OOB_MEMORY;
  struct object *o = gc_array(inst->store, (uint32_t)ARG_Z, n, ex->err);
  if (!o) return TRAP_ERROR;
  if (n) from_bytes(o, t, 0, bytes + from, n);
  b[0] = object_ref(o);
  return 0;
}

OPERATION(array_new_elem) {
  const uint64_t from = (uint32_t)b[0], n = (uint32_t)b[1];
  const cell *items;
  uint64_t size;
  UNUSED;
  if (!elem_items(inst, ARG_X, &items, &size, ex->err)) return TRAP_ERROR;
  if (!range_ok(from, n, size)) return TRAP_OOB_TABLE;
  struct object *o = gc_array(inst->store, (uint32_t)ARG_Z, n, ex->err);
  if (!o) return TRAP_ERROR;
  if (n) memcpy(object_data(o), items + from, (size_t)n * sizeof *items);
  b[0] = object_ref(o);
  return 0;
}

OPERATION(array_get) {
  UNUSED;
  if (!b[0]) return TRAP_NULL_ARRAY;
  const struct object *o = ref_object(b[0]);
  const valtype t = elem_type(inst, ARG_Z);
  if ((uint32_t)b[1] >= o->u.length) return TRAP_OOB_ARRAY;
  field_get(o, elem_offset(t, (uint32_t)b[1]), t, false, b);
  return 0;
}

OPERATION(array_set) {
  UNUSED;
  if (!b[0]) return TRAP_NULL_ARRAY;
  struct object *o = ref_object(b[0]);
  const valtype t = elem_type(inst, ARG_Z);
  if ((uint32_t)b[1] >= o->u.length) return TRAP_OOB_ARRAY;
  field_set(o, elem_offset(t, (uint32_t)b[1]), t, b + 2);
  return 0;
}

OPERATION(array_fill) {
  const valtype t = elem_type(inst, ARG_Z);
  UNUSED;
  if (!b[0]) return TRAP_NULL_ARRAY;
  struct object *o = ref_object(b[0]);
  const uint64_t n = (uint32_t)b[2 + vt_cells(t)];
  if (!range_ok((uint32_t)b[1], n, o->u.length)) return TRAP_OOB_ARRAY;
  fill(o, t, (uint32_t)b[1], n, b + 2);
  return 0;
}

OPERATION(array_copy) {
  const unsigned size = vt_field_size(elem_type(inst, ARG_Z));
  UNUSED;
  if (!b[0] || !b[2]) return TRAP_NULL_ARRAY;
  struct object *to = ref_object(b[0]), *from = ref_object(b[2]);
  const uint64_t d = (uint32_t)b[1], s = (uint32_t)b[3], n = (uint32_t)b[4];
  if (!range_ok(d, n, to->u.length) || !range_ok(s, n, from->u.length)) return TRAP_OOB_ARRAY;
  memmove(object_data(to) + d * size, object_data(from) + s * size, (size_t)(n * size));
  return 0;
}

OPERATION(array_init_data) {
  const valtype t = elem_type(inst, ARG_Z);
  const uint8_t *bytes;
  uint64_t size;
  UNUSED;
  if (!b[0]) return TRAP_NULL_ARRAY;
  struct object *o = ref_object(b[0]);
  const uint64_t d = (uint32_t)b[1], s = (uint32_t)b[2], n = (uint32_t)b[3];
  data_bytes(inst, ARG_X, &bytes, &size);
  if (!range_ok(d, n, o->u.length)) return TRAP_OOB_ARRAY;
  if (!range_ok(s, n * vt_field_size(t), size)) return TRAP_OOB_MEMORY;
  if (n) from_bytes(o, t, d, bytes + s, n);
  return 0;
}

OPERATION(array_init_elem) {
  const cell *items;
  uint64_t size;
  UNUSED;
  if (!b[0]) return TRAP_NULL_ARRAY;
  if (!elem_items(inst, ARG_X, &items, &size, ex->err)) return TRAP_ERROR;
  struct object *o = ref_object(b[0]);
  const uint64_t d = (uint32_t)b[1], s = (uint32_t)b[2], n = (uint32_t)b[3];
  if (!range_ok(d, n, o->u.length)) return TRAP_OOB_ARRAY;
  if (!range_ok(s, n, size)) return TRAP_OOB_TABLE;
  if (n) memcpy(object_data(o) + d * sizeof *items, items + s, (size_t)n * sizeof *items);
  return 0;
}

/* ---- exceptions ---- */

OPERATION(throw) {
  UNUSED;
  struct exn *e = gc_exn(inst->store, inst->tags[ARG_X], b, ex->err);
  if (!e) return TRAP_ERROR;
  inst->store->exception = object_ref(&e->head);
  return TRAP_EXCEPTION;
}

OPERATION(throw_ref) {
  UNUSED;
  if (!b[0]) return TRAP_NULL_EXN;
  inst->store->exception = b[0];
  return TRAP_EXCEPTION;
}

/* ---- 128-bit arithmetic ---- */

#define WIDE(name, call) \
  OPERATION(name) { \
    UNUSED; \
    const struct num_wide r = call; \
    b[0] = r.lo; \
    b[1] = r.hi; \
    return 0; \
  }
WIDE(add128, i64_add128(b[0], b[1], b[2], b[3]))
WIDE(sub128, i64_sub128(b[0], b[1], b[2], b[3]))
WIDE(mul_wide_s, i64_mul_wide_s(b[0], b[1]))
WIDE(mul_wide_u, i64_mul_wide_u(b[0], b[1]))

/* ---- threads ---- */

OPERATION(fence) {
  UNUSED;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return 0;
}

enum rmw { RMW_LOAD, RMW_STORE, RMW_ADD, RMW_SUB, RMW_AND, RMW_OR, RMW_XOR, RMW_XCHG, RMW_CMPXCHG };

static uint64_t combine(enum rmw k, uint64_t old, uint64_t v) {
  switch (k) {
  case RMW_ADD: return old + v;
  case RMW_SUB: return old - v;
  case RMW_AND: return old & v;
  case RMW_OR: return old | v;
  case RMW_XOR: return old ^ v;
  default: return v;
  }
}

/* Any of the operations as a loop of compare and exchange, which knows the memory's byte order. */
#define ATOMIC(N, swap) \
  static uint64_t atomic##N(enum rmw k, uint8_t *p, uint64_t v, uint64_t expected) { \
    uint##N##_t *q = (uint##N##_t *)(void *)p, old = __atomic_load_n(q, __ATOMIC_SEQ_CST); \
    for (;;) { \
      const uint##N##_t seen = MV_BIG_ENDIAN ? (uint##N##_t)swap(old) : old; \
      if (k == RMW_LOAD || (k == RMW_CMPXCHG && seen != expected)) return seen; \
      uint##N##_t next = (uint##N##_t)combine(k, seen, v); \
      if (MV_BIG_ENDIAN) next = (uint##N##_t)swap(next); \
      if (__atomic_compare_exchange_n(q, &old, next, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return seen; \
    } \
  }
ATOMIC(8, )
ATOMIC(16, bytes_swap16)
ATOMIC(32, bytes_swap32)
ATOMIC(64, bytes_swap64)

static int wait_result(int r, cell *b) {
  if (r == 3) return TRAP_INTERRUPT;
  b[0] = (cell)r;
  return 0;
}

OPERATION(atomic) {
  const uint32_t op = ARG_Y;
  struct mem_inst *m = inst->memories[ARG_X];
  const unsigned size = 1u << op_info(op)->align;
  uint8_t *p = access(inst, pc, b[0], size);
  UNUSED;
  const uint64_t ea = b[0] + ARG_Z;
  if (ea & (size - 1)) return TRAP_UNALIGNED;
  if (!p) return TRAP_OOB_MEMORY;
  switch (op) {
  case OP_memory_atomic_notify: b[0] = memory_notify(m, ea, (uint32_t)b[1]); return 0;
  case OP_memory_atomic_wait32:
    if (!m->type.limits.shared) return TRAP_NOT_SHARED;
    return wait_result(memory_wait32(ex->store, m, ea, (uint32_t)b[1], (int64_t)b[2]), b);
  case OP_memory_atomic_wait64:
    if (!m->type.limits.shared) return TRAP_NOT_SHARED;
    return wait_result(memory_wait64(ex->store, m, ea, b[1], (int64_t)b[2]), b);
  default: break;
  }
  const uint32_t n = op - OP_i32_atomic_load;
  const enum rmw k = (enum rmw)(n / 7); /* seven widths of each */
  const uint64_t mask = size == 8 ? UINT64_MAX : ((uint64_t)1 << size * 8) - 1;
  const uint64_t v = k == RMW_CMPXCHG ? b[2] : k == RMW_LOAD ? 0 : b[1], expected = k == RMW_CMPXCHG ? b[1] & mask : 0;
  uint64_t r;
  switch (size) {
  case 1: r = atomic8(k, p, v, expected); break;
  case 2: r = atomic16(k, p, v, expected); break;
  case 4: r = atomic32(k, p, v, expected); break;
  default: r = atomic64(k, p, v, expected); break;
  }
  if (k != RMW_STORE) b[0] = r;
  return 0;
}

/* ---- tracing ---- */

void slow_trace(struct exec *ex, struct instance *inst, const cell *fp, const union word *pc) {
  (void)inst, (void)fp;
  const struct opinfo *info = op_info(ARG_X);
  if (ex->trace) fprintf(ex->trace, "%08llx %s\n", (unsigned long long)ARG_Z, info->text ? info->text : "?");
}
