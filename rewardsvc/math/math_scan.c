/* See math_scan.h. Every call moves on by at least one byte, and looks at no more than the token
 * and the letters next to it, so reading a text is linear. */
#include "rewardsvc/math/math_scan.h"

#include <string.h>

#include "rewardsvc/math/math_words.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

Span scan_group(Span s, size_t at)
{
    size_t depth = 0;
    for (size_t i = at; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '{')
            depth++;
        else if (s.p[i] == '}' && --depth == 0)
            return (Span){s.p + at + 1, i - at - 1};
    }
    return (Span){NULL, 0};
}

static size_t skip_blank(Span s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || (s.p[at] >= '\t' && s.p[at] <= '\r'))) at++;
    return at;
}

static Span letters_at(Span s, size_t at)
{
    size_t end = at;
    while (end < s.n && is_letter(s.p[end])) end++;
    return (Span){s.p + at, end - at};
}

static Token token_of(const Word *w, Span text)
{
    Token t = {.kind = w->kind, .id = w->id, .text = text};
    if (w->name) t.text = span_of(w->name);
    return t;
}

/* ---- commands ---- */

/* The words of \text{...}: a separator, a number or formula set in upright letters (which is read
 * as if the command were not there), or words. */
static Token words_token(Span s, size_t *at, bool named)
{
    static const Word reals = {"R", TOKEN_REALS, 0, NULL};
    size_t open = skip_blank(s, *at);
    Span inside = open < s.n && s.p[open] == '{' ? scan_group(s, open) : letters_at(s, open);
    if (!inside.p || !inside.n) return (Token){.kind = TOKEN_BAD};
    Span words = span_trim(inside);
    const Word *w = words.n ? word_plain(words) : NULL;
    size_t end = (size_t)(inside.p - s.p) + inside.n + (s.p[open] == '{');
    if (named && words.n == 1 && words.p[0] == 'R') w = &reals;
    bool word = w && (w->kind == TOKEN_I || w->kind == TOKEN_EULER || w->kind == TOKEN_RELATION ||
                      w->kind == TOKEN_FUNCTION);
    if (w && (named || !word)) {
        *at = end;
        return token_of(w, words);
    }
    if (!words.n || !(is_letter(words.p[0]) || words.p[0] == '(' || (words.p[0] & 0x80)))
        return (Token){.kind = TOKEN_SKIP_STYLE};
    if (named && words.n == 1) return (Token){.kind = TOKEN_SKIP_STYLE};
    *at = end;
    return (Token){.kind = TOKEN_TEXT, .text = words};
}

/* \begin{text} and \end{text} */
static Token environment_token(Span s, size_t *at, int kind)
{
    size_t open = skip_blank(s, *at);
    Span name = open < s.n && s.p[open] == '{' ? scan_group(s, open) : (Span){NULL, 0};
    if (!name.p) return (Token){.kind = TOKEN_BAD};
    *at = open + name.n + 2;
    return (Token){.kind = kind, .text = span_trim(name)};
}

/* What a backslash begins; WORD_NOTHING for formatting. */
static Token command_token(Span s, size_t *at)
{
    Span name = letters_at(s, *at + 1);
    if (!name.n) name.n = *at + 1 < s.n;
    const Word *w = name.n ? word_command(name) : NULL;
    *at += 1 + name.n;
    if (!w) return (Token){.kind = TOKEN_BAD};
    if (w->kind == WORD_TEXT_COMMAND) return words_token(s, at, false);
    if (w->kind == WORD_NAMED_COMMAND) return words_token(s, at, true);
    if (w->kind == TOKEN_BEGIN || w->kind == TOKEN_FINISH) return environment_token(s, at, w->kind);
    if (w->kind == WORD_NOTHING && (span_is(name, "left") || span_is(name, "right"))) {
        size_t next = skip_blank(s, *at); /* "\left." is an invisible bracket */
        if (next < s.n && s.p[next] == '.') *at = next + 1;
    }
    return token_of(w, name);
}

/* ---- plain text ---- */

/* "x1" is x with an index; a run of letters is a known word, a known function with a letter after
 * it, words from four letters on, and else a product of variables. */
static Token letter_token(Span s, size_t *at, bool one)
{
    if (one) return (Token){.kind = TOKEN_NAME, .text = {s.p + (*at)++, 1}};
    Span run = letters_at(s, *at);
    size_t begin = *at;
    const Word *w = word_plain(run);
    Token t = {.kind = TOKEN_NAME, .text = {run.p, 1}};
    if (w) {
        t = token_of(w, run);
        *at += run.n;
    } else if ((w = word_prefix(run))) {
        t = token_of(w, run);
        *at += run.n - 1;
    } else if (run.n >= 4) {
        t = (Token){.kind = TOKEN_TEXT, .text = run};
        *at += run.n;
    } else {
        size_t end = begin + 1;
        if (run.n == 1)
            while (end < s.n && is_digit(s.p[end])) end++;
        else if ((w = word_plain((Span){run.p, 1})))
            t = token_of(w, (Span){run.p, 1});
        if (run.n == 1) t.text.n = end - begin;
        *at = end;
    }
    t.run = run;
    return t;
}

static Token number_token(Span s, size_t *at, bool one_digit)
{
    size_t begin = *at, end = begin;
    if (one_digit && is_digit(s.p[begin])) {
        *at = begin + 1;
        return (Token){.kind = TOKEN_NUMBER, .text = {s.p + begin, 1}};
    }
    while (end < s.n && is_digit(s.p[end])) end++;
    if (end + 1 < s.n && s.p[end] == '.' && is_digit(s.p[end + 1])) {
        end++;
        while (end < s.n && is_digit(s.p[end])) end++;
    } else if (end < s.n && s.p[end] == '.') { /* "5." ends a sentence, "0.\overline{3}" goes on */
        *at = end + 1;
        bool on = end + 1 < s.n && s.p[end + 1] == '\\';
        return (Token){.kind = TOKEN_NUMBER, .text = {s.p + begin, end - begin + on}};
    }
    *at = end;
    return (Token){.kind = TOKEN_NUMBER, .text = {s.p + begin, end - begin}};
}

static Token plain_token(Span s, size_t *at, bool one_digit)
{
    char c = s.p[*at];
    const Word *w;
    bool point = c == '.' && *at + 1 < s.n && is_digit(s.p[*at + 1]);
    if (is_digit(c) || point) return number_token(s, at, one_digit);
    if (is_letter(c)) return letter_token(s, at, one_digit);
    if ((w = word_sign((Span){s.p + *at, s.n - *at}))) {
        size_t n = strlen(w->word);
        Span text = {s.p + *at, n};
        *at += n;
        return token_of(w, text);
    }
    ++*at;
    if (c && strchr("+-*/^_()[]{}|,;:!&'", c)) return (Token){.kind = TOKEN_SIGN + c};
    return (Token){.kind = TOKEN_BAD};
}

/* Nothing to see: blanks, dollars, "~". */
static bool is_formatting(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '$' || c == '~';
}

Token scan_token(Span s, size_t *at, bool one_digit)
{
    bool spaced = false;
    for (;;) {
        size_t begin = *at;
        if (begin >= s.n) return (Token){.kind = TOKEN_END, .at = s.n};
        if (is_formatting(s.p[begin])) {
            ++*at, spaced = true;
            continue;
        }
        Token t = s.p[begin] == '\\' ? command_token(s, at) : plain_token(s, at, one_digit);
        if (t.kind == WORD_NOTHING || t.kind == WORD_SPACE) {
            spaced = true;
            continue;
        }
        t.at = begin, t.spaced = spaced;
        return t;
    }
}
