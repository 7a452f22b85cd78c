/* The allocator, compiled to wasm with the program: lists and strings of many sizes that live and
 * die in an order of their own, with reallocations. The working set stays near 4 MB. */
#include "kernel.h"

enum { LIVE = 8192 };

static struct cell { struct cell *next; unsigned size; unsigned char *text; } *cells[LIVE];

static struct cell *make(uint32_t r)
{
    struct cell *c = malloc(sizeof *c);

    if (!c)
        exit(2);
    c->size = 16 + (r & 255) * ((r & 0x700) ? 1 : 8);
    c->text = malloc(c->size);
    if (!c->text)
        exit(2);
    c->text[0] = (unsigned char)r;
    c->text[c->size - 1] = (unsigned char)(r >> 8);
    return c;
}

static uint64_t destroy(struct cell *c)
{
    uint64_t sum = 0;

    while (c) {
        struct cell *next = c->next;
        sum = kernel_mix(sum, c->size + c->text[0] + c->text[c->size - 1]);
        free(c->text);
        free(c);
        c = next;
    }
    return sum;
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 1200000);
    uint32_t seed = 5;
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++) {
        uint32_t r = kernel_random(&seed);
        struct cell **head = &cells[r % LIVE];
        if ((r >> 13 & 3) == 0) {
            sum += destroy(*head);
            *head = NULL;
        } else if ((r >> 13 & 3) == 1 && *head) {
            struct cell *c = *head;
            unsigned char *text = realloc(c->text, c->size + 24);
            if (!text)
                exit(2);
            text[c->size + 23] = text[c->size - 1];
            c->text = text;
            c->size += 24;
        } else {
            struct cell *c = make(r);
            c->next = *head;
            *head = c;
        }
    }
    for (unsigned i = 0; i < LIVE; i++)
        sum += destroy(cells[i]);
    return kernel_report("alloc", n, sum);
}
