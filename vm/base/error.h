/* Reporting a failure: the one way in which vm/ says why something went wrong.
 *
 * A fallible function takes an mv_error_t, returns false and has filled it. The first report wins, so that a caller can
 * add nothing wrong on the way out. Allocation failure is reported like any other. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

#include "minivm.h"

#if defined(__GNUC__)
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define prefetch(p) __builtin_prefetch(p)
#else
#define likely(x) (x)
#define unlikely(x) (x)
#define prefetch(p) ((void)(p))
#endif

/* Fills *err unless it already holds a report (or is NULL), with the text as mv_visible has it: it may quote a module. offset: in the binary, or
 * MV_NO_OFFSET. Always returns false. */
bool error_set(mv_error_t *err, mv_kind_t kind, uint64_t offset, const char *format, ...) MV_PRINTF(4, 5);
bool error_setv(mv_error_t *err, mv_kind_t kind, uint64_t offset, const char *format, va_list) MV_PRINTF(4, 0);
/* "out of memory" of kind MV_NO_MEMORY; `bytes` is what was asked for. Always returns false. */
bool error_no_memory(mv_error_t *err, size_t bytes);

#endif
