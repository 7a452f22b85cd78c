/* Types: values, references, functions, aggregates, and their canonical forms (core/syntax/types, core/valid/matching).
 *
 * Every composite type lives once per engine in a `struct types` registry: its rec group is hash-consed when a module declares it, so
 * that two equal types have one id, whichever module they come from, and matching is a compare of ids or one look into a display.
 * A valtype names composite types by that canonical id, never by a module's index. */
#ifndef TYPES_TYPES_H
#define TYPES_TYPES_H

#include "base/arena.h"

/* A value, storage or bottom type: the code in bits 0-7; for VT_REF the flags below and a heap type in the upper bits. */
typedef uint32_t valtype;

enum {
  VT_BOT = 0, /* the type of a value in unreachable code */
  VT_I32, VT_I64, VT_F32, VT_F64, VT_V128,
  VT_I8, VT_I16, /* storage types of fields only */
  VT_REF,

  VT_CODE_MASK = 0xff,
  VT_NULLABLE = 1 << 8,
  VT_EXACT = 1 << 9,
  VT_HEAP_SHIFT = 10
};

/* Heap types: a canonical type id, or one of these. Within a rec group that is being declared, members are HEAP_REC | position. */
enum {
  HEAP_MAX_ID = 0x1fff00, /* ids are below */
  HEAP_FUNC = 0x1fff00, HEAP_NOFUNC, HEAP_EXTERN, HEAP_NOEXTERN, HEAP_ANY, HEAP_EQ, HEAP_I31, HEAP_STRUCT, HEAP_ARRAY, HEAP_NONE,
  HEAP_EXN, HEAP_NOEXN,
  HEAP_BOT, /* below all others: a reference of unknown type in unreachable code, never declared */
  HEAP_REC = 0x200000
};

#define VT_REFTYPE(heap, flags) ((valtype)VT_REF | (valtype)(flags) | (valtype)(heap) << VT_HEAP_SHIFT)
#define VT_FUNCREF VT_REFTYPE(HEAP_FUNC, VT_NULLABLE)
#define VT_EXTERNREF VT_REFTYPE(HEAP_EXTERN, VT_NULLABLE)
#define VT_EXNREF VT_REFTYPE(HEAP_EXN, VT_NULLABLE)
#define VT_ANYREF VT_REFTYPE(HEAP_ANY, VT_NULLABLE)

static inline unsigned vt_code(valtype t) { return t & VT_CODE_MASK; }
static inline bool vt_is_ref(valtype t) { return vt_code(t) == VT_REF; }
static inline bool vt_is_nullable(valtype t) { return (t & VT_NULLABLE) != 0; }
static inline uint32_t vt_heap(valtype t) { return t >> VT_HEAP_SHIFT; }
/* Has a default value (core/valid/types: defaultable). */
static inline bool vt_is_defaultable(valtype t) { return !vt_is_ref(t) || vt_is_nullable(t); }
/* 64-bit cells that a value takes in a frame: two for v128. */
static inline unsigned vt_cells(valtype t) { return vt_code(t) == VT_V128 ? 2 : 1; }
/* Bytes that a field of this storage type takes in an object. References take 8 on every host. */
static inline unsigned vt_field_size(valtype t) {
  switch (vt_code(t)) {
  case VT_I8: return 1;
  case VT_I16: return 2;
  case VT_I32: case VT_F32: return 4;
  case VT_V128: return 16;
  default: return 8;
  }
}

enum comptype { COMP_FUNC, COMP_STRUCT, COMP_ARRAY };

#define TYPE_NONE UINT32_MAX

struct field {
  valtype type; /* storage type */
  bool mutable;
  uint32_t offset; /* in bytes from the start of the fields; filled by the registry */
};

/* One composite type. In a registry all ids are canonical and the object is immutable. */
struct deftype {
  uint32_t id;
  uint8_t kind; /* enum comptype */
  bool final;
  uint32_t super;      /* direct supertype or TYPE_NONE */
  uint32_t descriptor; /* custom descriptors: the type that describes this one, or TYPE_NONE */
  uint32_t describes;  /* and the reverse */
  uint32_t group, group_size; /* id of the first member of its rec group, and the number of members */
  uint32_t depth;      /* number of proper supertypes */
  const uint32_t *display; /* display[d] = ancestor at depth d; display[depth] == id */
  union {
    struct {
      uint32_t nparams, nresults;
      uint32_t param_cells, result_cells; /* filled by the registry */
      const valtype *params, *results;
    } func;
    struct {
      uint32_t nfields;
      uint32_t size; /* bytes of all fields, aligned to 8; filled by the registry */
      const struct field *fields; /* an array type has exactly one, at offset 0 */
      uint32_t nrefs; /* offsets of the fields that refer to objects, which functions are not; filled by the registry */
      const uint32_t *refs;
    } agg;
  } u;
};

struct types; /* the registry of one engine; safe for use from several threads */

struct types *types_new(void);
void types_delete(struct types *);

/* Declares a rec group of n types (a plain type is a group of one). References among the members are HEAP_REC | position (super, descriptor and describes too);
 * the strings of valtypes and fields may be temporary. ids[0..n) receive the canonical ids. Validity (supertypes match, ...) is the caller's business:
 * see valid/. Fails only for lack of memory or ids. */
MV_MUST_USE bool types_define(struct types *, const struct deftype *group, uint32_t n, uint32_t *ids, mv_error_t *err);

/* The type of an id that types_define has given. The pointer stays valid and unchanged as long as the registry. No lock is taken. */
const struct deftype *types_get(const struct types *, uint32_t id);

/* Convenience: the canonical id of a function type. */
MV_MUST_USE bool types_func(struct types *, const valtype *params, uint32_t nparams, const valtype *results, uint32_t nresults, uint32_t *id, mv_error_t *err);

/* Is `sub` a subtype of (or equal to) `super`? core/valid/matching. */
bool types_match(const struct types *, valtype sub, valtype super);
bool types_match_heap(const struct types *, uint32_t sub, uint32_t super);
bool types_match_def(const struct types *, uint32_t sub, uint32_t super);
/* Do the shapes match (core/valid/matching: composite types), declared supertypes aside? */
bool types_match_comp(const struct types *, const struct deftype *sub, const struct deftype *super);
/* The top of the hierarchy of a heap type: HEAP_ANY, HEAP_FUNC, HEAP_EXTERN or HEAP_EXN; and its bottom. */
uint32_t types_top(const struct types *, uint32_t heap);
uint32_t types_bottom(const struct types *, uint32_t heap);

/* Writes a type in text format into buf, always terminated; returns buf. */
char *valtype_print(valtype, char *buf, size_t cap);
char *functype_print(const struct deftype *, char *buf, size_t cap);

#endif
