//: dir work::/first
//: dir work::second
/* The calls themselves, where the C library has no function: preopens in order, renumbering, rights, random bytes. */
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

/* Not in every C library's header. */
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int proc_raise(int signal);

#define CHECK(x) printf("%-60s %s\n", #x, (x) ? "yes" : "NO")

int main(void) {
  __wasi_prestat_t p;
  __wasi_fd_t fd, to;
  __wasi_fdstat_t s;
  __wasi_size_t n;
  char name[16] = {0};
  unsigned char bytes[64] = {0}, zero[64] = {0};
  CHECK(__wasi_fd_prestat_get(3, &p) == 0 && p.u.dir.pr_name_len == 6);
  CHECK(__wasi_fd_prestat_dir_name(3, (uint8_t *)name, 6) == 0 && strcmp(name, "/first") == 0);
  CHECK(__wasi_fd_prestat_get(4, &p) == 0 && __wasi_fd_prestat_dir_name(4, (uint8_t *)name, 6) == 0 && strcmp(name, "second") == 0);
  CHECK(__wasi_fd_prestat_get(5, &p) == __WASI_ERRNO_BADF);
  CHECK(__wasi_path_open(3, 0, "f", __WASI_OFLAGS_CREAT, __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE, 0, 0, &fd) == 0);
  CHECK(__wasi_path_open(4, 0, "f", 0, __WASI_RIGHTS_FD_READ, 0, 0, &to) == 0 && fd != to);
  CHECK(__wasi_fd_fdstat_get(to, &s) == 0 && s.fs_filetype == __WASI_FILETYPE_REGULAR_FILE && s.fs_rights_base == __WASI_RIGHTS_FD_READ);
  CHECK(__wasi_fd_fdstat_set_rights(fd, __WASI_RIGHTS_FD_READ, 0) == 0);
  CHECK(__wasi_fd_fdstat_set_rights(fd, __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE, 0) == __WASI_ERRNO_NOTCAPABLE);
  CHECK(__wasi_fd_renumber(fd, to) == 0 && __wasi_fd_close(fd) == __WASI_ERRNO_BADF && __wasi_fd_close(to) == 0);
  CHECK(__wasi_fd_advise(0, 0, 0, 9) != 0);
  CHECK(__wasi_random_get(bytes, 64) == 0 && memcmp(bytes, zero, 64) != 0);
  CHECK(__wasi_poll_oneoff(NULL, NULL, 0, &n) == __WASI_ERRNO_INVAL);
  CHECK(proc_raise(6) == __WASI_ERRNO_NOTSUP);
  CHECK(__wasi_sock_shutdown(1, 1) == __WASI_ERRNO_NOTSOCK && __wasi_sock_shutdown(99, 1) == __WASI_ERRNO_BADF);
  CHECK(__wasi_fd_close(3) == 0 && __wasi_fd_prestat_get(3, &p) == __WASI_ERRNO_BADF);
  return 0;
}
