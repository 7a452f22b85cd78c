/* poll.c: poll_oneoff: waits until one of several clocks or descriptors is ready.
 *
 * Sleeps in slices, so that an interrupt ends it and a realtime clock that is set meanwhile is noticed.
 */
#include "guest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { EVENT_CLOCK, EVENT_READ, EVENT_WRITE };
enum { ABSTIME = 1, HANGUP = 1, EVENT_SIZE = 32, FEW = 8 };
enum { MOST = 65536 }; /* so that neither the time nor the host's memory that a call takes is the guest's to choose */

struct subscription {
  uint64_t userdata;
  uint64_t deadline;  /* of a clock, on that clock */
  uint64_t bytes;     /* of a descriptor, when ready */
  uint32_t fd;
  clockid_t clock;
  uint16_t error;
  uint16_t flags;
  uint8_t type;
  bool ready;
  int host;
};

static wasi_errno_t read_clock(const uint8_t *p, bool unstable, struct subscription *s) {
  uint64_t timeout, now;
  uint16_t flags;
  p += unstable ? 24 : 16; /* wasi_unstable has an identifier before */
  flags = guest_load16(p + 24);
  if (!wasi_clock(guest_load32(p), &s->clock) || flags & ~ABSTIME) return WASI_EINVAL;
  timeout = guest_load64(p + 8);
  now = flags & ABSTIME ? 0 : wasi_now(s->clock);
  s->deadline = timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
  return 0;
}

/* A descriptor that cannot be waited for is an event with an error, at once. */
static void read_descriptor(struct wasi_call *c, const uint8_t *p, struct subscription *s) {
  uint64_t need = WASI_R_POLL_FD_READWRITE | (s->type == EVENT_READ ? WASI_R_FD_READ : WASI_R_FD_WRITE);
  const struct wasi_entry *e;
  s->fd = guest_load32(p + 16);
  e = wasi_entry(c->wasi, s->fd);
  s->error = !e || e->type == WASI_DIRECTORY ? WASI_EBADF : wasi_entry_allows(c->wasi, e, need);
  s->ready = s->error || !wasi_is_stream(e);
  s->host = e ? e->host : -1;
}

static wasi_errno_t read_subscriptions(struct wasi_call *c, uint32_t count, struct subscription *subs) {
  uint32_t size = c->binding->unstable ? 56 : 48;
  const uint8_t *p = guest_span(c, wasi_u32(c, 0), (uint64_t)count * size, 8);
  if (!p || !guest_span(c, wasi_u32(c, 1), (uint64_t)count * EVENT_SIZE, 8)) return WASI_TRAP;
  for (uint32_t i = 0; i < count; i++, p += size) {
    wasi_errno_t err = 0;
    subs[i] = (struct subscription){.userdata = guest_load64(p), .type = p[8], .host = -1};
    if (subs[i].type == EVENT_CLOCK) err = read_clock(p, c->binding->unstable, &subs[i]);
    else if (subs[i].type <= EVENT_WRITE) read_descriptor(c, p, &subs[i]);
    else err = WASI_EINVAL;
    if (err) return err;
  }
  return 0;
}

/* Marks the clocks that have passed. Returns the time until the first of the others. */
static uint64_t check_clocks(struct subscription *subs, uint32_t count, bool *any) {
  uint64_t least = UINT64_MAX;
  for (uint32_t i = 0; i < count; i++) {
    struct subscription *s = &subs[i];
    uint64_t now;
    if (s->type != EVENT_CLOCK) {
      *any |= s->ready;
      continue;
    }
    now = wasi_now(s->clock);
    if (now >= s->deadline) *any = s->ready = true;
    else if (s->deadline - now < least) least = s->deadline - now;
  }
  return least;
}

static void mark(struct subscription *s, short revents) {
  int n = 0;
  s->ready = true;
  s->bytes = 1;
  if (revents & POLLNVAL) s->error = WASI_EBADF;
  if (revents & (POLLHUP | POLLERR)) s->flags = HANGUP;
  if (s->type == EVENT_READ && ioctl(s->host, FIONREAD, &n) == 0) s->bytes = (uint64_t)(n > 0 ? n : 0);
}

/* A file is always ready; what is left of it is known. */
static void measure_file(struct subscription *s) {
  struct stat st;
  off_t at;
  if (s->error || s->bytes > 0 || s->flags) return;
  s->bytes = 1;
  if (s->type != EVENT_READ || fstat(s->host, &st) < 0 || !S_ISREG(st.st_mode)) return;
  at = lseek(s->host, 0, SEEK_CUR);
  s->bytes = at >= 0 && at < st.st_size ? (uint64_t)(st.st_size - at) : 0;
  if (s->bytes == 0) s->flags = HANGUP;
}

static wasi_errno_t wait_for_any(struct wasi_call *c, struct subscription *subs, struct pollfd *fds, uint32_t count) {
  size_t waiting = 0;
  for (uint32_t i = 0; i < count; i++)
    if (subs[i].type != EVENT_CLOCK && !subs[i].ready)
      fds[waiting++] = (struct pollfd){.fd = subs[i].host, .events = subs[i].type == EVENT_READ ? POLLIN : POLLOUT};
  for (bool any = false; !any;) {
    uint64_t least = check_clocks(subs, count, &any);
    wasi_errno_t err = wasi_interrupted(c);
    if (err) return err;
    int n = os_wait(fds, waiting, any ? 0 : least < WASI_SLICE_NS ? least : WASI_SLICE_NS);
    if (n < 0 && errno != EINTR) return wasi_errno(errno);
    for (uint32_t i = 0, k = 0; n > 0 && i < count; i++) {
      if (subs[i].type == EVENT_CLOCK || subs[i].ready) continue;
      if (fds[k].revents) mark(&subs[i], fds[k].revents);
      any |= fds[k++].revents != 0;
    }
  }
  bool ignored = false;
  (void)check_clocks(subs, count, &ignored);
  return 0;
}

static wasi_errno_t write_events(struct wasi_call *c, struct subscription *subs, uint32_t count) {
  uint8_t *p = guest_span(c, wasi_u32(c, 1), (uint64_t)count * EVENT_SIZE, 8);
  uint32_t n = 0;
  if (!p) return WASI_TRAP;
  for (uint32_t i = 0; i < count; i++) {
    struct subscription *s = &subs[i];
    if (!s->ready) continue;
    if (s->type != EVENT_CLOCK) measure_file(s);
    memset(p, 0, EVENT_SIZE);
    guest_store64(p, s->userdata);
    guest_store16(p + 8, s->error);
    p[10] = s->type;
    guest_store64(p + 16, s->bytes);
    guest_store16(p + 24, s->flags);
    p += EVENT_SIZE;
    n++;
  }
  return guest_put32(c, wasi_u32(c, 3), n);
}

wasi_errno_t wasi_poll_oneoff(struct wasi_call *c) {
  uint32_t count = wasi_u32(c, 2);
  struct subscription few[FEW], *subs = few;
  struct pollfd few_fds[FEW], *fds = few_fds;
  wasi_errno_t err;
  if (count == 0) return WASI_EINVAL;
  if (count > FEW) {
    /* Not more than memory can hold: the size of the list is checked before room is made for it. */
    if (!guest_span(c, wasi_u32(c, 0), (uint64_t)count * 48, 8)) return WASI_TRAP;
    if (count > MOST) return WASI_EINVAL; /* as poll(2) has its limit */
    subs = calloc(count, sizeof *subs);
    fds = calloc(count, sizeof *fds);
  }
  err = subs && fds ? read_subscriptions(c, count, subs) : WASI_ENOMEM;
  if (!err) err = wait_for_any(c, subs, fds, count);
  if (!err) err = write_events(c, subs, count);
  if (count > FEW) {
    free(subs);
    free(fds);
  }
  return err;
}
