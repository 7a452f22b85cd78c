/* Clocks and sleeping. */
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define CHECK(x) printf("%-60s %s\n", #x, (x) ? "yes" : "NO")

static long long now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
  struct timespec t;
  long long before = now(CLOCK_MONOTONIC), after;
  CHECK(clock_getres(CLOCK_MONOTONIC, &t) == 0 && t.tv_sec == 0 && t.tv_nsec > 0);
  CHECK(clock_getres(CLOCK_REALTIME, &t) == 0 && t.tv_nsec > 0);
  CHECK(now(CLOCK_REALTIME) > 1600000000LL * 1000000000);
  t = (struct timespec){0, 50000000};
  CHECK(nanosleep(&t, NULL) == 0);
  after = now(CLOCK_MONOTONIC);
  CHECK(after - before >= 50000000);
  before = now(CLOCK_REALTIME) + 30000000;
  t = (struct timespec){before / 1000000000, before % 1000000000};
  CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL) == 0 && now(CLOCK_REALTIME) >= before);
  CHECK(usleep(1000) == 0);
  CHECK(sched_yield() == 0);
  return 0;
}
