/* This machine's limits, measured now: figures of `bench` are fractions of them. */
#ifndef LAUNCH_CALIBRATE_H
#define LAUNCH_CALIBRATE_H

#include "common/ops.h"

/* Floating-point operations a second of a large product (2048 x 2048 x 2048), best of a few, all
 * threads: oneDNN's, or ours where that is faster, so that the yardstick is not our own. *onednn:
 * what oneDNN alone reached; 0 where it has no such product on this CPU. bf16: PRODUCT_BF16;
 * otherwise f32. */
double calibrate_flops(ProductKind kind, double *onednn);

/* Bytes a second of reading memory that no cache holds (512 MB, f32 sums), best of a few, all
 * threads. */
double calibrate_read(void);

#endif
