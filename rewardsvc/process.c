/* See process.h. */
#include "rewardsvc/process.h"

#include <math.h>
#include <string.h>

#include "common/errors.h"

static int word_index(const char *word, const char *const *words, int n, const char *what)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(word, words[i])) return i;
    return fail("%s is no way to %s", word, what);
}

int process_kind(const char *word, ProcessKind *kind)
{
    static const char *const words[] = {"raw", "clip", "delta", "clip_delta"};
    int i = word_index(word, words, 4, "reward steps (raw, clip, delta, clip_delta)");
    if (i >= 0) *kind = (ProcessKind)i;
    return i < 0 ? -1 : 0;
}

/* Delta in place: from the front, so that r[k + 1] is still the score. */
static void take_differences(double *r, int K)
{
    for (int k = 0; k < K - 2; k++) r[k] -= r[k + 1];
    r[K - 1] = 0;
}

bool process_rewards(ProcessKind kind, double eta, const Score *steps, int K, double *rewards)
{
    REQUIRE(K >= 1, "a solution of %d steps", K);
    bool clips = kind == PROCESS_CLIP || kind == PROCESS_CLIP_DELTA, known = true;
    for (int k = 0; k < K; k++) {
        known &= steps[k].status == SCORE_OK;
        rewards[k] = clips ? fmin(steps[k].value - eta, 0) : steps[k].value;
    }
    if (known && (K > 1 || kind == PROCESS_RAW)) {
        if (kind == PROCESS_DELTA || kind == PROCESS_CLIP_DELTA) take_differences(rewards, K);
        return true;
    }
    memset(rewards, 0, (size_t)K * sizeof *rewards);
    return false;
}

void process_returns(const double *rewards, int K, double alpha, double success, double *returns)
{
    double sum = success;
    for (int k = K - 1; k >= 0; k--) returns[k] = sum += alpha * rewards[k];
}

int process_whole(const char *word, ProcessWhole *whole)
{
    static const char *const words[] = {"min",  "max",        "product",   "geometric",
                                        "mean", "mean_logit", "mean_odds", "last"};
    int i = word_index(word, words, 8,
                       "sum up steps (min, max, product, geometric, mean, mean_logit, mean_odds, "
                       "last)");
    if (i >= 0) *whole = (ProcessWhole)i;
    return i < 0 ? -1 : 0;
}

double process_aggregate(ProcessWhole whole, const double *p, int K)
{
    REQUIRE(K >= 1, "a solution of %d steps", K);
    double least = p[0], most = p[0], sum = 0, logs = 0, logits = 0, odds = 0;
    for (int k = 0; k < K; k++) {
        least = fmin(least, p[k]), most = fmax(most, p[k]);
        sum += p[k], logs += log(p[k]);
        logits += log(p[k]) - log1p(-p[k]), odds += p[k] / (1 - p[k]);
    }
    switch (whole) {
    case PROCESS_MIN:
        return least;
    case PROCESS_MAX:
        return most;
    case PROCESS_PRODUCT:
        return exp(logs);
    case PROCESS_GEOMETRIC:
        return exp(logs / K);
    case PROCESS_MEAN:
        return sum / K;
    case PROCESS_MEAN_LOGIT:
        return 1 / (1 + exp(-logits / K));
    case PROCESS_MEAN_ODDS:
        return odds / K;
    case PROCESS_LAST:
        return p[K - 1];
    }
    return NAN;
}
