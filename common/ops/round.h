/* Rows rounded to bf16 and widened again: what the products do to their inputs. */
#ifndef COMMON_OPS_ROUND_H
#define COMMON_OPS_ROUND_H

#include <stddef.h>
#include <stdint.h>

void bf16_pack_row(uint32_t *pairs, const float *x,
                   int n); /* pairs [(n + 1) / 2]; an odd last one is paired with 0 */
void bf16_round_row(float *y, const float *x, int n); /* y = bf16(x), still f32 */
void bf16_widen(float *y, const uint16_t *x, size_t n);

/* Pairs across two rows: pairs[i] = (bf16(a[i]), bf16(b[i])); b NULL: zeros. */
void bf16_pack_two(uint32_t *pairs, const float *a, const float *b, int n);

#endif
