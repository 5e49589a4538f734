/* See plot_scale.h. */
#include "launch/plot_scale.h"

#include <math.h>

static double round_step(double range, int ticks)
{
    double raw = range / ticks, unit = pow(10, floor(log10(raw))), f = raw / unit;
    return unit * (f <= 1 ? 1 : f <= 2 ? 2 : f <= 5 ? 5 : 10);
}

PlotScale plot_scale(const PlotSeries *s, int n_series, bool of_y, int ticks)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < n_series; i++)
        for (int k = 0; k < s[i].n; k++) {
            double v = of_y ? s[i].y[k] : s[i].x[k];
            if (!isfinite(v) || !isfinite(s[i].y[k])) continue;
            low = fmin(low, v);
            high = fmax(high, v);
        }
    if (!(low <= high)) low = 0, high = 1;
    if (of_y && low > 0 && low < high / 2) low = 0; /* a rate is read from its zero */
    if (high - low < 1e-12 * fmax(1, fabs(high))) low -= 0.5, high += 0.5;
    double step = round_step(high - low, ticks);
    return (PlotScale){floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step, step};
}

void plot_number(char *text, size_t size, double value, double step)
{
    int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    snprintf(text, size, "%.*f", decimals, fabs(value) < step * 1e-6 ? 0 : value);
}
