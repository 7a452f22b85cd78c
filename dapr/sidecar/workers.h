/* workers.h: threads that run tasks; they come when there is work and go when there is none. */
#ifndef SIDECAR_WORKERS_H
#define SIDECAR_WORKERS_H

#include "minivm.h"

struct workers;
/* At most `threads` at once, at most `queue` tasks waiting. NULL: no memory. */
struct workers *workers_new(unsigned threads, size_t queue);
/* false: the queue is full, the workers are stopping, or no memory; the task will not run. */
MV_MUST_USE bool workers_add(struct workers *, void (*run)(void *env), void *env);
/* Runs what is queued, waits, and deletes. */
void workers_delete(struct workers *);

#endif
