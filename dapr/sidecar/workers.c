/* workers.c: see workers.h. */
#include "workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { IDLE_SECONDS = 5, STACK = 1 << 20 };

struct task {
  void (*run)(void *);
  void *env;
  struct task *next;
};

struct workers {
  pthread_mutex_t lock;
  pthread_cond_t work, gone;
  struct task *first, **last;
  size_t waiting, limit;
  unsigned threads, idle, max;
  bool stopping;
};

struct workers *workers_new(unsigned threads, size_t queue) {
  struct workers *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_mutex_init(&w->lock, NULL);
  pthread_cond_init(&w->work, &attr);
  pthread_cond_init(&w->gone, NULL);
  pthread_condattr_destroy(&attr);
  w->last = &w->first;
  w->limit = queue;
  w->max = threads;
  return w;
}

/* With the lock held: the next task, or NULL when this thread may go. */
static struct task *next_task(struct workers *w) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += IDLE_SECONDS;
  int late = 0;
  w->idle++;
  while (!w->first && !w->stopping && !late) late = pthread_cond_timedwait(&w->work, &w->lock, &until);
  w->idle--;
  struct task *t = w->first;
  if (!t) return NULL;
  w->first = t->next;
  if (!w->first) w->last = &w->first;
  w->waiting--;
  return t;
}

static void *worker(void *env) {
  struct workers *w = env;
  pthread_mutex_lock(&w->lock);
  for (struct task *t; (t = next_task(w));) {
    pthread_mutex_unlock(&w->lock);
    t->run(t->env);
    free(t);
    pthread_mutex_lock(&w->lock);
  }
  w->threads--;
  pthread_cond_broadcast(&w->gone);
  pthread_mutex_unlock(&w->lock);
  return NULL;
}

static bool hire(struct workers *w) {
  pthread_t id;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attr, STACK);
  bool ok = pthread_create(&id, &attr, worker, w) == 0;
  pthread_attr_destroy(&attr);
  if (ok) w->threads++;
  return ok;
}

bool workers_add(struct workers *w, void (*run)(void *), void *env) {
  struct task *t = malloc(sizeof *t);
  if (!t) return false;
  *t = (struct task){run, env, NULL};
  pthread_mutex_lock(&w->lock);
  bool ok = !w->stopping && w->waiting < w->limit;
  if (ok && w->idle <= w->waiting && w->threads < w->max && !hire(w)) ok = w->threads > 0;
  if (ok) {
    *w->last = t;
    w->last = &t->next;
    w->waiting++;
    pthread_cond_signal(&w->work);
  }
  pthread_mutex_unlock(&w->lock);
  if (!ok) free(t);
  return ok;
}

void workers_delete(struct workers *w) {
  if (!w) return;
  pthread_mutex_lock(&w->lock);
  w->stopping = true;
  pthread_cond_broadcast(&w->work);
  while (w->threads > 0) pthread_cond_wait(&w->gone, &w->lock);
  pthread_mutex_unlock(&w->lock);
  pthread_cond_destroy(&w->work);
  pthread_cond_destroy(&w->gone);
  pthread_mutex_destroy(&w->lock);
  free(w);
}
