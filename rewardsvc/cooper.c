/* See cooper.h. */
#include "rewardsvc/cooper.h"

#include <math.h>

#include "common/errors.h"
#include "common/rng.h"
#include "rewardsvc/preference.h"

enum { MOST_DIGITS = 18 }; /* of a number that is replaced: what 64 bits hold */

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

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The last run of digits, of a very long one its last MOST_DIGITS. */
static Span last_number(Span s)
{
    size_t end = s.n, begin;
    while (end && !is_digit(s.p[end - 1])) end--;
    for (begin = end; begin && is_digit(s.p[begin - 1]) && end - begin < MOST_DIGITS;) begin--;
    return (Span){s.p + begin, end - begin};
}

bool cooper_corrupt(Span text, Span part, uint64_t seed, int64_t group, int attempt, Buffer *out)
{
    Span digits = last_number(part);
    if (!digits.n) return false;
    uint64_t old = 0, ten = 1;
    for (size_t i = 0; i < digits.n; i++) {
        old = 10 * old + (uint64_t)(digits.p[i] - '0');
        if (i) ten *= 10;
    }
    /* least .. 10 ten - 1 without the old one, which is no such number where it begins with 0 */
    uint64_t least = digits.n > 1 ? ten : 0, count = 10 * ten - least - (old >= least);
    uint32_t bits[4];
    rng_bits(seed, STREAM_PICK, (uint64_t)group, 1 + (uint32_t)attempt, 0, bits);
    uint64_t number = least + (((uint64_t)bits[0] << 32) | bits[1]) % count;
    if (old >= least && number >= old) number++;
    buffer_add(out, text.p, (size_t)(digits.p - text.p));
    buffer_printf(out, "%llu", (unsigned long long)number);
    buffer_add(out, digits.p + digits.n, (size_t)(text.p + text.n - digits.p) - digits.n);
    return true;
}

bool cooper_is_corrupted(Score verdict)
{
    return verdict.status == SCORE_OK && verdict.value < 0.5;
}

bool cooper_may_step(int n_valid, double gradient_norm)
{
    return n_valid > 0 && isfinite(gradient_norm);
}
