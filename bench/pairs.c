/* Counts which register operations follow each other, over real programs: where superinstructions would pay. Linked with an interpreter built as
 * -DMV_DISPATCH=3 -DMV_COUNT=pairs_count (see `make pairs`). Prints at exit the operations, pairs and triples that run most often. */
#include <stdio.h>
#include <stdlib.h>

#include "code/rops.h"

void pairs_count(unsigned rop);

static const char *const names[] = {
#define H(rop) #rop,
#include "code/rop_list.h"
};

enum { TABLE = 1 << 20 };
static struct { unsigned long long n; unsigned a, b, c; } table[3][TABLE];
static unsigned last[2];
static unsigned long long total;

static void count(unsigned k, unsigned a, unsigned b, unsigned c) {
  unsigned h = (a * 2654435761u ^ b * 40503u ^ c * 2246822519u) % TABLE;
  while (table[k][h].n && (table[k][h].a != a || table[k][h].b != b || table[k][h].c != c)) h = (h + 1) % TABLE;
  table[k][h].a = a, table[k][h].b = b, table[k][h].c = c;
  table[k][h].n++;
}

static int order(const void *a, const void *b) {
  const unsigned long long x = *(const unsigned long long *)a, y = *(const unsigned long long *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

static void print(void) {
  fprintf(stderr, "%llu operations\n", total);
  for (int k = 0; k < 3; k++) {
    qsort(table[k], TABLE, sizeof table[k][0], order);
    fprintf(stderr, "-- %s\n", k == 0 ? "operations" : k == 1 ? "pairs" : "triples");
    for (int j = 0; j < 40 && table[k][j].n; j++)
      fprintf(stderr, "%5.1f%%  %s %s %s\n", 100.0 * (double)table[k][j].n / (double)total, names[table[k][j].a] + 4, k ? names[table[k][j].b] + 4 : "",
              k > 1 ? names[table[k][j].c] + 4 : "");
  }
}

void pairs_count(unsigned rop) {
  if (!total) atexit(print);
  total++;
  count(0, rop, 0, 0);
  count(1, last[0], rop, 0);
  count(2, last[1], last[0], rop);
  last[1] = last[0];
  last[0] = rop;
}
