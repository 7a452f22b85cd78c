/* test_escape.c: ways out of the sandbox.
 *
 * Each attempt names the defence that stops it. It is made with all defences in place, when it must fail, and with that one taken out
 * (wasi.h, WASI_TEST_DEFENCES), when it must succeed: so that neither the defence nor the attempt is an empty one. Attempts on paths run
 * with both ways of resolving. An attempt returns whether it got out: whether something outside was read, changed or found to exist,
 * or a read-only folder was changed.
 */
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { KERNEL = 1, WALK = 2, BOTH = 3, ONCE = 4 /* resolution plays no part */ };

static bool reads_secret(struct world *t, uint32_t dir, uint32_t lookup, const char *path) {
  const char *text;
  if (CALL(t, path_open, dir, lookup, PATH(t, path), 0, R(FD_READ), 0, 0, OUT) != 0) return false;
  text = world_fd_read(t, get32(t, OUT));
  return text && strcmp(text, "SECRET") == 0;
}

static const char *outside_path(struct world *t, const char *name) {
  static char path[512];
  char relative[128];
  snprintf(relative, sizeof relative, "outside/%s", name);
  return world_path(t, relative, path);
}

static bool stat_finds_outside(struct world *t, uint32_t lookup, const char *path) {
  struct stat st;
  char host[512];
  assert_int_equal(stat(world_path(t, "outside", host), &st), 0);
  if (CALL(t, path_filestat_get, BOX, lookup, PATH(t, path), BUF) != 0) return false;
  uint64_t found = get64(t, BUF + 8), folder = st.st_ino;
  assert_int_equal(stat(outside_path(t, "secret"), &st), 0);
  uint64_t secret = st.st_ino;
  assert_int_equal(stat(t->root, &st), 0);
  return found == folder || found == secret || found == st.st_ino;
}

static bool ro_file_changed(struct world *t) {
  char text[512];
  return strcmp(world_read(t, "ro/file", text), "fixed") != 0;
}

static bool secret_changed(struct world *t) {
  char text[512];
  return strcmp(world_read(t, "outside/secret", text), "SECRET") != 0;
}

#define ATTEMPT(name) static bool name(struct world *t)

/* ---- climbing ------------------------------------------------------------------------------------------- */

ATTEMPT(open_absolute) { return reads_secret(t, BOX, 0, outside_path(t, "secret")); }
ATTEMPT(open_absolute_double_slash) {
  char path[600];
  snprintf(path, sizeof path, "/%s", outside_path(t, "secret"));
  return reads_secret(t, BOX, 0, path);
}
ATTEMPT(stat_absolute) { return stat_finds_outside(t, 0, outside_path(t, "secret")); }
ATTEMPT(open_dotdot) { return reads_secret(t, BOX, 0, "../outside/secret"); }
ATTEMPT(open_dotdot_behind_folder) {
  world_mkdir(t, "box/d");
  return reads_secret(t, BOX, 0, "d/../../outside/secret");
}
ATTEMPT(open_dotdot_behind_dots) { return reads_secret(t, BOX, 0, "././/./../outside/./secret"); }
ATTEMPT(open_dotdot_from_folder) {
  world_mkdir(t, "box/d");
  world_write(t, "box/secret", "SECRET"); /* not below the descriptor, so as far away as the rest of the host */
  int dir = world_open(t, BOX, "d", WASI_ODIRECTORY, R(PATH_OPEN) | R(FD_READ), 0);
  return reads_secret(t, (uint32_t)dir, 0, "../secret");
}
ATTEMPT(open_dotdot_folder) { return CALL(t, path_open, BOX, 0, PATH(t, ".."), WASI_ODIRECTORY, 0, 0, 0, OUT) == 0; }
ATTEMPT(open_other_preopen) { return reads_secret(t, RO, 0, "../outside/secret"); }
ATTEMPT(stat_dotdot) { return stat_finds_outside(t, 0, ".."); }
ATTEMPT(stat_dotdot_slash) { return stat_finds_outside(t, 0, "../"); }
ATTEMPT(create_dotdot) {
  (void)world_open(t, BOX, "../outside/new", WASI_CREAT, R(FD_WRITE), 0);
  return world_exists(t, "outside/new");
}
ATTEMPT(truncate_dotdot) {
  (void)world_open(t, BOX, "../outside/secret", WASI_TRUNC, 0, 0);
  return secret_changed(t);
}
ATTEMPT(mkdir_dotdot) {
  (void)CALL(t, path_create_directory, BOX, PATH(t, "../outside/new"));
  return world_exists(t, "outside/new");
}
ATTEMPT(rmdir_dotdot) {
  world_mkdir(t, "outside/d");
  (void)CALL(t, path_remove_directory, BOX, PATH(t, "../outside/d"));
  return !world_exists(t, "outside/d");
}
ATTEMPT(unlink_dotdot) {
  (void)CALL(t, path_unlink_file, BOX, PATH(t, "../outside/secret"));
  return !world_exists(t, "outside/secret");
}
ATTEMPT(rename_out) {
  world_write(t, "box/f", "");
  (void)CALL(t, path_rename, BOX, PATH(t, "f"), BOX, PATH(t, "../outside/f"));
  return world_exists(t, "outside/f");
}
ATTEMPT(rename_in) {
  (void)CALL(t, path_rename, BOX, PATH(t, "../outside/secret"), BOX, PATH(t, "f"));
  return world_exists(t, "box/f");
}
ATTEMPT(link_out) {
  world_write(t, "box/f", "");
  (void)CALL(t, path_link, BOX, 0, PATH(t, "f"), BOX, PATH(t, "../outside/f"));
  return world_exists(t, "outside/f");
}
ATTEMPT(link_in) {
  (void)CALL(t, path_link, BOX, 0, PATH(t, "../outside/secret"), BOX, PATH(t, "f"));
  return world_exists(t, "box/f");
}
ATTEMPT(symlink_out) {
  (void)CALL(t, path_symlink, PATH(t, "x"), BOX, PATH(t, "../outside/l"));
  return world_exists(t, "outside/l");
}
ATTEMPT(readlink_dotdot) {
  world_symlink(t, "private", "outside/l");
  return CALL(t, path_readlink, BOX, PATH(t, "../outside/l"), BUF, 99, OUT) == 0;
}
ATTEMPT(times_dotdot) { return CALL(t, path_filestat_set_times, BOX, 0, PATH(t, "../outside/secret"), 1, 1, 5) == 0; }

/* ---- links --------------------------------------------------------------------------------------------- */

ATTEMPT(open_link) {
  world_symlink(t, "../outside/secret", "box/l");
  return reads_secret(t, BOX, 1, "l");
}
ATTEMPT(open_link_made_by_guest) {
  assert_int_equal(CALL(t, path_symlink, PATH(t, "../outside/secret"), BOX, PATH(t, "l")), 0);
  return reads_secret(t, BOX, 1, "l");
}
ATTEMPT(open_through_link) {
  world_symlink(t, "../outside", "box/l");
  return reads_secret(t, BOX, 0, "l/secret");
}
ATTEMPT(open_chain_of_links) {
  world_symlink(t, "b", "box/a");
  world_symlink(t, "c", "box/b");
  world_symlink(t, "../outside", "box/c");
  return reads_secret(t, BOX, 0, "a/secret");
}
ATTEMPT(open_link_that_climbs_twice) {
  world_mkdir(t, "box/d");
  world_symlink(t, "..", "box/d/up");
  return reads_secret(t, BOX, 0, "d/up/../outside/secret");
}
ATTEMPT(open_link_with_slash) {
  world_symlink(t, "../outside", "box/l");
  return CALL(t, path_open, BOX, 0, PATH(t, "l/"), 0, 0, 0, 0, OUT) == 0;
}
ATTEMPT(create_through_dangling_link) {
  world_symlink(t, "../outside/new", "box/l");
  (void)CALL(t, path_open, BOX, 1, PATH(t, "l"), WASI_CREAT, R(FD_WRITE), 0, 0, OUT);
  return world_exists(t, "outside/new");
}
ATTEMPT(truncate_link) {
  world_symlink(t, "../outside/secret", "box/l");
  (void)CALL(t, path_open, BOX, 1, PATH(t, "l"), WASI_TRUNC, 0, 0, 0, OUT);
  return secret_changed(t);
}
ATTEMPT(stat_link) {
  world_symlink(t, "../outside/secret", "box/l");
  return stat_finds_outside(t, 1, "l");
}
ATTEMPT(stat_link_with_slash) {
  world_symlink(t, "../outside", "box/l");
  return stat_finds_outside(t, 0, "l/");
}
ATTEMPT(times_of_link) {
  world_symlink(t, "../outside/secret", "box/l");
  return CALL(t, path_filestat_set_times, BOX, 1, PATH(t, "l"), 1, 1, 5) == 0;
}
ATTEMPT(mkdir_through_link) {
  world_symlink(t, "../outside", "box/l");
  (void)CALL(t, path_create_directory, BOX, PATH(t, "l/new"));
  return world_exists(t, "outside/new");
}
ATTEMPT(unlink_through_link) {
  world_symlink(t, "../outside", "box/l");
  (void)CALL(t, path_unlink_file, BOX, PATH(t, "l/secret"));
  return !world_exists(t, "outside/secret");
}
ATTEMPT(rename_through_link) {
  world_symlink(t, "../outside", "box/l");
  world_write(t, "box/f", "");
  (void)CALL(t, path_rename, BOX, PATH(t, "f"), BOX, PATH(t, "l/f"));
  return world_exists(t, "outside/f");
}
ATTEMPT(open_absolute_link) {
  world_symlink(t, outside_path(t, "secret"), "box/l");
  return reads_secret(t, BOX, 1, "l");
}
ATTEMPT(open_through_absolute_link) {
  world_symlink(t, outside_path(t, ""), "box/l");
  return reads_secret(t, BOX, 0, "l/secret");
}
ATTEMPT(create_through_absolute_link) {
  world_symlink(t, outside_path(t, "new"), "box/l");
  (void)CALL(t, path_open, BOX, 1, PATH(t, "l"), WASI_CREAT, R(FD_WRITE), 0, 0, OUT);
  return world_exists(t, "outside/new");
}
ATTEMPT(stat_absolute_link) {
  world_symlink(t, outside_path(t, "secret"), "box/l");
  return stat_finds_outside(t, 1, "l");
}
ATTEMPT(make_absolute_link) {
  (void)CALL(t, path_symlink, PATH(t, outside_path(t, "secret")), BOX, PATH(t, "l"));
  return world_exists(t, "box/l");
}
ATTEMPT(hard_link_to_what_a_link_means) {
  char text[512];
  world_symlink(t, "../outside/secret", "box/l");
  (void)CALL(t, path_link, BOX, 1, PATH(t, "l"), BOX, PATH(t, "mine"));
  return strcmp(world_read(t, "box/mine", text), "SECRET") == 0 && !(lstat(world_path(t, "box/mine", text), &(struct stat){0}) != 0);
}
ATTEMPT(open_magic_link) {
  char path[512], name[64];
  int secret = open(outside_path(t, "secret"), O_RDONLY);
  bool got = false;
  if (mv_wasi_dir(t->wasi, "/proc/self/fd", "/fd", false)) {
    snprintf(name, sizeof name, "%d", secret);
    got = reads_secret(t, RO + 1, 1, name);
  }
  (void)path;
  close(secret);
  return got;
}
ATTEMPT(open_through_magic_link) {
  char path[600];
  if (!mv_wasi_dir(t->wasi, "/proc/self", "/proc", false)) return false;
  snprintf(path, sizeof path, "root%s", outside_path(t, "secret"));
  return reads_secret(t, RO + 1, 0, path);
}

/* ---- changing the folder while it is looked at ----------------------------------------------------------- */

struct change {
  struct world *t;
  const char *point, *from, *target;
};

/* What another program could do at the worst moment: the name becomes a link. */
static void become_link(void *env, const char *point) {
  struct change *c = env;
  char from[512], away[512];
  if (!c->from || strcmp(point, c->point) != 0) return;
  assert_int_equal(rename(world_path(c->t, c->from, from), world_path(c->t, "box/away", away)), 0);
  world_symlink(c->t, c->target, c->from);
  c->from = NULL;
}

static void arm(struct world *t, struct change *c, const char *point, const char *from, const char *target) {
  *c = (struct change){t, point, from, target};
  t->wasi->race = become_link;
  t->wasi->race_env = c;
}

ATTEMPT(swap_component) {
  struct change c;
  world_mkdir(t, "box/d");
  arm(t, &c, "component", "box/d", "../outside");
  return reads_secret(t, BOX, 0, "d/secret");
}
ATTEMPT(swap_component_mkdir) {
  struct change c;
  world_mkdir(t, "box/d");
  arm(t, &c, "component", "box/d", "../outside");
  (void)CALL(t, path_create_directory, BOX, PATH(t, "d/new"));
  return world_exists(t, "outside/new");
}
ATTEMPT(swap_file_before_open) {
  struct change c;
  world_write(t, "box/f", "");
  arm(t, &c, "last", "box/f", "../outside/secret");
  return reads_secret(t, BOX, 0, "f");
}
ATTEMPT(swap_file_before_stat) {
  struct change c;
  world_write(t, "box/f", "");
  arm(t, &c, "last", "box/f", "../outside/secret");
  return stat_finds_outside(t, 1, "f");
}
ATTEMPT(swap_file_before_times) {
  struct change c;
  struct stat st;
  world_write(t, "box/f", "");
  arm(t, &c, "last", "box/f", "../outside/secret");
  (void)CALL(t, path_filestat_set_times, BOX, 0, PATH(t, "f"), 1000000000, 1000000000, 5);
  return stat(outside_path(t, "secret"), &st) == 0 && st.st_mtime == 1;
}

/* ---- names ---------------------------------------------------------------------------------------------- */

ATTEMPT(name_cut_by_nul) {
  world_write(t, "box/f", "SECRET"); /* as if another layer had allowed "f\0.txt" only */
  uint32_t at = world_text(t, "f");
  t->memory[at + 1] = 0;
  memcpy(t->memory + at + 2, ".txt", 4);
  return CALL(t, path_open, BOX, 0, at, 6, 0, R(FD_READ), 0, 0, OUT) == 0;
}

/* ---- rights ---------------------------------------------------------------------------------------------- */

ATTEMPT(write_without_right) {
  char text[512];
  int fd = world_open(t, BOX, "f", WASI_CREAT, R(FD_WRITE), 0);
  assert_int_equal(CALL(t, fd_fdstat_set_rights, (uint32_t)fd, 0, 0), 0);
  (void)world_fd_write(t, (uint32_t)fd, "x");
  return strcmp(world_read(t, "box/f", text), "x") == 0;
}
ATTEMPT(unlink_without_right) {
  world_write(t, "box/f", "");
  int fd = world_open(t, BOX, ".", WASI_ODIRECTORY, R(PATH_OPEN), 0);
  (void)CALL(t, path_unlink_file, (uint32_t)fd, PATH(t, "f"));
  return !world_exists(t, "box/f");
}
ATTEMPT(regain_right) {
  char text[512];
  int fd = world_open(t, BOX, "f", WASI_CREAT, R(FD_WRITE), 0);
  assert_int_equal(CALL(t, fd_fdstat_set_rights, (uint32_t)fd, 0, 0), 0);
  (void)CALL(t, fd_fdstat_set_rights, (uint32_t)fd, R(FD_WRITE), 0);
  (void)world_fd_write(t, (uint32_t)fd, "x");
  return strcmp(world_read(t, "box/f", text), "x") == 0;
}
ATTEMPT(open_beyond_inherited) {
  char text[512];
  int dir = world_open(t, BOX, ".", WASI_ODIRECTORY, R(PATH_OPEN) | R(PATH_CREATE_FILE), 0);
  int fd = world_open(t, (uint32_t)dir, "f", WASI_CREAT, R(FD_WRITE), 0);
  if (fd > 0) (void)world_fd_write(t, (uint32_t)fd, "x");
  return strcmp(world_read(t, "box/f", text), "x") == 0;
}

/* ---- read-only folders ------------------------------------------------------------------------------------ */

ATTEMPT(ro_write) {
  int fd = world_open(t, RO, "file", 0, R(FD_WRITE), 0);
  if (fd > 0) (void)world_fd_write(t, (uint32_t)fd, "x");
  return ro_file_changed(t);
}
ATTEMPT(ro_write_below) {
  char text[512];
  int dir = world_open(t, RO, "sub", WASI_ODIRECTORY, R(PATH_OPEN) | R(FD_READ), 0), fd;
  (void)CALL(t, path_open, RO, 0, PATH(t, "sub"), WASI_ODIRECTORY, R(PATH_OPEN), R(FD_WRITE), 0, OUT);
  dir = (int)get32(t, OUT);
  fd = world_open(t, (uint32_t)dir, "file", 0, R(FD_WRITE), 0);
  if (fd > 0) (void)world_fd_write(t, (uint32_t)fd, "x");
  return strcmp(world_read(t, "ro/sub/file", text), "fixed") != 0;
}
ATTEMPT(ro_truncate) {
  (void)world_open(t, RO, "file", WASI_TRUNC, 0, 0);
  return ro_file_changed(t);
}
ATTEMPT(ro_create) {
  (void)world_open(t, RO, "new", WASI_CREAT, 0, 0);
  return world_exists(t, "ro/new");
}
ATTEMPT(ro_unlink) {
  (void)CALL(t, path_unlink_file, RO, PATH(t, "file"));
  return !world_exists(t, "ro/file");
}
ATTEMPT(ro_mkdir) {
  (void)CALL(t, path_create_directory, RO, PATH(t, "new"));
  return world_exists(t, "ro/new");
}
ATTEMPT(ro_symlink) {
  (void)CALL(t, path_symlink, PATH(t, "x"), RO, PATH(t, "new"));
  return world_exists(t, "ro/new");
}
ATTEMPT(ro_rename_away) {
  (void)CALL(t, path_rename, RO, PATH(t, "file"), BOX, PATH(t, "f"));
  return !world_exists(t, "ro/file");
}
ATTEMPT(ro_rename_over) {
  world_write(t, "box/f", "x");
  (void)CALL(t, path_rename, BOX, PATH(t, "f"), RO, PATH(t, "file"));
  return ro_file_changed(t);
}
ATTEMPT(ro_write_through_hard_link) {
  int fd;
  (void)CALL(t, path_link, RO, 0, PATH(t, "file"), BOX, PATH(t, "f"));
  fd = world_open(t, BOX, "f", 0, R(FD_WRITE), 0);
  if (fd > 0) (void)world_fd_write(t, (uint32_t)fd, "x");
  return ro_file_changed(t);
}
ATTEMPT(ro_times) { return CALL(t, path_filestat_set_times, RO, 0, PATH(t, "file"), 1, 1, 5) == 0; }
ATTEMPT(ro_times_of_descriptor) {
  int fd = world_open(t, RO, "file", 0, R(FD_READ) | R(FD_FILESTAT_SET_TIMES), 0);
  return fd > 0 && CALL(t, fd_filestat_set_times, (uint32_t)fd, 1, 1, 5) == 0;
}

/* ---- addresses ------------------------------------------------------------------------------------------- */

ATTEMPT(write_out_host_memory) {
  char text[512];
  int fd = world_open(t, BOX, "f", WASI_CREAT, R(FD_WRITE), 0);
  (void)CALL(t, fd_write, (uint32_t)fd, one(t, MEMORY_SIZE, 16), 1, OUT);
  return (uint8_t)world_read(t, "box/f", text)[0] == CANARY;
}
ATTEMPT(read_into_host_memory) {
  world_write(t, "box/f", "0123456789");
  int fd = world_open(t, BOX, "f", 0, R(FD_READ), 0);
  (void)CALL(t, fd_read, (uint32_t)fd, one(t, MEMORY_SIZE - 2, 10), 1, OUT);
  return t->memory[MEMORY_SIZE] != CANARY;
}
ATTEMPT(random_into_host_memory) {
  (void)CALL(t, random_get, MEMORY_SIZE - 8, 64);
  unsigned changed = 0;
  for (unsigned i = 0; i < 56; i++) changed += t->memory[MEMORY_SIZE + i] != CANARY;
  return changed > 0;
}
ATTEMPT(result_into_host_memory) {
  (void)CALL(t, clock_time_get, 0, 0, MEMORY_SIZE);
  return get64(t, MEMORY_SIZE) != UINT64_C(0x0101010101010101) * CANARY;
}
ATTEMPT(path_from_host_memory) {
  memcpy(t->memory + MEMORY_SIZE, "found", 5);
  (void)CALL(t, path_create_directory, BOX, MEMORY_SIZE, 5);
  return world_exists(t, "box/found");
}

/* ---- the table ------------------------------------------------------------------------------------------- */

static const struct attempt {
  const char *name;
  bool (*run)(struct world *);
  enum wasi_defence guard;
  int ways;
} attempts[] = {
#define A(name, guard, ways) {#name, name, WASI_GUARD_##guard, ways}
  A(open_absolute, ABSOLUTE, BOTH),
  A(open_absolute_double_slash, ABSOLUTE, BOTH),
  A(stat_absolute, ABSOLUTE, BOTH),
  A(open_dotdot, DOTDOT, BOTH),
  A(open_dotdot_behind_folder, DOTDOT, BOTH),
  A(open_dotdot_behind_dots, DOTDOT, BOTH),
  A(open_dotdot_from_folder, DOTDOT, BOTH),
  A(open_dotdot_folder, DOTDOT, BOTH),
  A(open_other_preopen, DOTDOT, BOTH),
  A(stat_dotdot, DOTDOT, BOTH),
  A(stat_dotdot_slash, DOTDOT, BOTH),
  A(create_dotdot, DOTDOT, BOTH),
  A(truncate_dotdot, DOTDOT, BOTH),
  A(mkdir_dotdot, DOTDOT, BOTH),
  A(rmdir_dotdot, DOTDOT, BOTH),
  A(unlink_dotdot, DOTDOT, BOTH),
  A(rename_out, DOTDOT, BOTH),
  A(rename_in, DOTDOT, BOTH),
  A(link_out, DOTDOT, BOTH),
  A(link_in, DOTDOT, BOTH),
  A(symlink_out, DOTDOT, BOTH),
  A(readlink_dotdot, DOTDOT, BOTH),
  A(times_dotdot, DOTDOT, BOTH),
  A(open_link, DOTDOT, BOTH),
  A(open_link_made_by_guest, DOTDOT, BOTH),
  A(open_through_link, COMPONENT, BOTH),
  A(open_chain_of_links, DOTDOT, BOTH),
  A(open_link_that_climbs_twice, DOTDOT, BOTH),
  A(open_link_with_slash, DOTDOT, BOTH),
  A(create_through_dangling_link, DOTDOT, BOTH),
  A(truncate_link, DOTDOT, BOTH),
  A(stat_link, DOTDOT, BOTH),
  A(stat_link_with_slash, DOTDOT, BOTH),
  A(times_of_link, DOTDOT, BOTH),
  A(mkdir_through_link, COMPONENT, BOTH),
  A(unlink_through_link, COMPONENT, BOTH),
  A(rename_through_link, COMPONENT, BOTH),
  A(open_absolute_link, LINK_ABSOLUTE, BOTH),
  A(open_through_absolute_link, LINK_ABSOLUTE, BOTH),
  A(create_through_absolute_link, LINK_ABSOLUTE, BOTH),
  A(stat_absolute_link, LINK_ABSOLUTE, BOTH),
  A(make_absolute_link, SYMLINK, BOTH),
  A(hard_link_to_what_a_link_means, LINK_FOLLOW, BOTH),
  A(open_magic_link, MAGIC, KERNEL),
  A(open_magic_link, LINK_ABSOLUTE, WALK), /* the walk reads them as text */
  A(open_through_magic_link, MAGIC, KERNEL),
  A(open_through_magic_link, LINK_ABSOLUTE, WALK),
  A(swap_component, COMPONENT, BOTH),
  A(swap_component_mkdir, COMPONENT, BOTH),
  A(swap_file_before_open, LAST, WALK), /* the kernel's way has no such moment */
  A(swap_file_before_stat, LAST, BOTH),
  A(swap_file_before_times, LAST, BOTH),
  A(name_cut_by_nul, NUL, ONCE),
  A(write_without_right, RIGHTS, ONCE),
  A(unlink_without_right, RIGHTS, ONCE),
  A(regain_right, GROW, ONCE),
  A(open_beyond_inherited, INHERIT, ONCE),
  A(ro_write, READ_ONLY, ONCE),
  A(ro_write_below, READ_ONLY, ONCE),
  A(ro_truncate, READ_ONLY, ONCE),
  A(ro_create, READ_ONLY, ONCE),
  A(ro_unlink, READ_ONLY, ONCE),
  A(ro_mkdir, READ_ONLY, ONCE),
  A(ro_symlink, READ_ONLY, ONCE),
  A(ro_rename_away, READ_ONLY, ONCE),
  A(ro_rename_over, READ_ONLY, ONCE),
  A(ro_write_through_hard_link, READ_ONLY, ONCE),
  A(ro_times, READ_ONLY, ONCE),
  A(ro_times_of_descriptor, READ_ONLY, ONCE),
  A(write_out_host_memory, BOUNDS, ONCE),
  A(read_into_host_memory, BOUNDS, ONCE),
  A(random_into_host_memory, BOUNDS, ONCE),
  A(result_into_host_memory, BOUNDS, ONCE),
  A(path_from_host_memory, BOUNDS, ONCE),
#undef A
};

enum { COUNT = sizeof attempts / sizeof *attempts };

/* Makes one attempt in a new world. */
static bool escapes(const struct attempt *a, enum wasi_resolver resolver, uint32_t off) {
  struct world *t;
  bool escaped;
  world_defences_off = off;
  t = world_new();
  world_defences_off = 0;
  t->wasi->resolver = resolver;
  escaped = a->run(t);
  world_delete(t);
  return escaped;
}

static void attempt(void **state) {
  size_t i = (size_t)*state;
  const struct attempt *a = &attempts[i / 2];
  enum wasi_resolver resolver = a->ways == ONCE ? WASI_RESOLVER_AUTO : i % 2 ? WASI_RESOLVER_WALK : WASI_RESOLVER_KERNEL;
  assert_false(escapes(a, resolver, 0));
  assert_true(escapes(a, resolver, 1u << a->guard));
}

int run_escape(void) {
  static struct CMUnitTest list[2 * COUNT];
  static char names[2 * COUNT][80];
  struct world *t = world_new();
  int probe = os_open_beneath(t->wasi->fds[BOX].host, ".", O_RDONLY, 0, true);
  size_t n = 0;
  world_delete(t);
  if (probe >= 0) close(probe);
  else print_message("no openat2 here: attempts are made on the walk only\n");
  for (size_t i = 0; i < 2 * COUNT; i++) {
    int way = i % 2 ? WALK : KERNEL, ways = attempts[i / 2].ways;
    if (ways == ONCE ? way == WALK : !(ways & way) || (way == KERNEL && probe < 0)) continue;
    snprintf(names[n], sizeof names[n], "%s%s", attempts[i / 2].name, ways == ONCE ? "" : way == KERNEL ? " (kernel)" : " (walk)");
    list[n] = (struct CMUnitTest){.name = names[n], .test_func = attempt, .initial_state = (void *)i};
    n++;
  }
  return _cmocka_run_group_tests("escape", list, n, NULL, NULL);
}
