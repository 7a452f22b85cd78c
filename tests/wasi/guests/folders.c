//: dir work::/
/* Folders, and listing them while they change. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>

#define CHECK(x) printf("%-60s %s\n", #x, (x) ? "yes" : "NO")

static int count(const char *path, int delete) {
  DIR *d = opendir(path);
  struct dirent *e;
  char name[300];
  int n = 0;
  while ((e = readdir(d))) {
    if (e->d_name[0] == '.') continue;
    snprintf(name, sizeof name, "%s/%s", path, e->d_name);
    if (delete && unlink(name) != 0) return -1;
    n++;
  }
  closedir(d);
  return n;
}

int main(void) {
  char name[64];
  CHECK(mkdir("d", 0777) == 0 && mkdir("d/e", 0777) == 0);
  CHECK(mkdir("d", 0777) == -1 && errno == EEXIST);
  CHECK(rmdir("d") == -1 && errno == ENOTEMPTY);
  for (int i = 0; i < 500; i++) {
    snprintf(name, sizeof name, "d/e/a rather long file name number %d", i);
    close(open(name, O_CREAT | O_WRONLY, 0666));
  }
  CHECK(count("d/e", 0) == 500);
  CHECK(count("d/e", 1) == 500);
  CHECK(count("d/e", 0) == 0);
  DIR *d = opendir("d");
  CHECK(d != NULL);
  int dots = 0, dirs = 0;
  for (struct dirent *e; (e = readdir(d));) {
    dots += strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    dirs += e->d_type == DT_DIR;
  }
  CHECK(dots == 2 && dirs == 3);
  rewinddir(d);
  CHECK(readdir(d) != NULL);
  long at = telldir(d);
  struct dirent *e = readdir(d);
  char second[64];
  strcpy(second, e->d_name);
  readdir(d);
  seekdir(d, at);
  e = readdir(d);
  CHECK(e && strcmp(e->d_name, second) == 0);
  int fd = dirfd(d);
  struct stat st;
  CHECK(fstatat(fd, "e", &st, 0) == 0 && S_ISDIR(st.st_mode));
  CHECK(unlinkat(fd, "e", AT_REMOVEDIR) == 0);
  CHECK(closedir(d) == 0);
  CHECK(rename("d", "moved") == 0 && rmdir("moved/") == 0);
  CHECK(opendir("d") == NULL && errno == ENOENT);
  return 0;
}
