/* Memory that lives and dies together. Chunks double up to 1 MiB, so that a small module costs one small allocation. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

struct arena_chunk {
  struct arena_chunk *prev;
  size_t size; /* of the whole chunk */
};

enum { ARENA_ALIGN = 16, ARENA_FIRST = 2048, ARENA_MOST = 1 << 20, CHUNK_HEAD = 32 };

void arena_init(struct arena *a) { *a = (struct arena){0}; }

void arena_fini(struct arena *a) {
  while (a->head) {
    struct arena_chunk *c = a->head;
    a->head = c->prev;
    free(c);
  }
  arena_init(a);
}

static bool arena_grow(struct arena *a, size_t size) {
  size_t want = a->head ? a->head->size * 2 : ARENA_FIRST, need;
  if (!checked_add(size, CHUNK_HEAD, &need)) return false;
  if (want > ARENA_MOST) want = ARENA_MOST;
  if (want < need) want = need;
  struct arena_chunk *c = malloc(want);
  if (!c) return false;
  *c = (struct arena_chunk){a->head, want};
  a->head = c;
  a->next = (unsigned char *)c + CHUNK_HEAD;
  a->end = (unsigned char *)c + want;
  a->total += want;
  return true;
}

void *arena_alloc(struct arena *a, size_t size) {
  if (size > SIZE_MAX - ARENA_ALIGN) return NULL;
  size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
  if ((!a->head || (size_t)(a->end - a->next) < size) && !arena_grow(a, size)) return NULL;
  void *p = a->next;
  a->next += size;
  return memset(p, 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size) {
  size_t total;
  return checked_mul(n, size, &total) ? arena_alloc(a, total) : NULL;
}

struct arena_mark arena_save(const struct arena *a) { return (struct arena_mark){a->head, a->next}; }

void arena_restore(struct arena *a, struct arena_mark m) {
  while (a->head != m.head) {
    struct arena_chunk *c = a->head;
    a->head = c->prev;
    a->total -= c->size;
    free(c);
  }
  a->next = m.next;
  a->end = a->head ? (unsigned char *)a->head + a->head->size : NULL;
}

bool array_reserve(void **array, size_t *cap, size_t need, size_t elem_size) {
  if (need <= *cap) return true;
  size_t n = *cap ? *cap : 8, bytes;
  while (n < need) {
    if (n > SIZE_MAX / 2) return false;
    n *= 2;
  }
  if (!checked_mul(n, elem_size, &bytes)) return false;
  void *p = realloc(*array, bytes);
  if (!p) return false;
  *array = p;
  *cap = n;
  return true;
}
