//: dir work::/
/* Files through stdio and through descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK(x) printf("%-60s %s\n", #x, (x) ? "yes" : "NO")

int main(void) {
  char buf[64] = {0};
  struct stat st;
  FILE *f = fopen("a.txt", "w");
  CHECK(f != NULL);
  CHECK(fprintf(f, "line %d\nline %d\n", 1, 2) == 14);
  CHECK(fclose(f) == 0);
  CHECK(stat("a.txt", &st) == 0 && st.st_size == 14 && S_ISREG(st.st_mode));
  f = fopen("a.txt", "r+");
  CHECK(fgets(buf, sizeof buf, f) && strcmp(buf, "line 1\n") == 0);
  CHECK(fseek(f, -2, SEEK_END) == 0 && fputc('X', f) == 'X' && fclose(f) == 0);
  f = fopen("a.txt", "a");
  CHECK(fputs("end", f) >= 0 && ftell(f) == 17 && fclose(f) == 0);
  int fd = open("a.txt", O_RDWR);
  CHECK(fd > 2);
  CHECK(pread(fd, buf, 5, 12) == 5 && memcmp(buf, "X\nend", 5) == 0);
  CHECK(pwrite(fd, "Y", 1, 0) == 1 && lseek(fd, 0, SEEK_CUR) == 0);
  CHECK(read(fd, buf, 4) == 4 && memcmp(buf, "Yine", 4) == 0);
  CHECK(ftruncate(fd, 5) == 0 && fstat(fd, &st) == 0 && st.st_size == 5);
  CHECK(posix_fallocate(fd, 0, 100) == 0 && fstat(fd, &st) == 0 && st.st_size == 100);
  CHECK(fsync(fd) == 0 && fdatasync(fd) == 0);
  struct timespec times[2] = {{100, 7}, {200, 9}};
  CHECK(futimens(fd, times) == 0 && fstat(fd, &st) == 0 && st.st_mtim.tv_sec == 200 && st.st_mtim.tv_nsec == 9 && st.st_atim.tv_sec == 100);
  CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0 && (fcntl(fd, F_GETFL) & O_APPEND));
  CHECK(lseek(fd, 0, SEEK_SET) == 0 && write(fd, "!", 1) == 1 && lseek(fd, 0, SEEK_CUR) == 101);
  CHECK(close(fd) == 0 && close(fd) == -1 && errno == EBADF);
  CHECK(open("a.txt", O_CREAT | O_EXCL | O_WRONLY, 0666) == -1 && errno == EEXIST);
  CHECK(open("none", O_RDONLY) == -1 && errno == ENOENT);
  CHECK(open("a.txt/x", O_RDONLY) == -1 && errno == ENOTDIR);
  fd = open("a.txt", O_RDONLY);
  CHECK(write(fd, "x", 1) == -1 && errno == EBADF);
  CHECK(rename("a.txt", "b.txt") == 0 && access("a.txt", F_OK) == -1);
  CHECK(fstat(fd, &st) == 0 && st.st_size == 101);
  CHECK(unlink("b.txt") == 0 && fstat(fd, &st) == 0 && st.st_nlink == 0);
  CHECK(lseek(0, 0, SEEK_CUR) == -1 || 1);
  CHECK(!isatty(fd));
  return 0;
}
