/* Inside of the collector: blocks, chunks, large objects, the mark stack. Only gc*.c include this.
 *
 * Small objects (up to GC_SMALL_MAX bytes) live in blocks of 16 KiB, each cut into cells of one size; blocks come in aligned chunks. A block's cells
 * below `cursor` are allocated; of those above, the ones that the last collection marked are alive, the others free. Allocation
 * moves the cursor over the next gap of free cells, zeroes it, and hands it out by bumping: sweeping is nothing else. Larger
 * objects are allocated each on its own.
 *
 * A cell holds an object if and only if it is (below the cursor or marked) and its kind is not OBJ_FREE: the tail of a run that was handed out is zero. */
#ifndef RUN_GC_HEAP_H
#define RUN_GC_HEAP_H

#include "run/gc.h"

enum {
  GC_BLOCK = 1 << 14,
  GC_CHUNK = 1 << 18,
  GC_CHUNK_BLOCKS = GC_CHUNK / GC_BLOCK,
  GC_BLOCK_WORDS = GC_BLOCK / GC_GRANULE / 64,
  GC_SMALL_MAX = 2048,
  GC_CLASSES = GC_FAST_CLASSES + 8, /* 640 768 896 1024 1280 1536 1792 2048 */
  GC_MARK_RESERVE = 64,
  GC_QUEUE = 16,
  GC_SMALL_HEAP = 16 /* chunks; a heap that has grown beyond takes the pages of a new chunk at once */
};

struct gc_block {
  struct gc_block *next; /* in its class's list of blocks with free cells, or in the list of empty blocks */
  uint32_t cell;         /* bytes of a cell; 0: the block is empty */
  uint32_t ncells;
  uint32_t cursor;       /* cells, see above */
  bool dirty;            /* has held objects: empty cells are not zero */
  uint64_t marks[2][GC_BLOCK_WORDS]; /* a bit per granule; heap->epoch says which of both is of the last collection */
};

enum { GC_BLOCK_HEAD = (sizeof(struct gc_block) + GC_GRANULE - 1) / GC_GRANULE * GC_GRANULE };

struct gc_large {
  struct gc_large *next;
  size_t size; /* of all, this header included */
  bool marked;
};
enum { GC_LARGE_HEAD = (sizeof(struct gc_large) + GC_GRANULE - 1) / GC_GRANULE * GC_GRANULE };

/* A set of addresses, open addressing: chunks by number, large objects by address. */
struct gc_set {
  uintptr_t *slots; /* 0: free */
  size_t cap, count;
};

struct gc_mark_item {
  struct object *object;
  uint64_t from; /* arrays: the next element */
};

struct gc_heap {
  struct gc_fast fast; /* first: gc_fast */
  struct gc_run slow[GC_CLASSES - GC_FAST_CLASSES];
  struct gc_block *current[GC_CLASSES]; /* the block of the run */
  struct gc_block *partial[GC_CLASSES];
  struct gc_block *empty;
  struct store *store;
  unsigned epoch;
  bool busy; /* collecting or finalizing */

  uint8_t **chunks;
  size_t nchunks, chunks_cap;
  struct gc_set chunk_set, large_set;
  struct gc_large *large;

  uint64_t used;      /* bytes of blocks that are not empty, and of large objects */
  uint64_t max;
  uint64_t live;      /* bytes found alive by the last collection */
  uint64_t fresh;     /* bytes handed out since */
  uint64_t budget;    /* how many of them start the next collection */
  uint64_t allocated; /* bytes handed out before the last collection */

  struct object *queue[GC_QUEUE]; /* objects that are about to be marked */
  unsigned queue_head, queue_count;
  struct gc_mark_item *stack, reserve[GC_MARK_RESERVE];
  size_t depth, stack_cap;
  size_t stack_most; /* of stack_cap; lowered by tests */
  bool overflow;     /* marked objects may have been left untraced */

  struct gc_root *roots;
  struct host_object **hosts; /* all host objects */
  size_t nhosts, hosts_cap;
  size_t hosts_dead; /* while finalizing: [hosts_dead, nhosts) are to be finalized */
};

static inline struct gc_block *gc_block_of(const struct object *o) {
  return (struct gc_block *)((uintptr_t)o & ~(uintptr_t)(GC_BLOCK - 1));
}
static inline struct gc_large *gc_large_of(const struct object *o) {
  return (struct gc_large *)((uintptr_t)o - GC_LARGE_HEAD);
}
static inline struct object *gc_cell(const struct gc_block *b, uint32_t i) {
  return (struct object *)((uintptr_t)b + GC_BLOCK_HEAD + (uintptr_t)i * b->cell);
}
static inline bool gc_bit(const uint64_t *bits, const struct gc_block *b, uint32_t i) {
  uint32_t g = (GC_BLOCK_HEAD + i * b->cell) / GC_GRANULE;
  return bits[g / 64] >> g % 64 & 1;
}

bool gc_set_add(struct gc_set *, uintptr_t);
bool gc_set_has(const struct gc_set *, uintptr_t);
void gc_set_remove(struct gc_set *, uintptr_t);

/* gc_block.c */
unsigned gc_class(size_t size);
uint32_t gc_class_size(unsigned class);
struct gc_run *gc_run_of(struct gc_heap *, unsigned class);
/* The next run of free cells for a class; false: there is none within the limit. fresh memory may be refused by the system, too. */
bool gc_next_run(struct gc_heap *, unsigned class);
/* Before a collection: what was handed out and not used is free again. */
void gc_runs_drop(struct gc_heap *);
/* The object that starts at address v, or NULL: any number may be asked for. */
struct object *gc_find(const struct gc_heap *, uint64_t v);
struct object *gc_large_new(struct gc_heap *, size_t size);
void gc_marks_clear(struct gc_heap *);
/* After marking: what is not marked is free. Adds up heap->live. */
void gc_sweep(struct gc_heap *);
void gc_blocks_fini(struct gc_heap *);

/* gc_mark.c */
void gc_mark_all(struct gc_heap *);
bool gc_is_marked(const struct gc_heap *, const struct object *);

#endif
