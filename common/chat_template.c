/* Recognises a chat template by what it does, not by how it is laid out, and without running Jinja.
 *
 * The text is brought to one form: blanks outside of strings go, as Jinja's trim_blocks and
 * lstrip_blocks (which transformers sets) and the dashes of tags say; 'x' is "x", a['b'] is a.b, {{
 * a + b }} is {{ a }}{{ b }}, text and neighbouring strings are one string. Then branches go that
 * are never taken here, because there are no tools and a generation prompt is always asked for.
 * What is left must be one of the known forms exactly; the system message that stands in it by
 * default may be any text. So two templates that we take for the same give the same text for
 * system, user and assistant messages, and everything else is unknown. */
#include "common/chat_template.h"

#include <stdint.h>
#include <string.h>

#include "common/chat_jinja.h"

enum { LONGEST_TEMPLATE = 64 << 10 }; /* Qwen3's has 4 KB; what is longer is not known anyway */

/* --- branches that are never taken ------------------------------------------------------------ */

static bool begins(const Item *i, const char *word)
{
    size_t n = strlen(word);
    return i->kind == '%' && !strncmp(i->text, word, n) &&
           !jinja_is_word((unsigned char)i->text[n]);
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

/* An elif for calls of tools: those of tool messages, and those of assistant messages where `first`
 * has taken all others. */
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

/* --- the known forms -------------------------------------------------------------------------- */

static void write_items(const Items *l, Buffer *out)
{
    buffer_text(out, "");
    for (int i = 0; i < l->n; i++) {
        const Item *x = &l->items[i];
        if (x->dropped) continue;
        if (x->kind == '"')
            jinja_quote(x->text, strlen(x->text), out);
        else
            buffer_printf(out, x->kind == '%' ? "{%%%s%%}" : "{{%s}}", x->text);
    }
}

void chat_template_canonical(const char *text, Buffer *out)
{
    Items l = {0};
    if (strlen(text) > LONGEST_TEMPLATE) return;
    jinja_read(text, &l);
    drop_untaken(&l);
    if (!l.bad) write_items(&l, out);
    jinja_free(&l);
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

/* Qwen3 is long: FNV-1a of its canonical text. Of one meaning for us: the first as published with
 * the models, the second since contents may be other than text. Those of the 2507 models differ in
 * what they do, and are not among them. */
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
