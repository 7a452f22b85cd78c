/* test_path.c: the calls of path.c, each with both ways of resolving. */
#include "world.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define TEST(name) static void name(struct world *t)

static const uint64_t rw = WASI_R_FD_READ | WASI_R_FD_WRITE | WASI_R_FD_SEEK | WASI_R_FD_FILESTAT_GET;

static void create(struct world *t, const char *path) {
  int fd = world_open(t, BOX, path, WASI_CREAT, 0, 0);
  assert_true(fd > 0);
  assert_int_equal(CALL(t, fd_close, (uint32_t)fd), 0);
}

static int open_dir(struct world *t, uint32_t lookup, const char *path, uint32_t oflags) {
  int err = CALL(t, path_open, BOX, lookup, PATH(t, path), oflags, 0, 0, 0, OUT);
  if (err == 0) assert_int_equal(CALL(t, fd_close, get32(t, OUT)), 0);
  return err;
}

static int filetype(struct world *t, uint32_t lookup, const char *path) {
  int err = CALL(t, path_filestat_get, BOX, lookup, PATH(t, path), BUF);
  return err ? -err : t->memory[BUF + 16];
}

TEST(interesting_paths) {
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "dir")), 0);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "dir/nested")), 0);
  create(t, "dir/nested/file");
  assert_int_equal(open_dir(t, 0, "/dir/nested/file", 0), WASI_EPERM);
  assert_int_equal(open_dir(t, 0, "dir/.//nested/../../dir/nested/../nested///./file", 0), 0);
  assert_int_equal(CALL(t, path_open, BOX, 0, world_text(t, "dir/nested/file") /* and a NUL */, 16, 0, 0, 0, 0, OUT), WASI_EINVAL);
  assert_int_equal(open_dir(t, 0, "dir/nested/file/", 0), WASI_ENOTDIR);
  assert_int_equal(open_dir(t, 0, "dir/nested/file///", 0), WASI_ENOTDIR);
  assert_int_equal(open_dir(t, 0, "dir/nested/", 0), 0);
  assert_int_equal(open_dir(t, 0, "dir/nested///", 0), 0);
  assert_int_equal(open_dir(t, 0, "dir/nested/../../../x/dir/nested/file", 0), WASI_EPERM);
  assert_int_equal(open_dir(t, 0, ".", 0), 0);
  assert_int_equal(open_dir(t, 0, "./", 0), 0);
  assert_int_equal(open_dir(t, 0, "dir/..", 0), 0);
  assert_int_equal(open_dir(t, 0, "dir/nested/../..", 0), 0);
  assert_int_equal(open_dir(t, 0, "..", 0), WASI_EPERM);
  assert_int_equal(open_dir(t, 0, "dir/../..", 0), WASI_EPERM);
  assert_int_equal(open_dir(t, 0, "missing/../dir", 0), WASI_ENOENT);
  assert_int_equal(open_dir(t, 0, "dir/nested/file/../file", 0), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_open, BOX, 0, TEXT, 0, 0, 0, 0, 0, OUT), WASI_ENOENT); /* an empty path */
  assert_int_equal(CALL(t, path_open, BOX, 0, world_text(t, "\xff\xfe"), 2, 0, 0, 0, 0, OUT), WASI_EILSEQ);
  assert_int_equal(CALL(t, path_open, BOX, 0, world_text(t, "\xc0\xaf"), 2, 0, 0, 0, 0, OUT), WASI_EILSEQ);
  assert_int_equal(CALL(t, path_open, BOX, 0, world_text(t, "\xed\xa0\x80"), 3, 0, 0, 0, 0, OUT), WASI_EILSEQ);
  assert_int_equal(CALL(t, path_open, BOX, 0, world_text(t, "\xe4"), 1, 0, 0, 0, 0, OUT), WASI_EILSEQ);
  assert_int_equal(open_dir(t, 0, "gr\xc3\xbc\xc3\x9f" "e", WASI_CREAT), 0);
  assert_int_equal(open_dir(t, 0, "\xf0\x9f\xa6\x80", WASI_CREAT), 0);
}

TEST(long_paths) {
  static char path[5000];
  memset(path, 'a', 300);
  assert_int_equal(open_dir(t, 0, path, 0), WASI_ENAMETOOLONG);
  for (unsigned i = 0; i < 4090; i += 2) memcpy(path + i, "./", 3);
  assert_int_equal(open_dir(t, 0, path, 0), 0);
  for (unsigned i = 0; i < 4998; i += 2) memcpy(path + i, "./", 3);
  assert_int_equal(open_dir(t, 0, path, 0), WASI_ENAMETOOLONG);
  path[4096] = '\0';
  assert_int_equal(open_dir(t, 0, path, 0), WASI_ENAMETOOLONG);
  /* Deep, and up again. */
  strcpy(path, "d");
  for (int i = 0; i < 40; i++) {
    assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, path)), 0);
    strcat(path, "/d");
  }
  path[strlen(path) - 2] = '\0';
  assert_int_equal(open_dir(t, 0, path, WASI_ODIRECTORY), 0);
  for (int i = 0; i < 40; i++) strcat(path, "/..");
  assert_int_equal(open_dir(t, 0, path, 0), 0);
  strcat(path, "/..");
  assert_int_equal(open_dir(t, 0, path, 0), WASI_EPERM);
}

TEST(open_creates) {
  assert_int_equal(open_dir(t, 0, "file", 0), WASI_ENOENT);
  assert_int_equal(open_dir(t, 0, "file", WASI_CREAT), 0);
  assert_int_equal(open_dir(t, 0, "file", WASI_CREAT), 0);
  assert_int_equal(open_dir(t, 0, "file", WASI_CREAT | WASI_EXCL), WASI_EEXIST);
  assert_int_equal(open_dir(t, 0, "new", WASI_CREAT | WASI_EXCL), 0);
  assert_int_equal(open_dir(t, 0, "missing/file", WASI_CREAT), WASI_ENOENT);
  assert_int_equal(open_dir(t, 0, "slash/", WASI_CREAT), WASI_EISDIR);
  assert_false(world_exists(t, "box/slash"));
}

TEST(open_folders) {
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "dir")), 0);
  assert_int_equal(open_dir(t, 0, "dir", WASI_ODIRECTORY), 0);
  assert_int_equal(open_dir(t, 0, "dir", 0), 0);
  create(t, "file");
  assert_int_equal(open_dir(t, 0, "file", WASI_ODIRECTORY), WASI_ENOTDIR);
  assert_int_equal(open_dir(t, 0, "dir", WASI_ODIRECTORY | WASI_CREAT), WASI_EINVAL);
  assert_int_equal(open_dir(t, 0, "dir", WASI_CREAT), WASI_EISDIR);
  assert_int_equal(open_dir(t, 0, "dir", WASI_TRUNC), WASI_EISDIR);
  assert_int_equal(world_open(t, BOX, "dir", WASI_ODIRECTORY, R(FD_READ) | R(FD_WRITE), 0), -WASI_EISDIR);
  assert_int_equal(world_open(t, BOX, ".", WASI_ODIRECTORY, R(FD_READ) | R(FD_WRITE), 0), -WASI_EISDIR);
  int fd = world_open(t, BOX, "dir", WASI_ODIRECTORY, R(FD_READ) | R(FD_SEEK) | R(FD_READDIR), WASI_NONBLOCK);
  assert_true(fd > 0);
  assert_int_equal(CALL(t, fd_fdstat_get, (uint32_t)fd, BUF), 0);
  assert_int_equal(get64(t, BUF + 8), R(FD_READDIR)); /* what makes sense for a folder */
  assert_int_equal(CALL(t, fd_seek, (uint32_t)fd, 0, 1, OUT), WASI_EBADF);
}

TEST(open_below_a_file) {
  int fd = world_open(t, BOX, "file", WASI_CREAT, 0, 0);
  assert_int_equal(world_open(t, (uint32_t)fd, "foo", WASI_CREAT, 0, 0), -WASI_ENOTDIR);
  assert_int_equal(open_dir(t, 0, "file/foo", WASI_CREAT), WASI_ENOTDIR);
}

TEST(open_truncates) {
  char text[512];
  world_write(t, "box/f", "long contents");
  int fd = world_open(t, BOX, "f", WASI_CREAT | WASI_TRUNC, rw, 0);
  assert_string_equal(world_read(t, "box/f", text), "");
  assert_string_equal(world_fd_read(t, (uint32_t)fd), "");
  world_write(t, "box/f", "again");
  assert_int_equal(open_dir(t, 0, "f", WASI_TRUNC), 0); /* without the right to write */
  assert_string_equal(world_read(t, "box/f", text), "");
}

TEST(open_flags_are_checked) {
  create(t, "f");
  assert_int_equal(CALL(t, path_open, BOX, 2, PATH(t, "f"), 0, 0, 0, 0, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, path_open, BOX, 0, PATH(t, "f"), 16, 0, 0, 0, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, path_open, BOX, 0, PATH(t, "f"), 0, UINT64_C(1) << 30, 0, 0, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, path_open, BOX, 0, PATH(t, "f"), 0, 0, 0, 32, OUT), WASI_EINVAL);
}

TEST(open_appends) {
  char text[512];
  world_write(t, "box/f", "begin");
  int fd = world_open(t, BOX, "f", 0, rw, WASI_APPEND);
  assert_int_equal(world_fd_write(t, (uint32_t)fd, "+end"), 0);
  assert_string_equal(world_read(t, "box/f", text), "begin+end");
}

TEST(open_without_following) {
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "target")), 0);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "target"), BOX, PATH(t, "link")), 0);
  assert_int_equal(open_dir(t, 0, "link", WASI_ODIRECTORY), WASI_ENOTDIR);
  assert_int_equal(open_dir(t, 0, "link", 0), WASI_ELOOP);
  assert_int_equal(open_dir(t, 1, "link", WASI_ODIRECTORY), 0);
  assert_int_equal(open_dir(t, 0, "link/", 0), 0); /* the slash follows */
  assert_int_equal(open_dir(t, 0, "link/.", 0), 0);
  assert_int_equal(CALL(t, path_unlink_file, BOX, PATH(t, "link")), 0);
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, "target")), 0);
  create(t, "target");
  assert_int_equal(CALL(t, path_symlink, PATH(t, "target"), BOX, PATH(t, "link")), 0);
  assert_int_equal(open_dir(t, 0, "link", WASI_ODIRECTORY), WASI_ENOTDIR);
  assert_int_equal(open_dir(t, 0, "link", 0), WASI_ELOOP);
  assert_int_equal(open_dir(t, 1, "link", WASI_ODIRECTORY), WASI_ENOTDIR);
  assert_int_equal(open_dir(t, 1, "link", 0), 0);
  assert_int_equal(open_dir(t, 0, "link/", 0), WASI_ENOTDIR);
}

TEST(dangling_links) {
  assert_int_equal(CALL(t, path_symlink, PATH(t, "target"), BOX, PATH(t, "link")), 0);
  assert_int_equal(open_dir(t, 0, "link", WASI_ODIRECTORY), WASI_ENOTDIR);
  assert_int_equal(open_dir(t, 0, "link", 0), WASI_ELOOP);
  assert_int_equal(open_dir(t, 1, "link", 0), WASI_ENOENT);
  assert_int_equal(open_dir(t, 0, "link", WASI_CREAT), WASI_ELOOP);
  assert_int_equal(open_dir(t, 1, "link", WASI_CREAT | WASI_EXCL), WASI_EEXIST);
  assert_int_equal(open_dir(t, 1, "link", WASI_CREAT), 0); /* makes the target, inside */
  assert_true(world_exists(t, "box/target"));
}

TEST(link_loops) {
  assert_int_equal(CALL(t, path_symlink, PATH(t, "loop"), BOX, PATH(t, "loop")), 0);
  assert_int_equal(open_dir(t, 0, "loop", 0), WASI_ELOOP);
  assert_int_equal(open_dir(t, 1, "loop", 0), WASI_ELOOP);
  assert_int_equal(open_dir(t, 0, "loop/file", 0), WASI_ELOOP);
  assert_int_equal(filetype(t, 1, "loop"), -WASI_ELOOP);
  assert_int_equal(filetype(t, 0, "loop"), WASI_SYMBOLIC_LINK);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "b"), BOX, PATH(t, "a")), 0);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "a"), BOX, PATH(t, "b")), 0);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "a/x")), WASI_ELOOP);
}

TEST(links_inside) {
  world_mkdir(t, "box/dir");
  world_mkdir(t, "box/dir/sub");
  world_write(t, "box/file", "found");
  world_write(t, "box/dir/sub/file", "below");
  assert_int_equal(CALL(t, path_symlink, PATH(t, "../../file"), BOX, PATH(t, "dir/sub/up")), 0); /* up, but not out */
  assert_int_equal(CALL(t, path_symlink, PATH(t, "dir/sub/"), BOX, PATH(t, "down")), 0);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "down/up"), BOX, PATH(t, "both")), 0);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "dir/sub/.."), BOX, PATH(t, "dots")), 0);
  assert_int_equal(open_dir(t, 1, "dir/sub/up", 0), 0);
  assert_int_equal(open_dir(t, 1, "down", WASI_ODIRECTORY), 0);
  assert_int_equal(open_dir(t, 0, "down/file", 0), 0);
  assert_int_equal(open_dir(t, 0, "down/../sub/file", 0), 0);
  assert_int_equal(open_dir(t, 0, "dots/sub/file", 0), 0);
  int err = CALL(t, path_open, BOX, 1, PATH(t, "both"), 0, R(FD_READ), 0, 0, OUT);
  assert_int_equal(err, 0);
  assert_string_equal(world_fd_read(t, get32(t, OUT)), "found");
  assert_int_equal(filetype(t, 1, "both"), WASI_REGULAR_FILE);
  assert_int_equal(filetype(t, 1, "dots"), WASI_DIRECTORY);
  assert_int_equal(filetype(t, 1, "down"), WASI_DIRECTORY);
  /* From a descriptor, its own folder is as high as a path may go. */
  int sub = world_open(t, BOX, "dir/sub", WASI_ODIRECTORY, R(PATH_OPEN), 0);
  assert_int_equal(CALL(t, path_open, (uint32_t)sub, 1, PATH(t, "up"), 0, 0, 0, 0, OUT), WASI_EPERM);
  assert_int_equal(CALL(t, path_open, (uint32_t)sub, 1, PATH(t, "file"), 0, 0, 0, 0, OUT), 0);
}

TEST(create_directory) {
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "a")), 0);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "a")), WASI_EEXIST);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "a/b/")), 0);
  assert_int_equal(filetype(t, 0, "a/b"), WASI_DIRECTORY);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "x/y")), WASI_ENOENT);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, ".")), WASI_EEXIST);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "a/..")), WASI_EEXIST);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "..")), WASI_EPERM);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "/a")), WASI_EPERM);
}

TEST(remove_directory) {
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "dir")), 0);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "dir/nested")), 0);
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, "dir")), WASI_ENOTEMPTY);
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, "dir/nested/")), 0);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "dir"), BOX, PATH(t, "link")), 0);
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, "link")), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, "link/")), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, "dir")), 0);
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, "dir")), WASI_ENOENT);
  create(t, "file");
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, "file")), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, "file/")), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, ".")), WASI_EINVAL);
}

TEST(unlink_file) {
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "dir")), 0);
  assert_int_equal(CALL(t, path_unlink_file, BOX, PATH(t, "dir")), WASI_EISDIR);
  assert_int_equal(CALL(t, path_unlink_file, BOX, PATH(t, "dir/")), WASI_EISDIR);
  create(t, "file");
  assert_int_equal(CALL(t, path_unlink_file, BOX, PATH(t, "file/")), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_unlink_file, BOX, PATH(t, "file")), 0);
  assert_int_equal(CALL(t, path_unlink_file, BOX, PATH(t, "file")), WASI_ENOENT);
  create(t, "file");
  assert_int_equal(CALL(t, path_symlink, PATH(t, "file"), BOX, PATH(t, "link")), 0);
  assert_int_equal(CALL(t, path_unlink_file, BOX, PATH(t, "link")), 0);
  assert_true(world_exists(t, "box/file"));
  assert_false(world_exists(t, "box/link"));
}

TEST(unlinked_files_stay_open) {
  int fd = world_open(t, BOX, "file", WASI_CREAT, rw, 0);
  assert_int_equal(CALL(t, path_unlink_file, BOX, PATH(t, "file")), 0);
  assert_int_equal(world_fd_write(t, (uint32_t)fd, "still"), 0);
  assert_int_equal(CALL(t, fd_filestat_get, (uint32_t)fd, BUF), 0);
  assert_int_equal(get64(t, BUF + 24), 0);
  assert_int_equal(open_dir(t, 0, "file", WASI_CREAT | WASI_EXCL), 0);
}

TEST(filestat_get) {
  world_write(t, "box/file", "12345");
  world_mkdir(t, "box/dir");
  world_symlink(t, "file", "box/link");
  world_symlink(t, "dir", "box/dirlink");
  assert_int_equal(filetype(t, 0, "file"), WASI_REGULAR_FILE);
  assert_int_equal(get64(t, BUF + 32), 5);
  assert_int_equal(filetype(t, 1, "file"), WASI_REGULAR_FILE);
  assert_int_equal(filetype(t, 0, "dir"), WASI_DIRECTORY);
  assert_int_equal(filetype(t, 0, "dir/"), WASI_DIRECTORY);
  assert_int_equal(filetype(t, 0, "."), WASI_DIRECTORY);
  assert_int_equal(filetype(t, 0, "link"), WASI_SYMBOLIC_LINK);
  assert_int_equal(get64(t, BUF + 32), 4);
  assert_int_equal(filetype(t, 1, "link"), WASI_REGULAR_FILE);
  assert_int_equal(filetype(t, 0, "dirlink"), WASI_SYMBOLIC_LINK);
  assert_int_equal(filetype(t, 0, "dirlink/"), WASI_DIRECTORY);
  assert_int_equal(filetype(t, 1, "dirlink"), WASI_DIRECTORY);
  assert_int_equal(filetype(t, 0, "file/"), -WASI_ENOTDIR);
  assert_int_equal(filetype(t, 0, "link/"), -WASI_ENOTDIR);
  assert_int_equal(filetype(t, 0, "missing"), -WASI_ENOENT);
  assert_int_equal(filetype(t, 0, ".."), -WASI_EPERM);
  assert_int_equal(CALL(t, path_filestat_get, BOX, 2, PATH(t, "file"), BUF), WASI_EINVAL);
  t->unstable = true;
  assert_int_equal(filetype(t, 0, "file"), WASI_REGULAR_FILE);
  assert_int_equal(get64(t, BUF + 24), 5);
}

TEST(filestat_set_times) {
  uint64_t mtim;
  world_write(t, "box/file", "");
  world_symlink(t, "file", "box/link");
  assert_int_equal(CALL(t, path_filestat_get, BOX, 0, PATH(t, "file"), BUF), 0);
  mtim = get64(t, BUF + 48);
  assert_int_equal(CALL(t, path_filestat_set_times, BOX, 0, PATH(t, "link"), 0, 5000000007, 4), 0);
  assert_int_equal(CALL(t, path_filestat_get, BOX, 0, PATH(t, "link"), BUF), 0);
  assert_int_equal(get64(t, BUF + 48), 5000000007);
  assert_int_equal(CALL(t, path_filestat_get, BOX, 0, PATH(t, "file"), BUF), 0);
  assert_int_equal(get64(t, BUF + 48), mtim);
  assert_int_equal(CALL(t, path_filestat_set_times, BOX, 1, PATH(t, "link"), 0, 6000000008, 4), 0);
  assert_int_equal(CALL(t, path_filestat_get, BOX, 0, PATH(t, "file"), BUF), 0);
  assert_int_equal(get64(t, BUF + 48), 6000000008);
  assert_int_equal(CALL(t, path_filestat_set_times, BOX, 0, PATH(t, "file"), 0, 0, 12), WASI_EINVAL);
  assert_int_equal(CALL(t, path_filestat_set_times, BOX, 0, PATH(t, "file"), 0, 0, 3), WASI_EINVAL);
  assert_int_equal(CALL(t, path_filestat_set_times, BOX, 0, PATH(t, "file/"), 0, 0, 4), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_filestat_set_times, BOX, 0, PATH(t, "missing"), 0, 0, 4), WASI_ENOENT);
}

TEST(hard_links) {
  char text[512];
  world_write(t, "box/file", "linked");
  world_mkdir(t, "box/dir");
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "file"), BOX, PATH(t, "link")), 0);
  assert_string_equal(world_read(t, "box/link", text), "linked");
  int dir = world_open(t, BOX, "dir", WASI_ODIRECTORY, R(PATH_LINK_TARGET), 0);
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "file"), (uint32_t)dir, PATH(t, "link")), 0);
  assert_string_equal(world_read(t, "box/dir/link", text), "linked");
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "file"), BOX, PATH(t, "link")), WASI_EEXIST);
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "file"), BOX, PATH(t, "file")), WASI_EEXIST);
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "file"), BOX, PATH(t, "dir")), WASI_EEXIST);
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "dir"), BOX, PATH(t, "new")), WASI_EPERM);
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "file"), BOX, PATH(t, "new/")), WASI_ENOENT);
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "file/"), BOX, PATH(t, "new")), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "missing"), BOX, PATH(t, "new")), WASI_ENOENT);
  assert_int_equal(CALL(t, path_link, BOX, 1, PATH(t, "file"), BOX, PATH(t, "new")), WASI_EINVAL); /* following */
  assert_int_equal(CALL(t, path_link, BOX, 2, PATH(t, "file"), BOX, PATH(t, "new")), WASI_EINVAL);
  world_symlink(t, "nothing", "box/dangling");
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "dangling"), BOX, PATH(t, "new")), 0); /* the link itself */
  assert_int_equal(filetype(t, 0, "new"), WASI_SYMBOLIC_LINK);
  assert_int_equal(CALL(t, path_link, BOX, 0, PATH(t, "file"), BOX, PATH(t, "dangling")), WASI_EEXIST);
}

TEST(symbolic_links) {
  assert_int_equal(CALL(t, path_symlink, PATH(t, "source"), BOX, PATH(t, "target/")), WASI_ENOENT);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "source"), BOX, PATH(t, "target")), 0);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "source"), BOX, PATH(t, "target")), WASI_EEXIST);
  assert_int_equal(CALL(t, path_create_directory, BOX, PATH(t, "dir")), 0);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "source"), BOX, PATH(t, "dir/")), WASI_EEXIST);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "source"), BOX, PATH(t, "dir")), WASI_EEXIST);
  create(t, "file");
  assert_int_equal(CALL(t, path_symlink, PATH(t, "source"), BOX, PATH(t, "file/")), WASI_EEXIST);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "source"), BOX, PATH(t, "file")), WASI_EEXIST);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "/"), BOX, PATH(t, "root")), WASI_EPERM);
  assert_int_equal(CALL(t, path_symlink, TEXT, 0, BOX, PATH(t, "root")), WASI_ENOENT);
  assert_int_equal(CALL(t, path_symlink, PATH(t, "../../out"), BOX, PATH(t, "out")), 0); /* may be made, not followed */
  assert_int_equal(open_dir(t, 1, "out", 0), WASI_EPERM);
}

TEST(readlink_gives_what_fits) {
  world_symlink(t, "target", "box/link");
  memset(t->memory + BUF, 0, 16);
  assert_int_equal(CALL(t, path_readlink, BOX, PATH(t, "link"), BUF, 10, OUT), 0);
  assert_int_equal(get32(t, OUT), 6);
  assert_memory_equal(t->memory + BUF, "target\0\0\0\0", 10);
  memset(t->memory + BUF, 0, 16);
  assert_int_equal(CALL(t, path_readlink, BOX, PATH(t, "link"), BUF, 4, OUT), 0);
  assert_int_equal(get32(t, OUT), 4);
  assert_memory_equal(t->memory + BUF, "targ\0", 5);
  assert_int_equal(CALL(t, path_readlink, BOX, PATH(t, "link"), BUF, 0, OUT), 0);
  assert_int_equal(get32(t, OUT), 0);
  create(t, "file");
  assert_int_equal(CALL(t, path_readlink, BOX, PATH(t, "file"), BUF, 4, OUT), WASI_EINVAL);
  assert_int_equal(CALL(t, path_readlink, BOX, PATH(t, "missing"), BUF, 4, OUT), WASI_ENOENT);
}

TEST(rename_everything) {
  char text[512];
  world_mkdir(t, "box/source");
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "source"), BOX, PATH(t, "target")), 0);
  assert_false(world_exists(t, "box/source"));
  world_mkdir(t, "box/source");
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "source"), BOX, PATH(t, "target")), 0); /* over an empty one */
  world_mkdir(t, "box/source");
  world_write(t, "box/target/file", "");
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "source"), BOX, PATH(t, "target")), WASI_ENOTEMPTY);
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "source"), BOX, PATH(t, "target/file")), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "source"), BOX, PATH(t, "source/below")), WASI_EINVAL);
  world_write(t, "box/a", "A");
  world_write(t, "box/b", "B");
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "a"), BOX, PATH(t, "b")), 0);
  assert_string_equal(world_read(t, "box/b", text), "A");
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "b"), BOX, PATH(t, "source")), WASI_EISDIR);
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "missing"), BOX, PATH(t, "x")), WASI_ENOENT);
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "b/"), BOX, PATH(t, "x")), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "b"), BOX, PATH(t, "x/")), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "source/"), BOX, PATH(t, "x/")), 0);
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "x"), BOX, PATH(t, "source/")), 0);
  assert_int_equal(filetype(t, 0, "source"), WASI_DIRECTORY);
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "."), BOX, PATH(t, "x")), WASI_EBUSY);
  world_symlink(t, "target", "box/link");
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "link/"), BOX, PATH(t, "x")), WASI_ENOTDIR);
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "link"), BOX, PATH(t, "moved")), 0);
  assert_int_equal(filetype(t, 0, "moved"), WASI_SYMBOLIC_LINK);
}

TEST(rename_across_preopens) {
  char path[512], text[512];
  world_mkdir(t, "second");
  assert_true(mv_wasi_dir(t->wasi, world_path(t, "second", path), "/second", false));
  world_write(t, "box/file", "moved");
  assert_int_equal(CALL(t, path_rename, BOX, PATH(t, "file"), RO + 1, PATH(t, "file")), 0);
  assert_string_equal(world_read(t, "second/file", text), "moved");
  assert_int_equal(CALL(t, path_link, RO + 1, 0, PATH(t, "file"), BOX, PATH(t, "again")), 0);
  assert_int_equal(CALL(t, path_rename, RO + 1, PATH(t, "../box/again"), BOX, PATH(t, "x")), WASI_EPERM);
}

static void *write_fifo(void *arg) {
  int fd = open(arg, O_WRONLY);
  usleep(20000);
  if (write(fd, "through", 7) != 7) return arg;
  close(fd);
  return NULL;
}

static void *read_fifo(void *arg) {
  static char got[16];
  usleep(50000);
  int fd = open(arg, O_RDONLY);
  ssize_t n = read(fd, got, 15);
  got[n > 0 ? n : 0] = '\0';
  close(fd);
  return got;
}

/* Opening a named pipe waits for the other end, but not beyond an interrupt. */
TEST(named_pipes) {
  char path[512];
  pthread_t thread;
  void *result;
  assert_int_equal(mkfifo(world_path(t, "box/pipe", path), 0666), 0);
  int fd = world_open(t, BOX, "pipe", 0, R(FD_READ), 0);
  assert_true(fd > 0);
  assert_int_equal(pthread_create(&thread, NULL, write_fifo, path), 0);
  assert_string_equal(world_fd_read(t, (uint32_t)fd), "through");
  pthread_join(thread, &result);
  assert_null(result);
  assert_int_equal(CALL(t, fd_close, (uint32_t)fd), 0);
  assert_int_equal(world_open(t, BOX, "pipe", 0, R(FD_WRITE), WASI_NONBLOCK), -WASI_ENXIO);
  t->interrupt_after = 3;
  assert_int_equal(world_open(t, BOX, "pipe", 0, R(FD_WRITE), 0), -0x10000);
  assert_int_equal(t->kind, MV_INTERRUPTED);
  t->interrupt_after = 0;
  assert_int_equal(pthread_create(&thread, NULL, read_fifo, path), 0);
  fd = world_open(t, BOX, "pipe", 0, R(FD_WRITE), 0);
  assert_true(fd > 0);
  assert_int_equal(world_fd_write(t, (uint32_t)fd, "back"), 0);
  assert_int_equal(CALL(t, fd_close, (uint32_t)fd), 0);
  pthread_join(thread, &result);
  assert_string_equal(result, "back");
}

static const struct {
  const char *name;
  void (*run)(struct world *);
} tests[] = {
#define T(name) {#name, name}
  T(interesting_paths), T(long_paths), T(open_creates), T(open_folders), T(open_below_a_file), T(open_truncates), T(open_flags_are_checked),
  T(open_appends), T(open_without_following), T(dangling_links), T(link_loops), T(links_inside), T(create_directory), T(remove_directory),
  T(unlink_file), T(unlinked_files_stay_open), T(filestat_get), T(filestat_set_times), T(hard_links), T(symbolic_links),
  T(readlink_gives_what_fits), T(rename_everything), T(rename_across_preopens), T(named_pipes),
#undef T
};

enum { COUNT = sizeof tests / sizeof *tests };

static void run_one(void **state) {
  size_t i = (size_t)*state;
  struct world *t = world_new();
  t->wasi->resolver = i < COUNT ? WASI_RESOLVER_KERNEL : WASI_RESOLVER_WALK;
  tests[i % COUNT].run(t);
  world_delete(t);
}

int run_path(void) {
  struct CMUnitTest list[2 * COUNT];
  char names[2 * COUNT][64];
  size_t from = 0, n = 0;
  struct world *t = world_new();
  int probe = os_open_beneath(t->wasi->fds[BOX].host, ".", O_RDONLY, 0, true);
  world_delete(t);
  if (probe < 0) {
    print_message("no openat2 here: paths are tested with the walk only\n");
    from = COUNT;
  } else {
    close(probe);
  }
  for (size_t i = from; i < 2 * COUNT; i++, n++) {
    snprintf(names[n], sizeof names[n], "%s (%s)", tests[i % COUNT].name, i < COUNT ? "kernel" : "walk");
    list[n] = (struct CMUnitTest){.name = names[n], .test_func = run_one, .initial_state = (void *)i};
  }
  return _cmocka_run_group_tests("path", list, n, NULL, NULL);
}
