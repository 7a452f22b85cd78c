/* An interpreter in the interpreter: a loop around one switch, over a small register bytecode
 * whose programs count Collatz steps, search divisors and sort an array. */
#include "kernel.h"

enum op { LOADI, MOVE, ADD, ADDI, SUB, MUL, DIV, REM, ANDI, SHRI, JUMP, JEQ, JLT, JNZ, LOAD, STORE, CALL, RET, HALT };

struct insn { unsigned char op, a, b, c; int32_t imm; };

#define I(op, a, b, c, imm) { op, a, b, c, imm }

static const struct insn program[] = {
    /* r0 = n; r9 = sum; r8 = result of a call */
    I(LOADI, 1, 0, 0, 1),               /*  0: for (r1 = 1; r1 < r0; r1++) { */
    I(JLT, 1, 0, 0, 3),                 /*  1 */
    I(HALT, 0, 0, 0, 0),                /*  2 */
    I(CALL, 0, 0, 0, 9),                /*  3:   r9 += collatz(r1) */
    I(ADD, 9, 9, 8, 0),                 /*  4 */
    I(CALL, 0, 0, 0, 19),               /*  5:   r9 += divisors(r1 & 1023) */
    I(ADD, 9, 9, 8, 0),                 /*  6 */
    I(CALL, 0, 0, 0, 32),               /*  7:   r9 += sort(r1) */
    I(JUMP, 0, 0, 0, 55),               /*  8: } */

    I(MOVE, 2, 1, 0, 0),                /*  9: collatz: r2 = r1; r8 = 0 */
    I(LOADI, 8, 0, 0, 0),               /* 10 */
    I(LOADI, 3, 0, 0, 1),               /* 11 */
    I(JEQ, 2, 3, 0, 31),                /* 12: while (r2 != 1) { */
    I(ADDI, 8, 8, 0, 1),                /* 13:   r8++ */
    I(ANDI, 4, 2, 0, 1),                /* 14 */
    I(JNZ, 4, 0, 0, 58),                /* 15:   odd: r2 = 3 r2 + 1 */
    I(SHRI, 2, 2, 0, 1),                /* 16:   even: r2 >>= 1 */
    I(JUMP, 0, 0, 0, 12),               /* 17: } */
    I(HALT, 0, 0, 0, 0),                /* 18 */

    I(ANDI, 2, 1, 0, 1023),             /* 19: divisors: */
    I(LOADI, 8, 0, 0, 0),               /* 20 */
    I(LOADI, 3, 0, 0, 1),               /* 21: for (r3 = 1; r3 * r3 < r2; r3++) */
    I(MUL, 4, 3, 3, 0),                 /* 22 */
    I(JLT, 4, 2, 0, 25),                /* 23 */
    I(RET, 0, 0, 0, 0),                 /* 24 */
    I(REM, 5, 2, 3, 0),                 /* 25:   if (r2 % r3 == 0) r8 += r2 / r3 */
    I(JNZ, 5, 0, 0, 29),                /* 26 */
    I(DIV, 6, 2, 3, 0),                 /* 27 */
    I(ADD, 8, 8, 6, 0),                 /* 28 */
    I(ADDI, 3, 3, 0, 1),                /* 29 */
    I(JUMP, 0, 0, 0, 22),               /* 30 */
    I(RET, 0, 0, 0, 0),                 /* 31 */

    I(LOADI, 2, 0, 0, 0),               /* 32: sort: for (r2 = 0; r2 < 12; r2++) m[r2] = r1 * (r2 + 7) % 31 */
    I(LOADI, 7, 0, 0, 12),              /* 33 */
    I(LOADI, 6, 0, 0, 31),              /* 34 */
    I(ADDI, 3, 2, 0, 7),                /* 35 */
    I(MUL, 3, 3, 1, 0),                 /* 36 */
    I(REM, 3, 3, 6, 0),                 /* 37 */
    I(STORE, 3, 2, 0, 0),               /* 38 */
    I(ADDI, 2, 2, 0, 1),                /* 39 */
    I(JLT, 2, 7, 0, 35),                /* 40 */
    I(LOADI, 2, 0, 0, 1),               /* 41: for (r2 = 1; r2 < 12; r2++) */
    I(MOVE, 3, 2, 0, 0),                /* 42:   for (r3 = r2; r3 && m[r3] < m[r3 - 1]; r3--) swap */
    I(LOAD, 4, 3, 0, 0),                /* 43 */
    I(LOAD, 5, 3, 0, -1),               /* 44 */
    I(JLT, 4, 5, 0, 47),                /* 45 */
    I(JUMP, 0, 0, 0, 51),               /* 46 */
    I(STORE, 5, 3, 0, 0),               /* 47 */
    I(STORE, 4, 3, 0, -1),              /* 48 */
    I(ADDI, 3, 3, 0, -1),               /* 49 */
    I(JNZ, 3, 0, 0, 43),                /* 50 */
    I(ADDI, 2, 2, 0, 1),                /* 51 */
    I(JLT, 2, 7, 0, 42),                /* 52 */
    I(LOAD, 8, 7, 0, -4),               /* 53: r8 = m[8] */
    I(RET, 0, 0, 0, 0),                 /* 54 */

    I(ADD, 9, 9, 8, 0),                 /* 55: the tail of the outer loop */
    I(ADDI, 1, 1, 0, 1),                /* 56 */
    I(JUMP, 0, 0, 0, 1),                /* 57 */

    I(ADD, 4, 2, 2, 0),                 /* 58: r2 = 3 r2 + 1 */
    I(ADD, 2, 4, 2, 0),                 /* 59 */
    I(ADDI, 2, 2, 0, 1),                /* 60 */
    I(JUMP, 0, 0, 0, 12),               /* 61 */
};

__attribute__((noinline)) static uint64_t interpret(const struct insn *code, uint32_t n)
{
    uint32_t r[16] = { n }, m[16] = { 0 }, stack[8], sp = 0;
    const struct insn *pc = code;
    uint64_t steps = 0;

    for (;; steps++) {
        const struct insn *i = pc++;
        switch ((enum op)i->op) {
        case LOADI: r[i->a] = (uint32_t)i->imm; break;
        case MOVE:  r[i->a] = r[i->b]; break;
        case ADD:   r[i->a] = r[i->b] + r[i->c]; break;
        case ADDI:  r[i->a] = r[i->b] + (uint32_t)i->imm; break;
        case SUB:   r[i->a] = r[i->b] - r[i->c]; break;
        case MUL:   r[i->a] = r[i->b] * r[i->c]; break;
        case DIV:   r[i->a] = r[i->b] / r[i->c]; break;
        case REM:   r[i->a] = r[i->b] % r[i->c]; break;
        case ANDI:  r[i->a] = r[i->b] & (uint32_t)i->imm; break;
        case SHRI:  r[i->a] = r[i->b] >> i->imm; break;
        case JUMP:  pc = code + i->imm; break;
        case JEQ:   if (r[i->a] == r[i->b]) pc = code + i->imm; break;
        case JLT:   if (r[i->a] < r[i->b]) pc = code + i->imm; break;
        case JNZ:   if (r[i->a]) pc = code + i->imm; break;
        case LOAD:  r[i->a] = m[(r[i->b] + (uint32_t)i->imm) & 15]; break;
        case STORE: m[(r[i->b] + (uint32_t)i->imm) & 15] = r[i->a]; break;
        case CALL:  stack[sp++ & 7] = (uint32_t)(pc - code); pc = code + i->imm; break;
        case RET:   pc = code + stack[--sp & 7]; break;
        case HALT:  return kernel_mix(steps, r[9]);
        }
    }
}

int main(int argc, char **argv)
{
    unsigned n = kernel_size(argc, argv, 56000);
    return kernel_report("bytecode", n, interpret(program, n));
}
