/* pubsub_memory.c: pubsub.in-memory: within this process; a message that nobody takes is gone. */
#include <stdlib.h>
#include <string.h>

#include "sidecar.h"

struct memory {
  pthread_mutex_t lock;
  struct subscriber *list;
  size_t count;
  bool stopped;
};

struct task {
  struct subscriber to;
  struct message message;
  struct pool pool;
};

static bool open_memory(struct component *c, mv_error_t *err) {
  struct memory *m = calloc(1, sizeof *m);
  if (!m) return report_memory(err);
  pthread_mutex_init(&m->lock, NULL);
  c->self = m;
  return true;
}

static void close_memory(struct component *c) {
  struct memory *m = c->self;
  if (!m) return;
  pthread_mutex_destroy(&m->lock);
  free(m->list);
  free(m);
}

static bool subscribe(struct component *c, const struct subscriber *s, mv_error_t *err) {
  struct memory *m = c->self;
  pthread_mutex_lock(&m->lock);
  struct subscriber *list = realloc(m->list, (m->count + 1) * sizeof *list);
  if (list) {
    m->list = list;
    list[m->count++] = *s;
  }
  pthread_mutex_unlock(&m->lock);
  return list || report_memory(err);
}

static void run(void *env) {
  struct task *t = env;
  t->to.deliver(t->to.env, &t->message);
  pool_fini(&t->pool);
  free(t);
}

static struct task *make_task(const struct subscriber *to, const struct message *m) {
  struct task *t = malloc(sizeof *t);
  if (!t) return NULL;
  pool_init(&t->pool, NULL, 0);
  t->to = *to;
  t->message = (struct message){pool_str(&t->pool, m->topic), {pool_copy(&t->pool, m->data), m->data.n}, {0}};
  for (size_t i = 0; i < m->metadata.n; i++)
    if (!properties_set(&t->pool, &t->message.metadata, pool_str(&t->pool, m->metadata.p[i].name),
                        pool_str(&t->pool, m->metadata.p[i].value)))
      t->pool.failed = true;
  if (!t->pool.failed) return t;
  pool_fini(&t->pool);
  return free(t), NULL;
}

static bool publish(struct component *c, const struct message *message, struct buf *why) {
  struct memory *m = c->self;
  bool ok = true;
  pthread_mutex_lock(&m->lock);
  for (size_t i = 0; i < m->count && ok && !m->stopped; i++) {
    if (strcmp(m->list[i].topic, message->topic) != 0) continue;
    struct task *t = make_task(&m->list[i], message);
    ok = t && workers_add(c->sidecar->workers, run, t);
    if (ok) continue;
    buf_str(why, t ? "too many messages wait for their subscribers" : "out of memory");
    if (t) pool_fini(&t->pool);
    free(t);
  }
  pthread_mutex_unlock(&m->lock);
  return ok;
}

static bool start(struct component *c, mv_error_t *err) { return (void)c, (void)err, true; }

static void stop(struct component *c) {
  struct memory *m = c->self;
  pthread_mutex_lock(&m->lock);
  m->stopped = true;
  pthread_mutex_unlock(&m->lock);
}

static const struct pubsub_ops ops = {publish, subscribe, start, stop};

const struct component_type pubsub_memory_type = {PUBSUB, "pubsub.in-memory", "", &ops, open_memory, close_memory};
