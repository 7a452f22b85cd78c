/*
 * Runs a command and writes what it cost to a file descriptor: `measure RUNS FD COMMAND…` prints one line
 * `WALL_NS CPU_NS PEAK_KIB STATUS` for each run; a status of 128 and more means a signal.
 *
 * It exists because a child inherits its parent's peak memory at the moment of exec: only a parent
 * that is itself smaller than an empty program can measure one. It must stay free of
 * everything but system calls.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t nanoseconds(struct timeval t) { return t.tv_sec * INT64_C(1000000000) + t.tv_usec * INT64_C(1000); }

int main(int argc, char **argv)
{
    int runs = argc > 3 ? atoi(argv[1]) : 0;

    if (runs <= 0)
        return 2;
    while (runs--) {
        struct rusage usage;
        int status, size;
        char line[128];
        int64_t start = now();
        pid_t child = fork();

        if (child < 0)
            return 1;
        if (child == 0) {
            execvp(argv[3], argv + 3);
            _exit(127);
        }
        if (wait4(child, &status, 0, &usage) != child)
            return 1;
        size = snprintf(line, sizeof line, "%lld %lld %ld %d\n", (long long)(now() - start),
            (long long)(nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)), usage.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        if (write(atoi(argv[2]), line, (size_t)size) != size)
            return 1;
    }
    return 0;
}
