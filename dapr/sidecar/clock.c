/* clock.c: see clock.h. */
#include "clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t clock_wall_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_steady_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void clock_rfc3339(int64_t wall_ms, char out[CLOCK_TEXT]) {
  time_t seconds = (time_t)(wall_ms / 1000);
  struct tm tm;
  if (!gmtime_r(&seconds, &tm)) memset(&tm, 0, sizeof tm);
  strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t days(int64_t y, int64_t m, int64_t d) {
  y -= m <= 2;
  int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
  int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool clock_parse(struct span s, int64_t *wall_ms) {
  char copy[64], sign = 'Z';
  int y, mo, d, h, mi, se, zh = 0, zm = 0, used = 0;
  if (s.n >= sizeof copy) return false;
  memcpy(copy, s.p, s.n);
  copy[s.n] = 0;
  if (sscanf(copy, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &se, &used) != 6) return false;
  const char *p = copy + used;
  if (*p == '.') p += 1 + strspn(p + 1, "0123456789");
  if (*p != 'Z' && sscanf(p, "%c%2d:%2d", &sign, &zh, &zm) != 3) return false;
  int64_t offset = (zh * 60 + zm) * 60 * (sign == '-' ? -1 : 1);
  *wall_ms = (days(y, mo, d) * 86400 + h * 3600 + mi * 60 + se - offset) * 1000;
  return true;
}

bool clock_duration(struct span text, int64_t unit_ms, int64_t *ms) {
  const struct { const char *name; double ms; } units[] = {{"ms", 1}, {"us", 1e-3}, {"ns", 1e-6}, {"s", 1e3}, {"m", 6e4}, {"h", 36e5}};
  char copy[64];
  double total = 0;
  if (text.n == 0 || text.n >= sizeof copy) return false;
  memcpy(copy, text.p, text.n);
  copy[text.n] = 0;
  int64_t plain;
  if (span_int(text, &plain)) return plain >= 0 && plain < INT64_MAX / 100000 ? *ms = plain * unit_ms, true : false;
  for (const char *p = copy; *p;) {
    char *end;
    if (strchr("0123456789.", *p) == NULL) return false;
    double v = strtod(p, &end);
    size_t i = 0;
    while (i < sizeof units / sizeof *units && strncmp(end, units[i].name, strlen(units[i].name)) != 0) i++;
    if (end == p || i == sizeof units / sizeof *units) return false;
    total += v * units[i].ms;
    p = end + strlen(units[i].name);
  }
  if (!(total >= 0 && total < 1e15)) return false;
  *ms = (int64_t)llround(total);
  return true;
}

void clock_print(int64_t ms, char out[CLOCK_TEXT]) {
  long long hours = ms / 3600000, minutes = ms / 60000 % 60;
  double seconds = (double)(ms % 60000) / 1000;
  if (hours) snprintf(out, CLOCK_TEXT, "%lldh%lldm%gs", hours, minutes, seconds);
  else if (minutes) snprintf(out, CLOCK_TEXT, "%lldm%gs", minutes, seconds);
  else if (ms >= 1000 || ms == 0) snprintf(out, CLOCK_TEXT, "%gs", seconds);
  else snprintf(out, CLOCK_TEXT, "%lldms", (long long)ms);
}
