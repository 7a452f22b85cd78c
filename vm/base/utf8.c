/* UTF-8; see utf8.h. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#include "minivm.h"

/* Overlong forms, surrogates and what lies behind U+10FFFF are malformed; all of them show in the second byte. */
size_t utf8_length(const char *text, size_t left) {
  const uint8_t *s = (const uint8_t *)text;
  uint8_t b = s[0], low = 0x80, high = 0xbf;
  if (b < 0x80) return 1;
  size_t n = b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
  if (n == 0 || n > left) return 0;
  if (b == 0xe0) low = 0xa0;
  if (b == 0xed) high = 0x9f;
  if (b == 0xf0) low = 0x90;
  if (b == 0xf4) high = 0x8f;
  if (s[1] < low || s[1] > high) return 0;
  for (size_t i = 2; i < n; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  return n;
}

bool utf8_check(const char *s, size_t size) {
  for (size_t i = 0, n; i < size; i += n)
    if ((n = utf8_length(s + i, size - i)) == 0) return false;
  return true;
}

/* C0, DEL and C1; the Arabic letter mark U+061C; U+200E and U+200F; the separators and embeddings U+2028 to U+202E; the isolates U+2066 to U+2069;
 * the byte order mark U+FEFF. */
size_t utf8_visible(const char *text, size_t left) {
  const uint8_t *s = (const uint8_t *)text;
  size_t n = utf8_length(text, left);
  bool obeyed = false;
  if (n == 1) obeyed = s[0] < 0x20 || s[0] == 0x7f;
  else if (n == 2) obeyed = (s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xd8 && s[1] == 0x9c);
  else if (n == 3 && s[0] == 0xe2 && s[1] == 0x80) obeyed = s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae);
  else if (n == 3 && s[0] == 0xe2 && s[1] == 0x81) obeyed = s[2] >= 0xa6 && s[2] <= 0xa9;
  else if (n == 3 && s[0] == 0xef && s[1] == 0xbb) obeyed = s[2] == 0xbf;
  return obeyed ? 0 : n;
}

/* The bytes behind the first of a character that is not shown are malformed by themselves. */
size_t mv_visible(const char *text, size_t size, char *buf, size_t cap) {
  static const char hex[] = "0123456789abcdef";
  size_t at = 0, used = 0;
  while (at < size) {
    size_t n = utf8_visible(text + at, size - at);
    if ((n ? n : 3) >= cap - used) break;
    if (n) {
      memcpy(buf + used, text + at, n);
      at += n, used += n;
    } else {
      uint8_t b = (uint8_t)text[at++];
      buf[used++] = '\\';
      buf[used++] = hex[b >> 4];
      buf[used++] = hex[b & 15];
    }
  }
  buf[used] = 0;
  return at;
}

void mv_print_visible(const char *text, size_t size, FILE *out) {
  char piece[256];
  for (size_t n; size > 0; text += n, size -= n) {
    n = mv_visible(text, size, piece, sizeof piece);
    fputs(piece, out);
  }
}
