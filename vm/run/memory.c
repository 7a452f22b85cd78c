/* Linear memories (core/exec/runtime#memory-instances): allocation and growth. A memory reserves the address space that it may grow into where
 * the host grants that, so that growth happens in place; otherwise it is mapped exactly and may move. Accesses are checked by the interpreter, so
 * there are no guard pages. Knows nothing of instructions. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "run/os.h"
#include "run/run.h"

/* The most pages that the host can address at all: half of the address space. */
static uint64_t host_max_pages(unsigned page_shift) { return (uint64_t)(SIZE_MAX >> 1) >> page_shift; }

static uint64_t min64(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* The type's maximum; without one, what its addresses can reach (core/valid/types#memory-types). */
static uint64_t type_max_pages(const struct memtype *t) {
  if (t->limits.has_max) return t->limits.max;
  return t->limits.is64 ? UINT64_MAX >> t->page_shift : ((uint64_t)1 << 32) >> t->page_shift;
}

/* Reserves and commits the initial size. Shared memories must never move, so their maximum is reserved. */
static bool memory_map(struct mem_inst *m) {
  uint64_t most = m->max_pages << m->type.page_shift;
  if (!m->type.limits.shared) most = min64(most, os_reserve_most());
  if (most < m->size) most = m->size;
  if (most == 0) return true;
  if ((m->base = os_reserve((size_t)most)) != NULL) {
    m->reserved = most;
    if (os_commit(m->base, (size_t)m->size)) return true;
    os_unmap(m->base, (size_t)most);
  }
  m->base = NULL;
  m->reserved = 0;
  if (m->type.limits.shared) return false;
  if (m->size && !(m->base = os_map((size_t)m->size))) return false;
  m->reserved = m->size;
  return true;
}

static void memory_delete(struct mem_inst *m) {
  os_unmap(m->base, (size_t)m->reserved);
  waiters_delete(m->waiters);
  free(m);
}

bool memory_new(struct store *s, const struct memtype *type, struct mem_inst **out, mv_error_t *err) {
  uint64_t limit = min64(host_max_pages(type->page_shift), type_max_pages(type));
  if (s->options->max_memory) limit = min64(limit, s->options->max_memory >> type->page_shift);
  if (type->limits.min > limit)
    return error_set(err, MV_LIMIT, MV_NO_OFFSET, "memory size limit: %llu pages wanted, %llu allowed",
                     (unsigned long long)type->limits.min, (unsigned long long)limit);
  struct mem_inst *m = calloc(1, sizeof *m);
  if (!m) return error_no_memory(err, sizeof *m);
  m->type = *type;
  m->max_pages = limit;
  m->size = type->limits.min << type->page_shift;
  atomic_init(&m->refs, 1);
  if (type->limits.shared && !(m->waiters = waiters_new())) {
    free(m);
    return error_no_memory(err, sizeof *m);
  }
  if (!memory_map(m)) {
    error_no_memory(err, (size_t)m->size);
    memory_delete(m);
    return false;
  }
  if (!type->limits.shared) m->store = s;
  m->next = s->memories;
  s->memories = m;
  *out = m;
  return true;
}

/* Makes [0, size) accessible; the new part is zero, since it was never accessible before. */
static bool memory_extend(struct mem_inst *m, uint64_t size) {
  if (size <= m->reserved) return os_commit(m->base, (size_t)size);
  if (m->type.limits.shared) return false;
  uint8_t *base = m->reserved == m->size || m->base == NULL ? os_remap(m->base, (size_t)m->reserved, (size_t)size) : NULL;
  if (!base) { /* a reservation that is too small, or with an image in it, is in pieces and cannot be extended */
    base = os_map((size_t)size);
    if (!base) return false;
    if (m->size) memcpy(base, m->base, (size_t)m->size);
    os_unmap(m->base, (size_t)m->reserved);
  }
  m->base = base;
  m->reserved = size;
  return true;
}

static uint64_t grow(struct mem_inst *m, uint64_t delta) {
  uint64_t old = m->size >> m->type.page_shift, pages;
  if (delta == 0) return old;
  if (!checked_add64(old, delta, &pages) || pages > m->max_pages) return UINT64_MAX;
  uint64_t size = pages << m->type.page_shift;
  if (!memory_extend(m, size)) return UINT64_MAX;
  *(volatile uint64_t *)&m->size = size; /* other threads may be reading it */
  return old;
}

uint64_t memory_grow(struct mem_inst *m, uint64_t delta) {
  if (!m->waiters) return grow(m, delta);
  waiters_lock(m->waiters);
  uint64_t old = grow(m, delta);
  waiters_unlock(m->waiters);
  return old;
}

void memory_retain(struct mem_inst *m) { atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed); }

void memory_release(struct mem_inst *m) {
  if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1) memory_delete(m);
}
