/* Which problem a group gets, and its tokens: no table, no messages, so any rank can say what group
 * g is. A file's rows are walked in an order that is a permutation computed number by number: a
 * four-round Feistel network over the next even number of bits, keyed by (seed, epoch), walked
 * until the value lies in range (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
 */
#include "common/prompts.h"

#include <string.h>

#include "common/errors.h"
#include "common/rng.h"

struct Prompts {
    const Config *config;
    const Tokenizer *tok;
    const Task *task;
    TaskState *state;
};

/* ---- the order of problems ------------------------------------------------------------------- */

static uint64_t feistel(uint64_t x, int half_bits, uint64_t seed, uint64_t key)
{
    uint64_t mask = (1ull << half_bits) - 1, left = x >> half_bits, right = x & mask;
    for (uint32_t round = 0; round < 4; round++) {
        uint32_t bits[4];
        rng_bits(seed, STREAM_PROBLEM, key, (uint32_t)right, round, bits);
        uint64_t next = (left ^ (bits[0] | (uint64_t)bits[1] << 32)) & mask;
        left = right;
        right = next;
    }
    return left << half_bits | right;
}

/* x in [0, n) -> [0, n), one to one for each (seed, key). n < 2^62. */
static int64_t permute(int64_t x, int64_t n, uint64_t seed, uint64_t key)
{
    int half_bits = 1;
    while (2 * half_bits < 62 && 1ll << 2 * half_bits < n) half_bits++;
    do x = (int64_t)feistel((uint64_t)x, half_bits, seed, key);
    while (x >= n); /* at most 4 n values: 4 rounds on average */
    return x;
}

/* Number i of endless passes over n things, each pass in an order of its own; `domain` tells orders
 * of different use apart. */
static int64_t walk(int64_t i, int64_t n, uint64_t seed, uint64_t domain)
{
    if (n == INT64_MAX) return i;
    return permute(i % n, n, seed, domain << 62 | (uint64_t)(i / n));
}

enum { ORDER_TRAIN = 0, ORDER_DEMO = 1 };

int64_t prompts_problem(const Prompts *p, int64_t id)
{
    return walk(id, p->task->count(p->state, SPLIT_TRAIN), (uint64_t)p->config->run.seed,
                ORDER_TRAIN);
}

static int64_t demo_number(const Prompts *p, int64_t i)
{
    int64_t n = p->task->count(p->state, SPLIT_DEMO), demos = p->config->sft.demos;
    return walk(i, demos && demos < n ? demos : n, (uint64_t)p->config->run.seed, ORDER_DEMO);
}

int64_t prompts_count(const Prompts *p, Split split)
{
    return p->task->count(p->state, split);
}

/* ---- text and tokens ------------------------------------------------------------------------- */

static bool uses_chat(const Config *c, const Tokenizer *tok)
{
    if (!strcmp(c->task.template, "auto")) return tokenizer_chat_template(tok) != NULL;
    return !strcmp(c->task.template, "chat");
}

/* The instruction stands on a line of its own before the problem; the task's own prompts are one
 * line. */
static char *instructed(const Config *c, const char *problem)
{
    if (!*c->task.instruction) return mem_text(problem);
    return mem_printf("%s\n%s", c->task.instruction, problem);
}

/* Whether a user's text holds what the tokenizer would take for a special token. */
static bool says_special(const Tokenizer *tok, const char *text)
{
    Ids a = {0}, b = {0};
    bool differ = tokenizer_encode(tok, text, strlen(text), true, false, &a) ||
                  tokenizer_encode(tok, text, strlen(text), false, false, &b);
    differ = differ || a.n != b.n || (a.n && memcmp(a.data, b.data, (size_t)a.n * sizeof *a.data));
    ids_free(&a);
    ids_free(&b);
    return differ;
}

/* Ids of a rendered chat. Special tokens are the template's alone: a problem that spells one is
 * encoded apart, as plain text. */
static int encode_chat(const Tokenizer *tok, const char *text, size_t n, const char *user, Ids *ids)
{
    if (!says_special(tok, user)) return tokenizer_encode(tok, text, n, true, false, ids);
    const char *at = NULL;
    for (const char *p = strstr(text, user); p; p = strstr(p + 1, user)) at = p;
    if (!at)
        return fail("the problem spells special tokens and the chat template changes its text: it "
                    "cannot be told apart");
    size_t n_user = strlen(user), before = (size_t)(at - text);
    if (tokenizer_encode(tok, text, before, true, false, ids)) return -1;
    if (tokenizer_encode(tok, user, n_user, false, false, ids)) return -1;
    return tokenizer_encode(tok, at + n_user, n - before - n_user, true, false, ids);
}

int prompts_render(const Config *c, const Tokenizer *tok, const char *problem, Buffer *text,
                   Ids *ids)
{
    char *user = instructed(c, problem);
    ChatMessage messages[2] = {{"system", c->task.system}, {"user", user}};
    int skip = !*c->task.system, rc;
    size_t start = text->size;
    if (!uses_chat(c, tok)) {
        buffer_text(text, user);
        rc = tokenizer_encode(tok, user, strlen(user), false, true, ids);
    } else { /* a template brings its own beginning of text */
        rc = chat_render(tok, messages + skip, 2 - skip, text);
        if (!rc) rc = encode_chat(tok, text->data + start, text->size - start, user, ids);
    }
    mem_free(user);
    return rc;
}

static int fill_prompt(const Prompts *p, const char *problem, Group *g)
{
    Buffer text = {0};
    Ids ids = {0};
    if (prompts_render(p->config, p->tok, problem, &text, &ids)) {
        buffer_free(&text);
        ids_free(&ids);
        return fail("problem \"%.200s\": %s", problem, errors_last());
    }
    g->prompt = ids.data;
    g->n_prompt = ids.n;
    g->prompt_text = text.data ? text.data : mem_text("");
    return 0;
}

/* A whole demonstration as one sample: the prompt as the model is asked it, the answer,
 * end-of-text; only the last two are trained. */
static int fill_demo(const Prompts *p, int64_t number, Sample *s)
{
    Problem problem;
    Buffer text = {0};
    Ids ids = {0};
    p->task->problem(p->state, SPLIT_DEMO, number, &problem);
    int rc = prompts_render(p->config, p->tok, problem.prompt, &text, &ids), n_prompt = ids.n;
    if (!rc) rc = tokenizer_encode(p->tok, problem.demo, strlen(problem.demo), false, false, &ids);
    if (rc) {
        fail("demonstration %lld (\"%.200s\"): %s", (long long)number, problem.prompt,
             errors_last());
    } else {
        ids_add(&ids, tokenizer_eos(p->tok));
        sample_reserve(s, ids.n);
        s->n_tokens = ids.n;
        memcpy(s->tokens, ids.data, (size_t)ids.n * sizeof *ids.data);
        if (!s->mask) s->mask = NEW(uint8_t, ids.n);
        for (int t = 0; t < ids.n; t++) s->mask[t] = t >= n_prompt;
        s->finish = FINISH_EOS;
        s->text = mem_text(problem.demo);
    }
    buffer_free(&text);
    ids_free(&ids);
    problem_free(&problem);
    return rc;
}

static int fill_demos(const Prompts *p, Group *g)
{
    if (tokenizer_eos(p->tok) < 0)
        return fail("the tokenizer has no end-of-text token: demonstrations cannot end");
    for (int i = 0; i < g->n_samples; i++)
        if (fill_demo(p, demo_number(p, g->id * g->n_samples + i), &g->samples[i])) return -1;
    g->prompt_text = mem_text("");
    g->record = mem_text("{}");
    return 0;
}

int prompts_fill(const Prompts *p, GroupKind kind, int64_t id, int n_samples, int32_t version,
                 Group *g)
{
    Problem problem;
    *g = (Group){.kind = kind,
                 .id = id,
                 .version = version,
                 .n_samples = n_samples,
                 .samples = NEW(Sample, n_samples)};
    if (kind == GROUP_DEMO) {
        int rc = fill_demos(p, g);
        if (rc) group_free(g);
        return rc;
    }
    g->problem = kind == GROUP_TRAIN ? prompts_problem(p, id) : id;
    p->task->problem(p->state, kind == GROUP_TRAIN ? SPLIT_TRAIN : SPLIT_HELDOUT, g->problem,
                     &problem);
    int rc = fill_prompt(p, problem.prompt, g);
    g->record = mem_text(problem.record);
    problem_free(&problem);
    if (rc) group_free(g);
    return rc;
}

/* ---- opening --------------------------------------------------------------------------------- */

static TaskSettings settings_of(const Config *c)
{
    return (TaskSettings){
        .seed = (uint64_t)c->run.seed,
        .digits = (int)c->task.digits,
        .terms = (int)c->task.terms,
        .numbers = (int)c->task.numbers,
        .max_number = (int)c->task.max_number,
        .forget_carry = c->task.forget_carry,
        .train = c->task.train,
        .heldout = c->task.heldout,
        .prompt_field = c->task.prompt_field,
        .answer_field = c->task.answer_field,
        .demo_field = c->task.demo_field,
        .instruction = c->task.instruction,
    };
}

/* Whether there are enough held-out problems, and the tokenizer can say a problem and a
 * demonstration. */
static int check(const Prompts *p)
{
    Group g = {0};
    int64_t heldout = prompts_count(p, SPLIT_HELDOUT), wanted = p->config->eval.problems;
    if (wanted > heldout)
        return fail("%s: eval.problems is %lld, but task %s has %lld held-out problems here",
                    p->config->file, (long long)wanted, p->task->name, (long long)heldout);
    bool trains = p->config->run.steps || p->config->sft.steps;
    if (!prompts_count(p, SPLIT_TRAIN))
        return trains
                   ? fail("%s: task %s has no problems to train on", p->config->file, p->task->name)
                   : 0;
    int rc = prompts_fill(p, GROUP_TRAIN, 0, 1, 0, &g);
    group_free(&g);
    if (!rc && p->config->sft.steps) {
        rc = prompts_fill(p, GROUP_DEMO, 0, 1, 0, &g);
        group_free(&g);
    }
    return rc;
}

Prompts *prompts_open(const Config *c, const Tokenizer *tok)
{
    TaskSettings s = settings_of(c);
    Prompts *p = NEW(Prompts, 1);
    *p = (Prompts){.config = c, .tok = tok, .task = task_find(c->task.name)};
    REQUIRE(p->task, "task %s passed config_parse", c->task.name);
    p->state = p->task->open(&s);
    if (p->state && !check(p)) return p;
    prompts_close(p);
    return NULL;
}

void prompts_close(Prompts *p)
{
    if (!p) return;
    if (p->state) p->task->close(p->state);
    mem_free(p);
}
