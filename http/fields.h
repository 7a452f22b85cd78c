/* fields.h: the headers of a request or response. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

/* A list of names, in lower case, and values. All zeros is an empty one. */
struct fields {
  char *text; /* name, value, name, value, ..., each terminated */
  size_t size, capacity, count;
  const char **list;
  size_t list_capacity;
};

void fields_clear(struct fields *); /* keeps the memory */
void fields_fini(struct fields *);
/* false: no memory. */
bool fields_add(struct fields *, const char *name, size_t name_size, const char *value, size_t value_size);
bool fields_set(struct fields *, const char *name, size_t name_size, const char *value, size_t value_size); /* in place of earlier ones */
void fields_remove(struct fields *, const char *name);
/* The first value, or NULL. The name is in lower case. */
const char *fields_find(const struct fields *, const char *name);
/* name, value, ..., NULL; valid until the list is changed. NULL: no memory. */
const char *const *fields_list(struct fields *);

/* RFC 9110, sections 5.1, 5.5 and 9.1. */
bool is_token(const char *, size_t);
bool is_field_value(const char *, size_t);

#endif
