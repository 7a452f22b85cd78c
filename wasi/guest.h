/* guest.h: the guest's memory: checked addresses, little-endian values.
 *
 * A pointer from here is good until the next call that may block, run the guest or grow its memory; so functions fetch spans late and
 * anew. As the witx documents say and other engines do, an address outside of the memory or a misaligned one traps.
 */
#ifndef WASI_GUEST_H
#define WASI_GUEST_H

#include "wasi.h"

/* The host address of `len` guest bytes at `ptr`, which must be a multiple of `align`. NULL: the call has trapped. */
uint8_t *guest_span(struct wasi_call *, uint32_t ptr, uint64_t len, uint32_t align);

static inline uint32_t guest_load32(const uint8_t *p) {
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t guest_load64(const uint8_t *p) { return guest_load32(p) | (uint64_t)guest_load32(p + 4) << 32; }

static inline uint16_t guest_load16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

static inline void guest_store16(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
}

static inline void guest_store32(uint8_t *p, uint32_t v) {
  guest_store16(p, (uint16_t)v);
  guest_store16(p + 2, (uint16_t)(v >> 16));
}

static inline void guest_store64(uint8_t *p, uint64_t v) {
  guest_store32(p, (uint32_t)v);
  guest_store32(p + 4, (uint32_t)(v >> 32));
}

/* Store one result: 0 or WASI_TRAP. */
MV_MUST_USE wasi_errno_t guest_put16(struct wasi_call *, uint32_t ptr, uint16_t v);
MV_MUST_USE wasi_errno_t guest_put32(struct wasi_call *, uint32_t ptr, uint32_t v);
MV_MUST_USE wasi_errno_t guest_put64(struct wasi_call *, uint32_t ptr, uint64_t v);

/* Copies a path argument: not empty, shorter than WASI_PATH_MAX, UTF-8, without NUL. */
MV_MUST_USE wasi_errno_t guest_path(struct wasi_call *, uint32_t ptr, uint32_t len, char out[WASI_PATH_MAX]);

#endif
