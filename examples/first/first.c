/* A first program for minivm: counts the words of a file in a folder that it was given, and shows what it was not given.
 *
 *   clang --target=wasm32-wasi -O2 first.c -o first.wasm
 *   minivm --dir . first.wasm first.c
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 4096, LONGEST = 32 };

static struct word {
  char text[LONGEST];
  int count;
} words[WORDS];
static int used;

static void add(const char *text) {
  int i = 0;
  while (i < used && strcmp(words[i].text, text)) i++;
  if (i == WORDS) return;
  if (i == used) strcpy(words[used++].text, text);
  words[i].count++;
}

static int more(const void *a, const void *b) {
  const struct word *x = a, *y = b;
  return x->count != y->count ? y->count - x->count : strcmp(x->text, y->text);
}

static void read_words(FILE *file) {
  char text[LONGEST];
  int c, n = 0;
  do {
    c = getc(file);
    if (isalpha(c) && n < LONGEST - 1) {
      text[n++] = (char)tolower(c);
    } else if (n > 0) {
      text[n] = 0;
      if (n > 3) add(text);
      n = 0;
    }
  } while (c != EOF);
}

int main(int argc, char **argv) {
  const char *path = argc > 1 ? argv[1] : "README.md";
  FILE *file = fopen(path, "r");
  if (!file) {
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return 1;
  }
  read_words(file);
  fclose(file);
  qsort(words, (size_t)used, sizeof *words, more);
  printf("%s: %d different words; the most frequent:", path, used);
  for (int i = 0; i < used && i < 5; i++) printf(" %s (%d)", words[i].text, words[i].count);
  printf("\n");
  file = fopen("/etc/passwd", "r");
  printf("/etc/passwd: %s\n", file ? "open!" : strerror(errno));
  return 0;
}
