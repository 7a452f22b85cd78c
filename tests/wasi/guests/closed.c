//: close 0
/* Started without standard input. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  char c;
  printf("%d\n", read(0, &c, 1) == -1 && errno == EBADF);
  return 0;
}
