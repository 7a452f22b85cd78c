//: dir work::/
/* Hard and symbolic links. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK(x) printf("%-60s %s\n", #x, (x) ? "yes" : "NO")

int main(void) {
  struct stat st;
  char buf[64] = {0};
  int fd = open("file", O_CREAT | O_WRONLY, 0666);
  CHECK(write(fd, "text", 4) == 4 && close(fd) == 0);
  CHECK(symlink("file", "link") == 0);
  CHECK(lstat("link", &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 4);
  CHECK(stat("link", &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 4);
  CHECK(readlink("link", buf, sizeof buf) == 4 && strcmp(buf, "file") == 0);
  CHECK(open("link", O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP);
  fd = open("link", O_RDONLY);
  CHECK(fd > 0 && read(fd, buf, 64) == 4);
  CHECK(symlink("loop", "loop") == 0 && open("loop", O_RDONLY) == -1 && errno == ELOOP);
  CHECK(symlink("/file", "absolute") == -1 && errno == EPERM);
  CHECK(link("file", "hard") == 0 && stat("hard", &st) == 0 && st.st_nlink == 2);
  CHECK(link("file", "hard") == -1 && errno == EEXIST);
  CHECK(unlink("link") == 0 && unlink("hard") == 0 && stat("file", &st) == 0 && st.st_nlink == 1);
  return 0;
}
