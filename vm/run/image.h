/* The initial contents of a module's memory, as pages that its instances share until they write to them. */
#ifndef RUN_IMAGE_H
#define RUN_IMAGE_H

#include "run/run.h"

/* Pages of a file. The memory is the first of the module's own; what is outside of the range is zero. All are multiples of the host's page. */
struct image {
  int fd;
  uint64_t at;          /* in the file */
  uint64_t start, size; /* in the memory */
};

/* What all active data segments write: one run of bytes of the first own memory, or a reason for which an image could not stand for them. */
struct image_range {
  uint64_t from, to; /* rounded to `page` */
  bool ok;
};
struct image_range image_range(const struct module *, uint64_t page);
/* Writes the segments' bytes to where memory address `from` is. */
void image_fill(const struct module *, uint64_t from, uint8_t *at);

/* The image that stands for the active data segments of another instance, which is about to be made; NULL: they are to be copied. */
const struct image *image_of_module(struct module *);
MV_MUST_USE bool image_map(const struct image *, struct mem_inst *, mv_error_t *err);
/* Gives a module the image that lies in a file at `at`, from where it is taken as long as `fd` can be duplicated and pages allow. */
/* With its module. */
void image_delete(struct module *);
void image_of_file(struct module *, int fd, uint64_t at, const struct image_range *);

#endif
