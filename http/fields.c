/* fields.c: see fields.h. */
#include "fields.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void fields_clear(struct fields *f) { f->size = f->count = 0; }

void fields_fini(struct fields *f) {
  free(f->text);
  free(f->list);
}

bool fields_add(struct fields *f, const char *name, size_t name_size, const char *value, size_t value_size) {
  size_t more;
  char *p;
  if (value_size > SIZE_MAX / 4 || name_size > SIZE_MAX / 4 || f->size > SIZE_MAX / 4) return false;
  more = name_size + value_size + 2;
  if (more > f->capacity - f->size) {
    size_t capacity = (f->size + more) * 2;
    p = realloc(f->text, capacity);
    if (!p) return false;
    f->text = p;
    f->capacity = capacity;
  }
  p = f->text + f->size;
  for (size_t i = 0; i < name_size; i++) *p++ = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
  *p++ = 0;
  if (value_size) memcpy(p, value, value_size);
  p[value_size] = 0;
  f->size += more;
  f->count++;
  return true;
}

bool fields_set(struct fields *f, const char *name, size_t name_size, const char *value, size_t value_size) {
  size_t at = f->size;
  if (!fields_add(f, name, name_size, value, value_size)) return false;
  for (char *p = f->text; p < f->text + at;) {
    size_t n = strlen(p) + 1;
    bool same = !strcmp(p, f->text + at);
    n += strlen(p + n) + 1;
    if (same) {
      memmove(p, p + n, f->size - (size_t)(p - f->text) - n);
      f->size -= n;
      f->count--;
      return true;
    }
    p += n;
  }
  return true;
}

void fields_remove(struct fields *f, const char *name) {
  for (char *p = f->text; f->size && p < f->text + f->size;) {
    size_t n = strlen(p) + 1;
    bool same = !strcmp(p, name);
    n += strlen(p + n) + 1;
    if (same) {
      memmove(p, p + n, f->size - (size_t)(p - f->text) - n);
      f->size -= n;
      f->count--;
    } else {
      p += n;
    }
  }
}

const char *fields_find(const struct fields *f, const char *name) {
  for (const char *p = f->text; f->size && p < f->text + f->size;) {
    const char *value = p + strlen(p) + 1;
    if (!strcmp(p, name)) return value;
    p = value + strlen(value) + 1;
  }
  return NULL;
}

const char *const *fields_list(struct fields *f) {
  size_t need = 2 * f->count + 1;
  const char *p = f->text;
  if (need > f->list_capacity) {
    const char **list = realloc(f->list, 2 * need * sizeof *list);
    if (!list) return NULL;
    f->list = list;
    f->list_capacity = 2 * need;
  }
  for (size_t i = 0; i < 2 * f->count; i++) {
    f->list[i] = p;
    p += strlen(p) + 1;
  }
  f->list[need - 1] = NULL;
  return f->list;
}

bool is_token(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c)))) return false;
  }
  return size > 0;
}

bool is_field_value(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f) return false;
  return true;
}
