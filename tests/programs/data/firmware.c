#include <stdint.h>
volatile uint8_t port;
static uint16_t table[8];
uint16_t step(uint8_t n) { uint16_t s = 0; for (uint8_t i = 0; i < n; i++) { table[i & 7] += i * 3; s ^= table[i & 7] << (i & 3); } port = (uint8_t)s; return s; }
int main(void) { for (;;) step(port); }
