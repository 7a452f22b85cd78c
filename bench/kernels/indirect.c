/* Calls through a table: small functions of one type chosen by data, and a tree of nodes that
 * each carry the function that evaluates them. */
#include "kernel.h"

typedef uint32_t unary(uint32_t);

static uint32_t f0(uint32_t x) { return x + 0x9e37; }
static uint32_t f1(uint32_t x) { return x ^ x << 3; }
static uint32_t f2(uint32_t x) { return x * 5 + 1; }
static uint32_t f3(uint32_t x) { return x ^ x >> 7; }
static uint32_t f4(uint32_t x) { return ~x; }
static uint32_t f5(uint32_t x) { return x << 5 | x >> 27; }
static uint32_t f6(uint32_t x) { return x - 0x1234567; }
static uint32_t f7(uint32_t x) { return x ^ 0x55aa55aa; }

static unary *volatile const table[] = { f0, f1, f2, f3, f4, f5, f6, f7 };

enum { LEAVES = 64 };

struct node {
    uint32_t (*eval)(const struct node *, uint32_t);
    const struct node *left, *right;
    uint32_t value;
};

static struct node nodes[2 * LEAVES];

static uint32_t leaf(const struct node *n, uint32_t x) { return n->value + x; }
static uint32_t add(const struct node *n, uint32_t x) { return n->left->eval(n->left, x) + n->right->eval(n->right, x); }
static uint32_t mul(const struct node *n, uint32_t x) { return n->left->eval(n->left, x) * (n->right->eval(n->right, x) | 1); }
static uint32_t sub(const struct node *n, uint32_t x) { return n->left->eval(n->left, x) - n->right->eval(n->right, x); }

/* A heap-ordered tree: node i has the children 2i and 2i + 1, the last LEAVES nodes are leaves. */
static void plant(void)
{
    for (unsigned i = 1; i < 2 * LEAVES; i++) {
        struct node *n = &nodes[i];
        n->value = i * 2654435761u;
        n->eval = i >= LEAVES ? leaf : i % 3 == 0 ? add : i % 3 == 1 ? mul : sub;
        if (i < LEAVES) {
            n->left = &nodes[2 * i];
            n->right = &nodes[2 * i + 1];
        }
    }
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 290000);
    uint32_t x = 1;
    uint64_t sum = 0;

    plant();
    for (unsigned i = 0; i < n; i++) {
        for (unsigned j = 0; j < 128; j++)
            x = table[x + j & 7](x);
        x ^= nodes[1].eval(&nodes[1], i);
        sum = kernel_mix(sum, x);
    }
    return kernel_report("indirect", n, sum);
}
