/* 128-bit vectors, written with the compiler's vector extensions: a Mandelbrot row in four lanes of
 * floats, a saturating blend of bytes, and a hash in four lanes of integers. The wasm form is built with
 * -msimd128; the native one uses the same width. */
#include "kernel.h"

typedef float f32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));

static uint32_t sum4(i32x4 v) { return (uint32_t)v[0] + (uint32_t)v[1] + (uint32_t)v[2] + (uint32_t)v[3]; }

__attribute__((noinline)) static uint32_t escape4(f32x4 cr, f32x4 ci)
{
    f32x4 r = { 0 }, i = { 0 };
    i32x4 count = { 0 };

    for (unsigned n = 0; n < 64; n++) {
        f32x4 r2 = r * r, i2 = i * i, ri = r * i;
        i32x4 inside = r2 + i2 <= 4.0f;
        count -= inside;
        if (!(inside[0] | inside[1] | inside[2] | inside[3]))
            break;
        r = r2 - i2 + cr;
        i = ri + ri + ci;
    }
    return sum4(count);
}

enum { PIXELS = 4096 };

static uint8_t front[PIXELS], back[PIXELS], out[PIXELS];

/* out = front · a/256 + back · (256 − a)/256, sixteen pixels at a time, in 16-bit lanes. */
__attribute__((noinline)) static void blend(uint16_t alpha)
{
    u16x8 a = (u16x8){ 0 } + alpha, b = (u16x8){ 0 } + (uint16_t)(256 - alpha), mask = (u16x8){ 0 } + 255;

    for (unsigned i = 0; i < PIXELS; i += 16) {
        u16x8 f, g;
        memcpy(&f, front + i, 16);
        memcpy(&g, back + i, 16);
        u16x8 even = ((f & mask) * a + (g & mask) * b) >> 8;
        u16x8 odd = ((f >> 8) * a + (g >> 8) * b) & ~mask;
        u8x16 o = (u8x16)(even | odd);
        memcpy(out + i, &o, 16);
    }
}

__attribute__((noinline)) static u32x4 hash(u32x4 h, const uint8_t *p, unsigned size)
{
    for (unsigned i = 0; i < size; i += 16) {
        u32x4 v;
        memcpy(&v, p + i, 16);
        h = (h ^ v) * 0x9e3779b1u;
        h ^= h >> 15;
        h = __builtin_shufflevector(h, h, 1, 2, 3, 0);
    }
    return h;
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 2800);
    uint32_t seed = 9;
    uint64_t sum = 0;
    u32x4 h = { 1, 2, 3, 4 };

    for (unsigned i = 0; i < PIXELS; i++) {
        front[i] = (uint8_t)kernel_random(&seed);
        back[i] = (uint8_t)kernel_random(&seed);
    }
    for (unsigned y = 0; y < n; y++) {
        f32x4 ci = (f32x4){ 0 } + (2.4f * (float)y / (float)n - 1.2f);
        for (unsigned x = 0; x < n; x += 4) {
            f32x4 cr = { 0, 1, 2, 3 };
            cr = (cr + (float)x) * (3.0f / (float)n) - 2.2f;
            sum += escape4(cr, ci);
        }
        for (unsigned i = 0; i < 12; i++) {
            blend((uint16_t)((y + i) % 257));
            h = hash(h, out, PIXELS);
        }
    }
    for (unsigned i = 0; i < 4; i++)
        sum = kernel_mix(sum, h[i]);
    return kernel_report("simd", n, sum);
}
