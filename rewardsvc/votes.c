/* See votes.h. */
#include "rewardsvc/votes.h"

#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/rng.h"

/* ---- sums ------------------------------------------------------------------------------------ */

static void add_judgement(const double *scores, int n, double *sums)
{
    for (int i = 0; i < n; i++) sums[i] += scores[i];
}

/* Of those not yet counted the one that meta likes best; -1: none is left. */
static int favourite(const double *meta, const bool *counted, int k)
{
    int best = -1;
    for (int j = 0; j < k; j++)
        if (!counted[j] && (best < 0 || meta[j] > meta[best])) best = j;
    return best;
}

int votes_sum(const double *scores, const bool *valid, int k, int n, const double *meta, int k_meta,
              double *sums)
{
    bool *counted = NEW(bool, k + 1); /* or not valid */
    int used = 0;
    memset(sums, 0, (size_t)n * sizeof *sums);
    for (int j = 0; j < k; j++) counted[j] = valid && !valid[j];
    if (!meta || k_meta <= 0) {
        for (int j = 0; j < k; j++)
            if (!counted[j]) add_judgement(scores + j * n, n, sums), used++;
    } else {
        for (int j; used < k_meta && (j = favourite(meta, counted, k)) >= 0; used++) {
            counted[j] = true;
            add_judgement(scores + j * n, n, sums);
        }
    }
    mem_free(counted);
    return used;
}

/* ---- orders ---------------------------------------------------------------------------------- */

void votes_order(uint64_t seed, int64_t group, int vote, int n, int *order)
{
    for (int i = 0; i < n; i++) order[i] = i;
    for (int i = n - 1; i > 0; i--) {
        int j = (int)rng_below((uint32_t)i + 1, seed, STREAM_ORDER, (uint64_t)group, (uint32_t)vote,
                               (uint32_t)i);
        int swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}

void votes_unorder(const double *by_place, const int *order, int n, double *by_answer)
{
    for (int p = 0; p < n; p++) by_answer[order[p]] = by_place[p];
}

/* ---- one of many ----------------------------------------------------------------------------- */

int votes_best(const double *scores, int n)
{
    REQUIRE(n >= 1, "the best of %d", n);
    int best = 0;
    for (int i = 1; i < n; i++)
        if (scores[i] > scores[best]) best = i;
    return best;
}

int votes_majority(const int *answers, const double *weights, int n, double *weight)
{
    REQUIRE(n >= 1, "the majority of %d", n);
    double *sums = NEW(double, n); /* of an answer, at its first place */
    for (int i = 0, first; i < n; i++) {
        for (first = 0; answers[first] != answers[i];) first++;
        sums[first] += weights ? weights[i] : 1;
    }
    int best = votes_best(sums, n);
    if (weight) *weight = sums[best];
    mem_free(sums);
    return answers[best];
}

/* ---- right or not ---------------------------------------------------------------------------- */

bool votes_right(const double *scores, const double *gold, int n)
{
    if (n == 1) return scores[0] == gold[0];
    int best = votes_best(gold, n);
    for (int i = 0; i < n; i++)
        if (i != best && !(scores[best] > scores[i])) return false;
    return true;
}

bool votes_rejective_keeps(bool right, bool hinted, int n_right, int n_sampled)
{
    return right && (hinted || n_right < n_sampled);
}

VotesRank votes_rank(double right, const double *wrong, int n)
{
    VotesRank r = {true, true, 1};
    double rank = 1;
    for (int i = 0; i < n; i++) {
        bool above = right > wrong[i], level = right >= wrong[i];
        r.strict &= above, r.loose &= level;
        rank += !above;
    }
    r.reciprocal = 1 / rank;
    return r;
}
