/* Recognises a chat template by what it does, not by how it is laid out, and without running Jinja.
 *
 * The text is brought to one form: blanks outside of strings go, as Jinja's trim_blocks and lstrip_blocks (which transformers sets)
 * and the dashes of tags say; 'x' is "x", a['b'] is a.b, {{ a + b }} is {{ a }}{{ b }}, text and neighbouring strings are one
 * string. Then branches go that are never taken here, because there are no tools and a generation prompt is always asked for.
 * What is left must be one of the known forms exactly; the system message that stands in it by default may be any text. So two
 * templates that we take for the same give the same text for system, user and assistant messages, and everything else is unknown. */
#include "common/chat_template.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "common/errors.h"

enum { LONGEST_TEMPLATE = 64 << 10 }; /* Qwen3's has 4 KB; what is longer is not known anyway */

typedef struct {
    char kind; /* '%' statement, '=' output, '"' literal text */
    bool dropped;
    char *text;
} Item;

typedef struct {
    Item *items;
    int n, capacity;
    bool bad; /* a tag or string that does not end */
} Items;

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

static void items_free(Items *l)
{
    for (int i = 0; i < l->n; i++) mem_free(l->items[i].text);
    mem_free(l->items);
    *l = (Items){0};
}

/* --- expressions --------------------------------------------------------------------------------------------------------- */

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

static void add_quoted(const char *s, size_t n, Buffer *out)
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

static bool is_word(int c)
{
    return isalnum(c) || c == '_';
}

static bool ends_with_word(const Buffer *b)
{
    return b->size && is_word((unsigned char)b->data[b->size - 1]);
}

/* a["b"] as a.b, where the literal s .. end stands between the brackets. */
static bool as_attribute(const char *s, const char *end, const char *limit, Buffer *out)
{
    bool indexes = out->size > 1 && out->data[out->size - 1] == '[' &&
                   (is_word((unsigned char)out->data[out->size - 2]) ||
                    strchr("])", out->data[out->size - 2]));
    if (!indexes || end == limit || *end != ']' || end - s < 3) return false;
    for (const char *c = s + 1; c < end - 1; c++)
        if (!is_word((unsigned char)*c)) return false;
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
                add_quoted(text.data, text.size, out);
                buffer_free(&text);
                s = after;
            }
        } else {
            if (blank && is_word((unsigned char)*s) && ends_with_word(out)) buffer_text(out, " ");
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

/* --- tags and the text between them -------------------------------------------------------------------------------------- */

static const char *find_tag(const char *s)
{
    for (; *s; s++)
        if (*s == '{' && (s[1] == '%' || s[1] == '{' || s[1] == '#')) return s;
    return s;
}

/* The closing mark of the tag whose inside begins at s; strings may hold it. NULL if there is none. */
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

/* Text before a tag, without what Jinja takes away. after: how the tag before it ended ('%' statement, '-' dash, '^' there was none,
 * 0 otherwise). */
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

static void read_items(const char *text, Items *l)
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

/* --- branches that are never taken --------------------------------------------------------------------------------------- */

static bool begins(const Item *i, const char *word)
{
    size_t n = strlen(word);
    return i->kind == '%' && !strncmp(i->text, word, n) && !is_word((unsigned char)i->text[n]);
}

static bool is_statement(const Item *i, const char *text)
{
    return i->kind == '%' && !strcmp(i->text, text);
}

/* The elif, else or endif that ends the branch which item i opens; -1 if there is none. */
static int branch_end(const Items *l, int i)
{
    int depth = 0;
    for (int k = i + 1; k < l->n; k++) {
        const Item *x = &l->items[k];
        if (depth == 0 && (begins(x, "elif") || begins(x, "else") || begins(x, "endif"))) return k;
        if (begins(x, "if") || begins(x, "for")) depth++;
        if (begins(x, "endif") || begins(x, "endfor")) depth--;
        if (depth < 0) return -1;
    }
    return -1;
}

static void drop(Items *l, int from, int to)
{
    for (int k = from; k < to; k++) l->items[k].dropped = true;
}

static void drop_tools(Items *l, int i)
{
    int end = branch_end(l, i);
    if (end < 0 || begins(&l->items[end], "elif")) return;
    drop(l, i, end + 1);
    if (begins(&l->items[end], "endif")) return;
    int close = branch_end(l, end);
    if (close >= 0)
        l->items[close].dropped = true; /* the branch of else stays, as if it stood alone */
}

/* An elif for calls of tools: those of tool messages, and those of assistant messages where `first` has taken all others. */
static void drop_tool_branches(Items *l, int first)
{
    static const char assistant[] = "(message.role==\"assistant\"and not message.tool_calls)";
    bool others_taken = strstr(l->items[first].text, assistant) != NULL;
    for (int k = branch_end(l, first); k >= 0 && begins(&l->items[k], "elif");
         k = branch_end(l, k)) {
        bool never =
            is_statement(&l->items[k], "elif message.role==\"tool\"") ||
            (others_taken && is_statement(&l->items[k], "elif message.role==\"assistant\""));
        int end = branch_end(l, k);
        if (never && end >= 0) drop(l, k, end);
    }
}

static void drop_untaken(Items *l)
{
    for (int i = 0; i < l->n; i++) {
        const Item *x = &l->items[i];
        if (x->dropped) continue;
        if (is_statement(x, "if tools")) drop_tools(l, i);
        if (is_statement(x, "if message.tool_calls") ||
            is_statement(x, "if not add_generation_prompt is defined")) {
            int end = branch_end(l, i);
            if (end >= 0 && begins(&l->items[end], "endif")) drop(l, i, end + 1);
        }
        if (begins(x, "if") && !x->dropped) drop_tool_branches(l, i);
    }
}

/* --- the known forms ----------------------------------------------------------------------------------------------------- */

static void write_items(const Items *l, Buffer *out)
{
    buffer_text(out, "");
    for (int i = 0; i < l->n; i++) {
        const Item *x = &l->items[i];
        if (x->dropped) continue;
        if (x->kind == '"')
            add_quoted(x->text, strlen(x->text), out);
        else
            buffer_printf(out, x->kind == '%' ? "{%%%s%%}" : "{{%s}}", x->text);
    }
}

void chat_template_canonical(const char *text, Buffer *out)
{
    Items l = {0};
    if (strlen(text) > LONGEST_TEMPLATE) return;
    read_items(text, &l);
    drop_untaken(&l);
    if (!l.bad) write_items(&l, out);
    items_free(&l);
}

#define TURN     "\"<|im_start|>\"{{message.role}}\"\\n\"{{message.content}}\"<|im_end|>\\n\""
#define OPENING  "{%if add_generation_prompt%}\"<|im_start|>assistant\\n\"{%endif%}"
#define SYSTEM   "<|im_start|>system\\n"
#define ANY_TEXT "\x01"

static const char *const forms[] = {
    /* plain ChatML */
    "{%for message in messages%}" TURN "{%endfor%}" OPENING,
    /* SmolLM2, Qwen2: a system message by default, in the loop */
    "{%for message in messages%}{%if loop.first and messages[0].role!=\"system\"%}\"" SYSTEM
        ANY_TEXT "<|im_end|>\\n\"{%endif%}" TURN "{%endfor%}" OPENING,
    /* Qwen2.5: the same, before the loop */
    "{%if messages[0].role==\"system\"%}\"" SYSTEM
    "\"{{messages[0].content}}\"<|im_end|>\\n\"{%else%}\"" SYSTEM ANY_TEXT
    "<|im_end|>\\n\"{%endif%}{%for message in "
    "messages%}{%if(message.role==\"user\")or(message.role==\"system\"and not "
    "loop.first)or(message.role==\"assistant\"and not message.tool_calls)%}" TURN
    "{%endif%}{%endfor%}" OPENING,
};

/* Qwen3 is long: FNV-1a of its canonical text. Of one meaning for us: the first as published with the models, the second since
 * contents may be other than text. Those of the 2507 models differ in what they do, and are not among them. */
static const uint64_t qwen3_hashes[] = {0x21389111514f0692u, 0x4c170e1ce53a767cu};

static uint64_t hash_text(const char *s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *s; s++) h = (h ^ (uint8_t)*s) * 0x100000001b3u;
    return h;
}

static bool matches(const char *text, const char *form, ChatStyle *style)
{
    const char *hole = strstr(form, ANY_TEXT);
    if (!hole) return !strcmp(text, form);
    size_t n = strlen(text), before = (size_t)(hole - form), after = strlen(hole + 1);
    if (n < before + after || memcmp(text, form, before) != 0 ||
        strcmp(text + n - after, hole + 1) != 0)
        return false;
    Buffer system = {0};
    for (const char *s = text + before; s < text + n - after; s++) {
        bool escaped = *s == '\\';
        if (*s == '"') { /* the literal ends before the form goes on */
            buffer_free(&system);
            return false;
        }
        if (escaped) s++;
        buffer_add(&system, escaped && *s == 'n' ? "\n" : s, 1);
    }
    style->default_system = mem_text(system.data ? system.data : "");
    buffer_free(&system);
    return true;
}

int chat_template_recognise(const char *text, ChatStyle *style)
{
    Buffer form = {0};
    bool known = false;
    *style = (ChatStyle){0};
    chat_template_canonical(text, &form);
    if (!form.data) return -1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms && !known; i++)
        known = matches(form.data, forms[i], style);
    for (size_t i = 0; i < sizeof qwen3_hashes / sizeof *qwen3_hashes && !known; i++)
        known = style->thinking = hash_text(form.data) == qwen3_hashes[i];
    buffer_free(&form);
    return known ? 0 : -1;
}

void chat_style_free(ChatStyle *style)
{
    mem_free(style->default_system);
    *style = (ChatStyle){0};
}
