//: args one "two words" ""
//: env A=1
//: env NAME=a=b
//: exit 3
/* Arguments, environment, exit code, what atexit prints. */
#include <stdio.h>
#include <stdlib.h>

static void last(void) { printf("bye\n"); }

int main(int argc, char **argv) {
  atexit(last);
  for (int i = 1; i < argc; i++) printf("%d [%s]\n", i, argv[i]);
  printf("%d A=%s NAME=%s HOME=%s\n", argc, getenv("A"), getenv("NAME"), getenv("HOME") ? "set" : "unset");
  return 3;
}
