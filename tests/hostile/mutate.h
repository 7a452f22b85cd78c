/* mutate.h: real modules, damaged. The same seed and the same files give the same bytes, so that two programs can be asked about them. */
#ifndef HOSTILE_MUTATE_H
#define HOSTILE_MUTATE_H

#include "generate.h"

struct corpus {
  size_t n;
  struct bytes *files;
  char **names;
};

bool corpus_read(struct corpus *, char **names, size_t n);
void corpus_free(struct corpus *);
/* Makes the module of a seed; returns the name of the file that it was. */
const char *mutate(const struct corpus *, uint64_t seed, struct bytes *out);

#endif
