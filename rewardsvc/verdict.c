/* See verdict.h. */
#include "rewardsvc/verdict.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/errors.h"

/* ---- the tail -------------------------------------------------------------------------------- */

/* The last n characters; a byte that continues a UTF-8 character begins none. */
static Span last_characters(Span text, int n)
{
    size_t at = text.n;
    for (int seen = 0; at > 0 && seen < n;)
        if (((unsigned char)text.p[--at] & 0xC0) != 0x80) seen++;
    return (Span){text.p + at, text.n - at};
}

int verdict_tail(Span text, int n, int window)
{
    REQUIRE(n >= 1 && n <= 26, "%d letters", n);
    Span tail = last_characters(text, window);
    int found = -1;
    for (int i = 0; i < n; i++) {
        char tag[] = "<answer>[[A]]</answer>";
        *strchr(tag, 'A') = (char)('A' + i);
        if (!span_find(tail, tag).p) continue;
        if (found >= 0) return -1;
        found = i;
    }
    return found;
}

/* ---- the ranking section --------------------------------------------------------------------- */

static bool is_heading(Span line, const char *heading)
{
    size_t n = strlen(heading);
    while (line.n > 0 && strchr("#* \t", line.p[0]) && line.p[0]) line.p++, line.n--;
    return line.n >= n && !strncasecmp(line.p, heading, n);
}

/* What follows the last such line; {NULL, 0} without one. */
static Span section(Span text, const char *heading)
{
    Span found = {NULL, 0};
    for (Span rest = text; rest.n > 0;) {
        Span line = span_line(rest);
        size_t taken = line.n < rest.n ? line.n + 1 : line.n;
        if (is_heading(line, heading)) found = (Span){rest.p + taken, rest.n - taken};
        rest.p += taken, rest.n -= taken;
    }
    return found;
}

/* 1..n from digits alone, without leading zeros; -1 otherwise. */
static int read_rank(Span s, int n)
{
    int value = 0;
    if (s.n == 0 || s.n > 6 || s.p[0] == '0') return -1;
    for (size_t i = 0; i < s.n; i++) {
        if (!isdigit((unsigned char)s.p[i])) return -1;
        value = 10 * value + (s.p[i] - '0');
    }
    return value >= 1 && value <= n ? value : -1;
}

int verdict_ranking(Span text, const char *heading, int n)
{
    Span s = section(text, heading);
    if (!s.p || span_count(s, "\\boxed{") != 1) return -1;
    Span inside = span_after(s, span_find(s, "\\boxed{")), end = span_find(inside, "}");
    if (!end.p) return -1;
    int rank = read_rank(span_trim((Span){inside.p, (size_t)(end.p - inside.p)}), n);
    return rank < 0 ? -1 : rank - 1;
}

/* ---- what it earns --------------------------------------------------------------------------- */

double verdict_reward(int verdict, int gold)
{
    return verdict == gold ? 1 : -1;
}

double verdict_ranking_reward(int verdict, int gold, bool rescaled)
{
    if (verdict < 0) return rescaled ? -2 : -100;
    if (verdict == gold) return 0;
    return rescaled ? -1 : -10.0 * abs(verdict - gold);
}
