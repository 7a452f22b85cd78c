/* What mv_options_t.profile counts while guest code runs: how often each block was entered (its operation's own word), and on which call stacks. */
#ifndef EXEC_PROFILE_H
#define EXEC_PROFILE_H

#include "exec/exec_state.h"

/* A function on the stack below the one that its parent stands for. Indices into the array of nodes; 0 is the root and no child. */
struct profile_node {
  const struct code *code;
  uint64_t self; /* instructions executed with this stack */
  uint32_t child, next;
};

/* Counts exec's `unsampled` for the stack of the function c at fp. */
void profile_sample(struct exec *, const struct code *c, const cell *fp);
/* The root, when all that was executed is counted; NULL: nothing was. */
const struct profile_node *profile_nodes(struct exec *);
void profile_delete(struct exec *);

#endif
