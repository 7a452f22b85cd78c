/* output.c: files that commands make. One appears whole or not at all, and what was there stays until then: it may be what is being read, or what a
 * program is running from. Only a regular file is replaced; a device, a pipe or a terminal is written to. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* Opens a new file beside the place of `path`; `real` is that place behind links, if there is a file. */
static FILE *open_beside(struct output *o, const char *real, const struct stat *old) {
  size_t size = strlen(real) + 32;
  int fd;
  o->beside = malloc(size);
  if (!o->beside) return NULL;
  snprintf(o->beside, size, "%s.%ld.new", real, (long)getpid());
  fd = open(o->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd >= 0 && (!old || fchmod(fd, old->st_mode & 0777) == 0)) return fdopen(fd, "wb");
  if (fd >= 0) close(fd), unlink(o->beside);
  return NULL;
}

static void forget_beside(struct output *o) {
  free(o->beside);
  o->beside = NULL;
}

bool output_open(struct output *o, const char *path) {
  struct stat st;
  *o = (struct output){.path = path};
  if (!strcmp(path, "-")) {
    o->path = "standard output";
    o->file = stdout;
    return true;
  }
  bool exists = stat(path, &st) == 0;
  if (!exists || S_ISREG(st.st_mode)) {
    o->place = exists ? realpath(path, NULL) : strdup(path);
    if (o->place) o->file = open_beside(o, o->place, exists ? &st : NULL);
    if (!o->file) forget_beside(o);
  }
  if (!o->file && (exists || errno != ENOENT)) o->file = fopen(path, "wb"); /* a file that may be written in a folder that may not */
  if (o->file) return true;
  report("unwritable file", "%s: %s", path, strerror(errno));
  free(o->place);
  return false;
}

bool output_close(struct output *o, bool keep) {
  bool failed = ferror(o->file) != 0;
  int why = errno;
  if (!failed && fflush(o->file) != 0) failed = true, why = errno;
  if (o->file != stdout && fclose(o->file) != 0 && !failed) failed = true, why = errno;
  if (o->beside && keep && !failed && rename(o->beside, o->place) != 0) failed = true, why = errno;
  if (o->beside && (failed || !keep)) unlink(o->beside);
  if (keep && failed) report("unwritable file", "%s: %s", o->path, strerror(why));
  forget_beside(o);
  free(o->place);
  return keep && !failed;
}

char *output_name(const char *path, const char *suffix) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
  size_t n = dot && dot > name ? (size_t)(dot - path) : strlen(path);
  char *output = malloc(n + strlen(suffix) + 1);
  if (!output) report(mv_kind_name(MV_NO_MEMORY), "%s", path);
  else sprintf(output, "%.*s%s", (int)n, path, strcmp(path, "-") ? suffix : "");
  return output;
}

bool output_write(const char *path, const void *bytes, size_t size) {
  struct output o;
  if (!output_open(&o, path)) return false;
  (void)!fwrite(bytes, 1, size, o.file); /* output_close sees the failure */
  return output_close(&o, true);
}
