/* See chat_jinja.h and, for what the form is, chat_template.c. */
#include "common/chat_jinja.h"

#include <ctype.h>
#include <string.h>

static void items_add(Items *l, char kind, const char *text, size_t n)
{
    if (kind == '"' && !n) return;
    if (kind == '"' && l->n && l->items[l->n - 1].kind == '"') {
        Item *last = &l->items[l->n - 1];
        char *both = mem_printf("%s%.*s", last->text, (int)n, text);
        mem_free(last->text);
        last->text = both;
        return;
    }
    if (l->n == l->capacity) {
        int capacity = l->capacity ? 2 * l->capacity : 64;
        l->items = mem_resize(l->items, (size_t)l->n, (size_t)capacity, sizeof *l->items);
        l->capacity = capacity;
    }
    l->items[l->n++] = (Item){.kind = kind, .text = mem_text_n(text, n)};
}

void jinja_free(Items *l)
{
    for (int i = 0; i < l->n; i++) mem_free(l->items[i].text);
    mem_free(l->items);
    *l = (Items){0};
}

/* --- expressions ------------------------------------------------------------------------------ */

/* The end of the string literal that begins at s[0] (its quote): just behind it, or NULL. */
static const char *string_end(const char *s, const char *end)
{
    char quote = *s++;
    for (; s < end; s++) {
        if (*s == '\\')
            s++;
        else if (*s == quote)
            return s + 1;
    }
    return NULL;
}

static void unescape(const char *s, const char *end, Buffer *out)
{
    for (; s < end; s++) {
        char c = *s;
        if (c == '\\' && s + 1 < end) {
            s++;
            c = *s == 'n' ? '\n' : *s == 't' ? '\t' : *s == 'r' ? '\r' : *s;
        }
        buffer_add(out, &c, 1);
    }
}

void jinja_quote(const char *s, size_t n, Buffer *out)
{
    buffer_text(out, "\"");
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n')
            buffer_text(out, "\\n");
        else if (s[i] == '"' || s[i] == '\\')
            buffer_printf(out, "\\%c", s[i]);
        else
            buffer_add(out, s + i, 1);
    }
    buffer_text(out, "\"");
}

bool jinja_is_word(int c)
{
    return isalnum(c) || c == '_';
}

static bool ends_with_word(const Buffer *b)
{
    return b->size && jinja_is_word((unsigned char)b->data[b->size - 1]);
}

/* a["b"] as a.b, where the literal s .. end stands between the brackets. */
static bool as_attribute(const char *s, const char *end, const char *limit, Buffer *out)
{
    bool indexes = out->size > 1 && out->data[out->size - 1] == '[' &&
                   (jinja_is_word((unsigned char)out->data[out->size - 2]) ||
                    strchr("])", out->data[out->size - 2]));
    if (!indexes || end == limit || *end != ']' || end - s < 3) return false;
    for (const char *c = s + 1; c < end - 1; c++)
        if (!jinja_is_word((unsigned char)*c)) return false;
    out->data[out->size - 1] = '.';
    buffer_add(out, s + 1, (size_t)(end - s - 2));
    return true;
}

/* One form for an expression; false if a string in it does not end. */
static bool canonical(const char *s, const char *end, Buffer *out)
{
    bool blank = false;
    buffer_text(out, "");
    while (s < end) {
        if (isspace((unsigned char)*s)) {
            blank = true;
            s++;
            continue;
        }
        if (*s == '\'' || *s == '"') {
            const char *after = string_end(s, end);
            if (!after) return false;
            if (as_attribute(s, after, end, out)) {
                s = after + 1;
            } else {
                Buffer text = {0};
                unescape(s + 1, after - 1, &text);
                jinja_quote(text.data, text.size, out);
                buffer_free(&text);
                s = after;
            }
        } else {
            if (blank && jinja_is_word((unsigned char)*s) && ends_with_word(out))
                buffer_text(out, " ");
            buffer_add(out, s++, 1);
        }
        blank = false;
    }
    return true;
}

/* The first + outside of brackets and strings in a canonical expression, or its end. */
static const char *next_plus(const char *s)
{
    int depth = 0;
    for (; *s; s++) {
        if (*s == '"') {
            s = string_end(s, s + strlen(s)) - 1;
            continue;
        }
        if (strchr("([{", *s)) depth++;
        if (strchr(")]}", *s)) depth--;
        if (*s == '+' && depth == 0) break;
    }
    return s;
}

static bool is_wrapped(const char *s,
                       size_t n) /* "(...)" with the first bracket closed by the last */
{
    int depth = 0;
    if (n < 2 || s[0] != '(') return false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"') i = (size_t)(string_end(s + i, s + n) - s) - 1;
        if (s[i] == '(') depth++;
        if (s[i] == ')' && --depth == 0) return i == n - 1;
    }
    return false;
}

static void add_output(Items *l, char *expression)
{
    size_t n = strlen(expression);
    for (int i = 0; i < 8 && is_wrapped(expression, n); i++, n -= 2) {
        memmove(expression, expression + 1, n - 2);
        expression[n - 2] = 0;
    }
    for (const char *s = expression;; s++) {
        const char *plus = next_plus(s);
        if (*s == '"' && string_end(s, plus) == plus) {
            Buffer text = {0};
            unescape(s + 1, plus - 1, &text);
            items_add(l, '"', text.data ? text.data : "", text.size);
            buffer_free(&text);
        } else {
            items_add(l, '=', s, (size_t)(plus - s));
        }
        if (!*plus) return;
        s = plus;
    }
}

/* --- tags and the text between them ----------------------------------------------------------- */

static const char *find_tag(const char *s)
{
    for (; *s; s++)
        if (*s == '{' && (s[1] == '%' || s[1] == '{' || s[1] == '#')) return s;
    return s;
}

/* The closing mark of the tag whose inside begins at s; strings may hold it. NULL if there is none.
 */
static const char *find_close(const char *s, const char *mark, bool comment)
{
    const char *end = s + strlen(s);
    while (s && s < end) {
        if (!strncmp(s, mark, 2)) return s;
        if (!comment && (*s == '\'' || *s == '"'))
            s = string_end(s, end);
        else
            s++;
    }
    return NULL;
}

/* Text before a tag, without what Jinja takes away. after: how the tag before it ended ('%'
 * statement, '-' dash, '^' there was none, 0 otherwise). */
static void add_text(Items *l, const char *s, const char *end, char after, bool dash,
                     bool statement)
{
    bool line_start = after == '^';
    if (after == '-')
        while (s < end && isspace((unsigned char)*s)) s++;
    if (after == '%' && s < end && *s == '\n') { /* trim_blocks */
        line_start = true;
        s++;
    }
    if (dash) {
        while (end > s && isspace((unsigned char)end[-1])) end--;
    } else if (statement) { /* lstrip_blocks: blanks that begin a line */
        const char *line = end;
        while (line > s && (line[-1] == ' ' || line[-1] == '\t')) line--;
        if (line > s ? line[-1] == '\n' : line_start) end = line;
    }
    items_add(l, '"', s, (size_t)(end - s));
}

static const char *add_tag(Items *l, const char *tag, char *after)
{
    static const char *const closes[] = {"%}", "}}", "#}"};
    const char *mark = closes[tag[1] == '%' ? 0 : tag[1] == '{' ? 1 : 2], *s = tag + 2;
    if (*s == '+') return NULL; /* switches lstrip_blocks off: no template that we know has it */
    if (*s == '-') s++;
    const char *close = find_close(s, mark, tag[1] == '#'), *end = close;
    if (!close) return NULL;
    bool dash = end > s && end[-1] == '-';
    if (dash) end--;
    *after = dash ? '-' : tag[1] == '{' ? 0 : '%';
    Buffer text = {0};
    bool good = tag[1] == '#' || canonical(s, end, &text);
    if (good && tag[1] == '%') items_add(l, '%', text.data, text.size);
    if (good && tag[1] == '{') add_output(l, text.data);
    buffer_free(&text);
    return good ? close + 2 : NULL;
}

void jinja_read(const char *text, Items *l)
{
    size_t n = strlen(text);
    char after = '^';
    const char *s;
    char *copy = mem_text_n(
        text, n && text[n - 1] == '\n' ? n - 1 : n); /* Jinja drops one newline at the end */
    for (s = copy; s && *s;) {
        const char *tag = find_tag(s);
        add_text(l, s, tag, after, *tag && tag[2] == '-', *tag && tag[1] != '{');
        s = *tag ? add_tag(l, tag, &after) : NULL;
        if (*tag && !s) l->bad = true;
    }
    mem_free(copy);
}
