/* main.c: all unit tests of wasi/. Built with WASI_TEST_DEFENCES together with the files of wasi/, see run. */
#include "world.h"

#include <signal.h>

int main(void) {
  signal(SIGPIPE, SIG_IGN); /* a broken pipe is an error here */
  return run_fd() + run_io() + run_path() + run_dir() + run_poll() + run_proc() + run_sock() + run_rights() + run_trace() + run_sandbox() +
           run_escape() + run_memory() >
         0;
}
