/* test_sock.c: the socket calls, on a listening socket of the host and on pairs. */
#include "world.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEST(name) static void name(void **state)
#define BEGIN \
  struct world *t = world_new(); \
  (void)state
#define END world_delete(t)

enum { SOCK = RO + 1 };

static int listener(struct sockaddr_in *address) {
  socklen_t size = sizeof *address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  memset(address, 0, sizeof *address);
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
  assert_int_equal(listen(fd, 4), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
  return fd;
}

static int client(const struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof *address), 0);
  return fd;
}

static int give(struct world *t, int type, int ends[2]) {
  assert_int_equal(socketpair(AF_UNIX, type, 0, ends), 0);
  assert_true(mv_wasi_listen_fd(t->wasi, ends[0]));
  return SOCK;
}

TEST(accept_and_talk) {
  BEGIN;
  struct sockaddr_in address;
  char got[16] = {0};
  int host = listener(&address), peer;
  uint32_t conn;
  assert_true(mv_wasi_listen_fd(t->wasi, host));
  assert_int_equal(CALL(t, fd_fdstat_get, SOCK, BUF), 0);
  assert_int_equal(t->memory[BUF], WASI_SOCKET_STREAM);
  assert_true(get64(t, BUF + 8) & R(SOCK_ACCEPT));
  assert_int_equal(CALL(t, fd_fdstat_set_flags, SOCK, WASI_NONBLOCK), 0);
  assert_int_equal(CALL(t, sock_accept, SOCK, 0, OUT), WASI_EAGAIN);
  peer = client(&address);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, SOCK, 0), 0);
  assert_int_equal(CALL(t, sock_accept, SOCK, WASI_NONBLOCK, OUT), 0);
  conn = get32(t, OUT);
  assert_int_equal(conn, SOCK + 1);
  assert_int_equal(CALL(t, fd_fdstat_get, conn, BUF), 0);
  assert_int_equal(get16(t, BUF + 2), WASI_NONBLOCK);
  assert_int_equal(CALL(t, sock_recv, conn, one(t, BUF, 16), 1, 0, OUT, OUT2), WASI_EAGAIN);
  assert_int_equal(write(peer, "ping", 4), 4);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, conn, 0), 0);
  set32(t, OUT2, 0xffffffff);
  assert_int_equal(CALL(t, sock_recv, conn, one(t, BUF, 16), 1, 0, OUT, OUT2), 0);
  assert_int_equal(get32(t, OUT), 4);
  assert_int_equal(get32(t, OUT2), 0xffff0000);
  assert_memory_equal(t->memory + BUF, "ping", 4);
  assert_int_equal(CALL(t, sock_send, conn, one(t, world_text(t, "pong"), 4), 1, 0, OUT), 0);
  assert_int_equal(get32(t, OUT), 4);
  assert_int_equal(world_fd_write(t, conn, "!"), 0); /* plain writing works as well */
  assert_int_equal(CALL(t, sock_shutdown, conn, 2), 0);
  usleep(10000);
  assert_int_equal(recv(peer, got, 16, MSG_WAITALL), 5);
  assert_string_equal(got, "pong!");
  close(peer);
  assert_int_equal(CALL(t, fd_close, conn), 0);
  close(host);
  END;
}

TEST(accept_is_interrupted) {
  BEGIN;
  struct sockaddr_in address;
  int host = listener(&address);
  assert_true(mv_wasi_listen_fd(t->wasi, host));
  t->interrupt_after = 3;
  assert_int_equal(CALL(t, sock_accept, SOCK, 0, OUT), TRAPPED);
  assert_int_equal(t->kind, MV_INTERRUPTED);
  t->interrupt_after = 0;
  assert_int_equal(CALL(t, sock_accept, SOCK, WASI_APPEND, OUT), WASI_EINVAL);
  close(host);
  END;
}

TEST(accept_on_no_listener) {
  BEGIN;
  int ends[2];
  give(t, SOCK_STREAM, ends);
  assert_int_equal(write(ends[1], "x", 1), 1); /* readable, so that there is no wait */
  assert_int_equal(CALL(t, sock_accept, SOCK, 0, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, sock_accept, BOX, 0, OUT), WASI_ENOTSOCK);
  close(ends[0]);
  close(ends[1]);
  END;
}

TEST(peek_and_wait) {
  BEGIN;
  int ends[2];
  give(t, SOCK_STREAM, ends);
  assert_int_equal(write(ends[1], "abcdef", 6), 6);
  assert_int_equal(CALL(t, sock_recv, SOCK, one(t, BUF, 3), 1, 1, OUT, OUT2), 0);
  assert_int_equal(get32(t, OUT), 3);
  assert_int_equal(CALL(t, sock_recv, SOCK, one(t, BUF, 3), 1, 0, OUT, OUT2), 0);
  assert_memory_equal(t->memory + BUF, "abc", 3);
  assert_int_equal(CALL(t, sock_recv, SOCK, one(t, BUF, 100), 1, 0, OUT, OUT2), 0); /* what is there */
  assert_int_equal(get32(t, OUT), 3);
  assert_int_equal(write(ends[1], "12", 2), 2);
  t->interrupt_after = 5;
  assert_int_equal(CALL(t, sock_recv, SOCK, one(t, BUF, 3), 1, 2, OUT, OUT2), TRAPPED); /* waits for the third */
  t->interrupt_after = 0;
  assert_int_equal(write(ends[1], "xyz", 3), 3);
  close(ends[1]);
  assert_int_equal(CALL(t, sock_recv, SOCK, one(t, BUF, 8), 1, 2, OUT, OUT2), 0);
  assert_int_equal(get32(t, OUT), 3); /* the end came first */
  assert_int_equal(CALL(t, sock_recv, SOCK, one(t, BUF, 8), 1, 4, OUT, OUT2), WASI_EINVAL);
  close(ends[0]);
  END;
}

TEST(datagrams) {
  BEGIN;
  int ends[2];
  give(t, SOCK_DGRAM, ends);
  assert_int_equal(CALL(t, fd_fdstat_get, SOCK, BUF), 0);
  assert_int_equal(t->memory[BUF], WASI_SOCKET_DGRAM);
  assert_int_equal(write(ends[1], "long message", 12), 12);
  assert_int_equal(write(ends[1], "second", 6), 6);
  assert_int_equal(CALL(t, sock_recv, SOCK, one(t, BUF, 4), 1, 0, OUT, OUT2), 0);
  assert_int_equal(get32(t, OUT), 4);
  assert_int_equal(get16(t, OUT2), 1); /* cut */
  assert_int_equal(CALL(t, sock_recv, SOCK, one(t, BUF, 40), 1, 0, OUT, OUT2), 0);
  assert_int_equal(get32(t, OUT), 6);
  assert_int_equal(get16(t, OUT2), 0);
  close(ends[0]);
  close(ends[1]);
  END;
}

TEST(send_to_nobody) {
  BEGIN;
  int ends[2];
  give(t, SOCK_STREAM, ends);
  assert_int_equal(CALL(t, sock_send, SOCK, one(t, BUF, 1), 1, 1, OUT), WASI_EINVAL);
  close(ends[1]);
  assert_int_equal(CALL(t, sock_send, SOCK, one(t, BUF, 1), 1, 0, OUT), WASI_EPIPE);
  close(ends[0]);
  END;
}

TEST(shutdown_directions) {
  BEGIN;
  int ends[2];
  char c;
  give(t, SOCK_STREAM, ends);
  assert_int_equal(CALL(t, sock_shutdown, SOCK, 0), WASI_EINVAL);
  assert_int_equal(CALL(t, sock_shutdown, SOCK, 4), WASI_EINVAL);
  assert_int_equal(CALL(t, sock_shutdown, SOCK, 2), 0);
  assert_int_equal(read(ends[1], &c, 1), 0);
  assert_int_equal(CALL(t, sock_shutdown, SOCK, 3), 0);
  close(ends[0]);
  close(ends[1]);
  END;
}

TEST(no_sockets) {
  BEGIN;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  mv_wasi_stdio(t->wasi, 1, ends[1]);
  assert_int_equal(CALL(t, sock_shutdown, 1, 1), WASI_ENOTSOCK);
  assert_int_equal(CALL(t, sock_send, 1, LIST, 0, 0, OUT), WASI_ENOTSOCK);
  assert_int_equal(CALL(t, sock_recv, 1, LIST, 0, 0, OUT, OUT2), WASI_ENOTSOCK);
  assert_int_equal(CALL(t, sock_shutdown, BOX, 1), WASI_ENOTSOCK);
  close(ends[0]);
  close(ends[1]);
  END;
}

TEST(given_descriptors_stay_open) {
  BEGIN;
  int ends[2];
  give(t, SOCK_STREAM, ends);
  assert_int_equal(CALL(t, fd_close, SOCK), 0);
  END;
  assert_true(fcntl(ends[0], F_GETFD) >= 0);
  close(ends[0]);
  close(ends[1]);
}

int run_sock(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(accept_and_talk), cmocka_unit_test(accept_is_interrupted), cmocka_unit_test(accept_on_no_listener),
    cmocka_unit_test(peek_and_wait), cmocka_unit_test(datagrams), cmocka_unit_test(send_to_nobody), cmocka_unit_test(shutdown_directions),
    cmocka_unit_test(no_sockets), cmocka_unit_test(given_descriptors_stay_open),
  };
  return cmocka_run_group_tests_name("sock", tests, NULL, NULL);
}
