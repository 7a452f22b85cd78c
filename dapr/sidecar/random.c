/* random.c: see random.h. xoshiro256** (Blackman, Vigna), seeded by the system. */
#include "random.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

void random_init(struct random *r) {
  pthread_mutex_init(&r->lock, NULL);
  int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, r->s, sizeof r->s);
  if (fd >= 0) close(fd);
  if (n == (ssize_t)sizeof r->s) return;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  r->s[0] = (uint64_t)now.tv_nsec, r->s[1] = (uint64_t)now.tv_sec, r->s[2] = (uint64_t)getpid(), r->s[3] = (uint64_t)(uintptr_t)r;
}

void random_fini(struct random *r) { pthread_mutex_destroy(&r->lock); }

static uint64_t rotl(uint64_t x, int k) { return x << k | x >> (64 - k); }

static uint64_t next(uint64_t s[4]) {
  uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl(s[3], 45);
  return result;
}

uint64_t random_next(struct random *r) {
  pthread_mutex_lock(&r->lock);
  uint64_t v = next(r->s);
  pthread_mutex_unlock(&r->lock);
  return v;
}

void random_pair(struct random *r, uint64_t out[2]) {
  pthread_mutex_lock(&r->lock);
  out[0] = next(r->s);
  out[1] = next(r->s);
  pthread_mutex_unlock(&r->lock);
}

void random_uuid(struct random *r, char out[UUID_SIZE]) {
  uint64_t v[2];
  random_pair(r, v);
  v[0] = (v[0] & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
  v[1] = (v[1] & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
  for (int i = 0, nibble = 0; i < UUID_SIZE - 1; i++) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      out[i] = '-';
    } else {
      out[i] = "0123456789abcdef"[v[nibble / 16] >> (60 - 4 * (nibble % 16)) & 15];
      nibble++;
    }
  }
  out[UUID_SIZE - 1] = 0;
}
