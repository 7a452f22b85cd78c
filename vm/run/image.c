/* Copy-on-write images. The active data segments of a module always write the same bytes to the same places when their offsets are constants and all
 * lie in one memory that the module defines itself; nobody can see the memory before they are all written. Such a module gets, when it is
 * instantiated for the second time, a file in memory with its memory's initial contents, of which every later instance maps a private view: the cost
 * does not depend on the size, and pages that nobody writes to exist once. A precompiled module brings the contents in its own file.
 *
 * The first instantiation copies, because a program that is run once is better off so. */
#include "run/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "binary/instr.h"
#include "run/os.h"

enum {
  IMAGE_LEAST = 16 << 10, /* bytes of segments below which copying is faster than mapping and the page faults that follow */
  IMAGE_SPARSE = 4        /* the range may be so many times the size of what is in it */
};

/* The value of an expression that is one constant. */
static bool constant(const struct module *m, const struct constexpr_ *e, uint64_t *value) {
  struct reader r = {m->bytes, m->bytes + e->offset, m->bytes + m->size, NULL};
  struct instr in;
  bool is64;
  if (const_read(&r, &is64, value)) return true;
  if (!instr_read(&r, m, &in)) return false;
  if (in.op == OP_i32_const) *value = (uint32_t)in.u.i32;
  else if (in.op == OP_i64_const) *value = (uint64_t)in.u.i64;
  else return false;
  return instr_read(&r, m, &in) && in.op == OP_end;
}

struct image_range image_range(const struct module *m, uint64_t page) {
  static const struct image_range none;
  struct image_range range = {UINT64_MAX, 0, false};
  uint64_t total = 0, at;
  if (m->nmemories == m->nimported_memories) return none;
  const struct memtype *type = &m->memories[m->nimported_memories];
  const uint64_t size = type->limits.min << type->page_shift;
  if (type->limits.shared) return none;
  for (uint32_t i = 0; i < m->ndatas; i++) {
    const struct data *d = &m->datas[i];
    if (d->mode != SEG_ACTIVE) continue;
    if (d->memory != m->nimported_memories || !constant(m, &d->offset, &at) || !range_ok(at, d->size, size)) return none;
    if (d->size == 0) continue;
    total += d->size;
    if (at < range.from) range.from = at;
    if (at + d->size > range.to) range.to = at + d->size;
  }
  if (total < IMAGE_LEAST || (range.to - range.from) / IMAGE_SPARSE > total) return none;
  range.from -= range.from % page;
  range.to += (page - range.to % page) % page;
  range.ok = range.to <= SIZE_MAX;
  return range;
}

void image_fill(const struct module *m, uint64_t from, uint8_t *at) {
  uint64_t offset;
  for (uint32_t i = 0; i < m->ndatas; i++) {
    const struct data *d = &m->datas[i];
    if (d->mode == SEG_ACTIVE && d->size && constant(m, &d->offset, &offset)) memcpy(at + (offset - from), m->bytes + d->start, (size_t)d->size);
  }
}

static struct image *image_new(const struct module *m) {
  const struct image_range range = image_range(m, os_page_size());
  struct image *image = range.ok ? malloc(sizeof *image) : NULL;
  void *map;
  if (!image) return NULL;
  *image = (struct image){.start = range.from, .size = range.to - range.from};
  image->fd = os_file_new((size_t)image->size, &map);
  if (image->fd < 0) {
    free(image);
    return NULL;
  }
  image_fill(m, range.from, map);
  os_unmap(map, (size_t)image->size);
  return image;
}

/* Whoever makes the second instance makes the image; others, in other threads, copy until it is there. */
const struct image *image_of_module(struct module *m) {
  struct image *image = atomic_load_explicit(&m->image, memory_order_acquire);
  if (!image && atomic_load_explicit(&m->ninstances, memory_order_relaxed) < 2 && atomic_fetch_add_explicit(&m->ninstances, 1, memory_order_relaxed) == 1 &&
      (image = image_new(m)) != NULL)
    atomic_store_explicit(&m->image, image, memory_order_release);
  return image;
}

/* The last pages may lie behind the end of the memory: they are zero, and not all there. */
bool image_map(const struct image *image, struct mem_inst *mem, mv_error_t *err) {
  const uint64_t most = mem->size - image->start, size = image->size < most ? image->size : most;
  return os_map_file(mem->base + image->start, (size_t)size, image->fd, image->at) || error_no_memory(err, (size_t)size);
}

void image_of_file(struct module *m, int fd, uint64_t at, const struct image_range *range) {
  const uint64_t page = os_page_size();
  struct image *image = (at | range->from | range->to) % page == 0 ? malloc(sizeof *image) : NULL;
  if (!image) return;
  *image = (struct image){os_file_dup(fd), at, range->from, range->to - range->from};
  if (image->fd < 0) free(image);
  else atomic_store(&m->image, image);
}

void image_delete(struct module *m) {
  struct image *image = atomic_load(&m->image);
  if (!image) return;
  os_file_close(image->fd);
  free(image);
  atomic_store(&m->image, NULL);
}
