/* trace.h: W3C trace context: traceparent and tracestate. */
#ifndef SIDECAR_TRACE_H
#define SIDECAR_TRACE_H

#include "random.h"
#include "text.h"

enum { TRACE_TEXT = 56 };

/* "00-<32 hex>-<16 hex>-<2 hex>", not all zeros. */
bool trace_valid(struct span traceparent);
/* A child of `parent` (a new trace when that is not valid); `sampled` sets the flag of a new trace. */
void trace_child(struct random *, struct span parent, bool sampled, char out[TRACE_TEXT]);

#endif
