/* test_io.c: reading and writing, standard streams, output limit, interrupts, guest addresses. */
#include "world.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define TEST(name) static void name(void **state)
#define BEGIN \
  struct world *t = world_new(); \
  (void)state
#define END world_delete(t)

static const uint64_t rw = WASI_R_FD_READ | WASI_R_FD_WRITE | WASI_R_FD_SEEK | WASI_R_FD_TELL | WASI_R_FD_FILESTAT_GET | WASI_R_FD_FDSTAT_SET_FLAGS;

static uint32_t file(struct world *t, const char *name) {
  int fd = world_open(t, BOX, name, WASI_CREAT, rw, 0);
  assert_true(fd > 2);
  return (uint32_t)fd;
}

static void buffer(struct world *t, uint32_t i, uint32_t at, uint32_t len) {
  set32(t, LIST + 8 * i, at);
  set32(t, LIST + 8 * i + 4, len);
}

TEST(all_buffers_are_written) {
  BEGIN;
  char text[512];
  uint32_t fd = file(t, "f");
  buffer(t, 0, world_text(t, "line"), 4);
  buffer(t, 1, 0, 0);
  buffer(t, 2, world_text(t, "\n"), 1);
  buffer(t, 3, world_text(t, "more"), 4);
  assert_int_equal(CALL(t, fd_write, fd, LIST, 4, OUT), 0);
  assert_int_equal(get32(t, OUT), 9);
  assert_string_equal(world_read(t, "box/f", text), "line\nmore");
  END;
}

TEST(all_buffers_are_read) {
  BEGIN;
  world_write(t, "box/f", "0123456789");
  uint32_t fd = file(t, "f");
  buffer(t, 0, BUF, 3);
  buffer(t, 1, BUF + 100, 0);
  buffer(t, 2, BUF + 200, 4);
  buffer(t, 3, BUF + 300, 100);
  assert_int_equal(CALL(t, fd_read, fd, LIST, 4, OUT), 0);
  assert_int_equal(get32(t, OUT), 10);
  assert_memory_equal(t->memory + BUF, "012\0", 4);
  assert_memory_equal(t->memory + BUF + 200, "3456\0", 5);
  assert_memory_equal(t->memory + BUF + 300, "789\0", 4);
  assert_int_equal(CALL(t, fd_read, fd, LIST, 4, OUT), 0);
  assert_int_equal(get32(t, OUT), 0);
  END;
}

TEST(more_buffers_than_the_host_takes) {
  BEGIN;
  enum { COUNT = 3000 };
  uint32_t fd = file(t, "f"), list = 0x2000;
  for (uint32_t i = 0; i < COUNT; i++) {
    set32(t, list + 8 * i, TEXT + i);
    set32(t, list + 8 * i + 4, 1);
    t->memory[TEXT + i] = (uint8_t)i;
  }
  assert_int_equal(CALL(t, fd_write, fd, list, COUNT, OUT), 0);
  assert_int_equal(get32(t, OUT), COUNT);
  assert_int_equal(CALL(t, fd_seek, fd, 0, 0, OUT2), 0);
  memset(t->memory + TEXT, 0, COUNT);
  assert_int_equal(CALL(t, fd_read, fd, list, COUNT, OUT), 0);
  assert_int_equal(get32(t, OUT), COUNT);
  for (uint32_t i = 0; i < COUNT; i++) assert_int_equal(t->memory[TEXT + i], (uint8_t)i);
  assert_int_equal(CALL(t, fd_pread, fd, list, COUNT, 10, OUT), 0);
  assert_int_equal(get32(t, OUT), COUNT - 10);
  assert_int_equal(t->memory[TEXT + 1], 11);
  END;
}

TEST(pread_and_pwrite) {
  BEGIN;
  char text[512];
  uint32_t fd = file(t, "f");
  assert_int_equal(CALL(t, fd_pwrite, fd, one(t, world_text(t, "0123"), 4), 1, 0, OUT), 0);
  assert_int_equal(get32(t, OUT), 4);
  assert_int_equal(CALL(t, fd_pwrite, fd, one(t, world_text(t, "ab"), 2), 1, 2, OUT), 0);
  assert_string_equal(world_read(t, "box/f", text), "01ab");
  assert_int_equal(CALL(t, fd_pread, fd, one(t, BUF, 10), 1, 1, OUT), 0);
  assert_int_equal(get32(t, OUT), 3);
  assert_memory_equal(t->memory + BUF, "1ab", 3);
  assert_int_equal(CALL(t, fd_tell, fd, OUT), 0);
  assert_int_equal(get64(t, OUT), 0);
  assert_int_equal(CALL(t, fd_pread, fd, one(t, BUF, 10), 1, 100, OUT), 0);
  assert_int_equal(get32(t, OUT), 0);
  assert_int_equal(CALL(t, fd_pread, fd, one(t, BUF, 10), 1, UINT64_MAX, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_pwrite, fd, one(t, BUF, 10), 1, INT64_MAX, OUT), WASI_EINVAL);
  END;
}

TEST(folders_are_not_read_or_written) {
  BEGIN;
  assert_int_equal(CALL(t, fd_read, BOX, one(t, BUF, 1), 1, OUT), WASI_EISDIR);
  assert_int_equal(CALL(t, fd_pread, BOX, one(t, BUF, 1), 1, 0, OUT), WASI_EISDIR);
  assert_int_equal(CALL(t, fd_write, BOX, one(t, BUF, 1), 1, OUT), WASI_EBADF);
  assert_int_equal(CALL(t, fd_pwrite, BOX, one(t, BUF, 1), 1, 0, OUT), WASI_EBADF);
  END;
}

TEST(access_as_opened) {
  BEGIN;
  world_write(t, "box/f", "text");
  int r = world_open(t, BOX, "f", 0, R(FD_READ), 0), w = world_open(t, BOX, "f", 0, R(FD_WRITE), 0);
  assert_int_equal(world_fd_write(t, (uint32_t)r, "x"), WASI_EBADF);
  assert_int_equal(CALL(t, fd_read, (uint32_t)w, one(t, BUF, 1), 1, OUT), WASI_EBADF);
  assert_string_equal(world_fd_read(t, (uint32_t)r), "text");
  END;
}

TEST(stdio_is_one_way) {
  BEGIN;
  int ends[2];
  char got[16] = {0};
  assert_int_equal(pipe(ends), 0);
  mv_wasi_stdio(t->wasi, 0, ends[0]);
  mv_wasi_stdio(t->wasi, 1, ends[1]);
  assert_int_equal(CALL(t, fd_fdstat_get, 0, BUF), 0);
  assert_int_equal(t->memory[BUF], WASI_UNKNOWN);
  assert_int_equal(get64(t, BUF + 8) & (R(FD_READ) | R(FD_WRITE)), R(FD_READ));
  assert_int_equal(CALL(t, fd_fdstat_get, 1, BUF), 0);
  assert_int_equal(get64(t, BUF + 8) & (R(FD_READ) | R(FD_WRITE)), R(FD_WRITE));
  assert_int_equal(world_fd_write(t, 0, "x"), WASI_EBADF);
  assert_int_equal(CALL(t, fd_read, 1, one(t, BUF, 1), 1, OUT), WASI_EBADF);
  assert_int_equal(world_fd_write(t, 1, "hello"), 0);
  assert_string_equal(world_fd_read(t, 0), "hello");
  assert_int_equal(write(ends[1], "a\0b", 3), 3);
  assert_int_equal(CALL(t, fd_read, 0, one(t, BUF, 16), 1, OUT), 0);
  assert_int_equal(get32(t, OUT), 3);
  assert_memory_equal(t->memory + BUF, "a\0b", 3);
  assert_int_equal(world_fd_write(t, 1, "out"), 0);
  assert_int_equal(read(ends[0], got, 16), 3);
  close(ends[1]);
  assert_int_equal(CALL(t, fd_read, 0, one(t, BUF, 16), 1, OUT), 0);
  assert_int_equal(get32(t, OUT), 0); /* the end */
  close(ends[0]);
  END;
}

TEST(closed_stdio) {
  BEGIN;
  mv_wasi_stdio(t->wasi, 0, -1);
  assert_int_equal(CALL(t, fd_read, 0, one(t, BUF, 1), 1, OUT), WASI_EBADF);
  assert_int_equal(CALL(t, fd_fdstat_get, 0, BUF), WASI_EBADF);
  assert_int_equal(CALL(t, fd_prestat_get, BOX, OUT), 0); /* preopens stay where they are */
  END;
}

TEST(file_as_stdio) {
  BEGIN;
  char path[512], text[512];
  world_write(t, "input", "from a file");
  int in = open(world_path(t, "input", path), O_RDONLY), to = open(world_path(t, "output", path), O_WRONLY | O_CREAT, 0666);
  mv_wasi_stdio(t->wasi, 0, in);
  mv_wasi_stdio(t->wasi, 1, to);
  assert_string_equal(world_fd_read(t, 0), "from a file");
  assert_int_equal(CALL(t, fd_seek, 0, 5, 0, OUT), 0);
  assert_string_equal(world_fd_read(t, 0), "a file");
  assert_int_equal(world_fd_write(t, 1, "result"), 0);
  assert_string_equal(world_read(t, "output", text), "result");
  close(in);
  close(to);
  END;
}

/* What a shell lets a program append to has what others wrote, too. */
TEST(file_to_append_to) {
  BEGIN;
  char path[512], text[512];
  world_write(t, "log", "before\n");
  int to = open(world_path(t, "log", path), O_WRONLY | O_APPEND);
  mv_wasi_stdio(t->wasi, 1, to);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, 1, 0), WASI_EPERM);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, 1, WASI_APPEND | WASI_NONBLOCK), 0);
  assert_true(fcntl(to, F_GETFL) & O_APPEND);
  assert_int_equal(CALL(t, fd_filestat_set_size, 1, 0), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_filestat_set_times, 1, 1, 1, 5), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_seek, 1, 0, 0, OUT), 0);
  assert_int_equal(world_fd_write(t, 1, "after"), 0);
  assert_string_equal(world_read(t, "log", text), "before\nafter");
  close(to);
  END;
}

/* The mode would be changed for every process that shares the descriptor. */
TEST(append_mode_of_others) {
  BEGIN;
  char path[512];
  int to = open(world_path(t, "log", path), O_WRONLY | O_CREAT, 0666);
  mv_wasi_stdio(t->wasi, 1, to);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, 1, WASI_APPEND), WASI_EPERM);
  assert_false(fcntl(to, F_GETFL) & O_APPEND);
  close(to);
  END;
}

/* A folder there is not one that was granted. */
TEST(folder_as_stdio) {
  BEGIN;
  char path[512];
  int in = open(world_path(t, "outside", path), O_RDONLY);
  mv_wasi_stdio(t->wasi, 0, in);
  assert_int_equal(CALL(t, path_open, 0, 0, PATH(t, "secret"), 0, R(FD_READ), 0, 0, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_open, 0, 0, PATH(t, "secret"), 0, 0, 0, 0, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_readdir, 0, BUF, 100, 0, OUT), WASI_ENOTCAPABLE);
  close(in);
  END;
}

/* Room on the disk is not to be had past the limit either. */
TEST(output_limit_of_a_file) {
  BEGIN;
  char path[512];
  struct stat st;
  int to = open(world_path(t, "output", path), O_WRONLY | O_CREAT, 0666);
  mv_wasi_stdio(t->wasi, 1, to);
  mv_wasi_max_output(t->wasi, 10);
  assert_int_equal(CALL(t, fd_allocate, 1, 0, 1 << 20), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_filestat_set_size, 1, 1 << 20), WASI_ENOTCAPABLE);
  assert_int_equal(fstat(to, &st), 0);
  assert_int_equal(st.st_size, 0);
  close(to);
  END;
}

TEST(broken_pipe) {
  BEGIN;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  mv_wasi_stdio(t->wasi, 1, ends[1]);
  close(ends[0]);
  assert_int_equal(world_fd_write(t, 1, "x"), WASI_EPIPE);
  close(ends[1]);
  END;
}

TEST(full_disk) {
  BEGIN;
  int full = open("/dev/full", O_WRONLY);
  if (full < 0) skip();
  mv_wasi_stdio(t->wasi, 1, full);
  assert_int_equal(world_fd_write(t, 1, "x"), WASI_ENOSPC);
  close(full);
  END;
}

static void *drain(void *arg) {
  char buf[5000];
  size_t *total = arg;
  ssize_t n;
  usleep(20000);
  while ((n = read((int)*total, buf, sizeof buf)) > 0) total[1] += (size_t)n;
  return NULL;
}

TEST(large_writes_to_a_pipe) {
  BEGIN;
  int ends[2];
  size_t arg[2] = {0};
  pthread_t thread;
  assert_int_equal(pipe(ends), 0);
  arg[0] = (size_t)ends[0];
  mv_wasi_stdio(t->wasi, 1, ends[1]);
  assert_int_equal(pthread_create(&thread, NULL, drain, arg), 0);
  for (int i = 0; i < 4; i++) {
    assert_int_equal(CALL(t, fd_write, 1, one(t, 0, MEMORY_SIZE), 1, OUT), 0); /* more than the pipe holds */
    assert_int_equal(get32(t, OUT), MEMORY_SIZE);
  }
  close(ends[1]);
  pthread_join(thread, NULL);
  assert_int_equal(arg[1], 4 * MEMORY_SIZE);
  close(ends[0]);
  END;
}

TEST(nonblocking) {
  BEGIN;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  mv_wasi_stdio(t->wasi, 0, ends[0]);
  mv_wasi_stdio(t->wasi, 1, ends[1]);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, 0, WASI_NONBLOCK), 0);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, 1, WASI_NONBLOCK), 0);
  assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0); /* shared with other programs: left as it is */
  assert_int_equal(CALL(t, fd_read, 0, one(t, BUF, 1), 1, OUT), WASI_EAGAIN);
  int err;
  uint32_t total = 0;
  while ((err = CALL(t, fd_write, 1, one(t, 0, MEMORY_SIZE), 1, OUT)) == 0) total += get32(t, OUT);
  assert_int_equal(err, WASI_EAGAIN);
  assert_true(total >= 4096);
  close(ends[0]);
  close(ends[1]);
  END;
}

TEST(interrupted_while_blocked) {
  BEGIN;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  mv_wasi_stdio(t->wasi, 0, ends[0]);
  mv_wasi_stdio(t->wasi, 1, ends[1]);
  t->interrupt_after = 3;
  assert_int_equal(CALL(t, fd_read, 0, one(t, BUF, 1), 1, OUT), TRAPPED);
  assert_int_equal(t->kind, MV_INTERRUPTED);
  t->interrupt_after = 30;
  assert_int_equal(CALL(t, fd_write, 1, one(t, 0, MEMORY_SIZE), 1, OUT), TRAPPED);
  assert_int_equal(t->kind, MV_INTERRUPTED);
  close(ends[0]);
  close(ends[1]);
  END;
}

TEST(output_limit) {
  BEGIN;
  char text[512], path[512];
  int to = open(world_path(t, "output", path), O_WRONLY | O_CREAT, 0666);
  mv_wasi_stdio(t->wasi, 1, to);
  mv_wasi_stdio(t->wasi, 2, to);
  mv_wasi_max_output(t->wasi, 10);
  assert_int_equal(world_fd_write(t, 1, "123456"), 0);
  assert_int_equal(world_fd_write(t, 2, "7890"), 0); /* both count */
  assert_int_equal(world_fd_write(t, 2, "x"), TRAPPED);
  assert_int_equal(t->kind, MV_LIMIT);
  mv_wasi_max_output(t->wasi, 5); /* less than was written already */
  assert_int_equal(world_fd_write(t, 1, "x"), TRAPPED);
  assert_int_equal(t->kind, MV_LIMIT);
  assert_string_equal(world_read(t, "output", text), "1234567890");
  uint32_t fd = file(t, "f");
  assert_int_equal(world_fd_write(t, fd, "files do not count"), 0);
  close(to);
  END;
}

TEST(output_limit_inside_a_write) {
  BEGIN;
  char text[512], path[512];
  int to = open(world_path(t, "output", path), O_WRONLY | O_CREAT, 0666);
  mv_wasi_stdio(t->wasi, 1, to);
  mv_wasi_max_output(t->wasi, 10);
  assert_int_equal(world_fd_write(t, 1, "123456789012345"), TRAPPED);
  assert_int_equal(t->kind, MV_LIMIT);
  assert_string_equal(world_read(t, "output", text), "1234567890");
  close(to);
  END;
}

TEST(addresses_are_checked) {
  BEGIN;
  uint32_t fd = file(t, "f");
  static const struct {
    uint32_t at, len;
  } bad[] = {{MEMORY_SIZE, 1}, {MEMORY_SIZE - 1, 2}, {UINT32_MAX, 1}, {1, UINT32_MAX}, {UINT32_MAX, UINT32_MAX}, {0x80000000, 0x80000000}};
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(CALL(t, fd_write, fd, one(t, bad[i].at, bad[i].len), 1, OUT), TRAPPED);
    assert_int_equal(t->kind, MV_TRAP);
    assert_non_null(strstr(t->message, "out of bounds"));
    assert_int_equal(CALL(t, fd_read, fd, one(t, bad[i].at, bad[i].len), 1, OUT), TRAPPED);
    assert_int_equal(CALL(t, random_get, bad[i].at, bad[i].len), TRAPPED);
    assert_int_equal(CALL(t, path_unlink_file, BOX, bad[i].at, bad[i].len), TRAPPED);
  }
  assert_int_equal(CALL(t, fd_write, fd, MEMORY_SIZE - 4, 1, OUT), TRAPPED);     /* the list itself */
  assert_int_equal(CALL(t, fd_write, fd, LIST, 0x20000000, OUT), TRAPPED);       /* 8 times that overflows */
  assert_int_equal(CALL(t, fd_write, fd, one(t, BUF, 1), 1, MEMORY_SIZE), TRAPPED);
  assert_int_equal(CALL(t, fd_write, fd, LIST + 2, 0, OUT), TRAPPED);
  assert_non_null(strstr(t->message, "misaligned"));
  assert_int_equal(CALL(t, fd_filestat_get, fd, BUF + 4), TRAPPED);
  assert_int_equal(CALL(t, fd_fdstat_get, fd, MEMORY_SIZE - 16), TRAPPED);
  assert_int_equal(CALL(t, fd_write, fd, one(t, MEMORY_SIZE, 0), 1, OUT), 0);    /* the very end, nothing of it */
  assert_int_equal(CALL(t, fd_write, fd, one(t, UINT32_MAX, 0), 1, OUT), 0);     /* an empty buffer may be anywhere */
  assert_int_equal(CALL(t, random_get, MEMORY_SIZE + 1, 0), TRAPPED);
  t->no_memory = true;
  assert_int_equal(CALL(t, fd_write, fd, LIST, 1, OUT), TRAPPED);
  assert_int_equal(CALL(t, fd_sync, fd), WASI_ENOTCAPABLE); /* needs none */
  t->no_memory = false;
  for (unsigned i = 0; i < MEMORY_BEYOND; i++) assert_int_equal(t->memory[MEMORY_SIZE + i], CANARY);
  END;
}

TEST(overlong_lists) {
  BEGIN;
  uint32_t fd = file(t, "f"), list = 0x2000;
  for (uint32_t i = 0; i < 1 << 13; i++) { /* 8192 times the whole first half: 2^29 bytes */
    set32(t, list + 8 * i, 0);
    set32(t, list + 8 * i + 4, MEMORY_SIZE);
  }
  assert_int_equal(CALL(t, fd_read, fd, list, 1 << 13, OUT), 0); /* an empty file: what is asked for does not matter */
  assert_int_equal(get32(t, OUT), 0);
  END;
}

TEST(empty_lists) {
  BEGIN;
  uint32_t fd = file(t, "f");
  int ends[2];
  assert_int_equal(CALL(t, fd_write, fd, 0, 0, OUT), 0);
  assert_int_equal(get32(t, OUT), 0);
  assert_int_equal(pipe(ends), 0);
  mv_wasi_stdio(t->wasi, 0, ends[0]);
  assert_int_equal(CALL(t, fd_read, 0, one(t, BUF, 0), 1, OUT), 0); /* does not wait */
  assert_int_equal(get32(t, OUT), 0);
  close(ends[0]);
  close(ends[1]);
  END;
}

int run_io(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(all_buffers_are_written), cmocka_unit_test(all_buffers_are_read), cmocka_unit_test(more_buffers_than_the_host_takes),
    cmocka_unit_test(pread_and_pwrite), cmocka_unit_test(folders_are_not_read_or_written), cmocka_unit_test(access_as_opened),
    cmocka_unit_test(stdio_is_one_way), cmocka_unit_test(closed_stdio), cmocka_unit_test(file_as_stdio), cmocka_unit_test(broken_pipe),
    cmocka_unit_test(file_to_append_to), cmocka_unit_test(append_mode_of_others), cmocka_unit_test(folder_as_stdio), cmocka_unit_test(output_limit_of_a_file),
    cmocka_unit_test(full_disk), cmocka_unit_test(large_writes_to_a_pipe), cmocka_unit_test(nonblocking),
    cmocka_unit_test(interrupted_while_blocked), cmocka_unit_test(output_limit), cmocka_unit_test(output_limit_inside_a_write),
    cmocka_unit_test(addresses_are_checked), cmocka_unit_test(overlong_lists), cmocka_unit_test(empty_lists),
  };
  return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
