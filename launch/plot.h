/* Curves for people: braille in a terminal, the same curves as a PNG (cairo). */
#ifndef LAUNCH_PLOT_H
#define LAUNCH_PLOT_H

#include <stdbool.h>
#include <stdio.h>

typedef struct {
    const char *name;
    const double *x, *y; /* [n]; NaN = no point */
    int n;
    bool dots; /* points (evaluations) rather than a line */
} PlotSeries;

/* width x height in characters; ASCII where the locale is not UTF-8 (or ascii is true). Axes carry
 * numbers, a legend names the series. */
void plot_terminal(FILE *out, const char *title, const char *x_label, const PlotSeries *s,
                   int n_series, int width, int height, bool ascii);

/* 1200 x 700 PNG, written aside and renamed. 0 or -1. */
int plot_png(const char *path, const char *title, const char *x_label, const PlotSeries *s,
             int n_series);

#endif
