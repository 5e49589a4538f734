/* See schedule.h. */
#include "learner/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "common/errors.h"

/* Shapes over u in [0, 1]: 0 at the end of warm-up, 1 at the last step. Exactly 1 and 0 at the ends
 * that matter. */
static double shape_constant(double u)
{
    (void)u;
    return 1;
}

static double shape_linear(double u)
{
    return 1 - u;
}

static double shape_cosine(double u)
{
    return 0.5 * (1 + cos(3.141592653589793 * u));
}

static const struct {
    const char *name;
    double (*shape)(double u);
} table[] = {{"constant", shape_constant}, {"linear", shape_linear}, {"cosine", shape_cosine}};

double schedule_lr(const char *decay, double peak, int64_t warmup, int64_t step, int64_t n_steps)
{
    REQUIRE(step >= 1 && step <= n_steps, "learning rate of step %lld of %lld", (long long)step,
            (long long)n_steps);
    if (step <= warmup) return peak * (double)step / (double)warmup;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, decay) == 0)
            return peak * table[i].shape((double)(step - warmup) / (double)(n_steps - warmup));
    REQUIRE(0, "no decay is called %s", decay);
}
