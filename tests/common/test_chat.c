/* Chat templates: recognised whatever their layout, refused where they do anything else, rendered
 * as transformers renders them (tests/data/chat_golden.json, made by make_chat_golden.py from the
 * models' own templates). */
#include "tests/harness.h"

#include <jansson.h>

#include "common/chat_template.h"
#include "common/errors.h"
#include "common/tokenizer_parts.h"

#define SMOLLM2_SYSTEM "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
#define QWEN25_SYSTEM  "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."

static const char loop_turn[] =
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% "
    "endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/* Qwen2.5's branches in a layout of our own, without what its tool branches say. */
static const char qwen25[] =
    "{%- if tools %}{{- 'tools' }}{% for tool in tools %}{% if tool %}x{% else %}y{% endif %}{% "
    "endfor %}"
    "{%- else %}{%- if messages[0].role == \"system\" -%}\n {{ \"<|im_start|>system\\n\" + "
    "messages[0]['content'] }}"
    "{{- '<|im_end|>\\n' }}{%- else -%}<|im_start|>system\n" QWEN25_SYSTEM
    "<|im_end|>\n{% endif %}{% endif %}\n"
    "{% for message in messages %}\n    {%- if (message['role'] == 'user') or (message.role == "
    "'system' and not loop.first) "
    "or (message.role == 'assistant' and not message.tool_calls) %}\n"
    "        {{- ('<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n') }}\n"
    "    {%- elif message.role == 'assistant' %}\n  {{ 'calls' }}{% if message.content %}c{% endif "
    "%}\n"
    "    {%- elif message.role == 'tool' %}\n {# a tool's answer #} {{ 'response' }}\n    {%- "
    "endif %}\n{% endfor %}\n"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}\n";

static char *with_loop(const char *before)
{
    return mem_printf("%s%s", before, loop_turn);
}

static void expect_style(const char *template, bool known, const char *system)
{
    ChatStyle style;
    ck_assert_msg((chat_template_recognise(template, &style) == 0) == known, "%s", template);
    if (known && system) ck_assert_str_eq(style.default_system, system);
    if (known && !system) ck_assert_ptr_null(style.default_system);
    ck_assert(!style.thinking);
    chat_style_free(&style);
}

static void expect_loop(const char *before, bool known, const char *system)
{
    char *template = with_loop(before);
    expect_style(template, known, system);
    mem_free(template);
}

START_TEST(recognises_whatever_the_layout)
{
    expect_loop("{% for message in messages %}", true, NULL);
    expect_loop("{%- for message in messages -%}\n\n", true, NULL);
    expect_loop("{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false "
                "%}{% endif %}"
                "{% for message in messages %}",
                true, NULL);
    expect_loop("{# made by hand #}\n{% for message in messages %}{% if loop.first and "
                "messages[0]['role'] != 'system' %}"
                "{{ '<|im_start|>system\n" SMOLLM2_SYSTEM "<|im_end|>\n' }}{% endif %}",
                true, SMOLLM2_SYSTEM);
    expect_loop(
        "{% for message in messages %}\n  {% if loop.first and messages[0].role != \"system\" %}\n"
        "{{- \"<|im_start|>system\\nSay \\\"a\\\\b\\\".\\n<|im_end|>\\n\" -}}\n  {% endif %}\n",
        true, "Say \"a\\b\".\n");
    expect_style(qwen25, true, QWEN25_SYSTEM);
}
END_TEST

START_TEST(refuses_what_does_something_else)
{
    static const char *const before[] = {
        "{% for message in messages %}x",
        " {{ '' }} {% for message in messages %}",
        "{{ bos_token }}{% for message in messages %}",
        "{% for message in messages[1:] %}",
        "{% for message in messages %}{% if loop.first and messages[0]['role'] == 'system' %}"
        "{{ '<|im_start|>system\nx<|im_end|>\n' }}{% endif %}",
        "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
        "{{ '<|im_start|>system\nx' + date + '<|im_end|>\n' }}{% endif %}",
        "{% if tools %}{% for message in messages %}",
        "{% if tools %}a{% elif x %}b{% endif %}{% for message in messages %}",
        "{% set x = 'unfinished %}{% for message in messages %}",
        "{% for message in messages %}{%+ if tools %}{% endif %}",
    };
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) expect_loop(before[i], false, NULL);
    expect_style("", false, NULL);
    expect_style("{{ messages", false, NULL);
    expect_style("[INST] {{ messages[0].content }} [/INST]", false, NULL);
    char *extra = mem_printf("%s{{ '<think>\\n' }}", qwen25); /* a prompt that opens a thought */
    expect_style(extra, false, NULL);
    mem_free(extra);
}
END_TEST

static void check_row(const json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "template"));
    const json_t *list = json_object_get(row, "messages");
    ChatStyle style = {.thinking = !strcmp(name, "qwen3")};
    if (!strcmp(name, "smollm2")) style.default_system = mem_text(SMOLLM2_SYSTEM);
    if (!strcmp(name, "qwen2.5")) style.default_system = mem_text(QWEN25_SYSTEM);
    ChatMessage messages[8];
    int n = (int)json_array_size(list);
    for (int i = 0; i < n; i++) {
        const json_t *m = json_array_get(list, (size_t)i);
        messages[i].role = json_string_value(json_array_get(m, 0));
        messages[i].content = json_string_value(json_array_get(m, 1));
    }
    Buffer out = {0};
    ck_assert_int_eq(chat_render_style(&style, messages, n, &out), 0);
    ck_assert_str_eq(out.data, json_string_value(json_object_get(row, "text")));
    buffer_free(&out);
    chat_style_free(&style);
}

/* Without the opening it is the same up to it. */
START_TEST(a_conversation_that_is_over_has_no_opening)
{
    Tokenizer *t = tokenizer_from_alphabet("a");
    t->chat_template = with_loop("{% for message in messages %}");
    const ChatMessage said[] = {{"user", "Hi"}, {"assistant", "Hello"}};
    Buffer out = {0};
    buffer_text(&out, "x");
    ck_assert_int_eq(chat_render_said(t, said, 2, &out), 0);
    ck_assert_str_eq(out.data, "x<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
                               "Hello<|im_end|>\n");
    ck_assert_uint_eq(out.size, strlen(out.data));
    errors_quiet(1);
    ck_assert_int_eq(chat_render_said(t, said, 0, &out), -1);
    errors_quiet(-1);
    buffer_free(&out);
    tokenizer_close(t);
}
END_TEST

START_TEST(renders_as_transformers_does)
{
    const char *source = getenv("TROUPE_SOURCE");
    char *path = mem_printf("%s/tests/data/chat_golden.json", source ? source : ".");
    json_t *rows = json_load_file(path, 0, NULL);
    ck_assert_int_eq(json_array_size(rows), 45);
    for (size_t i = 0; i < json_array_size(rows); i++) check_row(json_array_get(rows, i));
    json_decref(rows);
    mem_free(path);
}
END_TEST

START_TEST(renders_for_the_model)
{
    if (!test_smollm2_path()) {
        fprintf(stderr,
                "SmolLM2 is not there (launch/fetch-smollm2): its own template is left out\n");
        return;
    }
    Tokenizer *t = tokenizer_open(test_smollm2_path());
    Buffer out = {0};
    ck_assert_int_eq(chat_render(t, &(ChatMessage){"user", "Hi"}, 1, &out), 0);
    ck_assert_str_eq(out.data, "<|im_start|>system\n" SMOLLM2_SYSTEM
                               "<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
                               "<|im_start|>assistant\n");
    buffer_free(&out);
    tokenizer_close(t);
}
END_TEST

START_TEST(refuses_with_a_reason)
{
    Tokenizer *t = tokenizer_from_alphabet("a");
    Buffer out = {0};
    errors_quiet(1);
    ck_assert_int_eq(chat_render(t, &(ChatMessage){"user", "a"}, 1, &out), -1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "no chat template"));
    t->chat_template = mem_text("[INST]{{ messages[0].content }}[/INST]");
    ck_assert_int_eq(chat_render(t, &(ChatMessage){"user", "a"}, 1, &out), -1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "none of those known here"));
    mem_free(t->chat_template);
    t->chat_template = with_loop("{% for message in messages %}");
    ck_assert_int_eq(chat_render(t, NULL, 0, &out), -1);
    ck_assert_int_eq(chat_render(t, &(ChatMessage){"tool", "a"}, 1, &out), -1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "the role 'tool'"));
    ck_assert_int_eq(chat_render(t, &(ChatMessage){"user", NULL}, 1, &out), -1);
    errors_quiet(-1);
    ck_assert_uint_eq(out.size, 0);
    tokenizer_close(t);
}
END_TEST

TEST_MAIN("chat", recognises_whatever_the_layout, refuses_what_does_something_else,
          a_conversation_that_is_over_has_no_opening, renders_as_transformers_does,
          renders_for_the_model, refuses_with_a_reason)
