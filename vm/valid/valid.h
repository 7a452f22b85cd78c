/* The validator's state: operand stack, control stack, locals (core/appendix/algorithm). Private to valid/.
 *
 * One validator serves a whole module; its arrays are kept from body to body. Rules live in control.c, instr.c and ref.c and are complete; body.c
 * has a fast path in front of them that only ever accepts, and leaves to the rules whatever it is not sure of. */
#ifndef VALID_VALID_H
#define VALID_VALID_H

#include "binary/instr.h"

/* One label (core/valid: C.labels) with the height at which its operands begin. */
struct frame {
  const valtype *params, *results; /* results: NULL stands for the one in `single` */
  uint32_t nparams, nresults;
  valtype single;
  uint32_t height;
  uint32_t ninits; /* locals that were initialised before */
  uint32_t seen;   /* the last br_table that has looked at it */
  uint16_t op;     /* what opened it: OP_block for a function body, OP_else and OP_catch after these */
  bool unreachable;
};

static inline const valtype *frame_results(const struct frame *f) { return f->results ? f->results : &f->single; }

/* Declared locals: those before `end`, from the end of the group before. */
struct local_group {
  uint32_t end;
  valtype type;
};

enum {
  MEM0_NONE = 0xff,   /* no operand has this type */
  LOCAL_UNSET = 0x80, /* flag of a local's type beside its code: has no default value, look at the stamps */
  STACK_PAD = 4,      /* slots below the stack that may be read */
  QUICK_VECTOR = 256  /* where the vector instructions begin in the quick table */
};

/* What the fast path knows of an instruction of one byte, or behind 0xFD: `n` operands of type `in`, a result `out`. */
struct quick {
  uint8_t n, in, out, aligns; /* aligns: alignments that are allowed, 0: the row has not been filled yet */
};

struct validator {
  struct module *m;
  mv_error_t *err;
  struct reader r;
  uint64_t offset;   /* of the current instruction */
  uint32_t func;     /* that is being checked, TYPE_NONE in a constant expression */
  const char *where; /* what is being checked, when it is not a function */
  uint32_t index;    /* its number */
  bool constant;
  uint32_t nglobals; /* that a constant expression may name */
  unsigned exact;    /* VT_EXACT when custom descriptors are on */
  uint8_t *exact_imports; /* [nimported_funcs], custom descriptors only */

  valtype *stack, *sp, *limit; /* stack + STACK_PAD <= sp <= limit */
  struct frame *frames;
  size_t nframes, frames_cap;

  valtype *locals;   /* types by index, of the first nexpanded; the rest by groups */
  size_t locals_cap, groups_cap, inits_cap;
  uint32_t nlocals, nexpanded, nparams;
  struct local_group *groups;
  uint32_t ngroups;
  uint32_t *inits;   /* locals initialised in open blocks, a stack */
  uint32_t ninits;
  uint32_t *stamps;  /* [LIMIT_LOCALS]: == stamp where the local has been initialised; NULL until needed */
  uint32_t stamp;

  uint32_t br_tables; /* number of the current br_table */
  uint8_t mem0;       /* address type of memory 0, or MEM0_NONE */
  struct quick quick[QUICK_VECTOR + 0x200];
};

/* ---- stack.c ---- */

/* Reports MV_INVALID at the current instruction, with the function's index and name added. Always false. */
bool invalid(struct validator *, const char *format, ...) MV_PRINTF(2, 3);
bool malformed(struct validator *, const char *text);
/* A type with the module's own indices. */
char *type_name(const struct validator *, valtype, char *buf, size_t cap);
enum { TYPE_TEXT = 48, LIST_TEXT = 160 };

static inline struct frame *top(struct validator *v) { return &v->frames[v->nframes - 1]; }
static inline valtype *frame_floor(struct validator *v, const struct frame *f) { return v->stack + STACK_PAD + f->height; }

MV_MUST_USE bool stack_room(struct validator *, size_t n);
MV_MUST_USE bool push(struct validator *, valtype);
MV_MUST_USE bool push_list(struct validator *, const valtype *, uint32_t n);
MV_MUST_USE bool pop(struct validator *, valtype expected);
MV_MUST_USE bool pop_list(struct validator *, const valtype *, uint32_t n);
/* Any value; VT_BOT in unreachable code. */
MV_MUST_USE bool pop_any(struct validator *, valtype *);
/* Any reference; one to HEAP_BOT in unreachable code. */
MV_MUST_USE bool pop_ref(struct validator *, valtype *);
/* Do the topmost operands match, without popping them? */
MV_MUST_USE bool check_list(struct validator *, const valtype *, uint32_t n);
/* "type mismatch: WHO requires [..] but WHAT has [..]". Always false. */
bool mismatch(struct validator *, const char *who, const valtype *want, uint32_t nwant, const char *what, const valtype *have, uint32_t nhave);
MV_MUST_USE bool match_lists(struct validator *, const char *who, const valtype *want, uint32_t nwant, const char *what, const valtype *have,
                             uint32_t nhave);

MV_MUST_USE bool frame_push(struct validator *, unsigned op, const struct blocktype *);
/* Pops the results of the topmost frame and checks that nothing else is left. */
MV_MUST_USE bool frame_finish(struct validator *);
/* Back to the state at the frame's beginning, with `params` on the stack. */
MV_MUST_USE bool frame_restart(struct validator *, unsigned op, const valtype *params, uint32_t n);
/* After an unconditional branch. */
bool set_unreachable(struct validator *);

/* ---- rules: each checks one instruction that has been read; false with a report ---- */

MV_MUST_USE bool rule_instr(struct validator *, struct instr *);
MV_MUST_USE bool rule_control(struct validator *, struct instr *);
MV_MUST_USE bool rule_ref(struct validator *, struct instr *);
bool is_constant(struct validator *, const struct instr *);

/* Lookups that report "unknown ...". */
const struct memtype *memory_at(struct validator *, uint32_t);
const struct tabletype *table_at(struct validator *, uint32_t);
const struct elem *elem_at(struct validator *, uint32_t);
MV_MUST_USE bool data_at(struct validator *, uint32_t);
/* The function type of a module type index / of a function. */
const struct deftype *functype_at(struct validator *, uint32_t type);
const struct deftype *func_at(struct validator *, uint32_t func);
const struct deftype *tag_at(struct validator *, uint32_t tag);
static inline valtype addr_type(const struct limits *l) { return l->is64 ? VT_I64 : VT_I32; }

/* ---- body.c ---- */

MV_MUST_USE bool validate_body(struct validator *, uint32_t func);
MV_MUST_USE bool validate_const(struct validator *, const struct constexpr_ *, valtype expected);
/* A list of `count` constant expressions, one behind the other. */
MV_MUST_USE bool validate_consts(struct validator *, const struct constexpr_ *, uint32_t count, valtype expected);

static inline void declare_ref(struct module *m, uint32_t func) { m->declared_refs[func >> 3] |= (uint8_t)(1u << (func & 7)); }

#endif
