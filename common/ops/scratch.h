/* Scratch memory of the ops: one block per thread and purpose, kept between calls and grown when a
 * call needs more, so that nothing is allocated once sizes have settled. Freed when the thread
 * ends. */
#ifndef COMMON_OPS_SCRATCH_H
#define COMMON_OPS_SCRATCH_H

#include <stddef.h>

typedef enum {
    SCRATCH_NORM,
    SCRATCH_INPUT,   /* a product's input, rounded or padded */
    SCRATCH_PANEL_A, /* packed panels of a product */
    SCRATCH_PANEL_B,
    SCRATCH_SCORES, /* attention: scores and probabilities */
    SCRATCH_KEYS,   /* attention: keys and values as f32 */
    SCRATCH_SHARED, /* what the threads of one op share: taken by the thread that calls the op */
    SCRATCH_SAMPLE,
    SCRATCH_COUNT,
} ScratchUse;

/* At least `bytes` bytes, aligned to 64, contents undefined; valid until this thread's next
 * scratch_take of the same use. */
void *scratch_take(ScratchUse use, size_t bytes);

#endif
