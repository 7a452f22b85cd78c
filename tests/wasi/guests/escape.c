//: dir work/in::/
//: file work/secret hidden
//: link work/in/up ../secret
//: link work/in/top /
/* From inside, nothing outside can be found. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK(x) printf("%-60s %s\n", #x, (x) ? "yes" : "NO")
#define REFUSED(x) CHECK((x) == -1 && (errno == EPERM || errno == ENOTCAPABLE))

int main(void) {
  struct stat st;
  char buf[64];
  REFUSED(open("../secret", O_RDONLY));
  REFUSED(open("/../secret", O_RDONLY));
  REFUSED(open("up", O_RDONLY));
  REFUSED(open("top/etc/passwd", O_RDONLY));
  CHECK(open("/etc/passwd", O_RDONLY) == -1 && errno == ENOENT);
  REFUSED(stat("..", &st));
  REFUSED(stat("up", &st));
  CHECK(lstat("up", &st) == 0 && S_ISLNK(st.st_mode));
  REFUSED(unlink("../secret"));
  REFUSED(rename("../secret", "mine"));
  REFUSED(link("../secret", "mine"));
  REFUSED(mkdir("../mine", 0777));
  REFUSED(rename("up", "../up"));
  CHECK(readlink("up", buf, sizeof buf) == 9);
  CHECK(unlink("up") == 0);
  return 0;
}
