/* test_fd.c: the calls of fd.c, and closing and renumbering. */
#include "world.h"

#include <fcntl.h>
#include <unistd.h>

#define TEST(name) static void name(void **state)
#define BEGIN \
  struct world *t = world_new(); \
  (void)state
#define END world_delete(t)

static const uint64_t all = WASI_R_FD_READ | WASI_R_FD_WRITE | WASI_R_FD_SEEK | WASI_R_FD_TELL | WASI_R_FD_FILESTAT_GET | WASI_R_FD_FILESTAT_SET_SIZE |
                            WASI_R_FD_FILESTAT_SET_TIMES | WASI_R_FD_ALLOCATE | WASI_R_FD_ADVISE | WASI_R_FD_SYNC | WASI_R_FD_DATASYNC |
                            WASI_R_FD_FDSTAT_SET_FLAGS | WASI_R_POLL_FD_READWRITE;

static uint32_t file(struct world *t, const char *name) {
  int fd = world_open(t, BOX, name, WASI_CREAT, all, 0);
  assert_true(fd > 2);
  return (uint32_t)fd;
}

static uint64_t size_of(struct world *t, uint32_t fd) {
  assert_int_equal(CALL(t, fd_filestat_get, fd, BUF), 0);
  return get64(t, BUF + 32);
}

TEST(table_is_complete) {
  BEGIN;
#define WASI_CALL(name, sig, args, r, r2) assert_true(world_defines("wasi_snapshot_preview1", #name, sig));
#include "../../wasi/abi.def"
#undef WASI_CALL
  assert_int_equal(WASI_CALLS, 46);
  assert_int_equal(world_count(), 46 + 45);
  assert_false(world_defines("wasi_unstable", "sock_accept", "iii:i"));
  assert_true(world_defines("wasi_unstable", "poll_oneoff", "iiii:i"));
  END;
}

TEST(errno_values) {
  (void)state;
  assert_int_equal(WASI_E2BIG, 1);
  assert_int_equal(WASI_EBADF, 8);
  assert_int_equal(WASI_EINVAL, 28);
  assert_int_equal(WASI_ENOENT, 44);
  assert_int_equal(WASI_EPERM, 63);
  assert_int_equal(WASI_EXDEV, 75);
  assert_int_equal(WASI_ENOTCAPABLE, 76);
  assert_int_equal(wasi_errno(ENOENT), WASI_ENOENT);
  assert_int_equal(wasi_errno(EWOULDBLOCK), WASI_EAGAIN);
  assert_int_equal(wasi_errno(EOPNOTSUPP), WASI_ENOTSUP);
  assert_int_equal(wasi_errno(99999), WASI_EIO);
  assert_int_equal(WASI_R_SOCK_ACCEPT, 1 << 29);
}

TEST(bad_descriptors) {
  BEGIN;
  static const uint32_t bad[] = {5, 99, UINT32_MAX, INT32_MAX};
  for (unsigned i = 0; i < 4; i++) {
    uint32_t fd = bad[i];
    assert_int_equal(CALL(t, fd_advise, fd, 0, 0, 0), WASI_EBADF);
    assert_int_equal(CALL(t, fd_allocate, fd, 0, 1), WASI_EBADF);
    assert_int_equal(CALL(t, fd_close, fd), WASI_EBADF);
    assert_int_equal(CALL(t, fd_datasync, fd), WASI_EBADF);
    assert_int_equal(CALL(t, fd_fdstat_get, fd, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, fd_fdstat_set_flags, fd, 0), WASI_EBADF);
    assert_int_equal(CALL(t, fd_fdstat_set_rights, fd, 0, 0), WASI_EBADF);
    assert_int_equal(CALL(t, fd_filestat_get, fd, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, fd_filestat_set_size, fd, 0), WASI_EBADF);
    assert_int_equal(CALL(t, fd_filestat_set_times, fd, 0, 0, 0), WASI_EBADF);
    assert_int_equal(CALL(t, fd_pread, fd, LIST, 0, 0, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, fd_prestat_get, fd, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, fd_prestat_dir_name, fd, BUF, 10), WASI_EBADF);
    assert_int_equal(CALL(t, fd_pwrite, fd, LIST, 0, 0, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, fd_read, fd, LIST, 0, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, fd_readdir, fd, BUF, 10, 0, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, fd_renumber, fd, BOX), WASI_EBADF);
    assert_int_equal(CALL(t, fd_renumber, BOX, fd), WASI_EBADF);
    assert_int_equal(CALL(t, fd_seek, fd, 0, 0, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, fd_sync, fd), WASI_EBADF);
    assert_int_equal(CALL(t, fd_tell, fd, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, fd_write, fd, LIST, 0, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, sock_accept, fd, 0, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, sock_recv, fd, LIST, 0, 0, OUT, OUT2), WASI_EBADF);
    assert_int_equal(CALL(t, sock_send, fd, LIST, 0, 0, OUT), WASI_EBADF);
    assert_int_equal(CALL(t, sock_shutdown, fd, 1), WASI_EBADF);
    assert_int_equal(CALL(t, path_open, fd, 0, PATH(t, "a"), 0, 0, 0, 0, OUT), WASI_EBADF);
  }
  END;
}

TEST(advise) {
  BEGIN;
  uint32_t fd = file(t, "f");
  for (uint32_t advice = 0; advice <= 5; advice++) assert_int_equal(CALL(t, fd_advise, fd, 10, 50, advice), 0);
  assert_int_equal(CALL(t, fd_advise, fd, 0, 0, 6), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_advise, fd, UINT64_MAX, 1, 0), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_advise, BOX, 0, 0, 0), WASI_EBADF);
  assert_int_equal(size_of(t, fd), 0);
  END;
}

TEST(allocate) {
  BEGIN;
  uint32_t fd = file(t, "f");
  int err = CALL(t, fd_allocate, fd, 0, 100);
  if (err != WASI_ENOTSUP) {
    assert_int_equal(err, 0);
    assert_int_equal(size_of(t, fd), 100);
    assert_int_equal(CALL(t, fd_allocate, fd, 10, 10), 0);
    assert_int_equal(size_of(t, fd), 100);
    assert_int_equal(CALL(t, fd_allocate, fd, 90, 20), 0);
    assert_int_equal(size_of(t, fd), 110);
    assert_int_equal(CALL(t, fd_allocate, fd, 0, 0), WASI_EINVAL);
  }
  assert_int_equal(CALL(t, fd_allocate, fd, UINT64_MAX, 1), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_allocate, fd, INT64_MAX, INT64_MAX), WASI_EFBIG);
  assert_int_equal(CALL(t, fd_allocate, BOX, 0, 1), WASI_EBADF);
  END;
}

TEST(syncing) {
  BEGIN;
  uint32_t fd = file(t, "f");
  assert_int_equal(CALL(t, fd_sync, fd), 0);
  assert_int_equal(CALL(t, fd_datasync, fd), 0);
  assert_int_equal(CALL(t, fd_sync, BOX), 0);
  END;
}

TEST(close_frees_the_number) {
  BEGIN;
  uint32_t a = file(t, "a"), b = file(t, "b");
  assert_int_equal(b, a + 1);
  assert_int_equal(CALL(t, fd_close, a), 0);
  assert_int_equal(CALL(t, fd_close, a), WASI_EBADF);
  assert_int_equal(file(t, "c"), a);
  assert_int_equal(CALL(t, fd_close, BOX), 0); /* a preopen too */
  assert_int_equal(CALL(t, fd_prestat_get, BOX, OUT), WASI_EBADF);
  assert_int_equal(CALL(t, fd_fdstat_get, b, BUF), 0);
  END;
}

TEST(close_of_stdio_keeps_the_host_s) {
  BEGIN;
  for (uint32_t fd = 0; fd < 3; fd++) {
    if (fcntl((int)fd, F_GETFD) < 0) continue;
    assert_int_equal(CALL(t, fd_close, fd), 0);
    assert_int_equal(CALL(t, fd_fdstat_get, fd, BUF), WASI_EBADF);
    assert_true(fcntl((int)fd, F_GETFD) >= 0);
  }
  END;
}

TEST(fdstat_get) {
  BEGIN;
  int fd = world_open(t, BOX, "f", WASI_CREAT, R(FD_READ) | R(PATH_OPEN) | R(FD_SEEK), WASI_APPEND | WASI_SYNC);
  assert_true(fd > 0);
  memset(t->memory + BUF, 0xff, 24);
  assert_int_equal(CALL(t, fd_fdstat_get, (uint32_t)fd, BUF), 0);
  assert_int_equal(t->memory[BUF], WASI_REGULAR_FILE);
  assert_int_equal(t->memory[BUF + 1], 0);
  assert_int_equal(get16(t, BUF + 2), WASI_APPEND | WASI_SYNC);
  assert_int_equal(get32(t, BUF + 4), 0);
  assert_int_equal(get64(t, BUF + 8), R(FD_READ) | R(FD_SEEK)); /* PATH_OPEN means nothing for a file */
  assert_int_equal(get64(t, BUF + 16), R(FD_READ) | R(PATH_OPEN) | R(FD_SEEK));
  assert_int_equal(CALL(t, fd_fdstat_get, BOX, BUF), 0);
  assert_int_equal(t->memory[BUF], WASI_DIRECTORY);
  assert_int_equal(get16(t, BUF + 2), 0);
  assert_int_equal(get64(t, BUF + 8) & (R(FD_SEEK) | R(FD_FILESTAT_SET_SIZE) | R(FD_WRITE)), 0);
  assert_int_equal(get64(t, BUF + 16), R(ALL));
  END;
}

TEST(fdstat_set_flags) {
  BEGIN;
  uint32_t fd = file(t, "f");
  char text[512];
  assert_int_equal(world_fd_write(t, fd, "0123"), 0);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, fd, WASI_APPEND | WASI_NONBLOCK), 0);
  assert_int_equal(CALL(t, fd_fdstat_get, fd, BUF), 0);
  assert_int_equal(get16(t, BUF + 2), WASI_APPEND | WASI_NONBLOCK);
  assert_int_equal(CALL(t, fd_seek, fd, 0, 0, OUT), 0);
  assert_int_equal(world_fd_write(t, fd, "end"), 0);
  assert_string_equal(world_read(t, "box/f", text), "0123end");
  assert_int_equal(CALL(t, fd_fdstat_set_flags, fd, 0), 0);
  assert_int_equal(CALL(t, fd_seek, fd, 0, 0, OUT), 0);
  assert_int_equal(world_fd_write(t, fd, "XX"), 0);
  assert_string_equal(world_read(t, "box/f", text), "XX23end");
  assert_int_equal(CALL(t, fd_fdstat_set_flags, fd, WASI_SYNC), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, fd, 32), WASI_EINVAL);
  END;
}

TEST(fdstat_set_flags_keeps_sync) {
  BEGIN;
  int fd = world_open(t, BOX, "f", WASI_CREAT, all, WASI_DSYNC);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, (uint32_t)fd, WASI_DSYNC | WASI_APPEND), 0);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, (uint32_t)fd, 0), 0);
  assert_int_equal(CALL(t, fd_fdstat_get, (uint32_t)fd, BUF), 0);
  assert_int_equal(get16(t, BUF + 2), WASI_DSYNC);
  END;
}

TEST(filestat_get) {
  BEGIN;
  struct stat st;
  char path[512];
  uint32_t fd = file(t, "f");
  assert_int_equal(world_fd_write(t, fd, "12345"), 0);
  assert_int_equal(stat(world_path(t, "box/f", path), &st), 0);
  memset(t->memory + BUF, 0xff, 80);
  assert_int_equal(CALL(t, fd_filestat_get, fd, BUF), 0);
  assert_int_equal(get64(t, BUF), st.st_dev);
  assert_int_equal(get64(t, BUF + 8), st.st_ino);
  assert_int_equal(get64(t, BUF + 16), WASI_REGULAR_FILE);
  assert_int_equal(get64(t, BUF + 24), 1);
  assert_int_equal(get64(t, BUF + 32), 5);
  assert_int_equal(get64(t, BUF + 40), (uint64_t)st.st_atim.tv_sec * 1000000000 + (uint64_t)st.st_atim.tv_nsec);
  assert_int_equal(get64(t, BUF + 48), (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec);
  assert_int_equal(get64(t, BUF + 56), (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec);
  assert_int_equal(t->memory[BUF + 64], 0xff);
  t->unstable = true;
  memset(t->memory + BUF, 0xff, 80);
  assert_int_equal(CALL(t, fd_filestat_get, fd, BUF), 0);
  assert_int_equal(get64(t, BUF + 8), st.st_ino);
  assert_int_equal(t->memory[BUF + 16], WASI_REGULAR_FILE);
  assert_int_equal(get32(t, BUF + 20), 1);
  assert_int_equal(get64(t, BUF + 24), 5);
  assert_int_equal(get64(t, BUF + 48), (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec);
  assert_int_equal(t->memory[BUF + 56], 0xff);
  END;
}

TEST(filestat_set_size) {
  BEGIN;
  uint32_t fd = file(t, "f");
  assert_int_equal(CALL(t, fd_filestat_set_size, fd, 100), 0);
  assert_int_equal(size_of(t, fd), 100);
  assert_int_equal(CALL(t, fd_filestat_set_size, fd, 7), 0);
  assert_int_equal(size_of(t, fd), 7);
  assert_int_equal(CALL(t, fd_filestat_set_size, fd, UINT64_MAX), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_filestat_set_size, BOX, 0), WASI_EBADF);
  END;
}

TEST(filestat_set_times) {
  BEGIN;
  uint32_t fd = file(t, "f");
  uint64_t atim, ctim;
  assert_int_equal(CALL(t, fd_filestat_get, fd, BUF), 0);
  atim = get64(t, BUF + 40);
  assert_int_equal(CALL(t, fd_filestat_set_times, fd, 1, 1234567890123456789, 4), 0);
  assert_int_equal(CALL(t, fd_filestat_get, fd, BUF), 0);
  assert_int_equal(get64(t, BUF + 40), atim);
  assert_int_equal(get64(t, BUF + 48), 1234567890123456789);
  assert_int_equal(CALL(t, fd_filestat_set_times, fd, 99, 1, 1), 0);
  assert_int_equal(CALL(t, fd_filestat_get, fd, BUF), 0);
  assert_int_equal(get64(t, BUF + 40), 99);
  assert_int_equal(get64(t, BUF + 48), 1234567890123456789);
  assert_int_equal(CALL(t, fd_filestat_set_times, fd, 0, 0, 2 | 8), 0);
  assert_int_equal(CALL(t, fd_filestat_get, fd, BUF), 0);
  ctim = get64(t, BUF + 56);
  assert_true(get64(t, BUF + 48) + 10000000000 > ctim);
  assert_int_equal(CALL(t, fd_filestat_set_times, fd, 1, 1, 3), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_filestat_set_times, fd, 1, 1, 12), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_filestat_set_times, fd, 1, 1, 16), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_filestat_set_times, BOX, 1, 1, 4), 0); /* a folder */
  END;
}

TEST(prestat) {
  BEGIN;
  assert_int_equal(CALL(t, fd_prestat_get, BOX, OUT), 0);
  assert_int_equal(get32(t, OUT), 0);
  assert_int_equal(get32(t, OUT + 4), 1);
  assert_int_equal(CALL(t, fd_prestat_get, RO, OUT), 0);
  assert_int_equal(get32(t, OUT + 4), 3);
  assert_int_equal(CALL(t, fd_prestat_get, RO + 1, OUT), WASI_EBADF);
  if (fcntl(1, F_GETFD) >= 0) assert_int_equal(CALL(t, fd_prestat_get, 1, OUT), WASI_EBADF);
  memset(t->memory + BUF, 'x', 8);
  assert_int_equal(CALL(t, fd_prestat_dir_name, RO, BUF, 3), 0);
  assert_memory_equal(t->memory + BUF, "/rox", 4); /* no terminator */
  assert_int_equal(CALL(t, fd_prestat_dir_name, RO, BUF, 8), 0);
  assert_int_equal(CALL(t, fd_prestat_dir_name, RO, BUF, 2), WASI_ENAMETOOLONG);
  assert_int_equal(CALL(t, fd_prestat_dir_name, file(t, "f"), BUF, 8), WASI_ENOTDIR);
  END;
}

TEST(renumber) {
  BEGIN;
  uint32_t a = file(t, "a"), b = file(t, "b");
  char text[512];
  assert_int_equal(CALL(t, fd_renumber, a, b), 0);
  assert_int_equal(CALL(t, fd_close, a), WASI_EBADF);
  assert_int_equal(world_fd_write(t, b, "into a"), 0);
  assert_string_equal(world_read(t, "box/a", text), "into a");
  assert_int_equal(CALL(t, fd_renumber, b, b), 0);
  assert_int_equal(CALL(t, fd_renumber, b, a), WASI_EBADF);
  assert_int_equal(CALL(t, fd_renumber, BOX, b), 0); /* a preopen keeps its name */
  assert_int_equal(CALL(t, fd_prestat_get, b, OUT), 0);
  assert_int_equal(CALL(t, fd_prestat_get, BOX, OUT), WASI_EBADF);
  assert_int_equal(world_open(t, b, "a", 0, R(FD_READ), 0), BOX);
  END;
}

TEST(seek_and_tell) {
  BEGIN;
  uint32_t fd = file(t, "f");
  assert_int_equal(CALL(t, fd_tell, fd, OUT), 0);
  assert_int_equal(get64(t, OUT), 0);
  assert_int_equal(world_fd_write(t, fd, "0123456789"), 0);
  assert_int_equal(CALL(t, fd_tell, fd, OUT), 0);
  assert_int_equal(get64(t, OUT), 10);
  assert_int_equal(CALL(t, fd_seek, fd, (uint64_t)-5, 1, OUT), 0);
  assert_int_equal(get64(t, OUT), 5);
  assert_int_equal(CALL(t, fd_seek, fd, 3, 0, OUT), 0);
  assert_int_equal(get64(t, OUT), 3);
  assert_int_equal(CALL(t, fd_seek, fd, (uint64_t)-1, 2, OUT), 0);
  assert_int_equal(get64(t, OUT), 9);
  assert_int_equal(CALL(t, fd_seek, fd, 1000, 1, OUT), 0);
  assert_int_equal(CALL(t, fd_seek, fd, (uint64_t)-2000, 1, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_seek, fd, 0, 3, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, fd_seek, BOX, 0, 1, OUT), WASI_EBADF);
  assert_int_equal(CALL(t, fd_tell, BOX, OUT), WASI_EBADF);
  END;
}

TEST(seek_in_unstable) {
  BEGIN;
  uint32_t fd = file(t, "f");
  t->unstable = true;
  assert_int_equal(world_fd_write(t, fd, "0123456789"), 0);
  assert_int_equal(CALL(t, fd_seek, fd, (uint64_t)-5, 0, OUT), 0); /* cur */
  assert_int_equal(get64(t, OUT), 5);
  assert_int_equal(CALL(t, fd_seek, fd, (uint64_t)-1, 1, OUT), 0); /* end */
  assert_int_equal(get64(t, OUT), 9);
  assert_int_equal(CALL(t, fd_seek, fd, 3, 2, OUT), 0); /* set */
  assert_int_equal(get64(t, OUT), 3);
  END;
}

TEST(seek_needs_only_tell_to_tell) {
  BEGIN;
  int fd = world_open(t, BOX, "f", WASI_CREAT, R(FD_TELL), 0);
  assert_int_equal(CALL(t, fd_seek, (uint32_t)fd, 0, 1, OUT), 0);
  assert_int_equal(CALL(t, fd_seek, (uint32_t)fd, 1, 1, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_seek, (uint32_t)fd, 0, 0, OUT), WASI_ENOTCAPABLE);
  fd = world_open(t, BOX, "f", 0, R(FD_SEEK), 0);
  assert_int_equal(CALL(t, fd_tell, (uint32_t)fd, OUT), 0); /* seeking implies telling */
  END;
}

TEST(pipes_have_no_position) {
  BEGIN;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  mv_wasi_stdio(t->wasi, 0, ends[0]);
  assert_int_equal(CALL(t, fd_seek, 0, 0, 1, OUT), WASI_ESPIPE);
  assert_int_equal(CALL(t, fd_tell, 0, OUT), WASI_ESPIPE);
  assert_int_equal(CALL(t, fd_pread, 0, one(t, BUF, 1), 1, 0, OUT), WASI_ESPIPE);
  assert_int_equal(CALL(t, fd_advise, 0, 0, 0, 0), WASI_ESPIPE);
  mv_wasi_stdio(t->wasi, 1, ends[1]);
  assert_int_equal(CALL(t, fd_pwrite, 1, one(t, BUF, 1), 1, 0, OUT), WASI_ESPIPE);
  close(ends[0]);
  close(ends[1]);
  END;
}

int run_fd(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(table_is_complete), cmocka_unit_test(errno_values), cmocka_unit_test(bad_descriptors), cmocka_unit_test(advise),
    cmocka_unit_test(allocate), cmocka_unit_test(syncing), cmocka_unit_test(close_frees_the_number),
    cmocka_unit_test(close_of_stdio_keeps_the_host_s), cmocka_unit_test(fdstat_get), cmocka_unit_test(fdstat_set_flags),
    cmocka_unit_test(fdstat_set_flags_keeps_sync), cmocka_unit_test(filestat_get), cmocka_unit_test(filestat_set_size),
    cmocka_unit_test(filestat_set_times), cmocka_unit_test(prestat), cmocka_unit_test(renumber), cmocka_unit_test(seek_and_tell),
    cmocka_unit_test(seek_in_unstable), cmocka_unit_test(seek_needs_only_tell_to_tell), cmocka_unit_test(pipes_have_no_position),
  };
  return cmocka_run_group_tests_name("fd", tests, NULL, NULL);
}
