/* memory.atomic.wait and notify (threads proposal): a shared memory has a lock and a queue of the threads that wait on it, in the order of their coming. The
 * comparison happens under the lock that notify takes, so that no wake-up is lost between comparing and waiting. */
#include <stdlib.h>

#include "base/bytes.h"
#include "exec/exec.h"
#include "run/os.h"
#include "run/run.h"

struct waiter {
  uint64_t ea;
  bool woken;
  pthread_cond_t cond;
  struct waiter *next;
};

struct waiters {
  pthread_mutex_t lock;
  struct waiter *first, **last;
};

/* How long an interruptible thread sleeps before it looks for an interrupt. */
enum { WAIT_SLICE_NS = 5000000 };

struct waiters *waiters_new(void) {
  struct waiters *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  if (pthread_mutex_init(&w->lock, NULL) != 0) {
    free(w);
    return NULL;
  }
  w->last = &w->first;
  return w;
}

void waiters_delete(struct waiters *w) {
  if (!w) return;
  pthread_mutex_destroy(&w->lock);
  free(w);
}

void waiters_lock(struct waiters *w) { pthread_mutex_lock(&w->lock); }
void waiters_unlock(struct waiters *w) { pthread_mutex_unlock(&w->lock); }

static void dequeue(struct waiters *w, struct waiter *me) {
  struct waiter **p = &w->first;
  while (*p && *p != me) p = &(*p)->next;
  if (!*p) return;
  *p = me->next;
  if (w->last == &me->next) w->last = p;
}

/* Sleeps until woken; called and left with the lock held. */
static int sleep_until_woken(struct store *s, struct waiters *w, struct waiter *me, int64_t timeout) {
  uint64_t begin = os_now();
  for (;;) {
    if (me->woken) return 0;
    if (exec_interrupted(s)) return 3;
    uint64_t slice = s->options->interruptible ? WAIT_SLICE_NS : 1000u * (uint64_t)WAIT_SLICE_NS;
    if (timeout >= 0) {
      uint64_t passed = os_now() - begin;
      if (passed >= (uint64_t)timeout) return 2;
      if (slice > (uint64_t)timeout - passed) slice = (uint64_t)timeout - passed;
    }
    os_cond_wait_ns(&me->cond, &w->lock, slice);
  }
}

static int wait_locked(struct store *s, struct waiters *w, uint64_t ea, int64_t timeout) {
  struct waiter me = {.ea = ea};
  if (!os_cond_init(&me.cond)) return 2; /* as if the time had passed at once: a wait may always do that to its program's eyes */
  *w->last = &me;
  w->last = &me.next;
  int result = sleep_until_woken(s, w, &me, timeout);
  if (!me.woken) dequeue(w, &me);
  pthread_cond_destroy(&me.cond);
  return result;
}

int memory_wait32(struct store *s, struct mem_inst *m, uint64_t ea, uint32_t expected, int64_t timeout) {
  waiters_lock(m->waiters);
  uint32_t now = *(volatile uint32_t *)(void *)(m->base + ea);
  if (MV_BIG_ENDIAN) now = bytes_swap32(now);
  int result = now != expected ? 1 : wait_locked(s, m->waiters, ea, timeout);
  waiters_unlock(m->waiters);
  return result;
}

int memory_wait64(struct store *s, struct mem_inst *m, uint64_t ea, uint64_t expected, int64_t timeout) {
  waiters_lock(m->waiters);
  uint64_t now = *(volatile uint64_t *)(void *)(m->base + ea);
  if (MV_BIG_ENDIAN) now = bytes_swap64(now);
  int result = now != expected ? 1 : wait_locked(s, m->waiters, ea, timeout);
  waiters_unlock(m->waiters);
  return result;
}

uint32_t memory_notify(struct mem_inst *m, uint64_t ea, uint32_t count) {
  struct waiters *w = m->waiters;
  uint32_t woken = 0;
  if (!w) return 0; /* nobody can wait on an unshared memory */
  waiters_lock(w);
  for (struct waiter **p = &w->first; *p && woken < count;) {
    struct waiter *q = *p;
    if (q->ea != ea) {
      p = &q->next;
      continue;
    }
    *p = q->next;
    if (w->last == &q->next) w->last = p;
    q->woken = true; /* q lies on its thread's stack, which cannot go on before the lock is free */
    pthread_cond_signal(&q->cond);
    woken++;
  }
  waiters_unlock(w);
  return woken;
}
