/* Where objects lie: chunks, blocks, cells, large objects; finding free cells, and sweeping. Knows nothing of types and roots. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "run/gc_heap.h"
#include "run/os.h"

/* ---- sets of addresses ---- */

static size_t set_slot(const struct gc_set *s, uintptr_t key) {
  uint64_t h = (uint64_t)key * 0x9e3779b97f4a7c15u;
  size_t i = (size_t)(h >> 32) & (s->cap - 1);
  while (s->slots[i] && s->slots[i] != key) i = (i + 1) & (s->cap - 1);
  return i;
}

bool gc_set_has(const struct gc_set *s, uintptr_t key) { return key != 0 && s->cap && s->slots[set_slot(s, key)] == key; }

bool gc_set_add(struct gc_set *s, uintptr_t key) {
  if (s->count * 2 >= s->cap) {
    struct gc_set bigger = {.cap = s->cap ? s->cap * 2 : 16};
    bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
    if (!bigger.slots) return false;
    for (size_t i = 0; i < s->cap; i++)
      if (s->slots[i]) bigger.slots[set_slot(&bigger, s->slots[i])] = s->slots[i];
    bigger.count = s->count;
    free(s->slots);
    *s = bigger;
  }
  s->slots[set_slot(s, key)] = key;
  s->count++;
  return true;
}

void gc_set_remove(struct gc_set *s, uintptr_t key) {
  size_t i = set_slot(s, key);
  if (!s->slots[i]) return;
  s->slots[i] = 0;
  s->count--;
  /* What was displaced over the new gap moves up. */
  for (i = (i + 1) & (s->cap - 1); s->slots[i]; i = (i + 1) & (s->cap - 1)) {
    uintptr_t k = s->slots[i];
    s->slots[i] = 0;
    s->slots[set_slot(s, k)] = k;
  }
}

/* ---- size classes: steps of 16 bytes up to 512, then a quarter of the power of two below ---- */

unsigned gc_class(size_t size) {
  if (size <= GC_FAST_MAX) return (unsigned)((size - 1) / GC_GRANULE);
  if (size <= 1024) return (unsigned)(GC_FAST_CLASSES + (size - 1 - 512) / 128);
  return (unsigned)(GC_FAST_CLASSES + 4 + (size - 1 - 1024) / 256);
}

uint32_t gc_class_size(unsigned class) {
  if (class < GC_FAST_CLASSES) return (class + 1) * GC_GRANULE;
  class -= GC_FAST_CLASSES;
  return class < 4 ? 512 + (class + 1) * 128 : 1024 + (class - 3) * 256;
}

struct gc_run *gc_run_of(struct gc_heap *h, unsigned class) {
  return class < GC_FAST_CLASSES ? &h->fast.run[class] : &h->slow[class - GC_FAST_CLASSES];
}

/* ---- chunks ---- */

static void add_empty(struct gc_heap *h, struct gc_block *b) {
  b->cell = 0;
  b->next = h->empty;
  h->empty = b;
}

static bool chunk_new(struct gc_heap *h) {
  void *chunks = h->chunks;
  if (!array_reserve(&chunks, &h->chunks_cap, h->nchunks + 1, sizeof *h->chunks)) return false;
  h->chunks = chunks;
  uint8_t *c = os_map_aligned(GC_CHUNK, GC_CHUNK);
  if (!c) return false;
  if (!gc_set_add(&h->chunk_set, (uintptr_t)c / GC_CHUNK)) {
    os_unmap(c, GC_CHUNK);
    return false;
  }
  if (h->nchunks >= GC_SMALL_HEAP) os_populate(c, GC_CHUNK);
  h->chunks[h->nchunks++] = c;
  for (unsigned i = GC_CHUNK_BLOCKS; i-- > 0;) add_empty(h, (struct gc_block *)(void *)(c + (size_t)i * GC_BLOCK));
  return true;
}

/* ---- runs ---- */

static bool take_empty(struct gc_heap *h, unsigned class) {
  if (h->used + GC_BLOCK > h->max || (!h->empty && !chunk_new(h))) return false;
  struct gc_block *b = h->empty;
  h->empty = b->next;
  b->next = NULL;
  b->cell = gc_class_size(class);
  b->ncells = (GC_BLOCK - GC_BLOCK_HEAD) / b->cell;
  b->cursor = 0;
  memset(b->marks, 0, sizeof b->marks);
  h->current[class] = b;
  h->used += GC_BLOCK;
  return true;
}

/* Moves the cursor of b over its next gap and makes that the run. */
static bool next_gap(struct gc_heap *h, struct gc_block *b, struct gc_run *run) {
  const uint64_t *live = b->marks[h->epoch];
  uint32_t from = b->cursor, to;
  while (from < b->ncells && gc_bit(live, b, from)) from++;
  to = from;
  uint32_t most = h->store->options->gc_stress ? from + 1 : b->ncells;
  while (to < b->ncells && to < most && !gc_bit(live, b, to)) to++;
  b->cursor = to;
  if (from == to) return false;
  run->next = (uint8_t *)gc_cell(b, from);
  run->end = (uint8_t *)gc_cell(b, to);
  size_t bytes = (size_t)(run->end - run->next);
  if (b->dirty) memset(run->next, 0, bytes);
  if (to == b->ncells) b->dirty = true; /* every cell has been zeroed or given away: from now on the block is like any used one */
  h->fresh += bytes;
  return true;
}

bool gc_next_run(struct gc_heap *h, unsigned class) {
  struct gc_run *run = gc_run_of(h, class);
  for (;;) {
    struct gc_block *b = h->current[class];
    if (b && next_gap(h, b, run)) return true;
    if ((b = h->partial[class]) != NULL) {
      h->partial[class] = b->next;
      b->next = NULL;
      h->current[class] = b;
    } else if (!take_empty(h, class)) {
      h->current[class] = NULL;
      return false;
    }
  }
}

void gc_runs_drop(struct gc_heap *h) {
  memset(h->current, 0, sizeof h->current);
  memset(&h->fast, 0, sizeof h->fast);
  memset(h->slow, 0, sizeof h->slow);
}

/* ---- large objects ---- */

struct object *gc_large_new(struct gc_heap *h, size_t size) {
  size_t all;
  if (!checked_add(size, GC_LARGE_HEAD, &all) || all > h->max || h->used > h->max - all) return NULL;
  struct gc_large *l = calloc(1, all);
  if (!l) return NULL;
  struct object *o = (struct object *)((uintptr_t)l + GC_LARGE_HEAD);
  if (!gc_set_add(&h->large_set, (uintptr_t)o)) {
    free(l);
    return NULL;
  }
  l->size = all;
  l->next = h->large;
  h->large = l;
  h->used += all;
  h->fresh += all;
  o->flags = OBJ_LARGE;
  return o;
}

static void large_delete(struct gc_heap *h, struct gc_large *l) {
  gc_set_remove(&h->large_set, (uintptr_t)l + GC_LARGE_HEAD);
  h->used -= l->size;
  free(l);
}

/* ---- is this number an object? ---- */

struct object *gc_find(const struct gc_heap *h, uint64_t v) {
  uintptr_t a = (uintptr_t)v;
  if (v == 0 || v % 8 != 0 || a != v) return NULL;
  if (!gc_set_has(&h->chunk_set, a / GC_CHUNK)) return gc_set_has(&h->large_set, a) ? ref_object(v) : NULL;
  const struct gc_block *b = gc_block_of(ref_object(v));
  uintptr_t offset = a - (uintptr_t)b;
  if (b->cell == 0 || offset < GC_BLOCK_HEAD || (offset - GC_BLOCK_HEAD) % b->cell != 0) return NULL;
  uint32_t i = (uint32_t)((offset - GC_BLOCK_HEAD) / b->cell);
  if (i >= b->ncells || (i >= b->cursor && !gc_bit(b->marks[h->epoch], b, i))) return NULL;
  struct object *o = ref_object(v);
  return o->kind == OBJ_FREE ? NULL : o;
}

/* ---- sweeping ---- */

void gc_marks_clear(struct gc_heap *h) {
  for (size_t c = 0; c < h->nchunks; c++)
    for (unsigned i = 0; i < GC_CHUNK_BLOCKS; i++) {
      struct gc_block *b = (struct gc_block *)(void *)(h->chunks[c] + (size_t)i * GC_BLOCK);
      if (b->cell) memset(b->marks[!h->epoch], 0, sizeof b->marks[0]);
    }
  for (struct gc_large *l = h->large; l; l = l->next) l->marked = false;
}

static uint32_t count_bits(uint64_t x) {
  x -= x >> 1 & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
  return (uint32_t)(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}

static uint32_t count_marks(const struct gc_block *b, unsigned epoch) {
  uint32_t n = 0;
  for (unsigned i = 0; i < GC_BLOCK_WORDS; i++)
    if (b->marks[epoch][i]) n += count_bits(b->marks[epoch][i]);
  return n;
}

/* Returns true if the block is empty; it then is in no list yet. */
static bool sweep_block(struct gc_heap *h, struct gc_block *b) {
  if (b->cell == 0) return true;
  uint32_t n = count_marks(b, h->epoch);
  h->live += (uint64_t)n * b->cell;
  if (n == 0) {
    b->cell = 0;
    b->dirty = true;
    h->used -= GC_BLOCK;
    return true;
  }
  b->cursor = n == b->ncells ? b->ncells : 0;
  b->dirty = true;
  if (n < b->ncells) {
    unsigned class = gc_class(b->cell);
    b->next = h->partial[class];
    h->partial[class] = b;
  }
  return false;
}

static void sweep_large(struct gc_heap *h) {
  for (struct gc_large **p = &h->large; *p;) {
    struct gc_large *l = *p;
    if (l->marked) {
      h->live += l->size;
      p = &l->next;
    } else {
      *p = l->next;
      large_delete(h, l);
    }
  }
}

/* Chunks without any object go back to the system, but for as much as the heap is about to use. */
static void sweep_chunks(struct gc_heap *h) {
  uint64_t spare = 0, keep = h->budget + GC_CHUNK;
  size_t kept = 0;
  for (size_t c = 0; c < h->nchunks; c++) {
    struct gc_block *blocks[GC_CHUNK_BLOCKS];
    unsigned nempty = 0;
    for (unsigned i = 0; i < GC_CHUNK_BLOCKS; i++) {
      struct gc_block *b = (struct gc_block *)(void *)(h->chunks[c] + (size_t)i * GC_BLOCK);
      if (sweep_block(h, b)) blocks[nempty++] = b;
    }
    if (nempty == GC_CHUNK_BLOCKS && spare >= keep) {
      gc_set_remove(&h->chunk_set, (uintptr_t)h->chunks[c] / GC_CHUNK);
      os_unmap(h->chunks[c], GC_CHUNK);
      continue;
    }
    spare += (uint64_t)nempty * GC_BLOCK;
    while (nempty > 0) add_empty(h, blocks[--nempty]);
    h->chunks[kept++] = h->chunks[c];
  }
  h->nchunks = kept;
}

void gc_sweep(struct gc_heap *h) {
  h->epoch = !h->epoch;
  h->live = 0;
  h->empty = NULL;
  memset(h->partial, 0, sizeof h->partial);
  sweep_large(h);
  sweep_chunks(h);
}

void gc_blocks_fini(struct gc_heap *h) {
  while (h->large) {
    struct gc_large *l = h->large;
    h->large = l->next;
    free(l);
  }
  for (size_t c = 0; c < h->nchunks; c++) os_unmap(h->chunks[c], GC_CHUNK);
  free(h->chunks);
  free(h->chunk_set.slots);
  free(h->large_set.slots);
}
