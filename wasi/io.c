/* io.c: fd_read, fd_write, fd_pread, fd_pwrite and the moving of bytes that the socket calls share.
 *
 * All buffers of a list are used, in batches; a call reports less only when the host moved less. Nothing here blocks in the host
 * for longer than a slice: streams are waited for with poll and then moved without blocking, so that an interrupt ends a read too.
 */
#include "guest.h"

#include <string.h>
#include <sys/uio.h>

enum {
  BATCH = 64,            /* host vectors at a time */
  MOST = 65536,          /* buffers of a list: the time that even empty ones take is bounded */
  LARGEST = 0x7ffff000   /* what one system call moves at most */
};

/* A place in the guest's list of buffers. */
struct cursor {
  uint32_t list, count, index, offset;
};

/* All buffers of the list lie in memory, and their sizes add up to a result that fits. */
static wasi_errno_t measure(struct wasi_call *c, uint32_t list, uint32_t count, uint64_t *total) {
  const uint8_t *v = guest_span(c, list, (uint64_t)count * 8, 4);
  if (!v) return WASI_TRAP;
  if (count > MOST) return WASI_EINVAL; /* as writev(2) has its limit */
  *total = 0;
  for (uint32_t i = 0; i < count; i++, v += 8) {
    uint32_t len = guest_load32(v + 4);
    if (len > 0 && !guest_span(c, guest_load32(v), len, 1)) return WASI_TRAP; /* an empty one may point anywhere */
    *total += len;
  }
  return *total > UINT32_MAX ? WASI_EINVAL : 0;
}

/* The host vectors of at most `limit` bytes from the cursor on. Returns their number, with the bytes in *size; -1 after a trap (the list
 * is in memory that the guest may change). */
static int batch(struct wasi_call *c, const struct cursor *cur, size_t limit, struct iovec vec[BATCH], size_t *size) {
  uint32_t skip = cur->offset;
  int n = 0;
  *size = 0;
  for (uint32_t i = cur->index; i < cur->count && n < BATCH && *size < limit; i++, skip = 0) {
    const uint8_t *v = guest_span(c, cur->list + 8 * i, 8, 4);
    if (!v) return -1;
    uint32_t len = guest_load32(v + 4);
    if (len <= skip) continue;
    uint8_t *p = guest_span(c, guest_load32(v), len, 1);
    if (!p) return -1;
    vec[n].iov_base = p + skip;
    vec[n].iov_len = len - skip < limit - *size ? len - skip : limit - *size;
    *size += vec[n++].iov_len;
  }
  return n;
}

static wasi_errno_t advance(struct wasi_call *c, struct cursor *cur, size_t bytes) {
  const uint8_t *v = guest_span(c, cur->list, (uint64_t)cur->count * 8, 4);
  if (!v) return WASI_TRAP;
  while (cur->index < cur->count) {
    uint32_t len = guest_load32(v + 8 * (size_t)cur->index + 4);
    uint32_t left = len > cur->offset ? len - cur->offset : 0;
    if (bytes < left) {
      cur->offset += (uint32_t)bytes;
      return 0;
    }
    bytes -= left;
    cur->index++;
    cur->offset = 0;
  }
  return 0;
}

static ssize_t move_once(const struct wasi_entry *e, struct iovec *vec, int n, struct wasi_transfer *t) {
  if (wasi_is_socket(e)) {
    struct msghdr m = {.msg_iov = vec};
    ssize_t r;
    m.msg_iovlen = (unsigned)n;
    if (t->write) return sendmsg(e->host, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    r = recvmsg(e->host, &m, MSG_DONTWAIT | t->send_flags);
    if (r >= 0 && m.msg_flags & MSG_TRUNC) t->truncated = true;
    return r;
  }
  if (t->at) {
    off_t at = (off_t)(t->offset + t->done);
    return t->write ? pwritev(e->host, vec, n, at) : preadv(e->host, vec, n, at);
  }
  return t->write ? writev(e->host, vec, n) : readv(e->host, vec, n);
}

/* How many bytes the next system call may move; 0 when the output limit is reached. */
static size_t allowance(const struct wasi_call *c, const struct wasi_entry *e, bool write) {
  size_t limit = write && wasi_is_stream(e) && !e->owned && !wasi_is_socket(e) ? OS_PIPE_BUF : LARGEST;
  uint64_t left = c->wasi->max_output > c->wasi->output ? c->wasi->max_output - c->wasi->output : 0;
  return write && e->counted && c->wasi->max_output > 0 && left < limit ? (size_t)left : limit;
}

/* One system call's worth. *moved is 0 at the end of the input. */
static wasi_errno_t step(struct wasi_call *c, const struct wasi_entry *e, struct cursor *cur, struct wasi_transfer *t, size_t *moved, bool *full) {
  struct iovec vec[BATCH];
  size_t size, limit = allowance(c, e, t->write);
  wasi_errno_t err = 0;
  ssize_t r;
  if (limit == 0) {
    (void)mv_throw(c->caller, MV_LIMIT, "output limit of %llu bytes reached", (unsigned long long)c->wasi->max_output);
    return WASI_TRAP;
  }
  for (;;) {
    err = wasi_is_stream(e) ? wasi_wait(c, e->host, t->write ? POLLOUT : POLLIN, e->flags & WASI_NONBLOCK) : 0;
    if (err) return err;
    int n = batch(c, cur, limit, vec, &size); /* after the wait, which the pointers must not outlive */
    if (n < 0) return WASI_TRAP;
    r = move_once(e, vec, n, t);
    if (r >= 0) break;
    if (errno == EINTR) err = wasi_interrupted(c);
    else if ((errno != EAGAIN && errno != EWOULDBLOCK) || e->flags & WASI_NONBLOCK || !wasi_is_stream(e)) err = wasi_errno(errno);
    if (err) return err;
  }
  *moved = (size_t)r;
  *full = (size_t)r == size;
  return advance(c, cur, *moved);
}

wasi_errno_t wasi_move(struct wasi_call *c, struct wasi_entry *e, uint32_t list, uint32_t count, struct wasi_transfer *t) {
  struct cursor cur = {.list = list, .count = count};
  uint64_t total;
  wasi_errno_t err = measure(c, list, count, &total);
  if (err) return err;
  if (t->at && (t->offset > INT64_MAX || total > INT64_MAX - t->offset)) return WASI_EINVAL;
  bool once = e->type == WASI_SOCKET_DGRAM || (!t->write && wasi_is_stream(e) && !t->all);
  if (total == 0 && e->type != WASI_SOCKET_DGRAM) return 0;
  do {
    size_t moved;
    bool full;
    err = step(c, e, &cur, t, &moved, &full);
    if (err == WASI_TRAP || (err && t->done == 0)) return err;
    if (err) return 0; /* what was moved before counts; the error comes back with the next call */
    t->done += (uint32_t)moved;
    if (t->write && e->counted) c->wasi->output += moved;
    if (moved == 0 || (!t->write && !full && !t->all)) break;
  } while (!once && t->done < total);
  return 0;
}

static wasi_errno_t transfer(struct wasi_call *c, struct wasi_transfer *t, uint32_t out) {
  wasi_errno_t err = wasi_move(c, c->fd[0], wasi_u32(c, 1), wasi_u32(c, 2), t);
  return err ? err : guest_put32(c, out, t->done);
}

wasi_errno_t wasi_fd_read(struct wasi_call *c) {
  return transfer(c, &(struct wasi_transfer){.write = false}, wasi_u32(c, 3));
}

wasi_errno_t wasi_fd_write(struct wasi_call *c) {
  return transfer(c, &(struct wasi_transfer){.write = true}, wasi_u32(c, 3));
}

wasi_errno_t wasi_fd_pread(struct wasi_call *c) {
  return transfer(c, &(struct wasi_transfer){.at = true, .offset = c->cells[3]}, wasi_u32(c, 4));
}

wasi_errno_t wasi_fd_pwrite(struct wasi_call *c) {
  return transfer(c, &(struct wasi_transfer){.write = true, .at = true, .offset = c->cells[3]}, wasi_u32(c, 4));
}
