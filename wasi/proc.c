/* proc.c: arguments, environment, the end of the program, yielding, random bytes. */
#include "guest.h"

#include <sched.h>
#include <string.h>

static uint64_t strings_size(const struct wasi_strings *s) {
  uint64_t size = 0;
  for (size_t i = 0; i < s->count; i++) size += strlen(s->at[i]) + 1;
  return size;
}

static wasi_errno_t put_sizes(struct wasi_call *c, const struct wasi_strings *s) {
  uint64_t size = strings_size(s);
  wasi_errno_t err;
  if (s->count > UINT32_MAX || size > UINT32_MAX) return WASI_EOVERFLOW;
  err = guest_put32(c, wasi_u32(c, 0), (uint32_t)s->count);
  return err ? err : guest_put32(c, wasi_u32(c, 1), (uint32_t)size);
}

/* An array of addresses, and the strings that they point to. */
static wasi_errno_t put_strings(struct wasi_call *c, const struct wasi_strings *s) {
  uint32_t to = wasi_u32(c, 1);
  uint8_t *at = guest_span(c, wasi_u32(c, 0), (uint64_t)s->count * 4, 4);
  uint8_t *text = at ? guest_span(c, to, strings_size(s), 1) : NULL;
  if (!text) return WASI_TRAP;
  for (size_t i = 0; i < s->count; i++) {
    size_t len = strlen(s->at[i]) + 1;
    guest_store32(at + 4 * i, to);
    memcpy(text, s->at[i], len);
    text += len;
    to += (uint32_t)len;
  }
  return 0;
}

wasi_errno_t wasi_args_get(struct wasi_call *c) { return put_strings(c, &c->wasi->args); }
wasi_errno_t wasi_args_sizes_get(struct wasi_call *c) { return put_sizes(c, &c->wasi->args); }
wasi_errno_t wasi_environ_get(struct wasi_call *c) { return put_strings(c, &c->wasi->env); }
wasi_errno_t wasi_environ_sizes_get(struct wasi_call *c) { return put_sizes(c, &c->wasi->env); }

/* What becomes of codes that a process cannot return is the command's business. */
wasi_errno_t wasi_proc_exit(struct wasi_call *c) {
  (void)mv_throw_exit(c->caller, (int)(int32_t)wasi_u32(c, 0));
  return WASI_TRAP;
}

/* There are no signals: none can be sent, none could be handled. */
wasi_errno_t wasi_proc_raise(struct wasi_call *c) { return wasi_u32(c, 0) > 30 ? WASI_EINVAL : WASI_ENOTSUP; }

wasi_errno_t wasi_sched_yield(struct wasi_call *c) {
  (void)c;
  return sched_yield() < 0 ? wasi_errno(errno) : 0;
}

wasi_errno_t wasi_random_get(struct wasi_call *c) {
  uint32_t len = wasi_u32(c, 1);
  uint8_t *p = guest_span(c, wasi_u32(c, 0), len, 1);
  if (!p) return WASI_TRAP;
  while (len > 0) {
    uint32_t n = len < 1u << 22 ? len : 1u << 22;
    wasi_errno_t err = wasi_interrupted(c);
    if (err) return err;
    if (!os_random(p, n)) return WASI_EIO;
    p += n;
    len -= n;
  }
  return 0;
}
