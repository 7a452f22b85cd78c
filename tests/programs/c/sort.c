/* Arguments, environment, standard input and the exit status: sorts lines by the order that argv[1] names
 * (alpha, length, reverse), with qsort; bsearch finds the words in the other arguments. The exit status is the number of words
 * not found, plus $EXTRA. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_alpha(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static int by_reverse(const void *a, const void *b) { return by_alpha(b, a); }

static int by_length(const void *a, const void *b)
{
    size_t x = strlen(*(char *const *)a), y = strlen(*(char *const *)b);
    return x < y ? -1 : x > y ? 1 : by_alpha(a, b);
}

static char **read_lines(size_t *count)
{
    char **lines = NULL, *line = NULL;
    size_t room = 0, size = 0;
    ssize_t length;

    *count = 0;
    while ((length = getline(&line, &size, stdin)) >= 0) {
        if (length && line[length - 1] == '\n')
            line[length - 1] = 0;
        if (*count == room && !(lines = realloc(lines, (room = room ? 2 * room : 16) * sizeof *lines)))
            exit(99);
        lines[(*count)++] = strdup(line);
    }
    free(line);
    return lines;
}

int main(int argc, char **argv)
{
    static const struct { const char *name; int (*compare)(const void *, const void *); } orders[] = {
        { "alpha", by_alpha }, { "length", by_length }, { "reverse", by_reverse },
    };
    size_t count, order = 0;
    char **lines = read_lines(&count);
    int missing = 0;

    while (order < 3 && (argc < 2 || strcmp(argv[1], orders[order].name)))
        order++;
    if (order == 3) {
        fprintf(stderr, "usage: sort alpha|length|reverse [WORD...]\n");
        return 64;
    }
    qsort(lines, count, sizeof *lines, orders[order].compare);
    for (size_t i = 0; i < count; i++)
        puts(lines[i]);
    for (int i = 2; i < argc; i++) {
        int found = bsearch(&argv[i], lines, count, sizeof *lines, orders[order].compare) != NULL;
        printf("%s: %s\n", argv[i], found ? "found" : "not found");
        missing += !found;
    }
    if (getenv("EXTRA"))
        missing += atoi(getenv("EXTRA"));
    for (const char *const *name = (const char *const[]){ "LANG", "EMPTY", "HOME", NULL }; *name; name++)
        printf("%s=%s\n", *name, getenv(*name) ? getenv(*name) : "(unset)");
    return missing;
}
