/* Characters of UTF-8 (core/binary/values: names), and which of them may be shown. mv_visible and mv_print_visible are here too. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The number of bytes of the character at `s`, of which `n` > 0 are there; 0: malformed. */
size_t utf8_length(const char *s, size_t n);
bool utf8_check(const char *s, size_t n);
/* The same number; 0 also for a character that a terminal obeys: a control character, one that breaks a line or turns the direction of text;
 * or that nobody sees. */
size_t utf8_visible(const char *s, size_t n);

#endif
