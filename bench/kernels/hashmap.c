/* Hashing and pointer-free probing: an open-addressing map from 64-bit keys to counts, with
 * insertions, look-ups and deletions that shift the cluster back. */
#include "kernel.h"

enum { BITS = 14, SLOTS = 1 << BITS };

static struct slot { uint64_t key; uint32_t count, used; } slots[SLOTS];

static uint32_t home(uint64_t key) { return (uint32_t)(key * 0x9e3779b97f4a7c15u >> (64 - BITS)); }

static struct slot *probe(uint64_t key)
{
    uint32_t i = home(key);

    while (slots[i].used && slots[i].key != key)
        i = (i + 1) & (SLOTS - 1);
    return &slots[i];
}

static void drop(struct slot *hole)
{
    uint32_t h = (uint32_t)(hole - slots);

    for (uint32_t i = h; slots[i = (i + 1) & (SLOTS - 1)].used;) {
        uint32_t back = (i - home(slots[i].key)) & (SLOTS - 1), gap = (i - h) & (SLOTS - 1);
        if (back >= gap) {
            slots[h] = slots[i];
            h = i;
        }
    }
    slots[h].used = 0;
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 16000000);
    uint32_t seed = 3;
    uint64_t live = 0, sum = 0;

    for (unsigned i = 0; i < n; i++) {
        uint32_t r = kernel_random(&seed);
        uint64_t key = ((uint64_t)r * r >> 11 & 0x1fff) << 32 | 0xabcdef;
        struct slot *s = probe(key);
        if (!s->used) {
            *s = (struct slot){ key, 1, 1 };
            live++;
        } else if ((r & 3) == 0) {
            sum = kernel_mix(sum, s->count);
            drop(s);
            live--;
        } else {
            s->count++;
        }
    }
    return kernel_report("hashmap", n, kernel_mix(sum, live));
}
