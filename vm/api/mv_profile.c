/* mv_profile_write: executed Wasm instructions by function and by loop, or by call stack. The interpreter counts how often each block of straight code is entered
 * (exec/profile.h); what a block is, and which loop it lies in, is found here by going over the function once more. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/arena.h"
#include "binary/instr.h"
#include "code/code.h"
#include "code/module_code.h"
#include "exec/profile.h"

/* A function, or the innermost loop around some of its blocks. */
struct row {
  struct module *module;
  uint32_t func;
  uint64_t offset; /* of the loop in the module */
  uint64_t instructions, operations;
};

struct rows {
  struct row *at;
  size_t n, cap;
};

static bool rows_add(struct rows *r, struct row row, mv_error_t *err) {
  if (!array_reserve((void **)&r->at, &r->cap, r->n + 1, sizeof *r->at)) return error_no_memory(err, (r->n + 1) * sizeof *r->at);
  r->at[r->n++] = row;
  return true;
}

/* Ties are broken by place, so that two runs print the same. */
static int by_count(const void *a, const void *b) {
  const struct row *x = a, *y = b;
  if (x->instructions != y->instructions) return x->instructions < y->instructions ? 1 : -1;
  if (x->func != y->func) return x->func < y->func ? -1 : 1;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* ---- a function's blocks and loops --------------------------------------------------------------------- */

struct blocks {
  struct code_block *at;
  size_t n, cap;
  bool lost;
};

static void add_block(void *env, const struct code_block *b) {
  struct blocks *list = env;
  if (array_reserve((void **)&list->at, &list->cap, list->n + 1, sizeof *list->at)) list->at[list->n++] = *b;
  else list->lost = true;
}

static int by_offset(const void *a, const void *b) {
  const uint64_t x = ((const struct code_block *)a)->offset, y = ((const struct code_block *)b)->offset;
  return x < y ? -1 : x > y;
}

static void row_add(struct row *row, const struct code_block *b) {
  row->instructions += b->entered * b->instructions;
  row->operations += b->entered * b->operations;
}

/* A loop stands where its own code begins, which has a source line rather than the instruction `loop`. */
static void loop_add(struct row *loop, const struct code_block *b) {
  if (!loop->instructions) loop->offset = b->offset;
  row_add(loop, b);
}

static bool skip_local(void *env, uint32_t n, valtype t) {
  (void)env, (void)n, (void)t;
  return true;
}

enum { NO_LOOP = -1 };

/* Goes over the body with its blocks in order, and counts each for the innermost loop that it lies in. */
static bool add_loops(struct rows *loops, const struct row *func, const struct blocks *blocks, mv_error_t *err) {
  struct module *m = func->module;
  const struct body *b = &m->bodies[func->func - m->nimported_funcs];
  struct reader r = {m->bytes, m->bytes + b->offset, m->bytes + b->offset + b->size, err};
  struct instr in;
  ptrdiff_t *open = NULL, inner = NO_LOOP; /* for each open block the loop around it, as an index into `loops` */
  size_t depth = 0, cap = 0, next = 0;
  bool ok = reader_locals(&r, m, skip_local, NULL);
  while (ok && next < blocks->n && r.pos < r.end && instr_read(&r, m, &in)) {
    for (; next < blocks->n && blocks->at[next].offset <= in.offset; next++)
      if (inner != NO_LOOP) loop_add(&loops->at[inner], &blocks->at[next]);
    switch (in.op) {
    case OP_block: case OP_loop: case OP_if: case OP_try: case OP_try_table:
      if (!array_reserve((void **)&open, &cap, depth + 1, sizeof *open)) ok = error_no_memory(err, (depth + 1) * sizeof *open);
      if (!ok) break;
      open[depth++] = inner;
      if (in.op != OP_loop) break;
      ok = rows_add(loops, (struct row){m, func->func, in.offset, 0, 0}, err);
      inner = (ptrdiff_t)loops->n - 1;
      break;
    case OP_end: case OP_delegate:
      if (depth) inner = open[--depth];
      break;
    default: break;
    }
  }
  free(open);
  return ok;
}

/* Loops that did not run, or only as the way into an inner one, are no news. */
static void drop_idle(struct rows *loops, size_t from) {
  size_t n = from;
  for (size_t k = from; k < loops->n; k++)
    if (loops->at[k].instructions) loops->at[n++] = loops->at[k];
  loops->n = n;
}

static bool add_function(struct rows *functions, struct rows *loops, struct module *m, const struct code *code, mv_error_t *err) {
  struct row row = {m, code->func, 0, 0, 0};
  struct blocks blocks = {0};
  const size_t first = loops->n;
  bool ok = code_blocks(m, code, add_block, &blocks, err);
  if (ok && blocks.lost) ok = error_no_memory(err, blocks.n * sizeof *blocks.at);
  if (ok && blocks.n) {
    for (size_t k = 0; k < blocks.n; k++) row_add(&row, &blocks.at[k]);
    qsort(blocks.at, blocks.n, sizeof *blocks.at, by_offset);
    ok = rows_add(functions, row, err) && add_loops(loops, &row, &blocks, err);
    drop_idle(loops, first);
  }
  free(blocks.at);
  return ok;
}

static bool seen_before(const struct store *s, const struct instance *inst) {
  for (const struct instance *i = s->instances; i != inst; i = i->next)
    if (i->module == inst->module) return true;
  return false;
}

static bool collect(const struct store *s, struct rows *functions, struct rows *loops, mv_error_t *err) {
  for (const struct instance *i = s->instances; i; i = i->next) {
    struct module *m = i->module;
    if (seen_before(s, i)) continue;
    for (uint32_t f = 0; f < m->nfuncs - m->nimported_funcs; f++)
      if (m->code[f].words && !add_function(functions, loops, m, &m->code[f], err)) return false;
  }
  if (functions->n) qsort(functions->at, functions->n, sizeof *functions->at, by_count);
  if (loops->n) qsort(loops->at, loops->n, sizeof *loops->at, by_count);
  return true;
}

/* ---- as a table ---------------------------------------------------------------------------------------- */

/* A name is the module's choice; in folded stacks a semicolon is the separator. */
static void put_func(FILE *out, const struct module *m, uint32_t func, bool folded) {
  struct name name;
  if (!module_func_name(m, func, &name)) {
    fprintf(out, "func[%" PRIu32 "]", func);
    return;
  }
  const char *at = name.bytes, *end = at + name.size;
  for (const char *next; folded && (next = memchr(at, ';', (size_t)(end - at))) != NULL; at = next + 1) {
    mv_print_visible(at, (size_t)(next - at), out);
    fputs("\\3b", out);
  }
  mv_print_visible(at, (size_t)(end - at), out);
}

/* Rows of at least 1 / `part` of the total. */
static void put_rows(FILE *out, const struct rows *r, uint64_t total, uint64_t part, const char *what, bool loops) {
  size_t k = 0;
  if (!r->n) return;
  fprintf(out, "\n%20s  %6s  %s\n", "instructions", "share", what);
  for (; k < r->n && r->at[k].instructions >= total / part; k++) {
    const struct row *row = &r->at[k];
    fprintf(out, "%20" PRIu64 "  %5.1f%%  ", row->instructions, 100.0 * (double)row->instructions / (double)total);
    if (loops) fprintf(out, "0x%" PRIx64 " ", row->offset);
    put_func(out, row->module, row->func, false);
    fputc('\n', out);
  }
  if (k < r->n) fprintf(out, "%28s  and %zu more\n", "", r->n - k);
}

static void put_table(FILE *out, const struct rows *functions, const struct rows *loops) {
  uint64_t instructions = 0, operations = 0;
  for (size_t k = 0; k < functions->n; k++) instructions += functions->at[k].instructions, operations += functions->at[k].operations;
  fprintf(out, "%" PRIu64 " instructions by %" PRIu64 " operations", instructions, operations);
  if (instructions) fprintf(out, ", %.2f each", (double)operations / (double)instructions);
  fputc('\n', out);
  put_rows(out, functions, instructions, 1000, "function", false);
  put_rows(out, loops, instructions, 100, "innermost loop", true);
}

/* ---- as folded stacks ---------------------------------------------------------------------------------- */

/* Depth first. `path` has the nodes from the root to the current one. */
static bool put_folded(FILE *out, struct exec *x, mv_error_t *err) {
  const struct profile_node *nodes = profile_nodes(x);
  uint32_t *path = NULL;
  size_t depth = 0, cap = 0;
  for (uint32_t at = nodes ? nodes[0].child : 0; at;) {
    if (!array_reserve((void **)&path, &cap, depth + 1, sizeof *path)) {
      free(path);
      return error_no_memory(err, (depth + 1) * sizeof *path);
    }
    path[depth++] = at;
    for (size_t k = 0; k < depth && nodes[at].self; k++) {
      if (k) fputc(';', out);
      put_func(out, nodes[path[k]].code->module, nodes[path[k]].code->func, true);
    }
    if (nodes[at].self) fprintf(out, " %" PRIu64 "\n", nodes[at].self);
    for (at = nodes[at].child; !at && depth;) at = nodes[path[--depth]].next;
  }
  free(path);
  return true;
}

bool mv_profile_write(wasm_store_t *store, FILE *out, bool folded, mv_error_t *err) {
  struct rows functions = {0}, loops = {0};
  if (err) *err = (mv_error_t){.offset = MV_NO_OFFSET};
  if (folded) return put_folded(out, store->s->exec, err);
  const bool ok = collect(store->s, &functions, &loops, err);
  if (ok) put_table(out, &functions, &loops);
  free(functions.at);
  free(loops.at);
  return ok;
}
