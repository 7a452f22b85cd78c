/* clock.h: times in milliseconds and as RFC 3339 text. */
#ifndef SIDECAR_CLOCK_H
#define SIDECAR_CLOCK_H

#include "text.h"

int64_t clock_wall_ms(void);  /* since 1970 */
int64_t clock_steady_us(void); /* for durations */
enum { CLOCK_TEXT = 40 };
void clock_rfc3339(int64_t wall_ms, char out[CLOCK_TEXT]); /* to the second, in UTC */
MV_MUST_USE bool clock_parse(struct span rfc3339, int64_t *wall_ms);
/* Go's time.ParseDuration ("1h30m", "300ms", "1.5s"); a bare number is in units of `unit_ms`. */
MV_MUST_USE bool clock_duration(struct span text, int64_t unit_ms, int64_t *ms);
void clock_print(int64_t ms, char out[CLOCK_TEXT]); /* as Go prints a duration: "500ms", "1.5s", "1m0s" */

#endif
