/* troupe generate: completes a text or holds a conversation, on a terminal or in a pipe. The engine
 * is the rollout's: the same bits for the same seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/stops.h"
#include "common/errors.h"
#include "launch/json_text.h"
#include "launch/model_args.h"
#include "launch/text_show.h"
#include "launch/verb.h"

enum { KEY_SYSTEM = 0x200, KEY_TEMPLATE, KEY_JSON, KEY_SPECIAL, PROMPT_LIMIT = 64 << 20 };

typedef struct {
    ModelArgs args;
    const char *path, *prompt, *system, *template;
    int samples;
    bool json, special, chat;
    Policy policy;
    Engine *engine;
    GenerateParams params;
} Generate;

/* ---- the prompt ------------------------------------------------------------------------------ */

/* What was said so far; contents are owned. */
typedef struct {
    ChatMessage *messages;
    int n, capacity;
} Talk;

static void talk_add(Talk *t, const char *role, const char *content)
{
    if (t->n == t->capacity) {
        int capacity = 2 * t->capacity + 4;
        t->messages = mem_resize(t->messages, (size_t)t->n, (size_t)capacity, sizeof *t->messages);
        t->capacity = capacity;
    }
    t->messages[t->n++] = (ChatMessage){role, mem_text(content)};
}

static void talk_free(Talk *t)
{
    for (int i = 0; i < t->n; i++) mem_free((char *)(uintptr_t)t->messages[i].content);
    mem_free(t->messages);
    *t = (Talk){0};
}

/* The talk as the model is asked it: through its template, or its last message as it stands. */
static int render(const Generate *g, const Talk *t, Buffer *text, Ids *ids)
{
    if (g->chat) {
        if (chat_render(g->policy.tok, t->messages, t->n, text)) return -1;
    } else {
        buffer_text(text, t->messages[t->n - 1].content);
    }
    if (tokenizer_encode(g->policy.tok, text->data, text->size, g->chat || g->special, !g->chat,
                         ids))
        return -1;
    int positions = model_desc(g->policy.model)->max_positions;
    if (!ids->n)
        return fail(
            "the prompt is empty, and this model has no beginning-of-text token: say something");
    if (ids->n >= positions)
        return fail("the prompt has %d tokens, the model %d positions: shorten it", ids->n,
                    positions);
    return 0;
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* Text as it comes. What may still become a stop string, or the rest of a character, is held back.
 */
typedef struct {
    const Generate *g;
    const Sample *s;
    int n_tokens; /* taken into text */
    Buffer text;
    size_t n_shown;
} Stream;

/* Bytes at the end of text [n] that begin a UTF-8 character without ending it. */
static size_t unfinished_character(const char *text, size_t n)
{
    for (size_t k = 1; k <= 3 && k <= n; k++) {
        unsigned char c = (unsigned char)text[n - k];
        if ((c & 0xC0) == 0x80) continue;
        size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        return length > k ? k : 0;
    }
    return 0;
}

/* Bytes as they are into a pipe; on a terminal nothing of them may act, but a tab. */
static void print_text(const char *text, size_t n)
{
    if (!isatty(STDOUT_FILENO)) {
        fwrite(text, 1, n, stdout);
        return;
    }
    char *copy = mem_text_n(text, n), *rest = copy, *piece;
    for (bool first = true; (piece = strsep(&rest, "\t")); first = false) {
        if (!first) putchar('\t');
        text_show(stdout, piece, "", SIZE_MAX);
    }
    mem_free(copy);
}

static void stream_show(Stream *s, size_t until, const char *text)
{
    if (until <= s->n_shown) return;
    print_text(text + s->n_shown, until - s->n_shown);
    fflush(stdout);
    s->n_shown = until;
}

static void stream_tick(void *ctx)
{
    Stream *s = ctx;
    const Tokenizer *tok = s->g->policy.tok;
    tokenizer_decode(tok, s->s->tokens + s->n_tokens, s->s->n_tokens - s->n_tokens, true, &s->text);
    s->n_tokens = s->s->n_tokens;
    size_t n = s->text.size,
           held = n ? stops_held(s->g->params.stops, s->g->params.n_stops, s->text.data, n) : 0;
    size_t cut = n, rest = unfinished_character(s->text.data, n);
    if (s->s->text) return; /* it has ended: its own text decides */
    cut -= held > rest ? held : rest;
    stream_show(s, cut, s->text.data);
}

static const char *finish_name(FinishReason f)
{
    return f == FINISH_EOS ? "eos" : f == FINISH_STOP ? "stop" : "length";
}

static void print_json(const Buffer *prompt, const Sample *s)
{
    json_t *o = json_object();
    json_object_set_new(o, "prompt", json_text(prompt->data, prompt->size));
    json_object_set_new(o, "text", json_text(s->text, strlen(s->text)));
    json_object_set_new(o, "ids", json_ids(s->tokens, s->n_tokens));
    json_object_set_new(o, "logprobs", json_floats(s->logprobs, s->n_tokens));
    json_object_set_new(o, "finish", json_string(finish_name(s->finish)));
    json_line(stdout, o);
}

static void print_speed(const Generate *g, EngineStats before)
{
    EngineStats now = engine_stats(g->engine);
    double seconds = now.decode_s - before.decode_s;
    long long tokens = now.decode_tokens - before.decode_tokens;
    if (isatty(STDERR_FILENO) && seconds > 0)
        fprintf(stderr, "[%lld tokens, %.1f tokens/s]\n", tokens, (double)tokens / seconds);
}

/* Answers the talk and prints; *reply (may be NULL) gets the first sample's text, caller frees. 0
 * or -1. */
static int answer(const Generate *g, const Talk *t, int64_t id, char **reply)
{
    Buffer text = {0};
    Ids ids = {0};
    int rc = render(g, t, &text, &ids);
    if (rc) goto done;
    Group group = {.id = id, .n_prompt = ids.n, .prompt = ids.data, .n_samples = g->samples},
          *list = &group;
    ids = (Ids){0};
    group.samples = NEW(Sample, g->samples);
    bool streams = g->samples == 1 && !g->json;
    Stream stream = {.g = g, .s = group.samples};
    EngineStats before = engine_stats(g->engine);
    engine_generate(g->engine, &list, 1, &g->params, 0, NULL, streams ? stream_tick : NULL,
                    &stream);
    for (int i = 0; i < g->samples; i++) {
        const Sample *s = &group.samples[i];
        if (g->json) {
            print_json(&text, s);
            continue;
        }
        if (!streams) printf("%s--- sample %d ---\n", i ? "\n" : "", i);
        stream_show(&(Stream){.n_shown = streams ? stream.n_shown : 0}, strlen(s->text), s->text);
        putchar('\n');
    }
    if (!g->json) print_speed(g, before);
    if (reply) *reply = mem_text(group.samples[0].text);
    buffer_free(&stream.text);
    group_free(&group);
done:
    buffer_free(&text);
    ids_free(&ids);
    return rc;
}

static void begin(const Generate *g, Talk *t)
{
    if (g->system) talk_add(t, "system", g->system);
}

static int answer_once(const Generate *g, const char *prompt)
{
    Talk t = {0};
    begin(g, &t);
    talk_add(&t, "user", prompt);
    int rc = answer(g, &t, 0, NULL);
    talk_free(&t);
    return rc ? EXIT_CONFIG : 0;
}

static int answer_stdin(const Generate *g)
{
    Buffer in = {0};
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, stdin)) > 0;) {
        buffer_add(&in, part, n);
        if (in.size > PROMPT_LIMIT) break;
    }
    int code = 0;
    if (in.size > PROMPT_LIMIT || (in.size && memchr(in.data, 0, in.size))) {
        fail("standard input: a prompt is text of at most %d MB without NUL bytes",
             PROMPT_LIMIT >> 20);
        code = EXIT_CONFIG;
    } else {
        if (in.size && in.data[in.size - 1] == '\n') in.data[--in.size] = 0; /* what echo adds */
        code = answer_once(g, in.size ? in.data : "");
    }
    buffer_free(&in);
    return code;
}

/* One line, one turn. A line that cannot be answered is taken back and the talk goes on. */
static int converse(const Generate *g)
{
    Talk t = {0};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    int64_t turn = 0;
    fprintf(stderr, "%s. /new begins anew, Ctrl-D ends.\n",
            g->chat ? "A conversation" : "Each line is completed");
    begin(g, &t);
    while (fputs("> ", stderr), (n = getline(&line, &capacity, stdin)) >= 0) {
        if (n && line[n - 1] == '\n') line[--n] = 0;
        if (!n) continue;
        bool anew = !strcmp(line, "/new");
        if (anew || !g->chat) {
            talk_free(&t);
            begin(g, &t);
        }
        if (anew) continue;
        char *reply = NULL;
        talk_add(&t, "user", line);
        if (answer(g, &t, turn++, &reply))
            mem_free((char *)(uintptr_t)t.messages[--t.n].content);
        else
            talk_add(&t, "assistant", reply);
        mem_free(reply);
    }
    putc('\n', stderr);
    free(line);
    talk_free(&t);
    return 0;
}

/* ---- the command line ------------------------------------------------------------------------ */

static error_t parse(int key, char *arg, struct argp_state *state)
{
    Generate *g = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &g->args;
        return 0;
    case 'n':
        g->samples = (int)arg_integer(state, "samples", arg, 1, 1024);
        return 0;
    case KEY_SYSTEM:
        g->system = arg;
        return 0;
    case KEY_JSON:
        g->json = true;
        return 0;
    case KEY_SPECIAL:
        g->special = true;
        return 0;
    case KEY_TEMPLATE:
        if (strcmp(arg, "auto") && strcmp(arg, "raw") && strcmp(arg, "chat"))
            argp_error(state, "--template: %s is none of auto, raw, chat", arg);
        g->template = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1) argp_error(state, "more than MODEL and PROMPT; quote the prompt");
        *(state->arg_num ? &g->prompt : &g->path) = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "no model");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"system", KEY_SYSTEM, "TEXT", 0, "system message of a chat; default: the template's own", 1},
    {"template", KEY_TEMPLATE, "auto|chat|raw", 0,
     "auto (default): chat where the model brings a template", 1},
    {"special", KEY_SPECIAL, 0, 0, "raw: special tokens written in PROMPT are tokens, not text", 1},
    {"samples", 'n', "N", 0, "answers to the prompt", 1},
    {"json", KEY_JSON, 0, 0, "a JSON object a sample: prompt, text, ids, logprobs, finish", 1},
    {0}};

static int open_all(Generate *g)
{
    GenerateParams usual = {.sampling = {0.7f, 0, 0.95f, 0}, .max_tokens = 512, .seed = 1};
    int code = model_args_open(&g->policy, g->path, g->args.precision ? g->args.precision : "bf16");
    if (code) return code;
    const char *file_template = tokenizer_chat_template(g->policy.tok);
    g->chat = !strcmp(g->template, "chat") || (!strcmp(g->template, "auto") && file_template);
    if (g->chat && !file_template) {
        fail("%s: brings no chat template; use --template raw", g->path);
        return EXIT_CONFIG;
    }
    if (g->system && !g->chat) {
        fail("--system needs a chat template, and %s is asked without one", g->path);
        return EXIT_USAGE;
    }
    g->params = model_args_params(&g->args, &usual);
    g->engine = engine_new(g->policy.model, g->policy.tok, g->samples < 64 ? g->samples : 64, 0);
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct argp_child children[] = {{&model_argp, 0, NULL, 2}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "MODEL [PROMPT]",
        .doc = "Completes PROMPT, or answers it where the model brings a chat template. MODEL is a "
               "Hugging Face folder, a .gguf file or a run's "
               "folder. Without PROMPT: a conversation on a terminal, otherwise the prompt is "
               "standard input."
               "\vDefaults: temperature 0.7, top-p 0.95, 512 tokens, seed 1, bf16.\n\n"
               "Example: troupe generate models/SmolLM2-135M-Instruct.Q4_1.gguf \"Name three "
               "rivers.\" --temperature 0",
        .children = children,
    };
    Generate g = {.args = model_args_empty(), .template = "auto", .samples = 1};
    argp_parse(&argp, argc, argv, 0, NULL, &g);
    int code = open_all(&g);
    if (!code)
        code = g.prompt               ? answer_once(&g, g.prompt)
               : isatty(STDIN_FILENO) ? converse(&g)
                                      : answer_stdin(&g);
    engine_free(g.engine);
    policy_close(&g.policy);
    return code;
}

const Verb verb_generate = {"generate", "completes a text or chats, on a terminal", 30, run};
