/* Rounding rows to bf16: see round.h. The rule is bf16_from_f32's, 16 lanes at a time. */
#include "common/ops/round.h"

#include "common/dtype.h"
#include "common/ops/lanes.h"

/* The 16 bits of bf16(x) in the upper half of each lane, the lower half 0. */
INLINE LanesBits rounded(Lanes x)
{
    LanesBits u = (LanesBits)x, near = u + 0x7fffu + (u >> 16 & 1u), nan = u | 0x400000u;
    return (LanesBits)lanes_select(x != x, (Lanes)nan, (Lanes)near) & 0xffff0000u;
}

CLONES void bf16_round_row(float *y, const float *x, int n)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES) lanes_store(y + i, (Lanes)rounded(lanes_load(x + i)));
    for (; i < n; i++) y[i] = f32_from_bf16(bf16_from_f32(x[i]));
}

CLONES void bf16_pack_row(uint32_t *pairs, const float *x, int n)
{
    uint16_t *to = (uint16_t *)pairs;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        *(LanesHalf *)(to + i) =
            __builtin_convertvector(rounded(lanes_load(x + i)) >> 16, LanesHalf);
    for (; i < n; i++) to[i] = bf16_from_f32(x[i]);
    if (n & 1) to[n] = 0;
}

CLONES void bf16_pack_two(uint32_t *pairs, const float *a, const float *b, int n)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
        LanesBits low = rounded(lanes_load(a + i)) >> 16;
        LanesBits high = b ? rounded(lanes_load(b + i)) : (LanesBits){0};
        *(LanesBits *)(pairs + i) = low | high;
    }
    for (; i < n; i++)
        pairs[i] = bf16_from_f32(a[i]) | (b ? (uint32_t)bf16_from_f32(b[i]) << 16 : 0);
}

CLONES void bf16_widen(float *y, const uint16_t *x, size_t n)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) lanes_store(y + i, lanes_load_bf16(x + i));
    for (; i < n; i++) y[i] = f32_from_bf16(x[i]);
}
