/* The file system through the C library: folders, buffered and positioned access, appending,
 * renaming, truncation, metadata and listing. argv[1] is a writable folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[256];

static const char *in(const char *name)
{
    static char path[2][512];
    static unsigned turn;
    char *p = path[turn++ & 1];

    snprintf(p, sizeof path[0], "%s/%s", base, name);
    return p;
}

static void need(int fine, const char *what)
{
    if (!fine) {
        printf("%s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path)
{
    char *names[32];
    size_t count = 0;
    DIR *dir = opendir(path);

    need(dir != NULL, "opendir");
    for (struct dirent *e; (e = readdir(dir)) && count < 32;)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            names[count++] = strdup(e->d_name);
    closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i ? " " : "", names[i]);
    printf("\n");
}

static void write_and_append(void)
{
    FILE *f = fopen(in("log"), "w");

    need(f != NULL, "fopen");
    for (int i = 0; i < 2000; i++)
        fprintf(f, "line %d\n", i);
    need(!fclose(f), "fclose");
    f = fopen(in("log"), "a+");
    need(f && fputs("the end\n", f) >= 0 && !fflush(f), "append");
    rewind(f);

    char line[64];
    long lines = 0, bytes = 0;
    while (fgets(line, sizeof line, f)) {
        lines++;
        bytes += (long)strlen(line);
    }
    printf("%ld lines, %ld bytes, last: %s", lines, bytes, line);
    need(!fseek(f, 700, SEEK_SET) && fgets(line, sizeof line, f) && fgets(line, sizeof line, f), "fseek");
    printf("after byte 700: %s", line);
    fclose(f);
}

static void positioned(void)
{
    char buffer[32] = "";
    int fd = open(in("sparse"), O_CREAT | O_EXCL | O_RDWR, 0600);

    need(fd >= 0, "open");
    need(pwrite(fd, "tail", 4, 100000) == 4 && pwrite(fd, "head", 4, 0) == 4, "pwrite");
    need(lseek(fd, -4, SEEK_END) == 100000 && read(fd, buffer, sizeof buffer) == 4, "read");
    printf("%s %lld\n", buffer, (long long)lseek(fd, 0, SEEK_CUR));
    need(!ftruncate(fd, 10) && pread(fd, buffer, 31, 0) == 10, "ftruncate");
    printf("%.4s and %d zeros\n", buffer, !memcmp(buffer + 4, "\0\0\0\0\0\0", 6) * 6);
    close(fd);
    need(open(in("sparse"), O_CREAT | O_EXCL | O_RDWR, 0600) < 0 && errno == EEXIST, "O_EXCL");
}

int main(int argc, char **argv)
{
    struct stat st;

    need(argc == 2, "usage");
    snprintf(base, sizeof base, "%s", argv[1]);
    need(!mkdir(in("d"), 0700), "mkdir");
    snprintf(base, sizeof base, "%s/d", argv[1]);
    write_and_append();
    positioned();
    list(base);
    need(!rename(in("log"), in("renamed")), "rename");
    need(!mkdir(in("sub"), 0700) && !link(in("renamed"), in("sub/hard")) && !symlink("sub/hard", in("soft")), "links");
    list(base);
    need(!stat(in("soft"), &st) && S_ISREG(st.st_mode) && st.st_nlink == 2, "stat");
    printf("%lld bytes, %d links\n", (long long)st.st_size, (int)st.st_nlink);
    need(!lstat(in("soft"), &st) && S_ISLNK(st.st_mode), "lstat");
    need(rmdir(in("sub")) < 0 && errno == ENOTEMPTY, "rmdir of a full folder");
    need(open(in("../../../etc/passwd"), O_RDONLY) < 0, "the way out");
    printf("out: %s\n", errno == EPERM || errno == ENOTCAPABLE ? "refused" : strerror(errno));
    need(!unlink(in("sub/hard")) && !rmdir(in("sub")) && !unlink(in("soft")), "clean-up");
    need(!unlink(in("renamed")) && !unlink(in("sparse")), "clean-up");
    list(base);
    return 0;
}
