/* Running functions: the interface between run/ + api/ and the interpreter. */
#ifndef EXEC_EXEC_H
#define EXEC_EXEC_H

#include "run/run.h"

MV_MUST_USE bool exec_new(struct store *, mv_error_t *err); /* fills store->exec */
void exec_delete(struct store *);

/* Calls a function. cells: arguments in, results out, room for the larger of both. On failure *err has kind, message and offset; store->backtrace
 * and store->exception are set. May be nested: a host function may call again. */
MV_MUST_USE bool exec_call(struct store *, struct func *, cell *cells, mv_error_t *err);

/* The frames in use by guest code, for the collector: calls each(env, from, to) for every live range of cells. */
void exec_stack_ranges(struct store *, void (*each)(void *env, const cell *from, const cell *to), void *env);

void exec_interrupt(struct store *, bool on); /* async-signal-safe, any thread */
bool exec_interrupted(const struct store *);
void exec_set_fuel(struct store *, uint64_t);
uint64_t exec_fuel(const struct store *);
void exec_set_trace(struct store *, FILE *);

/* What a host function is given. */
struct mv_caller {
  struct store *store;
  struct instance *instance; /* the calling instance; NULL when called from outside */
  mv_error_t *err;           /* where mv_throw puts its report */
};

#endif
