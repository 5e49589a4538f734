/* See listening.h. */
#include "rewardsvc/listening.h"

#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/passage.h"

/* Appends text without what stands between open and close; nesting: an opening brace in it asks for
 * a closing one of its own. */
static void add_without(Span text, const char *open, const char *close, bool nesting, Buffer *out)
{
    while (text.n) {
        Span at = span_find(text, open);
        size_t before = at.p ? (size_t)(at.p - text.p) : text.n;
        buffer_add(out, text.p, before);
        if (!at.p) return;
        Span rest = span_after(text, at);
        size_t i = 0, n_close = strlen(close);
        for (int depth = 1; i < rest.n; i++) {
            bool closes = rest.n - i >= n_close && !memcmp(rest.p + i, close, n_close);
            depth += nesting && rest.p[i] == '{';
            if (closes && --depth == 0) break;
        }
        size_t over = i + n_close < rest.n ? i + n_close : rest.n;
        text = (Span){rest.p + over, rest.n - over};
    }
}

/* What stands behind the last sentence of a line has no word in it. A sentence at which a limit of
 * the pattern is reached stays. */
static void add_line(Span line, const Pattern *verdict, Buffer *out)
{
    Span rest = line, sentence, groups[1];
    while (sentence_next(&rest, &sentence))
        if (pattern_find(verdict, sentence, false, groups, 1) != 1)
            buffer_add(out, sentence.p, sentence.n);
}

static void add_sentences(Span text, const Pattern *verdict, Buffer *out)
{
    bool first = true;
    for (Span line; line_next(&text, &line); first = false) {
        if (!first) buffer_text(out, "\n");
        add_line(line, verdict, out);
    }
}

static Span thinking(Span answer)
{
    Span end = span_find_last(answer, "</think>");
    if (end.p) answer.n = (size_t)(end.p - answer.p);
    answer = span_trim(answer);
    Span start = span_find(answer, "<think>");
    return start.p && start.p == answer.p ? span_after(answer, start) : answer;
}

int listening_text(Span answer, const Pattern *verdict, Buffer *out)
{
    Span s = thinking(answer);
    if (s.n > MOST_REASONING)
        return fail("the reasoning has %zu bytes, a listener takes %d", s.n, MOST_REASONING);
    Passage p;
    Buffer blocks = {0}, boxes = {0};
    passage_init(&p, s);
    buffer_text(&blocks, "");
    buffer_text(&boxes, "");
    add_without(p.text, "<answer>", "</answer>", false, &blocks);
    add_without((Span){blocks.data, blocks.size}, "\\boxed{", "}", true, &boxes);
    Buffer kept = {0};
    buffer_text(&kept, "");
    if (verdict)
        add_sentences((Span){boxes.data, boxes.size}, verdict, &kept);
    else
        buffer_add(&kept, boxes.data, boxes.size);
    Span trimmed = span_trim((Span){kept.data, kept.size});
    buffer_text(out, "");
    if (trimmed.n) buffer_add(out, trimmed.p, trimmed.n);
    buffer_free(&kept);
    buffer_free(&boxes);
    buffer_free(&blocks);
    passage_free(&p);
    return 0;
}

double listening_probability(const double *lp, int n, int right)
{
    REQUIRE(n >= 1 && right >= 0 && right < n, "option %d of %d", right, n);
    double most = lp[0], sum = 0;
    for (int k = 1; k < n; k++) most = fmax(most, lp[k]);
    for (int k = 0; k < n; k++) sum += exp(lp[k] - most);
    return exp(lp[right] - most) / sum;
}
