/* test_sandbox.c: resolution under attack from other threads, and the choice between the two ways of resolving. */
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct swapper {
  char dir[512], link[512], spare[512];
  atomic_bool stop;
};

/* Lets a name be a folder, a link to the outside, a folder ... as fast as it can. */
static void *swap(void *arg) {
  struct swapper *s = arg;
  while (!atomic_load(&s->stop)) {
    (void)rename(s->dir, s->spare);
    (void)rename(s->link, s->dir);
    (void)rename(s->dir, s->link);
    (void)rename(s->spare, s->dir);
  }
  return NULL;
}

static void race(enum wasi_resolver resolver) {
  struct world *t = world_new();
  struct swapper s = {.stop = false};
  pthread_t thread;
  unsigned opened = 0;
  t->wasi->resolver = resolver;
  world_mkdir(t, "box/d");
  world_mkdir(t, "box/d/e");
  world_write(t, "box/d/secret", "inside");
  world_symlink(t, "../outside", "box/l");
  world_path(t, "box/d", s.dir);
  world_path(t, "box/l", s.link);
  world_path(t, "box/s", s.spare);
  assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
  for (int i = 0; i < 4000; i++) {
    static const char *const paths[] = {"d/secret", "d/e/../secret", "./d/./secret", "d/../d/secret"};
    int fd = world_open(t, BOX, paths[i % 4], 0, R(FD_READ), 0);
    if (fd > 0) {
      assert_string_equal(world_fd_read(t, (uint32_t)fd), "inside");
      assert_int_equal(CALL(t, fd_close, (uint32_t)fd), 0);
      opened++;
    }
    fd = world_open(t, BOX, "d/made", WASI_CREAT, R(FD_WRITE), 0);
    if (fd > 0) assert_int_equal(CALL(t, fd_close, (uint32_t)fd), 0);
    (void)CALL(t, path_unlink_file, BOX, PATH(t, "d/made"));
    (void)CALL(t, path_create_directory, BOX, PATH(t, "d/dir"));
    (void)CALL(t, path_remove_directory, BOX, PATH(t, "d/dir"));
    assert_false(world_exists(t, "outside/made"));
    assert_false(world_exists(t, "outside/dir"));
    assert_true(world_exists(t, "outside/secret"));
  }
  atomic_store(&s.stop, true);
  pthread_join(thread, NULL);
  assert_true(opened > 0);
  world_delete(t);
}

static void swapped_links_kernel(void **state) {
  struct world *t = world_new();
  int probe = os_open_beneath(t->wasi->fds[BOX].host, ".", O_RDONLY, 0, true);
  (void)state;
  world_delete(t);
  if (probe < 0) skip(); /* no openat2 on this host */
  close(probe);
  race(WASI_RESOLVER_KERNEL);
}

static void swapped_links_walk(void **state) {
  (void)state;
  race(WASI_RESOLVER_WALK);
}

/* A folder that the walk stands in is moved out of the box: its parent is then outside. */
struct mover {
  struct world *t;
  bool done;
};

static void move_away(void *env, const char *point) {
  struct mover *m = env;
  char from[512], to[512];
  if (m->done || strcmp(point, "component") != 0) return;
  if (!world_exists(m->t, "box/a/b")) return;
  m->done = true;
  assert_int_equal(rename(world_path(m->t, "box/a", from), world_path(m->t, "outside/a", to)), 0);
}

static void moved_folders(void **state) {
  struct world *t = world_new();
  struct mover m = {t, false};
  (void)state;
  t->wasi->resolver = WASI_RESOLVER_WALK;
  world_mkdir(t, "box/a");
  world_mkdir(t, "box/a/b");
  int dir = world_open(t, BOX, "a", WASI_ODIRECTORY, R(PATH_OPEN) | R(FD_READ), 0);
  t->wasi->race = move_away;
  t->wasi->race_env = &m;
  /* The descriptor is the top: going up from b leads to a again, by name, but not above it. */
  assert_true(world_open(t, (uint32_t)dir, "b/..", WASI_ODIRECTORY, 0, 0) > 0);
  assert_true(m.done);
  assert_int_equal(world_open(t, (uint32_t)dir, "b/../../secret", 0, R(FD_READ), 0), -WASI_EPERM);
  assert_int_equal(world_open(t, BOX, "a/b/../../../secret", 0, R(FD_READ), 0), -WASI_ENOENT);
  world_delete(t);
}

static void resolver_is_found_out(void **state) {
  struct world *t = world_new();
  (void)state;
  assert_int_equal(t->wasi->resolver, WASI_RESOLVER_AUTO);
  assert_true(world_open(t, BOX, "f", WASI_CREAT, 0, 0) > 0);
  assert_int_not_equal(t->wasi->resolver, WASI_RESOLVER_AUTO);
  world_delete(t);
}

static unsigned open_descriptors(void) {
  unsigned n = 0;
  DIR *d = opendir("/proc/self/fd");
  if (!d) return 0;
  while (readdir(d)) n++;
  closedir(d);
  return n;
}

/* Refused and failing calls leave no host descriptor behind. */
static void leak_test(enum wasi_resolver resolver) {
  static const char *const paths[] = {"../x", "a/../../x", "d/missing/x", "link/x", "up/x", "d/e/../../../x", "loop/x", "d/e/f/", "d/file/x", "abs"};
  struct world *t = world_new();
  unsigned before;
  t->wasi->resolver = resolver;
  world_mkdir(t, "box/d");
  world_mkdir(t, "box/d/e");
  world_write(t, "box/d/file", "");
  world_symlink(t, "d/e", "box/link");
  world_symlink(t, "../outside", "box/up");
  world_symlink(t, "loop", "box/loop");
  world_symlink(t, "/etc/passwd", "box/abs");
  before = open_descriptors();
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
    assert_true(world_open(t, BOX, paths[i], 0, 0, 0) < 0);
    (void)CALL(t, path_filestat_get, BOX, 1, PATH(t, paths[i]), BUF);
    (void)CALL(t, path_filestat_set_times, BOX, 1, PATH(t, paths[i]), 1, 1, 5);
    (void)CALL(t, path_create_directory, BOX, PATH(t, paths[i]));
    (void)CALL(t, path_link, BOX, 0, PATH(t, "d/file"), BOX, PATH(t, paths[i]));
    (void)CALL(t, path_symlink, PATH(t, "t"), BOX, PATH(t, paths[i]));
    (void)CALL(t, path_readlink, BOX, PATH(t, paths[i]), BUF, 9, OUT);
    (void)CALL(t, path_rename, BOX, PATH(t, paths[i]), BOX, PATH(t, "d/e/moved"));
    (void)CALL(t, path_rename, BOX, PATH(t, "d/file"), BOX, PATH(t, paths[i]));
    (void)CALL(t, path_unlink_file, BOX, PATH(t, paths[i]));
    (void)CALL(t, path_remove_directory, BOX, PATH(t, paths[i]));
  }
  assert_int_equal(open_descriptors(), before);
  world_delete(t);
}

static void nothing_leaks(void **state) {
  (void)state;
  leak_test(WASI_RESOLVER_AUTO);
  leak_test(WASI_RESOLVER_WALK);
}

/* A memory that is shared can change while a path is looked at: what was checked is what is used. */
static void change_path(void *env, const char *point) {
  struct world *t = env;
  if (strcmp(point, "path") == 0) memset(t->memory + TEXT, 0, 16);
}

static void path_changed_meanwhile(void **state) {
  struct world *t = world_new();
  (void)state;
  world_mkdir(t, "box/d");
  t->wasi->race = change_path;
  t->wasi->race_env = t;
  assert_int_equal(CALL(t, path_filestat_get, BOX, 1, PATH(t, "d/"), BUF), 0);
  assert_int_equal(t->memory[TEXT], 0);
  t->text = TEXT;
  assert_true(world_open(t, BOX, "d/", WASI_ODIRECTORY, 0, 0) > 0);
  world_delete(t);
}

int run_sandbox(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(swapped_links_kernel), cmocka_unit_test(swapped_links_walk), cmocka_unit_test(moved_folders),
    cmocka_unit_test(resolver_is_found_out), cmocka_unit_test(nothing_leaks),
    cmocka_unit_test(path_changed_meanwhile),
  };
  return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
