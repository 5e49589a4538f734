/* What both plots share: the range of the points and round numbers along it. */
#ifndef LAUNCH_PLOT_SCALE_H
#define LAUNCH_PLOT_SCALE_H

#include "launch/plot.h"

typedef struct {
    /* ticks at low, low + step, ... high; low and high are multiples of step */
    double low, high, step;
} PlotScale;

/* Range of all finite x (of_y = false) or y values, widened to round numbers with about `ticks`
 * ticks. */
PlotScale plot_scale(const PlotSeries *s, int n_series, bool of_y, int ticks);

/* A tick's number as short as its step allows. */
void plot_number(char *text, size_t size, double value, double step);

#endif
