/* trace.c: see trace.h. https://www.w3.org/TR/trace-context/ */
#include "trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool lower_hex(const char *p, size_t n, bool *zero) {
  *zero = true;
  for (size_t i = 0; i < n; i++) {
    if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f'))) return false;
    if (p[i] != '0') *zero = false;
  }
  return true;
}

bool trace_valid(struct span t) {
  bool zero;
  if (t.n != TRACE_TEXT - 1 || t.p[2] != '-' || t.p[35] != '-' || t.p[52] != '-') return false;
  if (!lower_hex(t.p, 2, &zero) || memcmp(t.p, "ff", 2) == 0 || !lower_hex(t.p + 53, 2, &zero)) return false;
  return lower_hex(t.p + 3, 32, &zero) && !zero && lower_hex(t.p + 36, 16, &zero) && !zero;
}

void trace_child(struct random *random, struct span parent, bool sampled, char out[TRACE_TEXT]) {
  uint64_t trace[2], span[2];
  random_pair(random, span);
  if (trace_valid(parent)) {
    snprintf(out, TRACE_TEXT, "%.36s%016" PRIx64 "-%.2s", parent.p, span[0] | 1, parent.p + 53);
    return;
  }
  random_pair(random, trace);
  snprintf(out, TRACE_TEXT, "00-%016" PRIx64 "%016" PRIx64 "-%016" PRIx64 "-%02d", trace[0] | 1, trace[1], span[0] | 1, sampled);
}
