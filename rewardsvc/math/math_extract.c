/* See math_equal.h: where a text says its answer. Each place is found by one pass over the text. */
#include <string.h>
#include <strings.h>

#include "rewardsvc/math/math_equal.h"
#include "rewardsvc/math/math_scan.h"

static const Span nowhere = {NULL, 0};

static Span rest_of(Span s, size_t at)
{
    return (Span){s.p + at, s.n - at};
}

static bool starts(Span s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && memcmp(s.p, word, n) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ---- boxes ---- */

static Span later(Span a, Span b)
{
    return !a.p || (b.p && b.p > a.p) ? b : a;
}

/* A box that does not close says nothing: an empty answer. */
static Span find_boxed(Span text)
{
    Span box = later(span_find_last(text, "\\boxed"), span_find_last(text, "\\fbox"));
    if (!box.p) return nowhere;
    size_t at = (size_t)(box.p - text.p) + box.n;
    while (at < text.n && text.p[at] == ' ') at++;
    if (at < text.n && text.p[at] == '{') {
        Span inside = scan_group(text, at);
        return inside.p ? inside : (Span){text.p + at, 0};
    }
    size_t end = at;
    while (end < text.n && !strchr(" $\n", text.p[end])) end++;
    return (Span){text.p + at, end - at};
}

/* ---- phrases ---- */

/* Bytes before the sign that closes mathematics; a dollar behind a backslash is money. s.n if
 * nothing closes it. */
static size_t closing(Span s, const char *sign)
{
    size_t at = 0;
    for (; at < s.n && !starts(rest_of(s, at), sign); at++)
        if (s.p[at] == '\\' && at + 1 < s.n) at++;
    return at < s.n ? at : s.n;
}

/* Mathematics between signs that s begins with; {NULL, 0} if it begins with none. taken: bytes with
 * the signs. */
static Span between_signs(Span s, size_t *taken)
{
    static const char *const signs[][2] = {
        {"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!starts(s, signs[i][0])) continue;
        Span inside = rest_of(s, strlen(signs[i][0]));
        size_t n = closing(inside, signs[i][1]);
        *taken = n + 2 * strlen(signs[i][0]);
        if (n < inside.n) return (Span){inside.p, n};
    }
    return nowhere;
}

/* Up to the end of the line, or to a full stop with a blank behind it. */
static Span sentence(Span s)
{
    size_t end = 0;
    for (; end < s.n && s.p[end] != '\n'; end++)
        if (s.p[end] == '.' && (end + 1 == s.n || strchr(" \n", s.p[end + 1]))) break;
    return (Span){s.p, end};
}

/* Behind "answer": what links it to the answer, not further than a line; {NULL, 0} if nothing does.
 */
static Span behind_link(Span s)
{
    static const char *const links[] = {" is",       " are",       ":",     "=",
                                        " would be", " should be", " to be"};
    Span line = span_line((Span){s.p, s.n < 120 ? s.n : 120});
    Span first = nowhere;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        Span found = span_find(line, links[i]);
        if (found.p && (!first.p || found.p < first.p)) first = found;
    }
    return first.p ? span_after(s, first) : nowhere;
}

static Span said_there(Span s)
{
    while (s.n && strchr(" \t\r\n:*=", s.p[0]) && s.p[0]) s = rest_of(s, 1);
    size_t taken;
    Span inside = between_signs(s, &taken);
    return inside.p ? inside : sentence(s);
}

/* Behind the last "answer" that is linked to something. */
static Span find_phrase(Span text)
{
    static const size_t n = 6;
    for (size_t at = text.n; at-- > 0;) {
        if ((text.p[at] | 0x20) != 'a' || text.n - at < n) continue;
        if (strncasecmp(text.p + at, "answer", n) != 0) continue;
        Span found = behind_link(rest_of(text, at + n));
        if (found.p) return said_there(found);
    }
    return nowhere;
}

/* ---- the last mathematics ---- */

/* What lies between the last pair of dollars, \( \) or \[ \]. */
static Span find_last_span(Span text)
{
    Span last = nowhere;
    for (size_t at = 0; at < text.n;) {
        bool command = text.p[at] == '\\', opens = text.p[at] == '$';
        if (command && at + 1 < text.n) opens = strchr("([", text.p[at + 1]) && text.p[at + 1];
        size_t taken = 1 + command;
        Span inside = opens ? between_signs(rest_of(text, at), &taken) : nowhere;
        if (opens && !inside.p) return last; /* nothing closes any more */
        if (opens) last = inside;
        at += taken;
    }
    return last;
}

/* The last number with its sign, commas, point and fraction; percent sign included. */
static Span find_last_number(Span text)
{
    size_t end = text.n;
    while (end > 0 && !is_digit(text.p[end - 1])) end--;
    if (!end) return nowhere;
    size_t begin = end;
    while (begin > 0 && (is_digit(text.p[begin - 1]) || strchr(",./", text.p[begin - 1]))) begin--;
    while (strchr(",./", text.p[begin]) && !(text.p[begin] == '.' && is_digit(text.p[begin + 1])))
        begin++;
    if (begin > 0 && text.p[begin - 1] == '-' &&
        !(begin > 1 && (is_digit(text.p[begin - 2]) || is_letter(text.p[begin - 2]))))
        begin--;
    if (end < text.n && text.p[end] == '%') end++;
    return (Span){text.p + begin, end - begin};
}

static Span find_last(Span text)
{
    Span span = find_last_span(text), number = find_last_number(text);
    bool inside = span.p && number.p && number.p < span.p + span.n;
    return inside || !number.p ? span : number;
}

/* ---- all ---- */

static Span find_tag(Span text)
{
    Span tag = answer_tag(text, "answer");
    if (!tag.p) return tag;
    Span inside = find_boxed(tag);
    if (!inside.p) inside = find_phrase(tag);
    return inside.p ? inside : tag;
}

static Span find_hash(Span text)
{
    Span mark = span_find_last(text, "####");
    return mark.p ? span_line(span_after(text, mark)) : nowhere;
}

static Span find_auto(Span text, bool strict)
{
    Span (*const places[])(Span) = {find_boxed, find_tag, find_hash, find_phrase};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        Span found = places[i](text);
        if (found.p) return found;
    }
    return strict ? nowhere : find_last(text);
}

Span math_extract(Span text, MathWhere where, bool strict)
{
    switch (where) {
    case MATH_BOXED:
        return find_boxed(text);
    case MATH_TAG:
        return find_tag(text);
    case MATH_HASH:
        return find_hash(text);
    case MATH_PHRASE:
        return find_phrase(text);
    case MATH_LAST:
        return strict ? find_last_span(text) : find_last(text);
    case MATH_WHOLE:
        return text;
    case MATH_AUTO:
        break;
    }
    return find_auto(text, strict);
}
