//: exit 134
//: stderr wasi random_get
/* An address outside of memory ends the program. */
#include <stdio.h>
#include <wasi/api.h>

int main(void) {
  printf("before\n");
  fflush(stdout);
  (void)!__wasi_random_get((uint8_t *)0xfffffff0, 100);
  printf("after\n");
  return 0;
}
