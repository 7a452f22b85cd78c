/* Address space and time on POSIX systems. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* mremap */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE /* MAP_ANON */
#endif
#include "run/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

size_t os_page_size(void) {
  long n = sysconf(_SC_PAGESIZE);
  return n > 0 ? (size_t)n : 4096;
}

static void *map(size_t size, int prot) {
  if (size == 0) return NULL;
  void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

void *os_map(size_t size) { return map(size, PROT_READ | PROT_WRITE); }

void *os_map_aligned(size_t size, size_t align) {
  if (size > SIZE_MAX - align) return NULL;
  uint8_t *p = os_map(size + align);
  if (!p) return NULL;
  size_t before = (align - (uintptr_t)p % align) % align;
  if (before) os_unmap(p, before);
  os_unmap(p + before + size, align - before);
  return p + before;
}

void *os_reserve(size_t size) { return map(size, PROT_NONE); }

bool os_commit(void *p, size_t size) { return size == 0 || mprotect(p, size, PROT_READ | PROT_WRITE) == 0; }

void os_unmap(void *p, size_t size) {
  if (p && size) munmap(p, size);
}

void os_populate(void *p, size_t size) {
#ifdef MADV_POPULATE_WRITE
  (void)madvise(p, size, MADV_POPULATE_WRITE);
#else
  (void)p, (void)size;
#endif
}

void *os_remap(void *p, size_t old, size_t size) {
  if (!p || old == 0) return os_map(size);
#ifdef __linux__
  void *q = mremap(p, old, size, MREMAP_MAYMOVE);
  return q == MAP_FAILED ? NULL : q;
#else
  void *q = os_map(size);
  if (!q) return NULL;
  memcpy(q, p, old);
  os_unmap(p, old);
  return q;
#endif
}

int os_file_new(size_t size, void **map) {
#ifdef MFD_CLOEXEC
  int fd = memfd_create("minivm", MFD_CLOEXEC);
  if (fd < 0) return -1;
  if (ftruncate(fd, (off_t)size) == 0 && (*map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) != MAP_FAILED) return fd;
  close(fd);
#else
  (void)size, (void)map;
#endif
  return -1;
}

int os_file_dup(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 3); }

void os_file_close(int fd) { (void)close(fd); }

bool os_map_file(void *at, size_t size, int fd, uint64_t offset) {
  return mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd, (off_t)offset) != MAP_FAILED;
}

size_t os_reserve_most(void) {
#if UINTPTR_MAX > UINT32_MAX
  return (size_t)1 << 32;
#else
  return 0;
#endif
}

#ifdef __APPLE__
#define WAIT_CLOCK CLOCK_REALTIME /* the only one that its condition variables know */
#else
#define WAIT_CLOCK CLOCK_MONOTONIC
#endif

static uint64_t now(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t) != 0) return 0;
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t os_now(void) { return now(CLOCK_MONOTONIC); }

bool os_cond_init(pthread_cond_t *cond) {
#ifdef __APPLE__
  return pthread_cond_init(cond, NULL) == 0;
#else
  pthread_condattr_t attr;
  if (pthread_condattr_init(&attr) != 0) return false;
  bool ok = pthread_condattr_setclock(&attr, WAIT_CLOCK) == 0 && pthread_cond_init(cond, &attr) == 0;
  pthread_condattr_destroy(&attr);
  return ok;
#endif
}

void os_cond_wait_ns(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t ns) {
  uint64_t until = now(WAIT_CLOCK) + ns;
  struct timespec t = {.tv_sec = (time_t)(until / 1000000000u), .tv_nsec = (long)(until % 1000000000u)};
  pthread_cond_timedwait(cond, mutex, &t);
}
