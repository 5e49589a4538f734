/* Messages to the text a model was taught: ChatML in the variants that chat_template.c recognises.
 */
#include "common/tokenizer.h"

#include <string.h>

#include "common/chat_template.h"
#include "common/errors.h"

static const char opening[] = "<|im_start|>assistant\n";

static void turn(const char *role, const char *content, size_t n, Buffer *out)
{
    buffer_printf(out, "<|im_start|>%s\n", role);
    buffer_add(out, content, n);
    buffer_text(out, "<|im_end|>\n");
}

static int check_messages(const ChatMessage *messages, int n)
{
    static const char *const roles[] = {"system", "user", "assistant"};
    if (n < 1) return fail("a chat needs at least one message");
    for (int i = 0; i < n; i++) {
        bool known = false;
        for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
            known |= messages[i].role && !strcmp(messages[i].role, roles[k]);
        if (!known)
            return fail("message %d has the role '%s'; system, user and assistant are known", i + 1,
                        messages[i].role ? messages[i].role : "");
        if (!messages[i].content) return fail("message %d has no content", i + 1);
    }
    return 0;
}

/* The part of s [*n] without newlines at its ends. */
static const char *stripped(const char *s, size_t *n)
{
    while (*n && s[0] == '\n') s++, --*n;
    while (*n && s[*n - 1] == '\n') --*n;
    return s;
}

static const char *after_newlines(const char *s)
{
    while (*s == '\n') s++;
    return s;
}

static const char *find_last(const char *s, size_t n, const char *mark)
{
    size_t m = strlen(mark);
    for (const char *at = s + n; at >= s + m; at--)
        if (!memcmp(at - m, mark, m)) return at - m;
    return NULL;
}

/* Qwen3: an answer's thoughts stand in its content. Earlier ones are left out; those that belong to
 * the question in progress stay, and the last answer has the tags even where it has no thoughts. */
static void thinking_turn(const char *content, bool in_progress, bool last, Buffer *out)
{
    const char *end = strstr(content, "</think>"), *thoughts = content, *answer = content;
    size_t n_thoughts = 0;
    if (end) {
        const char *start = find_last(content, (size_t)(end - content), "<think>");
        thoughts = start ? start + strlen("<think>") : content;
        n_thoughts = (size_t)(end - thoughts);
        thoughts = stripped(thoughts, &n_thoughts);
        answer =
            after_newlines(find_last(content, strlen(content), "</think>") + strlen("</think>"));
    }
    if (!in_progress || !(last || n_thoughts)) {
        turn("assistant", answer, strlen(answer), out);
        return;
    }
    buffer_text(out, "<|im_start|>assistant\n<think>\n");
    buffer_add(out, thoughts, n_thoughts);
    buffer_printf(out, "\n</think>\n\n%s<|im_end|>\n", after_newlines(answer));
}

static bool is_tool_response(const char *s)
{
    static const char open[] = "<tool_response>", close[] = "</tool_response>";
    size_t n = strlen(s), k = strlen(close);
    return !strncmp(s, open, strlen(open)) && n >= k && !strcmp(s + n - k, close);
}

static void render_thinking(const ChatMessage *messages, int n, Buffer *out)
{
    int question = n - 1; /* where no message is a question */
    for (int i = n - 1; i >= 0; i--) {
        if (strcmp(messages[i].role, "user") != 0 || is_tool_response(messages[i].content))
            continue;
        question = i;
        break;
    }
    for (int i = 0; i < n; i++) {
        if (strcmp(messages[i].role, "assistant") != 0)
            turn(messages[i].role, messages[i].content, strlen(messages[i].content), out);
        else
            thinking_turn(messages[i].content, i > question, i == n - 1, out);
    }
}

static void render_plain(const ChatMessage *messages, int n, const char *default_system,
                         Buffer *out)
{
    if (default_system && strcmp(messages[0].role, "system") != 0)
        turn("system", default_system, strlen(default_system), out);
    for (int i = 0; i < n; i++)
        turn(messages[i].role, messages[i].content, strlen(messages[i].content), out);
}

int chat_render_style(const ChatStyle *style, const ChatMessage *messages, int n, Buffer *out)
{
    if (check_messages(messages, n)) return -1;
    if (style->thinking)
        render_thinking(messages, n, out);
    else
        render_plain(messages, n, style->default_system, out);
    buffer_text(out, opening);
    return 0;
}

int chat_render(const Tokenizer *t, const ChatMessage *messages, int n, Buffer *out)
{
    const char *template = tokenizer_chat_template(t);
    ChatStyle style;
    if (!template)
        return fail("the model has no chat template: give it plain text, or use an "
                    "instruction-tuned model");
    if (chat_template_recognise(template, &style))
        return fail(
            "the model's chat template is none of those known here (ChatML as SmolLM2, Qwen2.5 and "
            "Qwen3 have it), and a guess would ask the model in words it was not taught. Turn the "
            "template off and put the model's own markup into the prompts, or use one of those "
            "models");
    int rc = chat_render_style(&style, messages, n, out);
    chat_style_free(&style);
    return rc;
}

int chat_render_said(const Tokenizer *t, const ChatMessage *messages, int n, Buffer *out)
{
    if (chat_render(t, messages, n, out)) return -1;
    out->size -= strlen(opening);
    out->data[out->size] = 0;
    return 0;
}
