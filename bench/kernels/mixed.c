/*
 * Four short tasks in turn, with a checksum that feeds the next round, as an embedded controller's
 * day goes: a linked list (find, reverse, merge sort), 16-bit matrix arithmetic, a state
 * machine over text that looks like numbers, and a bitwise CRC-16 of every result. Integers only.
 */
#include "kernel.h"

enum { ITEMS = 96, SIDE = 14, TEXT = 512, STATES = 8 };

static uint16_t crc16(uint16_t crc, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes * 8; i++, value >>= 1) {
        unsigned bit = (crc ^ value) & 1;
        crc = (uint16_t)(crc >> 1);
        if (bit)
            crc ^= 0xa001;
    }
    return crc;
}

/* List */

struct item { struct item *next; int16_t key, index; };

static struct item items[ITEMS];

static int by_key(const struct item *a, const struct item *b) { return a->key - b->key; }
static int by_index(const struct item *a, const struct item *b) { return a->index - b->index; }

static struct item *list_find(struct item *list, int16_t key)
{
    while (list && list->key != key)
        list = list->next;
    return list;
}

static struct item *list_reverse(struct item *list)
{
    struct item *done = NULL;

    while (list) {
        struct item *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static struct item *list_merge(struct item *a, struct item *b, int (*compare)(const struct item *, const struct item *))
{
    struct item head = { NULL, 0, 0 }, *tail = &head;

    while (a && b) {
        struct item **least = compare(a, b) <= 0 ? &a : &b;
        tail = tail->next = *least;
        *least = (*least)->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct item *list_sort(struct item *list, int (*compare)(const struct item *, const struct item *))
{
    struct item *middle = list, *end = list;

    if (!list || !list->next)
        return list;
    while ((end = end->next) && (end = end->next))
        middle = middle->next;
    end = middle->next;
    middle->next = NULL;
    return list_merge(list_sort(list, compare), list_sort(end, compare), compare);
}

static uint16_t list_task(uint32_t seed)
{
    struct item *list = NULL, *found;
    uint16_t crc = 0;
    unsigned hits = 0;

    for (unsigned i = 0; i < ITEMS; i++) {
        items[i] = (struct item){ list, (int16_t)(kernel_random(&seed) & 0x1ff), (int16_t)i };
        list = &items[i];
    }
    for (int16_t key = 0; key < 48; key++)
        if ((found = list_find(list, (int16_t)(key * 11 & 0x1ff)))) {
            hits += (unsigned)found->index;
            list = list_reverse(list);
        }
    list = list_sort(list, by_key);
    for (struct item *i = list; i; i = i->next)
        crc = crc16(crc, (uint16_t)i->key, 2);
    list = list_sort(list, by_index);
    return crc16(crc, hits + (unsigned)list->key, 4);
}

/* Matrix */

static int16_t ma[SIDE][SIDE], mb[SIDE][SIDE];
static int32_t mc[SIDE][SIDE];

static uint16_t matrix_task(uint32_t seed)
{
    int32_t sum = 0, last = 0;

    for (unsigned i = 0; i < SIDE; i++)
        for (unsigned j = 0; j < SIDE; j++) {
            ma[i][j] = (int16_t)((kernel_random(&seed) & 0x7ff) - 1024);
            mb[i][j] = (int16_t)(kernel_random(&seed) & 0xff);
        }
    for (unsigned i = 0; i < SIDE; i++)
        for (unsigned j = 0; j < SIDE; j++) {
            int32_t dot = 0;
            for (unsigned k = 0; k < SIDE; k++)
                dot += ma[i][k] * mb[k][j];
            mc[i][j] = dot;
        }
    for (unsigned i = 0; i < SIDE; i++)
        for (unsigned j = 0; j < SIDE; j++) {
            int32_t c = mc[i][j];
            sum += c > last ? 10 : (c >> 2 & 0xf) * (c >> 5 & 0x7f) & 0xff;
            last = c;
        }
    return crc16(crc16(0, (uint32_t)sum, 4), (uint32_t)last, 4);
}

/* State machine: which kind of number does each comma-separated word spell? */

enum state { START, SIGN, INTEGER, DOT, FRACTION, EXPONENT, SCIENTIFIC, WRONG };

static char text[TEXT];

static enum state step(enum state state, char c)
{
    int digit = c >= '0' && c <= '9';

    switch (state) {
    case START:      return digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? DOT : WRONG;
    case SIGN:       return digit ? INTEGER : c == '.' ? DOT : WRONG;
    case INTEGER:    return digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : WRONG;
    case DOT:        return digit ? FRACTION : WRONG;
    case FRACTION:   return digit ? FRACTION : c == 'e' ? EXPONENT : WRONG;
    case EXPONENT:   return digit ? SCIENTIFIC : c == '-' || c == '+' ? EXPONENT : WRONG;
    case SCIENTIFIC: return digit ? SCIENTIFIC : WRONG;
    case WRONG:      return WRONG;
    }
    return WRONG;
}

static uint16_t state_task(uint32_t seed)
{
    static const char *const words[] = { "5012", "+874", "-.5", "3.14", "1e10", "-6.0e-7", "1a", "+-3", ".e", "77.7.7" };
    unsigned ends[STATES] = { 0 }, steps[STATES] = { 0 }, used = 0;
    enum state state = START;
    uint16_t crc = 0;

    while (used + 10 < TEXT) {
        const char *word = words[kernel_random(&seed) % (sizeof words / sizeof *words)];
        while (*word)
            text[used++] = *word++;
        text[used++] = ',';
    }
    text[kernel_random(&seed) % used] ^= 1;
    for (unsigned i = 0; i < used; i++)
        if (text[i] == ',') {
            ends[state]++;
            state = START;
        } else {
            state = step(state, text[i]);
            steps[state]++;
        }
    for (unsigned i = 0; i < STATES; i++)
        crc = crc16(crc16(crc, ends[i], 4), steps[i], 4);
    return crc;
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 6300);
    uint32_t seed = 0x3415;

    for (unsigned i = 0; i < n; i++) {
        seed = seed << 3 ^ list_task(seed + i);
        seed = seed << 5 ^ matrix_task(seed);
        seed = seed << 7 ^ state_task(seed);
    }
    return kernel_report("mixed", n, seed);
}
