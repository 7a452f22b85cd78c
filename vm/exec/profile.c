/* The profile's call stacks: a tree of the functions seen on the stack, sampled every so many executed instructions. Instructions are counted, not
 * time, so that two runs give the same profile. */
#include "exec/profile.h"

#include <stdlib.h>

#include "base/arena.h"

enum {
  PERIOD = 509, /* instructions from sample to sample, at least; a prime, so that it keeps no step with a loop */
  DEPTH = 256   /* frames of a sample: deeper ones keep the innermost */
};

struct profile {
  struct profile_node *nodes; /* [0]: the root */
  size_t n, cap;
  uint32_t last; /* sampled */
};

/* The child of a node for a function, made when there is none. A tree that cannot grow counts for the parent. */
static uint32_t child(struct profile *p, uint32_t parent, const struct code *code) {
  uint32_t *link = &p->nodes[parent].child, k;
  for (k = *link; k; k = p->nodes[k].next)
    if (p->nodes[k].code == code) return k;
  if (p->n >= UINT32_MAX || !array_reserve((void **)&p->nodes, &p->cap, p->n + 1, sizeof *p->nodes)) return parent;
  k = (uint32_t)p->n++;
  p->nodes[k] = (struct profile_node){.code = code, .next = p->nodes[parent].child};
  p->nodes[parent].child = k;
  return k;
}

/* The functions on the stack, innermost first, as backtrace() in exec.c finds them. */
static size_t frames(const struct exec *x, const struct code *c, const cell *fp, const struct code **out) {
  size_t n = 0;
  for (;;) {
    const cell *info = fp + c->params;
    const union word *ret = (const union word *)(uintptr_t)info[0];
    out[n++] = c;
    fp = (const cell *)(uintptr_t)info[1];
    if (ret == &x->cross_code[1]) {
      ret = (const union word *)(uintptr_t)fp[0];
      fp = (const cell *)(uintptr_t)fp[1];
    }
    if (ret == x->exit_code || n == DEPTH) return n;
    c = (const struct code *)ret[-1].ptr;
  }
}

void profile_sample(struct exec *x, const struct code *c, const cell *fp) {
  const struct code *stack[DEPTH];
  struct profile *p = x->profile;
  uint32_t at = 0;
  if (!p) p = x->profile = calloc(1, sizeof *p);
  if (p && !p->n && array_reserve((void **)&p->nodes, &p->cap, 1, sizeof *p->nodes)) p->nodes[p->n++] = (struct profile_node){0};
  if (p && p->n) {
    for (size_t n = frames(x, c, fp, stack); n > 0; n--) at = child(p, at, stack[n - 1]);
    p->nodes[at].self += x->unsampled;
    p->last = at;
  }
  x->unsampled = 0;
  x->sample_at = PERIOD;
}

const struct profile_node *profile_nodes(struct exec *x) {
  struct profile *p = x->profile;
  if (!p || !p->n) return NULL;
  p->nodes[p->last].self += x->unsampled;
  x->unsampled = 0;
  return p->nodes;
}

void profile_delete(struct exec *x) {
  if (x->profile) free(x->profile->nodes);
  free(x->profile);
}
