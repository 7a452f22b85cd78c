/* Text modules for the public API: text to binary, and from offsets of the binary back to lines of the text. */
#include "text/parse.h"

#include <stdlib.h>

#include "base/utf8.h"

struct mv_wat_map {
  size_t n;
  struct wat_line {
    uint64_t offset; /* where bytes of this position begin */
    uint32_t line, column; /* 0: belongs to nothing */
  } at[];
};

static int by_position(const void *a, const void *b) {
  const struct map_entry *x = *(const struct map_entry *const *)a, *y = *(const struct map_entry *const *)b;
  return x->pos < y->pos ? -1 : x->pos > y->pos;
}

/* Lines and columns are counted in one walk over the text, for which the entries are visited by position. */
static mv_wat_map_t *map_make(const char *text, const struct parsed_module *m) {
  const struct map_entry **order = calloc(m->nmap + 1, sizeof *order);
  mv_wat_map_t *map = malloc(sizeof *map + m->nmap * sizeof *map->at);
  if (!order || !map) {
    free(order);
    free(map);
    return NULL;
  }
  map->n = m->nmap;
  for (size_t i = 0; i < m->nmap; i++) order[i] = &m->map[i];
  if (m->nmap) qsort(order, m->nmap, sizeof *order, by_position);
  struct position at = {0, 1, 1};
  for (size_t i = 0; i < m->nmap; i++) {
    bool none = order[i]->pos == NO_POSITION;
    if (!none) position_advance(&at, text, order[i]->pos);
    map->at[order[i] - m->map] = (struct wat_line){order[i]->offset, none ? 0 : at.line, none ? 0 : at.column};
  }
  free(order);
  return map;
}

bool mv_wat_parse(const char *text, size_t size, mv_features_t features, unsigned flags, uint8_t **out, size_t *out_size, mv_wat_map_t **map,
                  mv_error_t *err) {
  struct source s = {0};
  struct parsed_module m = {0};
  mv_error_t unused;
  if (!err) err = &unused;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  *out = NULL;
  *out_size = 0;
  if (map) *map = NULL;
  bool ok = source_lex(&s, text, size, features, err) && module_parse_file(&s, flags, map != NULL, &m, err);
  if (ok && map && (*map = map_make(text, &m)) == NULL) ok = error_no_memory(err, m.nmap * sizeof(struct wat_line));
  source_fini(&s);
  free(m.map);
  if (ok) {
    *out = m.bytes.data;
    *out_size = m.bytes.size;
  } else {
    buf_fini(&m.bytes);
  }
  return ok;
}

bool mv_wat2wasm(const char *text, size_t size, mv_features_t features, uint8_t **out, size_t *out_size, mv_error_t *err) {
  return mv_wat_parse(text, size, features, 0, out, out_size, NULL, err);
}

bool mv_wat_map_find(const mv_wat_map_t *map, uint64_t offset, uint32_t *line, uint32_t *column) {
  size_t lo = 0, hi = map->n; /* the last entry that begins at or before offset */
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (map->at[mid].offset <= offset) lo = mid + 1;
    else hi = mid;
  }
  if (lo == 0 || map->at[lo - 1].line == 0) return false;
  *line = map->at[lo - 1].line;
  *column = map->at[lo - 1].column;
  return true;
}

void mv_wat_map_delete(mv_wat_map_t *map) { free(map); }

/* A line whose columns stay: what a terminal would obey becomes a question mark. Bytes behind a character's first take no column. */
static void print_columns(const char *s, size_t size, FILE *out) {
  for (size_t n; size > 0; s += n, size -= n) {
    n = *s == '\t' ? 1 : utf8_visible(s, size);
    if (!n && ((unsigned char)*s & 0xc0) != 0x80) fputc('?', out);
    fwrite(s, 1, n, out);
    if (!n) n = 1;
  }
}

void mv_wat_caret(const char *text, size_t size, uint32_t line, uint32_t column, FILE *out) {
  size_t start = 0, end;
  for (; line > 1 && start < size; start++) line -= text[start] == '\n';
  for (end = start; end < size && text[end] != '\n' && text[end] != '\r';) end++;
  if (line != 1 || column == 0 || end - start > 400) return; /* a caret under a line that wraps shows nothing */
  fputs("  ", out);
  print_columns(text + start, end - start, out);
  fputs("\n  ", out);
  for (size_t i = start; i < end && column > 1; i++) {
    if (((unsigned char)text[i] & 0xc0) == 0x80) continue;
    putc(text[i] == '\t' ? '\t' : ' ', out);
    column--;
  }
  fputs("^\n", out);
}

void mv_free(void *p) { free(p); }
