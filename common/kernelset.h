/* The kernel set: what decides the bits of a run besides its config and seed. Chosen once, by rank
 * 0 at a run's first start, from measured rates; sent to all ranks, kept in run file and
 * checkpoints, reused on resume. */
#ifndef COMMON_KERNELSET_H
#define COMMON_KERNELSET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ops.h"

typedef struct {
    Precision precision;
    ProductKind product;
    uint32_t probe;     /* CRC32C of a small probe product's bits on this machine */
    char cpu[64];       /* CPU model name and the vector extensions in use */
    char libraries[64]; /* what computes: "products 1, glibc 2.36" */
} KernelSet;

/* Measures products of the sizes a model has (some 0.2 s) and picks the fastest kind that is exact:
 * one where a self-test (rows equal for M = 1, 7, 64, 512; one and several threads) holds. Local.
 */
void kernelset_choose(KernelSet *k, Precision precision);

/* The set that an experiment file names: model.precision ("bf16", "f32") and model.products
 * ("auto": by measured rate; "bf16", "bf16_as_f32": that kind, which only bf16 has a choice of).
 * Local. */
void kernelset_named(KernelSet *k, const char *precision, const char *products);

/* Recomputes probe and names for k's product kind on this machine: 0 if equal, -1 with the
 * difference said. Local. */
int kernelset_verify(const KernelSet *k);

#endif
