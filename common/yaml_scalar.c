/* Scalars of a YAML tree by type, errors with their place, and the nearest known word. The parser
 * is yaml.c. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/yaml.h"

int yaml_fail(const YamlNode *at, const char *fmt, ...)
{
    char text[800];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (char *c = text; *c; c++) /* what the file quotes stays on one line and moves no cursor */
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    if (at->line < 1) return fail("%s: %s", at->file, text); /* not from a file: a --set argument */
    return fail("%s:%d:%d: %s", at->file, at->line, at->column, text);
}

static const char *kind_name(const YamlNode *n)
{
    return n->kind == YAML_LIST ? "a list" : n->kind == YAML_MAP ? "a map" : "text";
}

/* An unquoted scalar, or -1 with the error. */
static int plain(const YamlNode *n, const char *what, const char *wanted)
{
    if (n->kind != YAML_SCALAR)
        return yaml_fail(n, "%s: %s is wanted, this is %s", what, wanted, kind_name(n));
    if (n->quoted)
        return yaml_fail(n, "%s: %s is wanted, \"%.60s\" is text (leave out the quotes)", what,
                         wanted, n->text);
    if (!*n->text) return yaml_fail(n, "%s: %s is wanted, nothing is there", what, wanted);
    return 0;
}

/* Sign, digits, point, exponent: no hexadecimal, no infinity, no leading zeros that could be meant
 * as octal. */
static bool looks_decimal(const char *s, bool integer)
{
    if (*s == '-' || *s == '+') s++;
    const char *digits = s;
    while (isdigit((unsigned char)*s)) s++;
    if (s - digits > 1 && *digits == '0') return false;
    bool any = s > digits;
    if (integer) return any && !*s;
    if (*s == '.')
        for (s++; isdigit((unsigned char)*s); s++) any = true;
    if (!any) return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (*s == '-' || *s == '+') s++;
        if (!isdigit((unsigned char)*s)) return false;
        while (isdigit((unsigned char)*s)) s++;
    }
    return !*s;
}

int yaml_number(const YamlNode *n, const char *what, double least, double most, double *out)
{
    if (plain(n, what, "a number")) return -1;
    if (!looks_decimal(n->text, false))
        return yaml_fail(n, "%s: %.60s is not a number", what, n->text);
    double x = strtod(
        n->text, NULL); /* the program never calls setlocale(LC_NUMERIC): the point is a point */
    if (!isfinite(x) || x < least || x > most)
        return yaml_fail(n, "%s: %.60s is not in [%g, %g]", what, n->text, least, most);
    *out = x;
    return 0;
}

int yaml_integer(const YamlNode *n, const char *what, long long least, long long most,
                 long long *out)
{
    if (plain(n, what, "an integer")) return -1;
    if (!looks_decimal(n->text, true))
        return yaml_fail(n, "%s: %.60s is not an integer", what, n->text);
    errno = 0;
    long long x = strtoll(n->text, NULL, 10);
    if (errno || x < least || x > most)
        return yaml_fail(n, "%s: %.60s is not in [%lld, %lld]", what, n->text, least, most);
    *out = x;
    return 0;
}

int yaml_bool(const YamlNode *n, const char *what, bool *out)
{
    if (plain(n, what, "true or false")) return -1;
    bool yes = !strcmp(n->text, "true");
    if (!yes && strcmp(n->text, "false"))
        return yaml_fail(n, "%s: %.60s is neither true nor false", what, n->text);
    *out = yes;
    return 0;
}

int yaml_text(const YamlNode *n, const char *what, const char **out)
{
    if (n->kind != YAML_SCALAR)
        return yaml_fail(n, "%s: text is wanted, this is %s", what, kind_name(n));
    *out = n->text;
    return 0;
}

enum { LONGEST_WORD = 64 };

/* Edit distance with swaps of neighbours (optimal string alignment), letters compared without case.
 */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][LONGEST_WORD + 1], n = (int)strlen(a), m = (int)strlen(b);
    int *before = rows[0], *above = rows[1], *row = rows[2];
    for (int j = 0; j <= m; j++) above[j] = j;
    for (int i = 1; i <= n; i++) {
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            int best = above[j - 1] + (x != y);
            if (above[j] + 1 < best) best = above[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                           y == tolower((unsigned char)a[i - 2]);
            if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            row[j] = best;
        }
        int *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[m];
}

const char *nearest_word(const char *word, const char *const *words, int n)
{
    const char *best = NULL;
    size_t length = strlen(word);
    int bound = (int)(length + 2) / 3, least = bound + 1; /* a third of the letters may differ */
    if (length < 2 || length > LONGEST_WORD) return NULL;
    for (int i = 0; i < n; i++) {
        if (strlen(words[i]) > LONGEST_WORD) continue;
        int d = edit_distance(word, words[i]);
        if (d >= least) continue;
        least = d;
        best = words[i];
    }
    return best;
}
