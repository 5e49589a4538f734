/* Answers in words: "\text{(C)}", "Tuesday". Two are the same if they have the same letters, digits
 * and signs in the same order, but for blanks, formatting, case, one pair of brackets around all of
 * it and a full stop behind it. */
#include <string.h>

#include "common/memory.h"
#include "rewardsvc/math/math_compare.h"
#include "rewardsvc/math/math_words.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A command that only sets its argument in another type, or a space. */
static bool formatting(Span name)
{
    const Word *w = word_command(name);
    return w && (w->kind == WORD_NOTHING || w->kind == WORD_TEXT_COMMAND ||
                 w->kind == WORD_NAMED_COMMAND || w->kind == TOKEN_SKIP_STYLE);
}

static void normalise(Span s, Buffer *out)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\') {
            size_t end = i + 1;
            while (end < s.n && is_letter(s.p[end])) end++;
            if (end == i + 1 && end < s.n) end++;
            if (end > i + 1 && formatting((Span){s.p + i + 1, end - i - 1})) {
                i = end - 1;
                continue;
            }
        }
        if (strchr(" \t\r\n\f\v{}$~*\"", c) && c) continue;
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        buffer_add(out, &c, 1);
    }
}

static Span stripped(const Buffer *b)
{
    Span s = {b->data, b->size};
    while (s.n && strchr(".,;:", s.p[s.n - 1]) && s.p[s.n - 1]) s.n--;
    if (s.n > 2 && s.p[0] == '(' && s.p[s.n - 1] == ')' && !memchr(s.p + 1, '(', s.n - 2) &&
        !memchr(s.p + 1, ',', s.n - 2))
        s.p++, s.n -= 2;
    return s;
}

bool text_same(Span a, Span b)
{
    Buffer x = {0}, y = {0};
    normalise(a, &x);
    normalise(b, &y);
    Span s = stripped(&x), t = stripped(&y);
    bool same = s.n == t.n && s.n && memcmp(s.p, t.p, s.n) == 0;
    buffer_free(&x);
    buffer_free(&y);
    return same;
}
