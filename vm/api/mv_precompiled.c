/* Files of precompiled modules (.mvm). One begins with a head and the module's own bytes; behind them come the packed code of its functions, the
 * tables that decoding would make of the two longest sections, and the initial contents of its memory, in pages; a tail ends it and says where
 * everything is. All but the module is in the form of this build of the engine on this kind of CPU, is used as it lies in the file, and is trusted.
 *
 * Only head and tail are checked: enough to refuse what another build wrote, and what was cut off. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/checked.h"
#include "code/packed.h"
#include "run/image.h"

enum { IMAGE_ALIGN = 65536, TABLE_ALIGN = 16 }; /* the largest pages of hosts; anything */

struct head {
  char magic[8];
  char version[16];
  uint32_t order;   /* HEAD_ORDER */
  uint32_t pointer; /* bytes */
  uint64_t build;   /* packed_build */
  uint64_t size;    /* of the module, which follows */
};

#define HEAD_MAGIC "\0mvm\r\n\x1a\n"
enum { HEAD_ORDER = 0x01020304 };

struct tail {
  uint64_t bodies, datas, packed; /* where the tables are */
  uint64_t image, image_from, image_to; /* the pages, and of which memory addresses; image 0: none */
  uint32_t nbodies, ndatas;
  uint32_t features, options; /* mv_features_t; packed_options */
  uint64_t size;  /* of the file */
  uint64_t check; /* of head and tail */
};

static uint64_t checksum(uint64_t h, const void *bytes, size_t size) {
  const uint8_t *p = bytes;
  while (size-- > 0) h = (h ^ *p++) * 0x100000001b3u;
  return h;
}

static uint64_t check_of(const struct head *head, const struct tail *tail) {
  return checksum(checksum(0xcbf29ce484222325u, head, sizeof *head), tail, offsetof(struct tail, check));
}

/* ---- writing ----------------------------------------------------------------------------------------------- */

struct writer {
  FILE *out;
  uint64_t at;
  mv_error_t *err;
};

static bool wrote(struct writer *w, bool ok) { return ok || error_set(w->err, MV_USAGE, MV_NO_OFFSET, "the precompiled module cannot be written"); }

static bool put(struct writer *w, const void *bytes, size_t size) {
  w->at += size;
  return wrote(w, fwrite(bytes, 1, size, w->out) == size);
}

static bool align(struct writer *w, unsigned to) {
  static const uint8_t zeros[64];
  while (w->at % to) {
    const uint64_t n = to - w->at % to;
    if (!put(w, zeros, n < sizeof zeros ? (size_t)n : sizeof zeros)) return false;
  }
  return true;
}

static bool put_table(struct writer *w, const void *table, size_t n, size_t size, uint64_t *at) {
  if (!align(w, TABLE_ALIGN)) return false;
  *at = w->at;
  return put(w, table, n * size);
}

static bool put_code(struct writer *w, const struct module *m, const mv_options_t *opt, struct tail *tail) {
  const uint32_t n = m->nfuncs - m->nimported_funcs;
  struct packed *table = calloc(n + 1u, sizeof *table);
  struct packer *packer = NULL;
  bool ok = table ? packer_new(m->bytes, m->size, m->features, opt, &packer, w->err) : error_no_memory(w->err, n * sizeof *table);
  for (uint32_t k = 0; ok && k < n; k++) {
    const void *bytes;
    size_t size;
    ok = align(w, 8) && packer_pack(packer, m->nimported_funcs + k, &table[k], &bytes, &size, w->err);
    table[k].at = w->at;
    ok = ok && put(w, bytes, size);
  }
  ok = ok && put_table(w, table, n, sizeof *table, &tail->packed);
  packer_delete(packer);
  free(table);
  return ok;
}

static bool put_image(struct writer *w, const struct module *m, struct tail *tail) {
  const struct image_range range = image_range(m, IMAGE_ALIGN);
  if (!range.ok) return true;
  const size_t size = (size_t)(range.to - range.from);
  uint8_t *pages = calloc(1, size);
  if (!pages) return error_no_memory(w->err, size);
  image_fill(m, range.from, pages);
  const bool ok = align(w, IMAGE_ALIGN);
  tail->image = w->at;
  tail->image_from = range.from;
  tail->image_to = range.to;
  const bool written = ok && put(w, pages, size);
  free(pages);
  return written;
}

bool mv_module_serialize(const wasm_module_t *module, FILE *out, mv_error_t *err) {
  const struct api_module *a = module->ref.u.module;
  const struct module *m = a->m;
  mv_error_t own_err;
  struct writer w = {out, 0, err ? err : &own_err};
  const mv_options_t *opt = &a->engine->options;
  struct head head = {HEAD_MAGIC, MINIVM_VERSION, HEAD_ORDER, sizeof(void *), packed_build(), m->size};
  struct tail tail = {.nbodies = m->nfuncs - m->nimported_funcs, .ndatas = m->ndatas, .features = m->features, .options = packed_options(opt)};
  *w.err = (mv_error_t){.offset = MV_NO_OFFSET};
  if (!put(&w, &head, sizeof head) || !put(&w, m->bytes, m->size) || !put_code(&w, m, opt, &tail) ||
      !put_table(&w, m->bodies, tail.nbodies, sizeof *m->bodies, &tail.bodies) ||
      !put_table(&w, m->datas, tail.ndatas, sizeof *m->datas, &tail.datas) || !put_image(&w, m, &tail) || !align(&w, TABLE_ALIGN))
    return false;
  tail.size = w.at + sizeof tail;
  tail.check = check_of(&head, &tail);
  return put(&w, &tail, sizeof tail) && wrote(&w, fflush(out) == 0);
}

/* ---- reading ----------------------------------------------------------------------------------------------- */

static bool read_head(const void *bytes, size_t size, struct head *head) {
  if (size < sizeof *head) return false;
  memcpy(head, bytes, sizeof *head);
  return memcmp(head->magic, HEAD_MAGIC, sizeof head->magic) == 0;
}

bool mv_bytes_precompiled(const void *bytes, size_t size) {
  return size >= sizeof HEAD_MAGIC - 1 && memcmp(bytes, HEAD_MAGIC, sizeof HEAD_MAGIC - 1) == 0;
}

static bool refuse(mv_error_t *err, const char *why) { return error_set(err, MV_MALFORMED, MV_NO_OFFSET, "precompiled module: %s", why); }

bool mv_precompiled_source(const void *bytes, size_t size, const uint8_t **module, size_t *module_size) {
  struct head head;
  if (!read_head(bytes, size, &head) || head.order != HEAD_ORDER || head.size > size - sizeof head) return false;
  *module = (const uint8_t *)bytes + sizeof head;
  *module_size = (size_t)head.size;
  return true;
}

/* Was it written by this build? */
static bool check_head(const struct head *head, mv_error_t *err) {
  if (head->order != HEAD_ORDER || head->pointer != sizeof(void *)) return refuse(err, "made for another kind of CPU");
  if (strncmp(head->version, MINIVM_VERSION, sizeof head->version) != 0)
    return error_set(err, MV_MALFORMED, MV_NO_OFFSET, "precompiled module: made by minivm %.16s, but this is %s: compile it again", head->version,
                     MINIVM_VERSION);
  return head->build == packed_build() || refuse(err, "made by another build of minivm " MINIVM_VERSION ", or for another CPU: compile it again");
}

static bool table_ok(uint64_t at, uint64_t n, size_t elem, uint64_t size) { return at % TABLE_ALIGN == 0 && range_ok(at, n * elem, size); }

static bool check_tail(const struct head *head, const struct tail *t, size_t size) {
  return t->check == check_of(head, t) && t->size == size && range_ok(sizeof *head, head->size, size) &&
         table_ok(t->bodies, t->nbodies, sizeof(struct body), size) && table_ok(t->datas, t->ndatas, sizeof(struct data), size) &&
         table_ok(t->packed, t->nbodies, sizeof(struct packed), size) && t->image_from <= t->image_to &&
         range_ok(t->image, t->image_to - t->image_from, size);
}

static bool refuse_features(mv_error_t *err, mv_features_t off) {
  char names[MV_ERROR_TEXT / 2] = "";
  size_t n = 0;
  for (unsigned bit = 0; bit < MV_FEATURE_COUNT && n < sizeof names; bit++)
    if (off >> bit & 1) n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", mv_feature_name(bit));
  return error_set(err, MV_MALFORMED, MV_NO_OFFSET, "precompiled module: made with features that are off here: %s", names);
}

/* Not the memory's pages: they are those of an instance. */
static struct module *restore(const wasm_engine_t *e, const uint8_t *bytes, const struct head *head, const struct tail *t, int fd, mv_error_t *err) {
  const struct module_tables tables = {(const struct body *)(const void *)(bytes + t->bodies), (const struct data *)(const void *)(bytes + t->datas),
                                       t->nbodies, t->ndatas};
  struct module *m;
  if (!module_restore(e->types, t->features, bytes + sizeof *head, (size_t)head->size, &tables, &m, err)) return NULL;
  if (t->options == packed_options(&e->options)) {
    m->packed = (const struct packed *)(const void *)(bytes + t->packed);
    m->packed_base = bytes;
  }
  if (t->image && fd >= 0) image_of_file(m, fd, t->image, &(struct image_range){t->image_from, t->image_to, true});
  return m;
}

static struct module *load(const wasm_engine_t *e, const void *bytes, size_t size, int fd, mv_error_t *err) {
  struct head head;
  struct tail tail;
  if (!read_head(bytes, size, &head)) return refuse(err, "its magic number is missing"), NULL;
  if (!check_head(&head, err)) return NULL;
  if ((uintptr_t)bytes % sizeof(uint64_t)) return error_set(err, MV_USAGE, MV_NO_OFFSET, "precompiled module: its bytes must be aligned to 8"), NULL;
  const bool whole = size >= sizeof head + sizeof tail && size % TABLE_ALIGN == 0;
  if (whole) memcpy(&tail, (const uint8_t *)bytes + size - sizeof tail, sizeof tail);
  if (!whole || !check_tail(&head, &tail, size)) return refuse(err, "truncated or damaged"), NULL;
  if (tail.features & ~e->options.features) return refuse_features(err, tail.features & ~e->options.features), NULL;
  return restore(e, bytes, &head, &tail, fd, err);
}

wasm_module_t *mv_module_deserialize(wasm_engine_t *e, const void *bytes, size_t size, int fd, mv_error_t *err) {
  mv_error_t own_err;
  if (!err) err = &own_err;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  struct module *m = load(e, bytes, size, fd, err);
  return m ? api_module_of(e, NULL, m, err) : NULL;
}
