/* How register code lies in memory: words of 64 bits. The first word of an operation is its handler; then come operands of 32 bits, two a
 * word, and immediates of 64. Operand numbers are cell numbers relative to the frame. `target` is
 * where a branch goes. Each branch has a second handler, fuel_, with one more word: what fuel it costs if it is taken and if not.
 *
 *   BIN, SELECT...  [h][a, b][d]           the last word only if the result goes to a slot
 *   BIN, 64-bit I   [h][a, d][imm]
 *   BR              [h][a, b][target]      64-bit I: [h][a][imm][target]
 *   BRU             [h][a][target]
 *   UN, MOV, GGET   [h][a, d]
 *   LOAD            [h][a, b][end, d]      end: static offset + size of the access; U, V: b is the constant, and a word for the shift follows
 *   STORE           [h][a, b][end, v]      64-bit immediate value: one more word
 *   CONST           [h][d][imm] (v128: two words)
 *   SELECT          [h][c, a][b, d]
 *   GSET            [h][k, a]              I: [h][k][imm]
 *   RET             [h][a, info]           I: [h][-, info][imm]
 *   V2 I            [h][a, d][imm][imm]
 *   BIN2, FBIN2     [h][a, b][c, d]
 *   WIDE            [h][a, c][imm][d]
 *   LOADOP          [h][a, b][end, c][d]
 *   LOADBIN2        [h][a, b][end, y][z, d]
 *   LOADBR          [h][a, b][end, y][d][target]
 *   ADDBR           [h][a, b][c, d][target]
 *   BINBR           [h][a, b][target]      FBINBR: [h][a, b][z][target]
 *   SELIMM          [h][c, x][y, d]
 *   add_ of a LOAD  [h][a, step][pointer, end][d]      inc_: [h][a, copy][step, pointer][end, d]
 *   inc_ of a STORE [h][a, end][v, step]
 *   PIN             [h][a, b][d]           pin_...: as without the pin
 *   V3              [h][a, b][c, d]
 *   SHUFFLE         [h][a, b][d][lanes][lanes]
 *   PERMUTE         [h][a, d][lanes][lanes]
 *   EXTRACT         [h][a, d][lane]        a field: its offset
 *   FSET            [h][a, v][offset]
 *   ESET            [h][a, b][v]           b: index
 *   REPLACE         [h][v, x][lane, d]
 *   memory.copy, .fill  [h][a, b][c, -][memory, memory]
 *   ATOMIC          [h][a, d][b, c][offset]
 *   MISC            see exec/ops_*.h; base operations: [h][base, top][x, y][z]
 *
 * A frame: the parameters; two cells of `info` (where to return to: code, frame); locals; temporaries. Arguments are put where the callee's
 * parameters are, above the caller's live temporaries, so frames overlap. Results come back from the callee's first cell on; a single
 * one that is not a vector is in its accumulator too. The word before the place to return to is the caller's struct code, for walking the stack. */
#ifndef CODE_ENCODING_H
#define CODE_ENCODING_H

#include "code/rops.h"
#include "run/run.h"

union word {
  uint64_t u64;
  uint32_t u32[2];
  const void *ptr;
};

enum { FRAME_INFO = 2 }; /* cells between parameters and locals */

enum { CATCH_DELEGATE = 4 };

/* Where object_new puts an operand: the offset within the object from bit 3 on, whether it is an immediate (32 bits, sign-extended), and log2 of its size. */
enum { PLACE_SIZE = 3, PLACE_IMM = 4, PLACE_OFFSET = 3 };

/* An exception handler: operations in [from, to) words are covered. */
struct catch_range {
  uint32_t from, to;
  uint32_t target;  /* word to go on at */
  uint32_t slot;    /* where the payload and/or exception reference go */
  uint32_t tag;     /* of CATCH, CATCH_REF */
  uint8_t kind;     /* CATCH... of binary/instr.h; legacy ones keep the exception in `exn` too */
  uint32_t exn;     /* cell for the exception reference, or UINT32_MAX */
  uint32_t depth;   /* nesting of the try; CATCH_DELEGATE: `tag` is the depth at which the search goes on */
};

struct code {
  const union word *entry; /* entry[-1].u64: bytes of the whole frame; read with code_entry */
  union word *words;        /* NULL: not translated yet */
  uint32_t nwords, func, params; /* params: cells, so that info lies at fp[params] */
  uint32_t ncatches;
  struct catch_range *catches; /* innermost first */
  struct module *module;
};

/* Where calls of the function begin. Another thread that shares the module may translate it at the same time: the words were written before
 * the pointer, and everything is read through it. */
static inline const union word *code_entry(const struct code *c) {
#if defined(__GNUC__)
  return __atomic_load_n(&c->entry, __ATOMIC_ACQUIRE);
#else
  return c->entry;
#endif
}

#endif
