/* test_rights.c: every right is needed for what it names, and cannot be regained. */
#include "world.h"

#define TEST(name) static void name(void **state)
#define BEGIN \
  struct world *t = world_new(); \
  (void)state
#define END world_delete(t)

/* A descriptor of a file with all rights but some. */
static uint32_t file_without(struct world *t, uint64_t rights) {
  int fd = world_open(t, BOX, "f", WASI_CREAT, R(ALL), 0);
  assert_true(fd > 0);
  assert_int_equal(CALL(t, fd_fdstat_get, (uint32_t)fd, BUF), 0);
  assert_int_equal(CALL(t, fd_fdstat_set_rights, (uint32_t)fd, get64(t, BUF + 8) & ~rights, 0), 0);
  return (uint32_t)fd;
}

static uint32_t folder_without(struct world *t, uint64_t rights) {
  int fd = world_open(t, BOX, ".", WASI_ODIRECTORY, R(ALL) & ~rights & ~R(FD_WRITE), 0);
  assert_true(fd > 0);
  return (uint32_t)fd;
}

TEST(of_files) {
  BEGIN;
  assert_int_equal(CALL(t, fd_advise, file_without(t, R(FD_ADVISE)), 0, 0, 0), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_allocate, file_without(t, R(FD_ALLOCATE)), 0, 1), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_datasync, file_without(t, R(FD_DATASYNC))), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_sync, file_without(t, R(FD_SYNC))), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_fdstat_set_flags, file_without(t, R(FD_FDSTAT_SET_FLAGS)), 0), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_filestat_get, file_without(t, R(FD_FILESTAT_GET)), BUF), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_filestat_set_size, file_without(t, R(FD_FILESTAT_SET_SIZE)), 1), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_filestat_set_times, file_without(t, R(FD_FILESTAT_SET_TIMES)), 1, 1, 1), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_read, file_without(t, R(FD_READ)), one(t, BUF, 1), 1, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_pread, file_without(t, R(FD_SEEK)), one(t, BUF, 1), 1, 0, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_pread, file_without(t, R(FD_READ)), one(t, BUF, 1), 1, 0, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_write, file_without(t, R(FD_WRITE)), one(t, BUF, 1), 1, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_pwrite, file_without(t, R(FD_SEEK)), one(t, BUF, 1), 1, 0, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_seek, file_without(t, R(FD_SEEK)), 1, 0, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_tell, file_without(t, R(FD_SEEK) | R(FD_TELL)), OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_tell, file_without(t, 0), OUT), 0);
  END;
}

TEST(of_folders) {
  BEGIN;
  uint32_t fd;
  world_write(t, "box/a", "");
  assert_int_equal(CALL(t, path_create_directory, folder_without(t, R(PATH_CREATE_DIRECTORY)), PATH(t, "d")), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_filestat_get, folder_without(t, R(PATH_FILESTAT_GET)), 0, PATH(t, "a"), BUF), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_filestat_set_times, folder_without(t, R(PATH_FILESTAT_SET_TIMES)), 0, PATH(t, "a"), 1, 1, 1), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_link, folder_without(t, R(PATH_LINK_SOURCE)), 0, PATH(t, "a"), BOX, PATH(t, "b")), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "a"), folder_without(t, R(PATH_LINK_TARGET)), PATH(t, "b")), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_readlink, folder_without(t, R(PATH_READLINK)), PATH(t, "a"), BUF, 1, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_remove_directory, folder_without(t, R(PATH_REMOVE_DIRECTORY)), PATH(t, "a")), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_rename, folder_without(t, R(PATH_RENAME_SOURCE)), PATH(t, "a"), BOX, PATH(t, "b")), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "a"), folder_without(t, R(PATH_RENAME_TARGET)), PATH(t, "b")), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "a"), folder_without(t, R(PATH_SYMLINK)), PATH(t, "b")), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_unlink_file, folder_without(t, R(PATH_UNLINK_FILE)), PATH(t, "a")), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_readdir, folder_without(t, R(FD_READDIR)), BUF, 10, 0, OUT), WASI_ENOTCAPABLE);
  fd = folder_without(t, R(PATH_OPEN));
  assert_int_equal(world_open(t, fd, "a", 0, 0, 0), -WASI_ENOTCAPABLE);
  fd = folder_without(t, R(PATH_CREATE_FILE));
  assert_int_equal(world_open(t, fd, "a", WASI_CREAT, 0, 0), -WASI_ENOTCAPABLE);
  assert_true(world_open(t, fd, "a", 0, 0, 0) > 0);
  fd = folder_without(t, R(PATH_FILESTAT_SET_SIZE));
  assert_int_equal(world_open(t, fd, "a", WASI_TRUNC, 0, 0), -WASI_ENOTCAPABLE);
  assert_int_equal(world_open(t, fd, "a", WASI_TRUNC, R(FD_WRITE), 0), -WASI_ENOTCAPABLE);
  fd = folder_without(t, R(FD_SYNC));
  assert_int_equal(world_open(t, fd, "a", 0, 0, WASI_SYNC), -WASI_ENOTCAPABLE);
  fd = folder_without(t, R(FD_DATASYNC));
  assert_int_equal(world_open(t, fd, "a", 0, 0, WASI_DSYNC), -WASI_ENOTCAPABLE);
  END;
}

TEST(are_inherited) {
  BEGIN;
  world_mkdir(t, "box/dir");
  world_write(t, "box/dir/f", "");
  int dir = world_open(t, BOX, "dir", WASI_ODIRECTORY, R(PATH_OPEN) | R(FD_READ), 0);
  assert_int_equal(world_open(t, (uint32_t)dir, "f", 0, R(FD_WRITE), 0), -WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_open, (uint32_t)dir, 0, PATH(t, "f"), 0, 0, R(FD_WRITE), 0, OUT), WASI_ENOTCAPABLE);
  int fd = world_open(t, (uint32_t)dir, "f", 0, R(FD_READ), 0);
  assert_true(fd > 0);
  assert_int_equal(CALL(t, fd_fdstat_get, (uint32_t)fd, BUF), 0);
  assert_int_equal(get64(t, BUF + 8), R(FD_READ));
  END;
}

TEST(only_shrink) {
  BEGIN;
  int fd = world_open(t, BOX, "f", WASI_CREAT, R(FD_READ) | R(FD_SEEK), 0);
  assert_int_equal(CALL(t, fd_fdstat_set_rights, (uint32_t)fd, R(FD_READ), R(FD_READ)), 0);
  assert_int_equal(CALL(t, fd_fdstat_set_rights, (uint32_t)fd, R(FD_READ) | R(FD_SEEK), R(FD_READ)), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_fdstat_set_rights, (uint32_t)fd, R(FD_READ), R(FD_READ) | R(FD_SEEK)), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_fdstat_set_rights, (uint32_t)fd, UINT64_MAX, 0), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_fdstat_set_rights, (uint32_t)fd, 0, 0), 0);
  assert_int_equal(CALL(t, fd_fdstat_set_rights, (uint32_t)fd, R(FD_READ), 0), WASI_ENOTCAPABLE);
  END;
}

TEST(read_only_folders_can_be_read) {
  BEGIN;
  assert_int_equal(CALL(t, fd_fdstat_get, RO, BUF), 0);
  assert_int_equal(get64(t, BUF + 8) & (R(PATH_CREATE_FILE) | R(PATH_UNLINK_FILE) | R(PATH_LINK_SOURCE)), 0);
  /* Programs ask for everything; they get what there is. */
  assert_int_equal(world_open(t, RO, "file", WASI_TRUNC, R(ALL), 0), -WASI_EPERM);
  assert_int_equal(world_open(t, RO, "file", WASI_TRUNC, R(FD_READ), 0), -WASI_EPERM);
  int fd = world_open(t, RO, "file", 0, R(ALL) & ~R(FD_WRITE), 0);
  assert_true(fd > 0);
  assert_string_equal(world_fd_read(t, (uint32_t)fd), "fixed");
  assert_int_equal(CALL(t, fd_filestat_set_times, (uint32_t)fd, 1, 1, 1), WASI_EPERM);
  assert_int_equal(world_open(t, RO, "file", 0, R(FD_WRITE), 0), -WASI_EPERM);
  assert_int_equal(world_open(t, RO, "new", WASI_CREAT, R(FD_READ), 0), -WASI_EPERM);
  int dir = world_open(t, RO, "sub", WASI_ODIRECTORY, R(ALL) & ~R(FD_WRITE), 0);
  assert_true(dir > 0);
  assert_true(world_open(t, (uint32_t)dir, "file", 0, R(FD_READ), 0) > 0);
  assert_int_equal(world_open(t, (uint32_t)dir, "file", 0, R(FD_WRITE), 0), -WASI_EPERM);
  assert_int_equal(CALL(t, path_filestat_get, RO, 0, PATH(t, "file"), BUF), 0);
  assert_int_equal(CALL(t, fd_readdir, RO, BUF, 100, 0, OUT), 0);
  END;
}

/* A folder as Go opens it: with no right to change sizes by path, but to write what is opened through it. */
TEST(truncating_what_may_be_written) {
  BEGIN;
  char text[512];
  int fd = -1;
  world_write(t, "box/f", "text");
  assert_int_equal(CALL(t, path_open, BOX, 0, PATH(t, "."), WASI_ODIRECTORY, R(PATH_OPEN), R(FD_WRITE) | R(FD_FILESTAT_SET_SIZE), 0, OUT), 0);
  fd = (int)get32(t, OUT);
  assert_int_equal(CALL(t, path_open, (uint32_t)fd, 0, PATH(t, "f"), WASI_TRUNC, R(FD_WRITE), 0, 0, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, path_open, (uint32_t)fd, 0, PATH(t, "f"), WASI_TRUNC, R(FD_WRITE) | R(FD_FILESTAT_SET_SIZE), 0, 0, OUT), 0);
  assert_string_equal(world_read(t, "box/f", text), "");
  END;
}

int run_rights(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(of_files), cmocka_unit_test(of_folders), cmocka_unit_test(are_inherited), cmocka_unit_test(only_shrink),
    cmocka_unit_test(read_only_folders_can_be_read),
    cmocka_unit_test(truncating_what_may_be_written),
  };
  return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
