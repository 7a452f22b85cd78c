/* sock.c: the socket calls. Sockets come from outside (mv_wasi_listen_fd) or from sock_accept. */
#include "guest.h"

enum { RECV_PEEK = 1, RECV_WAITALL = 2, SHUT_READ = 1, SHUT_WRITE = 2 };

wasi_errno_t wasi_sock_accept(struct wasi_call *c) {
  const struct wasi_entry *e = c->fd[0];
  uint32_t flags = wasi_u32(c, 1), fd;
  struct wasi_entry conn;
  wasi_errno_t err;
  int host;
  if (flags & ~(uint32_t)WASI_NONBLOCK) return WASI_EINVAL;
  for (;;) {
    err = wasi_wait(c, e->host, POLLIN, e->flags & WASI_NONBLOCK);
    if (err) return err;
    host = os_accept(e->host);
    if (host >= 0) break;
    if (errno != EINTR && errno != ECONNABORTED && (errno != EAGAIN || e->flags & WASI_NONBLOCK)) return wasi_errno(errno);
  }
  err = wasi_entry_describe(&conn, host, true);
  conn.flags = (uint16_t)flags;
  conn.base &= e->inheriting;
  conn.inheriting = conn.base;
  if (!err && !wasi_entry_add(c->wasi, &conn, 0, &fd)) err = WASI_ENOMEM;
  if (err) {
    close(host);
    return err;
  }
  return guest_put32(c, wasi_u32(c, 2), fd);
}

wasi_errno_t wasi_sock_recv(struct wasi_call *c) {
  uint32_t flags = wasi_u32(c, 3);
  struct wasi_transfer t = {.send_flags = flags & RECV_PEEK ? MSG_PEEK : 0};
  wasi_errno_t err;
  if (flags & ~(uint32_t)(RECV_PEEK | RECV_WAITALL)) return WASI_EINVAL;
  /* Peeking does not consume, so that it cannot be continued: it sees what is there. */
  t.all = flags & RECV_WAITALL && !(flags & RECV_PEEK) && c->fd[0]->type == WASI_SOCKET_STREAM;
  err = wasi_move(c, c->fd[0], wasi_u32(c, 1), wasi_u32(c, 2), &t);
  if (!err) err = guest_put32(c, wasi_u32(c, 4), t.done);
  return err ? err : guest_put16(c, wasi_u32(c, 5), t.truncated);
}

wasi_errno_t wasi_sock_send(struct wasi_call *c) {
  struct wasi_transfer t = {.write = true};
  wasi_errno_t err;
  if (wasi_u32(c, 3) != 0) return WASI_EINVAL; /* no flags are defined */
  err = wasi_move(c, c->fd[0], wasi_u32(c, 1), wasi_u32(c, 2), &t);
  return err ? err : guest_put32(c, wasi_u32(c, 4), t.done);
}

wasi_errno_t wasi_sock_shutdown(struct wasi_call *c) {
  uint32_t how = wasi_u32(c, 1);
  if (how == 0 || how > (SHUT_READ | SHUT_WRITE)) return WASI_EINVAL;
  how = how == SHUT_READ ? SHUT_RD : how == SHUT_WRITE ? SHUT_WR : SHUT_RDWR;
  return shutdown(c->fd[0]->host, (int)how) < 0 ? wasi_errno(errno) : 0;
}
