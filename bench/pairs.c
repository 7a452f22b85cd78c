/* Counts which register operations follow each other: where superinstructions would pay. Linked into a minivm whose switch calls
 * pairs_count for every operation (DISPATCH=switch, -DMV_COUNT=pairs_count, see bench/pairs.py, which adds up what several programs did).
 * Each process leaves a file in the folder $MINIVM_PAIRS: lines `LENGTH SHARE NAMES` for operations, pairs and triples. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "code/rops.h"

void pairs_count(unsigned rop);

static const char *const names[] = {
#define H(rop) #rop,
#include "code/rop_list.h"
};

/* Names fit 16 bits. A sequence is a number: the last operation lowest, each plus one, so that none is zero. */
enum { BITS = 20, SLOTS = 1 << BITS };
static struct slot {
  unsigned long long sequence, n;
} table[SLOTS];
static unsigned long long total, last;

static void count(unsigned long long sequence) {
  unsigned h = (unsigned)(sequence * 0x9e3779b97f4a7c15u >> (64 - BITS));
  while (table[h].n && table[h].sequence != sequence) h = (h + 1) % SLOTS;
  table[h].sequence = sequence;
  table[h].n++;
}

static void write_all(void) {
  char path[4096];
  const char *folder = getenv("MINIVM_PAIRS");
  FILE *f;
  if (!folder || snprintf(path, sizeof path, "%s/%ld", folder, (long)getpid()) >= (int)sizeof path || !(f = fopen(path, "w"))) return;
  fprintf(f, "0 %llu\n", total);
  for (const struct slot *s = table; s < table + SLOTS; s++) {
    if (s->n < total / 10000 + 1) continue;
    int length = 1;
    while (length < 3 && s->sequence >> 16 * length) length++;
    fprintf(f, "%d %.6f", length, (double)s->n / (double)total);
    for (int i = length; i-- > 0;) fprintf(f, " %s", names[(s->sequence >> 16 * i & 0xffff) - 1] + 4);
    fputc('\n', f);
  }
  fclose(f);
}

void pairs_count(unsigned rop) {
  if (!total++) atexit(write_all);
  last = last << 16 | (rop + 1);
  count(last & 0xffff);
  if (last >> 16) count(last & 0xffffffff);
  if (last >> 32) count(last & 0xffffffffffff);
}
