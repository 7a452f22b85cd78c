/* guest.c: guest.h. The only file that asks the engine for the guest's memory. */
#include "guest.h"

#include <string.h>

uint8_t *guest_span(struct wasi_call *c, uint32_t ptr, uint64_t len, uint32_t align) {
  uint8_t *base;
  uint64_t size;
  if (!mv_caller_memory(c->caller, &base, &size)) {
    (void)wasi_trap(c, "the module has no memory", 0, 0);
    return NULL;
  }
  if (ptr % align != 0) {
    (void)wasi_trap(c, "misaligned address %#llx, must be a multiple of %llu", ptr, align);
    return NULL;
  }
  if (WASI_GUARD(c->wasi, WASI_GUARD_BOUNDS) && (ptr > size || len > size - ptr)) {
    (void)wasi_trap(c, "out of bounds memory access at %#llx, length %llu", ptr, len);
    return NULL;
  }
  return len > 0 ? base + ptr : &c->none;
}

wasi_errno_t guest_put16(struct wasi_call *c, uint32_t ptr, uint16_t v) {
  uint8_t *p = guest_span(c, ptr, 2, 2);
  if (!p) return WASI_TRAP;
  guest_store16(p, v);
  return 0;
}

wasi_errno_t guest_put32(struct wasi_call *c, uint32_t ptr, uint32_t v) {
  uint8_t *p = guest_span(c, ptr, 4, 4);
  if (!p) return WASI_TRAP;
  guest_store32(p, v);
  return 0;
}

wasi_errno_t guest_put64(struct wasi_call *c, uint32_t ptr, uint64_t v) {
  uint8_t *p = guest_span(c, ptr, 8, 8);
  if (!p) return WASI_TRAP;
  guest_store64(p, v);
  return 0;
}

/* Well-formed UTF-8 (Unicode, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool is_utf8(const uint8_t *p, size_t n) {
  while (n > 0) {
    size_t more = *p < 0x80 ? 0 : *p < 0xc2 ? 4 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : *p < 0xf5 ? 3 : 4;
    if (more > 3 || more >= n) return false;
    for (size_t i = 1; i <= more; i++)
      if ((p[i] & 0xc0) != 0x80) return false;
    if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f)) return false;
    p += more + 1;
    n -= more + 1;
  }
  return true;
}

wasi_errno_t guest_path(struct wasi_call *c, uint32_t ptr, uint32_t len, char out[WASI_PATH_MAX]) {
  const uint8_t *p = guest_span(c, ptr, len, 1);
  if (!p) return WASI_TRAP;
  if (len == 0) return WASI_ENOENT;
  if (len >= WASI_PATH_MAX) return WASI_ENAMETOOLONG;
  memcpy(out, p, len);
  out[len] = '\0';
  WASI_RACE(c->wasi, "path");
  if (!is_utf8((const uint8_t *)out, len)) return WASI_EILSEQ; /* of the copy: a shared memory may have changed since */
  return WASI_GUARD(c->wasi, WASI_GUARD_NUL) && memchr(out, 0, len) ? WASI_EINVAL : 0;
}
