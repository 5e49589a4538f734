/* This machine's limits, measured now: figures of `bench` are fractions of them. */
#ifndef LAUNCH_CALIBRATE_H
#define LAUNCH_CALIBRATE_H

#include "common/ops.h"

double clock_seconds(void); /* monotonic */

/* Floating-point operations a second of a large product (2048 x 2048 x 2048) of this kind, best of a few, all threads. */
double calibrate_flops(ProductKind kind);

/* Bytes a second of reading memory that no cache holds (512 MB, f32 sums), best of a few, all threads. */
double calibrate_read(void);

#endif
