/* generate_state.h: what the three files of the generator share: the module that is being made (generate.c), the function body (generate_body.c), and the
 * values that it works on (generate_value.c). A body's instructions are chosen on a model of the operand stack. */
#ifndef HOSTILE_GENERATE_STATE_H
#define HOSTILE_GENERATE_STATE_H

#include "generate.h"
#include "types/ops.h"

/* Value types. INDEXED + n is (ref null n). */
typedef unsigned type;
enum { I32, I64, F32, F64, V128, FUNCREF, EXTERNREF, ANYREF, EQREF, I31REF, STRUCTREF, ARRAYREF, EXNREF, PACKED8, PACKED16, INDEXED = 32, NONNULL = 0x8000 };

enum { MAX_TYPES = 2000, MAX_PARAMS = 24, MAX_RESULTS = 24, MAX_FIELDS = 6, MAX_STACK = 400, MAX_LABELS = 12, MAX_LOCALS = 60 };

struct deftype {
  enum { FUNC, STRUCT, ARRAY } kind;
  int super; /* -1: none */
  bool open;
  unsigned nparams, nresults; /* of a struct: fields are params */
  type params[MAX_PARAMS], results[MAX_RESULTS];
};

struct table {
  type type;
  unsigned min, max;
  bool is64;
};

struct memory {
  unsigned min, max;
  bool is64;
};

struct segment {
  type type; /* of an element segment */
  unsigned size;
};

struct gen {
  struct random r;
  bool simd, gc, exceptions, tail, bulk;
  struct deftype types[MAX_TYPES];
  unsigned ntypes, nheap; /* those of structs and arrays come first */
  unsigned funcs[GENERATED_FUNCS], nfuncs; /* their types; the first is imported */
  struct table tables[3];
  unsigned ntables;
  struct memory memories[3];
  unsigned nmemories;
  struct {
    type type;
    bool mutable;
  } globals[GENERATED_GLOBALS];
  unsigned nglobals;
  unsigned tags[2], ntags;
  struct segment data[3], elems[3]; /* passive ones */
  unsigned ndata, nelems;
};

struct label {
  unsigned base, ntypes; /* of the branch */
  type types[MAX_PARAMS];
  bool hidden, dead;
};

struct body {
  struct gen *g;
  struct bytes code;
  type stack[MAX_STACK];
  unsigned height;
  struct label labels[MAX_LABELS];
  unsigned nlabels;
  type locals[MAX_LOCALS];
  unsigned nlocals, nshown; /* counters and scratch come after those shown */
  unsigned scratch[V128 + 1];
  const struct deftype *type;
  unsigned func, loops, steps;
  unsigned floor; /* what is below stays: operands of an instruction to come */
};

/* A row of vm/ops.def. */
struct row {
  unsigned op;
  const char *text, *sig;
  enum imm imm;
  unsigned align, feature;
  enum rule rule;
};

static inline unsigned below(struct gen *g, unsigned n) { return random_below(&g->r, n); }
static inline bool chance(struct gen *g, unsigned percent) { return below(g, 100) < percent; }

/* ---- generate.c: types */

static inline bool is_ref(type t) { return t >= FUNCREF; }
static inline bool is_number(type t) { return t <= V128; }
static inline type letter_type(char c) { return c == 'i' ? I32 : c == 'I' ? I64 : c == 'f' ? F32 : c == 'F' ? F64 : V128; }
static inline char type_letter(type t) { return "iIfFv"[t]; }
/* May an `a` stand where a `b` is wanted? */
bool fits(const struct gen *, type a, type b);
bool same_types(const type *a, const type *b, unsigned n);
type number_type(struct gen *);
type any_type(struct gen *);
/* The index of a function type, new or known. */
unsigned func_type(struct gen *, const type *params, unsigned nparams, const type *results, unsigned nresults);
void put_heap(struct bytes *, type t);
void put_type(struct bytes *, type t);

/* ---- generate_value.c: instructions, and values of a wanted type */

static inline struct label *top_label(struct body *b) { return &b->labels[b->nlabels - 1]; }
/* How many operands there are that the instruction to come may take. */
static inline unsigned available(struct body *b) { return b->height - (b->floor > top_label(b)->base ? b->floor : top_label(b)->base); }
void push(struct body *, type t);
void took(struct body *, unsigned n);
void put_op(struct body *, unsigned op);
void put_index(struct body *, unsigned op, unsigned index);
void put_i32(struct body *, int32_t value);
void put_const(struct body *, type t);
void put_memarg(struct body *, const struct row *w, unsigned memory);
/* A row at random; `result` is a letter that it must give, or 0. */
const struct row *pick_row(struct gen *, enum rule rule, char result);
/* Makes one value: at depth 0 of any size, deeper ever smaller ones; the smallest; an address in a memory. */
void make(struct body *, type t, unsigned depth);
void leaf(struct body *, type t);
void make_address(struct body *, unsigned memory, unsigned depth);
/* Brings values of these types to the top, from what is there where that fits. */
void need(struct body *, const type *types, unsigned n, unsigned depth);
/* What a row does, its operands being there; and with its operands made too. */
void plain(struct body *, const struct row *w, unsigned depth);
void memory_access(struct body *, const struct row *w, unsigned depth);
/* Makes a NaN on top canonical; a vector's lanes are f32 or, for `wide`, f64. */
void canonical(struct body *, type t, bool wide);
uint64_t interesting(struct gen *);
uint64_t interesting_float(struct gen *, bool wide);
/* A local or global that gives (`set`: takes) such a type. */
bool pick_local(struct body *, type t, bool set, unsigned *found);
bool pick_global(struct body *, type t, bool set, unsigned *found);
unsigned new_local(struct body *, type t);
/* May there be another local? */
bool locals_left(const struct body *, unsigned n);
void block_type(struct body *, const type *params, unsigned nparams, const type *results, unsigned nresults);

/* ---- generate_body.c */

/* `taken`: operands on the stack that belong to the block. */
void open_label(struct body *, const type *types, unsigned n, unsigned taken, bool hidden);
void close_label(struct body *, const type *results, unsigned n);
/* The body of function `func`, with its size. */
void put_func(struct gen *, unsigned func, struct bytes *);

#endif
