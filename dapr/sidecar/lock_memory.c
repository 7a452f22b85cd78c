/* lock_memory.c: the lock store lock.in-memory: for one process; not in Dapr, which has no lock store without a server. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "sidecar.h"

struct held {
  struct held *next;
  int64_t until_us;
  char *key, *owner;
};

struct locks {
  pthread_mutex_t lock;
  struct held *first;
};

static void release_held(struct held *h) {
  free(h->key);
  free(h->owner);
  free(h);
}

static bool open_locks(struct component *c, mv_error_t *err) {
  struct locks *l = calloc(1, sizeof *l);
  if (!l) return report_memory(err);
  pthread_mutex_init(&l->lock, NULL);
  c->self = l;
  return true;
}

static void close_locks(struct component *c) {
  struct locks *l = c->self;
  if (!l) return;
  for (struct held *h = l->first, *next; h; h = next) {
    next = h->next;
    release_held(h);
  }
  pthread_mutex_destroy(&l->lock);
  free(l);
}

/* The link to the key's lock; locks whose time is over go on the way. */
static struct held **find(struct locks *l, struct span key) {
  int64_t now = clock_steady_us();
  struct held **link = &l->first;
  while (*link) {
    struct held *h = *link;
    if (h->until_us <= now) {
      *link = h->next;
      release_held(h);
    } else if (span_is(key, h->key)) {
      break;
    } else {
      link = &h->next;
    }
  }
  return link;
}

static char *copy(struct span s) {
  char *p = malloc(s.n + 1);
  if (p) memcpy(p, s.p, s.n), p[s.n] = 0;
  return p;
}

static bool acquire(struct component *c, struct span key, struct span owner, int64_t seconds, bool *got, struct buf *why) {
  struct locks *l = c->self;
  struct held *h = calloc(1, sizeof *h);
  if (h) h->key = copy(key), h->owner = copy(owner);
  if (!h || !h->key || !h->owner) {
    if (h) release_held(h);
    return buf_str(why, "out of memory"), false;
  }
  h->until_us = clock_steady_us() + (seconds > INT64_MAX / 2000000 ? INT64_MAX / 4 : seconds * 1000000);
  pthread_mutex_lock(&l->lock);
  struct held **link = find(l, key);
  *got = *link == NULL;
  if (*got) *link = h;
  pthread_mutex_unlock(&l->lock);
  if (!*got) release_held(h);
  return true;
}

static enum unlock_status release(struct component *c, struct span key, struct span owner, struct buf *why) {
  struct locks *l = c->self;
  (void)why;
  pthread_mutex_lock(&l->lock);
  struct held **link = find(l, key), *h = *link;
  enum unlock_status status = !h ? UNLOCK_NO_LOCK : span_is(owner, h->owner) ? UNLOCK_OK : UNLOCK_OTHERS;
  if (status == UNLOCK_OK) {
    *link = h->next;
    release_held(h);
  }
  pthread_mutex_unlock(&l->lock);
  return status;
}

static const struct lock_ops ops = {acquire, release};

const struct component_type lock_memory_type = {LOCK, "lock.in-memory", "", &ops, open_locks, close_locks};
