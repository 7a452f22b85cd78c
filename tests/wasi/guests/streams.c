//: stdin \001\000\377line\n
/* Standard input byte for byte; output in several pieces at once. */
#include <poll.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void) {
  unsigned char buf[64];
  struct pollfd p = {.fd = 0, .events = POLLIN};
  printf("poll %d\n", poll(&p, 1, 5000));
  ssize_t n = 0, k;
  while ((k = read(0, buf + n, sizeof buf - (size_t)n)) > 0) n += k;
  printf("%zd bytes:", n);
  for (ssize_t i = 0; i < n; i++) printf(" %02x", buf[i]);
  printf("\n");
  fflush(stdout);
  struct iovec v[3] = {{"one ", 4}, {"", 0}, {"two\n", 4}};
  n = writev(1, v, 3);
  printf("%zd\n", n);
  return 0;
}
