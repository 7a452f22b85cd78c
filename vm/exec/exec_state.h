/* The interpreter's state of one store, and what its handlers share with the slow paths behind them. */
#ifndef EXEC_EXEC_STATE_H
#define EXEC_EXEC_STATE_H

#include "code/encoding.h"
#include "exec/exec.h"

enum trap {
  TRAP_NONE, TRAP_INVALID_CONVERSION, TRAP_INT_OVERFLOW, /* as enum num_trap */
  TRAP_DIV_ZERO, TRAP_UNREACHABLE, TRAP_OOB_MEMORY, TRAP_OOB_TABLE, TRAP_OOB_ARRAY, TRAP_NULL, TRAP_NULL_I31, TRAP_NULL_STRUCT, TRAP_NULL_ARRAY,
  TRAP_NULL_FUNC, TRAP_NULL_EXN, TRAP_UNDEFINED_ELEMENT, TRAP_UNINITIALIZED_ELEMENT, TRAP_INDIRECT_TYPE, TRAP_CAST, TRAP_CAST_DESC, TRAP_NULL_DESC, TRAP_UNALIGNED,
  TRAP_NOT_SHARED, TRAP_STACK, TRAP_FUEL, TRAP_INTERRUPT,
  TRAP_ERROR,     /* exec->err already holds the report */
  TRAP_EXCEPTION, /* store->exception is to be thrown from here */
  TRAP_COUNT
};

/* What became of an attempt to enter a function that is not of this instance's own code. */
struct entry {
  const union word *pc;
  cell *fp;
  struct instance *instance;
  cell acc; /* for a callee: its struct code; after a host call: the first result */
};

struct exec {
  cell *limit;   /* end of the stack */
  const union word *pc; /* where execution ended: of a trap, the operation */
  cell *fp;
  struct instance *instance; /* of the frame at fp */
  uint64_t fuel;
  int interrupt; /* atomic */
  int trap;      /* enum trap, with which the interpreter ended */
  cell *stack;   /* begin of the stack */
  cell *top;     /* end of the cells in use while the interpreter is left (host call, collection) */
  size_t stack_bytes;
  uint32_t depth, max_depth; /* frames, counted only if max_depth is set */
  uint32_t nesting;          /* exec_call within exec_call */
  struct store *store;
  mv_error_t *err; /* of the current exec_call */
  FILE *trace;
  struct profile *profile;   /* exec/profile.h; NULL until the first sample */
  uint64_t unsampled, sample_at; /* instructions counted since the last; when to take the next: the first one at once */
  struct entry entry;        /* filled by calls.c for the handler that called it: not on its stack, so that it can end in a jump */
  union word exit_code[1];  /* where the outermost frame returns to */
  union word cross_code[2]; /* [1]: where a frame returns to whose caller belongs to another instance */
};

/* Runs from pc until the exit code (true) or a trap (false, exec's `trap`). */
bool interp_run(const union word *pc, cell *fp, struct instance *inst);

/* exec/calls.c. `args`: the callee's first cell; ret: where to return to; fp: the caller's frame. Fills exec's `entry` with where to go on (after a host call: behind the call). */
int call_func(struct exec *, struct instance *, struct func *, cell *fp, cell *args, const union word *ret, cell *top);
/* The same in place of the current frame, whose return address is `info`. */
int tail_func(struct exec *, struct instance *, struct func *, cell *fp, cell *args, const cell *info);
/* Finds the handler of store->exception, from the frame at fp stopped at pc. false: none within this exec_call. */
bool unwind(struct exec *, const struct code *, const union word *pc, cell *fp, struct instance *);
/* Translates the function at its first call. */
int enter_untranslated(struct exec *, struct code *, const cell *fp);

/* The code that a word belongs to, by search, or NULL; for the innermost frame of a trap. */
struct code *code_of_pc(struct module *, const union word *pc);

#endif
