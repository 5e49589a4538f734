/* See fence.h. Linear: a block without an end reaches to the end of the text, and so ends the
 * search. */
#include "rewardsvc/fence.h"

/* Number of fence characters that the line begins with; 0: it is no fence. */
static size_t fence_of(Span line, char *mark, Span *info)
{
    size_t blanks = 0, n = 0;
    while (blanks < 4 && blanks < line.n && line.p[blanks] == ' ') blanks++;
    Span s = {line.p + blanks, line.n - blanks};
    if (blanks > 3 || s.n < 3 || (s.p[0] != '`' && s.p[0] != '~')) return 0;
    while (n < s.n && s.p[n] == s.p[0]) n++;
    *mark = s.p[0];
    *info = span_trim((Span){s.p + n, s.n - n});
    if (n < 3 || (*mark == '`' && span_find(*info, "`").p)) return 0;
    return n;
}

static Span line_take(Span *rest)
{
    Span line = span_line(*rest);
    size_t n = line.n < rest->n ? line.n + 1 : line.n;
    *rest = (Span){rest->p + n, rest->n - n};
    return line;
}

Span fence_next(Span *rest, Span *info)
{
    size_t opened = 0, n;
    char mark = 0, other = 0;
    Span content = {NULL, 0}, word;
    while (rest->n > 0) {
        Span line = line_take(rest);
        if (!opened) {
            opened = fence_of(line, &mark, &word);
            if (opened) content.p = rest->p;
            if (opened && info) *info = word;
            continue;
        }
        n = fence_of(line, &other, &word);
        if (n < opened || other != mark || word.n > 0) continue;
        content.n = (size_t)(line.p - content.p);
        return content;
    }
    return (Span){NULL, 0};
}

Span fence_last(Span text)
{
    Span last = {NULL, 0};
    for (Span block; (block = fence_next(&text, NULL)).p;) last = block;
    return last;
}
