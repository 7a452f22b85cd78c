/* part.c: parts of the program that need a library of their own (libcurl, libdw ...) are shared objects, loaded at their first use, so that a
 * module that does not use them starts without paying for them. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#ifndef MINIVM_PREFIX
#define MINIVM_PREFIX "/usr/local"
#endif

/* The folder that the program lies in; false where the system does not tell. */
static bool program_folder(char *buf, size_t size) {
  ssize_t n = readlink("/proc/self/exe", buf, size - 1);
  char *slash;
  if (n <= 0) return false;
  buf[n] = 0;
  slash = strrchr(buf, '/');
  if (!slash) return false;
  *slash = 0;
  return true;
}

/* The file of a part into `path`; false when there is none. */
static bool find_part(const char *name, char *path, size_t size) {
  static const char *const beside[] = {"%s/minivm-%s.so", "%s/../lib/minivm/minivm-%s.so"};
  char folder[PATH_MAX];
  bool known = program_folder(folder, sizeof folder);
  for (size_t i = 0; known && i < sizeof beside / sizeof *beside; i++) {
    snprintf(path, size, beside[i], folder, name);
    if (access(path, R_OK) == 0) return true;
  }
  snprintf(path, size, "%s/lib/minivm/minivm-%s.so", MINIVM_PREFIX, name);
  return access(path, R_OK) == 0;
}

bool part_load(const char *name, const char *symbol, void *function, const char **why) {
  char path[PATH_MAX + 64];
  void *handle, *address;
  *why = "this part of minivm is not installed";
  if (!find_part(name, path, sizeof path)) return false;
  handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  address = handle ? dlsym(handle, symbol) : NULL;
  if (!address) {
    *why = dlerror();
    return false;
  }
  memcpy(function, &address, sizeof address); /* ISO C has no cast from data to function pointers, POSIX says that they are alike */
  return true;
}
