/* Memory that lives and dies together: one arena per module, one scratch arena per function body. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/error.h"

struct arena_chunk;

struct arena {
  struct arena_chunk *head;
  unsigned char *next, *end; /* free space of the head chunk */
  size_t total;              /* bytes obtained from the allocator */
};

struct arena_mark {
  struct arena_chunk *head;
  unsigned char *next;
};

void arena_init(struct arena *);
void arena_fini(struct arena *);
/* Zeroed, aligned for any type (16). NULL when memory is short. */
void *arena_alloc(struct arena *, size_t size);
/* n * size with overflow check. */
void *arena_array(struct arena *, size_t n, size_t size);
/* Takes back everything allocated since the mark. */
struct arena_mark arena_save(const struct arena *);
void arena_restore(struct arena *, struct arena_mark);

/* Growth of a malloc'ed array to hold at least `need` elements; *cap counts elements. */
MV_MUST_USE bool array_reserve(void **array, size_t *cap, size_t need, size_t elem_size);

#endif
