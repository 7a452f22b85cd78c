/* 32-bit rotations, additions and a message schedule in memory: SHA-256 (FIPS 180-4) of a buffer
 * that is hashed again and again. The constants are computed, not listed: the fractional parts of
 * the square and cube roots of the first primes, by integer arithmetic. */
#include "kernel.h"

static uint32_t K[64], H0[8];

static uint32_t rotr(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

/* The first 32 bits of the fraction of the root of p: the low half of the largest r whose power, scaled
 * by 2^32 for each factor, is not above p. A cube does not fit 128 bits, so it is divided by 2^32 first;
 * a prime is no cube, so the comparison of the quotients is exact. */
static uint32_t root_fraction(unsigned p, unsigned degree)
{
    unsigned __int128 limit = (unsigned __int128)p << 64;
    uint64_t r = 0;

    for (uint64_t bit = (uint64_t)1 << 36; bit; bit >>= 1) {
        unsigned __int128 t = r | bit, power = t * t;
        if (degree == 3)
            power = (power >> 32) * t + ((power & 0xffffffffu) * t >> 32);
        if (power < limit)
            r |= bit;
    }
    return (uint32_t)r;
}

static void constants(void)
{
    unsigned count = 0;

    for (unsigned p = 2; count < 64; p++) {
        unsigned d = 2;
        while (d * d <= p && p % d)
            d++;
        if (d * d <= p)
            continue;
        if (count < 8)
            H0[count] = root_fraction(p, 2);
        K[count++] = root_fraction(p, 3);
    }
}

__attribute__((noinline)) static void block(uint32_t *h, const unsigned char *p)
{
    uint32_t w[64], s[8];

    for (unsigned i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    for (unsigned i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (rotr(a, 7) ^ rotr(a, 18) ^ a >> 3)
             + w[i - 7] + (rotr(b, 17) ^ rotr(b, 19) ^ b >> 10);
    }
    memcpy(s, h, sizeof s);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t a = s[0], e = s[4];
        uint32_t t1 = s[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + K[i] + w[i];
        uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6]; s[6] = s[5]; s[5] = e;
        s[4] = s[3] + t1;
        s[3] = s[2]; s[2] = s[1]; s[1] = a;
        s[0] = t1 + t2;
    }
    for (unsigned i = 0; i < 8; i++)
        h[i] += s[i];
}

/* Hashes size bytes, a multiple of 64, and the padding block that follows such a message. */
static void sha256(uint32_t *h, const unsigned char *p, uint64_t size)
{
    unsigned char end[64] = { 0x80 };

    memcpy(h, H0, sizeof H0);
    for (uint64_t i = 0; i < size; i += 64)
        block(h, p + i);
    for (unsigned i = 0; i < 8; i++)
        end[63 - i] = (unsigned char)(size * 8 >> 8 * i);
    block(h, end);
}

int main(int argc, char **argv)
{
    static unsigned char text[1 << 16];
    unsigned n = kernel_size(argc, argv, 460);
    uint32_t h[8], seed = 7;
    uint64_t sum = 0;

    constants();
    sha256(h, text, 0);
    if (h[0] != 0xe3b0c442 || h[7] != 0x7852b855)     /* the digest of the empty message */
        return 1;
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (unsigned char)kernel_random(&seed);
    for (unsigned i = 0; i < n; i++) {
        sha256(h, text, sizeof text);
        for (unsigned j = 0; j < 8; j++)
            text[i * 8 + j & 0xffff] ^= (unsigned char)h[j];
        sum = kernel_mix(sum, (uint64_t)h[0] << 32 | h[7]);
    }
    return kernel_report("sha256", n, sum);
}
