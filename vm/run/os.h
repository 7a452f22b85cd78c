/* What run/ needs of the operating system: address space and a clock. The implementations (os_posix.c) are the only files here with
 * an #if for a system. */
#ifndef RUN_OS_H
#define RUN_OS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t os_page_size(void);

/* All return NULL when refused. Sizes are rounded up to pages by the system. */
void *os_map(size_t size);                        /* zeroed, readable and writable */
void *os_map_aligned(size_t size, size_t align);  /* the same; align: a power of two, at least a page */
void *os_reserve(size_t size);                    /* address space only, to be committed piece by piece */
bool os_commit(void *p, size_t size);             /* makes the beginning of a reservation readable and writable; zeroed */
void *os_remap(void *p, size_t old, size_t size); /* grows a mapping of os_map, elsewhere if need be; p stays valid when refused */
void os_unmap(void *p, size_t size);
void os_populate(void *p, size_t size);           /* all of it is about to be written: saves the page faults, where that is possible */
/* A file in memory of `size` zeros that goes with its descriptor, and its contents in *map, to be filled in and unmapped; -1: there are none here. */
int os_file_new(size_t size, void **map);
int os_file_dup(int fd); /* -1: refused */
void os_file_close(int fd);
/* Puts a private, writable, copy-on-write view of a file's pages over pages of a mapping. All are multiples of a page. */
bool os_map_file(void *at, size_t size, int fd, uint64_t offset);
/* Address space that may be reserved generously for one memory; 0 where it is scarce. */
size_t os_reserve_most(void);

uint64_t os_now(void); /* nanoseconds of a clock that only goes forward */
/* Condition variables that wait by that clock. */
bool os_cond_init(pthread_cond_t *);
void os_cond_wait_ns(pthread_cond_t *, pthread_mutex_t *, uint64_t ns);

#endif
