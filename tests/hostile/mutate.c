/* mutate.c: damages modules as faults and fuzzers do: bits, bytes, numbers, pieces moved about, and whole sections; half the time inside a function's
 * body or a section, with the sizes around it kept right, so that more than the outermost check is met. */
#include "mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool corpus_read(struct corpus *c, char **names, size_t n) {
  *c = (struct corpus){.files = calloc(n, sizeof *c->files), .names = names};
  for (size_t i = 0; i < n; i++) {
    uint8_t block[65536];
    size_t got;
    FILE *f = fopen(names[i], "rb");
    if (!f) {
      fprintf(stderr, "cannot read %s\n", names[i]);
      return false;
    }
    while ((got = fread(block, 1, sizeof block, f)) > 0) bytes_put(&c->files[i], block, got);
    fclose(f);
    c->n++;
  }
  return c->n != 0;
}

void corpus_free(struct corpus *c) {
  for (size_t i = 0; i < c->n; i++) bytes_free(&c->files[i]);
  free(c->files);
}

/* A part of the module with its LEB128 size before it. */
struct part {
  size_t head, start, end; /* of the size; of the content */
};

static bool read_size(const struct bytes *b, size_t *at, size_t *value) {
  *value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (*at >= b->size) return false;
    uint8_t byte = b->data[(*at)++];
    *value |= (size_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/* Section number `n` of those there are, or none. *id is its id. */
static bool find_section(const struct bytes *b, unsigned n, unsigned *id, struct part *part) {
  size_t at = 8, size;
  while (at < b->size) {
    *id = b->data[at++];
    part->head = at;
    if (!read_size(b, &at, &size) || size > b->size - at) return false;
    part->start = at, part->end = at + size;
    if (n-- == 0) return true;
    at += size;
  }
  return false;
}

static unsigned count_sections(const struct bytes *b) {
  unsigned n = 0, id;
  struct part part;
  while (n < 1000 && find_section(b, n, &id, &part)) n++;
  return n;
}

/* A function's body. */
static bool find_body(const struct bytes *b, struct random *r, struct part *code, struct part *body) {
  unsigned id;
  size_t count, size;
  for (unsigned i = 0; find_section(b, i, &id, code); i++) {
    if (id != 10) continue;
    size_t at = code->start;
    if (!read_size(b, &at, &count) || !count) return false;
    for (size_t n = random_next(r) % count;; n--) {
      body->head = at;
      if (!read_size(b, &at, &size) || size > code->end - at) return false;
      body->start = at, body->end = at + size;
      if (!n) return true;
      at += size;
    }
  }
  return false;
}

static void splice(struct bytes *b, size_t at, size_t out, const void *in, size_t size) {
  struct bytes new = {0};
  bytes_put(&new, b->data, at);
  bytes_put(&new, in, size);
  bytes_put(&new, b->data + at + out, b->size - at - out);
  bytes_free(b);
  *b = new;
}

/* Rewrites the size at part->head, by what it has grown. Returns by how much the module has grown by that. */
static size_t fix_size(struct bytes *b, const struct part *part, size_t size) {
  struct bytes leb = {0};
  size_t before = b->size;
  bytes_unsigned(&leb, size);
  splice(b, part->head, part->start - part->head, leb.data, leb.size);
  bytes_free(&leb);
  return b->size - before; /* may wrap, and back */
}

static uint8_t byte_of(struct random *r) {
  static const uint8_t often[] = {0, 1, 2, 0x0b, 0x40, 0x41, 0x60, 0x70, 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x6f, 0x63, 0x64, 0x80, 0xff, 0xfb, 0xfc, 0xfd, 0x1a, 0x20, 0x21, 0x10, 0x0c, 0x0d};
  return random_below(r, 2) ? often[random_below(r, sizeof often)] : (uint8_t)random_next(r);
}

/* One change within [from, to). */
static void damage(struct bytes *b, size_t from, size_t to, const struct bytes *donor, struct random *r) {
  size_t room = to - from, at, n, other;
  uint8_t bytes[16];
  if (!room) return;
  at = from + random_next(r) % room;
  n = 1 + random_next(r) % 8;
  if (n > to - at) n = to - at;
  switch (random_below(r, 10)) {
  case 0: b->data[at] ^= (uint8_t)(1u << random_below(r, 8)); break;
  case 1: case 2: b->data[at] = byte_of(r); break;
  case 3: b->data[at] = (uint8_t)(b->data[at] + (random_below(r, 2) ? 1 : 255)); break;
  case 4: splice(b, at, n, NULL, 0); break;
  case 5:
    for (size_t i = 0; i < n; i++) bytes[i] = byte_of(r);
    splice(b, at, 0, bytes, n);
    break;
  case 6: { /* a piece again, elsewhere */
    struct bytes copy = {0};
    other = from + random_next(r) % room;
    n = 1 + random_next(r) % 40;
    if (n > to - other) n = to - other;
    bytes_put(&copy, b->data + other, n);
    splice(b, at, 0, copy.data, copy.size);
    bytes_free(&copy);
    break;
  }
  case 7: /* a number */
    n = 0;
    bytes[n++] = 0xff;
    for (unsigned i = random_below(r, 9); i > 0; i--) bytes[n++] = random_below(r, 2) ? 0xff : 0x80;
    bytes[n++] = (uint8_t)random_below(r, 128);
    splice(b, at, random_below(r, 2), bytes, n);
    break;
  case 8: { /* two bytes change places */
    other = from + random_next(r) % room;
    uint8_t t = b->data[at];
    b->data[at] = b->data[other], b->data[other] = t;
    break;
  }
  default: /* a piece of another module */
    n = 1 + random_next(r) % 24;
    if (donor->size <= 8 + n) break;
    other = 8 + random_next(r) % (donor->size - 8 - n);
    splice(b, at, random_below(r, 2) && n <= to - at ? n : 0, donor->data + other, n);
  }
}

static void damage_sections(struct bytes *b, const struct bytes *donor, struct random *r) {
  struct part part, other;
  unsigned id, n = count_sections(b);
  if (!n || !find_section(b, random_below(r, n), &id, &part)) return;
  switch (random_below(r, 4)) {
  case 0: splice(b, part.head - 1, part.end - part.head + 1, NULL, 0); break;
  case 1: { /* again */
    struct bytes copy = {0};
    bytes_put(&copy, b->data + part.head - 1, part.end - part.head + 1);
    splice(b, random_below(r, 2) ? part.end : part.head - 1, 0, copy.data, copy.size);
    bytes_free(&copy);
    break;
  }
  case 2: b->data[part.head - 1] = (uint8_t)random_below(r, 16); break;
  default: /* another module's */
    n = count_sections(donor);
    if (n && find_section(donor, random_below(r, n), &id, &other)) splice(b, part.head - 1, part.end - part.head + 1, donor->data + other.head - 1, other.end - other.head + 1);
  }
}

const char *mutate(const struct corpus *c, uint64_t seed, struct bytes *out) {
  struct random r = {seed * 0xd1342543de82ef95u + 7};
  size_t which = random_next(&r) % c->n, donor = random_next(&r) % c->n;
  bytes_put(out, c->files[which].data, c->files[which].size);
  unsigned kind = random_below(&r, 10);
  struct part code, body;
  if (out->size < 9) return c->names[which];
  if (kind == 0) {
    damage_sections(out, &c->files[donor], &r);
  } else if (kind == 1) {
    if (random_below(&r, 4) == 0) out->size = random_next(&r) % out->size;
    else damage(out, 0, out->size, &c->files[donor], &r);
  } else if (kind < 6) { /* a function's body */
    if (find_body(out, &r, &code, &body)) {
      size_t before = out->size;
      for (unsigned i = 1 + random_below(&r, 2); i > 0; i--) damage(out, body.start, body.end + (out->size - before), &c->files[donor], &r);
      size_t grown = out->size - before;
      grown += fix_size(out, &body, body.end - body.start + grown);
      fix_size(out, &code, code.end - code.start + grown);
    }
  } else { /* a section */
    unsigned n = count_sections(out), id;
    struct part part;
    if (n && find_section(out, random_below(&r, n), &id, &part)) {
      size_t before = out->size;
      damage(out, part.start, part.end, &c->files[donor], &r);
      fix_size(out, &part, part.end - part.start + (out->size - before));
    }
  }
  return c->names[which];
}
