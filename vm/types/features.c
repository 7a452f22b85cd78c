/* The names and sets of run-time features (docs/PROPOSALS.md); what a feature changes is written where it applies. */
#include <string.h>

#include "base/error.h"

#define ON(id, name, on) | ((on) ? MV_FEATURE(id) : 0u)
#define ALL(id, name, on) | MV_FEATURE(id)

mv_features_t mv_features_default(void) { return 0u MV_FEATURES(ON); }

mv_features_t mv_features_all(void) { return 0u MV_FEATURES(ALL); }

const char *mv_feature_name(unsigned bit) {
  switch (bit) {
#define X(id, name, on) case MV_FEATURE_BIT_##id: return name;
    MV_FEATURES(X)
#undef X
  }
  return NULL;
}

/* The bits that a word of a feature list stands for; 0: unknown. */
static mv_features_t feature_word(const char *word, size_t n) {
  if (n == 3 && memcmp(word, "all", 3) == 0) return mv_features_all();
  for (unsigned bit = 0; bit < MV_FEATURE_COUNT; bit++) {
    const char *name = mv_feature_name(bit);
    if (strlen(name) == n && memcmp(word, name, n) == 0) return 1u << bit;
  }
  return 0;
}

bool mv_features_parse(const char *list, mv_features_t *set, const char **bad) {
  mv_features_t result = *set;
  for (const char *p = list; *p;) {
    size_t n = strcspn(p, ",");
    bool minus = *p == '-';
    const char *word = p + minus;
    size_t len = n - minus;
    if (!minus && len == 4 && memcmp(word, "none", 4) == 0) {
      result = 0;
    } else if (!minus && len == 7 && memcmp(word, "default", 7) == 0) {
      result = mv_features_default();
    } else if (len) {
      mv_features_t bits = feature_word(word, len);
      if (!bits) {
        if (bad) *bad = p;
        return false;
      }
      result = minus ? result & ~bits : result | bits;
    }
    p += n + (p[n] == ',');
  }
  *set = result ? result : MV_FEATURES_NONE;
  return true;
}
