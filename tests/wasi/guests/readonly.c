//: dir work::/:ro
//: file work/file fixed
/* A folder given as read-only. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK(x) printf("%-60s %s\n", #x, (x) ? "yes" : "NO")
#define REFUSED(x) CHECK((x) == -1 && errno == EPERM)

int main(void) {
  char buf[16] = {0};
  struct stat st;
  int fd = open("file", O_RDONLY);
  CHECK(read(fd, buf, 15) == 5 && strcmp(buf, "fixed") == 0);
  CHECK(stat("file", &st) == 0 && st.st_size == 5);
  REFUSED(open("file", O_WRONLY));
  REFUSED(open("file", O_RDWR));
  REFUSED(open("file", O_RDONLY | O_TRUNC));
  REFUSED(open("new", O_RDONLY | O_CREAT, 0666));
  REFUSED(unlink("file"));
  REFUSED(rename("file", "other"));
  REFUSED(mkdir("d", 0777));
  REFUSED(link("file", "other"));
  REFUSED(symlink("file", "other"));
  REFUSED(utimensat(AT_FDCWD, "file", NULL, 0));
  return 0;
}
