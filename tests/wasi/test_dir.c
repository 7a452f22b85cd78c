/* test_dir.c: fd_readdir. */
#include "world.h"

#include <stdlib.h>
#include <unistd.h>

#define TEST(name) static void name(void **state)
#define BEGIN \
  struct world *t = world_new(); \
  (void)state
#define END world_delete(t)

static uint64_t list(struct world *t, uint32_t fd, uint32_t len, uint64_t cookie) {
  assert_int_equal(CALL(t, fd_readdir, fd, BUF, len, cookie, OUT), 0);
  return get32(t, OUT);
}

/* The entry at an address: its name; the address of the next one. */
static const char *entry(struct world *t, uint32_t *at, char name[256]) {
  uint32_t len = get32(t, *at + 16);
  assert_true(len < 256);
  memcpy(name, t->memory + *at + 24, len);
  name[len] = '\0';
  *at += 24 + len;
  return name;
}

TEST(empty_folder) {
  BEGIN;
  char name[256];
  uint32_t at = BUF;
  assert_int_equal(list(t, BOX, 256, 0), 24 + 1 + 24 + 2);
  assert_int_equal(CALL(t, fd_filestat_get, BOX, 0x800), 0);
  assert_int_equal(get64(t, at), 1);
  assert_int_equal(get64(t, at + 8), get64(t, 0x808));
  assert_int_equal(t->memory[at + 20], WASI_DIRECTORY);
  assert_string_equal(entry(t, &at, name), ".");
  assert_int_equal(get64(t, at), 2);
  assert_int_equal(get64(t, at + 8), get64(t, 0x808)); /* not the inode of what lies above */
  assert_string_equal(entry(t, &at, name), "..");
  assert_int_equal(list(t, BOX, 256, 2), 0);
  assert_int_equal(list(t, BOX, 256, UINT64_MAX), 0);
  END;
}

TEST(types_and_inodes) {
  BEGIN;
  char name[256], path[512];
  uint32_t at = BUF, end;
  unsigned seen = 0;
  struct stat st;
  world_write(t, "box/file", "");
  world_mkdir(t, "box/dir");
  world_symlink(t, "file", "box/link");
  end = BUF + (uint32_t)list(t, BOX, 1024, 2);
  while (at < end) {
    uint64_t inode = get64(t, at + 8);
    uint8_t type = t->memory[at + 20];
    entry(t, &at, name);
    snprintf(path, sizeof path, "%s/box/%s", t->root, name);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(inode, st.st_ino);
    assert_int_equal(type, wasi_filetype(st.st_mode));
    seen++;
  }
  assert_int_equal(at, end);
  assert_int_equal(seen, 3);
  END;
}

TEST(the_last_entry_is_cut) {
  BEGIN;
  memset(t->memory + BUF, 0xee, 256);
  assert_int_equal(list(t, BOX, 30, 0), 30);
  assert_int_equal(t->memory[BUF + 30], 0xee);
  assert_int_equal(list(t, BOX, 10, 1), 10);
  assert_int_equal(get64(t, BUF), 2);
  assert_int_equal(list(t, BOX, 0, 0), 0);
  assert_int_equal(list(t, BOX, 26, 1), 26);
  assert_int_equal(list(t, BOX, 27, 1), 26);
  END;
}

static unsigned walk(struct world *t, uint32_t fd, uint32_t len, bool delete) {
  uint64_t cookie = 0, used;
  unsigned total = 0;
  char name[256], path[512];
  do {
    uint32_t at = BUF;
    used = list(t, fd, len, cookie);
    while (at + 24 <= BUF + used && at + 24 + get32(t, at + 16) <= BUF + used) {
      cookie = get64(t, at);
      entry(t, &at, name);
      total++;
      snprintf(path, sizeof path, "%s/box/%s", t->root, name);
      if (delete && name[0] != '.') assert_int_equal(unlink(path), 0);
    }
  } while (used == len);
  return total;
}

TEST(many_entries) {
  BEGIN;
  char name[64];
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "box/file.%d", i);
    world_write(t, name, "");
  }
  assert_int_equal(walk(t, BOX, 256, false), 1002);
  assert_int_equal(walk(t, BOX, 64, false), 1002);
  assert_int_equal(walk(t, BOX, 32768, false), 1002);
  END;
}

TEST(cookies_survive_deletion) {
  BEGIN;
  char name[64];
  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof name, "box/file.%d", i);
    world_write(t, name, "");
  }
  assert_int_equal(walk(t, BOX, 128, true), 202); /* every file was seen, while they vanished */
  assert_int_equal(walk(t, BOX, 128, false), 2);
  END;
}

TEST(cookies_survive_creation) {
  BEGIN;
  char name[256], first[256];
  uint32_t at = BUF;
  world_write(t, "box/a", "");
  assert_int_equal(list(t, BOX, 24 + 1, 2), 24 + 1);
  strcpy(first, entry(t, &at, name));
  for (int i = 0; i < 50; i++) {
    snprintf(name, sizeof name, "box/new%d", i);
    world_write(t, name, "");
  }
  assert_int_equal(list(t, BOX, 24 + 1, 2), 24 + 1); /* the same one again */
  at = BUF;
  assert_string_equal(entry(t, &at, name), first);
  assert_int_equal(list(t, BOX, 256, 3), 0);
  assert_int_equal(walk(t, BOX, 256, false), 53); /* from the beginning: everything */
  END;
}

TEST(a_cookie_of_another_descriptor) {
  BEGIN;
  world_write(t, "box/a", "");
  world_write(t, "box/b", "");
  int fd = world_open(t, BOX, ".", WASI_ODIRECTORY, R(FD_READDIR), 0);
  assert_int_equal(list(t, (uint32_t)fd, 256, 3), 24 + 1); /* without having begun */
  END;
}

TEST(not_a_folder) {
  BEGIN;
  int fd = world_open(t, BOX, "f", WASI_CREAT, R(FD_READDIR), 0);
  assert_int_equal(CALL(t, fd_readdir, (uint32_t)fd, BUF, 10, 0, OUT), WASI_ENOTDIR);
  fd = world_open(t, BOX, ".", WASI_ODIRECTORY, R(FD_FILESTAT_GET), 0);
  assert_int_equal(CALL(t, fd_readdir, (uint32_t)fd, BUF, 10, 0, OUT), WASI_ENOTCAPABLE);
  assert_int_equal(CALL(t, fd_readdir, BOX, MEMORY_SIZE - 1, 10, 0, OUT), TRAPPED);
  END;
}

TEST(removed_folder) {
  BEGIN;
  world_mkdir(t, "box/dir");
  int fd = world_open(t, BOX, "dir", WASI_ODIRECTORY, R(FD_READDIR), 0);
  assert_int_equal(CALL(t, path_remove_directory, BOX, PATH(t, "dir")), 0);
  int err = CALL(t, fd_readdir, (uint32_t)fd, BUF, 256, 0, OUT);
  assert_true(err == 0 || err == WASI_ENOENT);
  END;
}

int run_dir(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(empty_folder), cmocka_unit_test(types_and_inodes), cmocka_unit_test(the_last_entry_is_cut), cmocka_unit_test(many_entries),
    cmocka_unit_test(cookies_survive_deletion), cmocka_unit_test(cookies_survive_creation), cmocka_unit_test(a_cookie_of_another_descriptor),
    cmocka_unit_test(not_a_folder), cmocka_unit_test(removed_folder),
  };
  return cmocka_run_group_tests_name("dir", tests, NULL, NULL);
}
