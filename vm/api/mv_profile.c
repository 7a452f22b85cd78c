/* The profile: executed Wasm instructions by function, counted by operations that the translator adds when mv_options_t.profile is set. */
#include <inttypes.h>
#include <stdlib.h>

#include "api/api.h"
#include "code/encoding.h"

struct row {
  const struct module *module;
  const struct code *code;
};

static int by_count(const void *a, const void *b) {
  const uint64_t x = ((const struct row *)a)->code->executed, y = ((const struct row *)b)->code->executed;
  return x < y ? 1 : x > y ? -1 : 0;
}

static bool seen_before(const struct store *s, const struct instance *inst) {
  for (const struct instance *i = s->instances; i != inst; i = i->next)
    if (i->module == inst->module) return true;
  return false;
}

static bool collect(const struct store *s, struct row **rows, size_t *n) {
  size_t cap = 0;
  *rows = NULL;
  *n = 0;
  for (const struct instance *i = s->instances; i; i = i->next) {
    const struct module *m = i->module;
    if (seen_before(s, i)) continue;
    for (uint32_t f = 0; f < m->nfuncs - m->nimported_funcs; f++) {
      if (!m->code[f].executed) continue;
      if (!array_reserve((void **)rows, &cap, *n + 1, sizeof **rows)) return false;
      (*rows)[(*n)++] = (struct row){m, &m->code[f]};
    }
  }
  return true;
}

bool mv_profile_write(wasm_store_t *store, FILE *out, bool folded, mv_error_t *err) {
  struct row *rows;
  struct name name;
  size_t n;
  uint64_t total = 0;
  if (!collect(store->s, &rows, &n)) {
    free(rows);
    return error_no_memory(err, n * sizeof *rows);
  }
  for (size_t k = 0; k < n; k++) total += rows[k].code->executed;
  if (n) qsort(rows, n, sizeof *rows, by_count);
  if (!folded) fprintf(out, "%20s  %6s  function\n", "instructions", "share");
  for (size_t k = 0; k < n; k++) {
    const struct code *c = rows[k].code;
    const bool named = module_func_name(rows[k].module, c->func, &name);
    if (!folded) fprintf(out, "%20" PRIu64 "  %5.1f%%  ", c->executed, 100.0 * (double)c->executed / (double)total);
    if (named) fprintf(out, "%.*s", (int)name.size, name.bytes);
    else fprintf(out, "func[%" PRIu32 "]", c->func);
    if (folded) fprintf(out, " %" PRIu64, c->executed);
    fputc('\n', out);
  }
  free(rows);
  return true;
}
