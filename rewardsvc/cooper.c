/* See cooper.h. */
#include "rewardsvc/cooper.h"

#include <math.h>

#include "common/errors.h"
#include "common/rng.h"
#include "rewardsvc/preference.h"

/* A byte that continues a UTF-8 character begins none. */
static bool begins(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* Where character n begins; text.n if there are no more. */
static size_t place_of(Span text, size_t n)
{
    size_t seen = 0, i = 0;
    for (; i < text.n; i++)
        if (begins(text.p[i]) && seen++ == n) break;
    return i;
}

void cooper_shorten(Span text, int head, int tail, Buffer *out)
{
    REQUIRE(head >= 0 && tail >= 0, "%d and %d characters", head, tail);
    size_t n = 0, wanted = (size_t)head + (size_t)tail;
    for (size_t i = 0; i < text.n; i++) n += begins(text.p[i]);
    if (n <= wanted) {
        buffer_add(out, text.p, text.n);
        return;
    }
    size_t from = place_of(text, n - (size_t)tail);
    buffer_add(out, text.p, place_of(text, (size_t)head));
    buffer_add(out, text.p + from, text.n - from);
}

double cooper_reward(double logit, bool threshold)
{
    double p = sigmoid(logit);
    return threshold ? p >= 0.5 : p;
}

static bool is_right(Score verdict)
{
    return verdict.status == SCORE_OK && verdict.value >= 0.5;
}

int cooper_positive(const Score *verdicts, int n, uint64_t seed, int64_t group)
{
    uint32_t right = 0;
    for (int i = 0; i < n; i++) right += is_right(verdicts[i]);
    if (right == 0) return -1;
    uint32_t skip = rng_below(right, seed, STREAM_PICK, (uint64_t)group, 0, 0);
    int at = 0;
    while (!is_right(verdicts[at]) || skip-- > 0) at++;
    return at;
}

bool cooper_is_corrupted(Score verdict)
{
    return verdict.status == SCORE_OK && verdict.value < 0.5;
}

bool cooper_may_step(int n_valid, double gradient_norm)
{
    return n_valid > 0 && isfinite(gradient_norm);
}
