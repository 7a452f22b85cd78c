//: dir work::/
//: file work/f 0123456789
/* The first version of the interface: another order of whence, shorter filestat, longer subscription. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("wasi_unstable"), import_name(name)))
#define CHECK(x) printf("%-60s %s\n", #x, (x) ? "yes" : "NO")

IMPORT("path_open") int path_open(int fd, int lookup, const char *path, int len, int oflags, int64_t base, int64_t inheriting, int fdflags, int *out);
IMPORT("fd_seek") int fd_seek(int fd, int64_t offset, int whence, int64_t *out);
IMPORT("fd_filestat_get") int fd_filestat_get(int fd, void *out);
IMPORT("poll_oneoff") int poll_oneoff(const void *in, void *out, int n, int *count);

int main(void) {
  _Alignas(8) unsigned char stat[64], sub[56] = {0}, event[32];
  int fd = -1, n = 0;
  int64_t at = -1;
  uint64_t size = 0, timeout = 1000000;
  CHECK(path_open(3, 0, "f", 1, 0, (1 << 1) | (1 << 2) | (1 << 21), 0, 0, &fd) == 0);
  CHECK(fd_seek(fd, 4, 2, &at) == 0 && at == 4);
  CHECK(fd_seek(fd, 2, 0, &at) == 0 && at == 6);
  CHECK(fd_seek(fd, -1, 1, &at) == 0 && at == 9);
  memset(stat, 0xff, sizeof stat);
  CHECK(fd_filestat_get(fd, stat) == 0);
  memcpy(&size, stat + 24, 8);
  CHECK(size == 10 && stat[20] == 1 && stat[56] == 0xff);
  sub[24] = 1;
  memcpy(sub + 32, &timeout, 8);
  CHECK(poll_oneoff(sub, event, 1, &n) == 0 && n == 1);
  return 0;
}
