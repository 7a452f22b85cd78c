/* random.h: identifiers. Not for secrets. */
#ifndef SIDECAR_RANDOM_H
#define SIDECAR_RANDOM_H

#include <pthread.h>
#include <stdint.h>

struct random {
  pthread_mutex_t lock;
  uint64_t s[4];
};

void random_init(struct random *);
void random_fini(struct random *);
uint64_t random_next(struct random *);
void random_pair(struct random *, uint64_t out[2]);
enum { UUID_SIZE = 37 };
/* A version 4 UUID with its terminator. */
void random_uuid(struct random *, char out[UUID_SIZE]);

#endif
