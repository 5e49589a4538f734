/* Judges on this rank: the engine of the actors over the judge's own model. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/utf8.h"
#include "rewardsvc/judge_internal.h"

/* ---- the prompt ------------------------------------------------------------------------------ */

typedef struct {
    const char *word;
    size_t n;
} Special;

/* Caller frees. */
static Special *specials_of(const Tokenizer *tok, int *n)
{
    Special *list = NEW(Special, tokenizer_size(tok) + 1);
    *n = 0;
    for (int id = 0; id < tokenizer_size(tok); id++) {
        size_t size;
        bool special;
        const char *word = tokenizer_token(tok, id, &size, &special);
        if (special && size) list[(*n)++] = (Special){word, size};
    }
    return list;
}

/* How many bytes at the end of text [n] are a special token; 0: they are none. */
static size_t special_end(const Special *list, int n_list, const char *text, size_t n)
{
    for (int k = 0; k < n_list; k++) {
        const Special *s = &list[k];
        if (s->n <= n && s->word[s->n - 1] == text[n - 1] &&
            !memcmp(text + n - s->n, s->word, s->n))
            return s->n;
    }
    return 0;
}

/* The text as UTF-8 without NUL and without anything that the judge's tokenizer would take for one
 * of its special tokens. Taking one out may bring another together, so what is kept is looked at
 * again as each byte joins it: linear in the text, however deeply they are put into one another. */
static char *harmless(const Tokenizer *tok, const char *text, size_t n)
{
    Buffer clean = {0};
    int n_list;
    Special *list = specials_of(tok, &n_list);
    buffer_text(&clean, "");
    utf8_clean(text, n, true, &clean);
    size_t kept = 0;
    for (size_t i = 0; i < clean.size; i++) {
        clean.data[kept++] = clean.data[i];
        kept -= special_end(list, n_list, clean.data, kept);
    }
    clean.data[kept] = 0;
    mem_free(list);
    return clean.data;
}

static int render_ids(const Tokenizer *tok, const JudgeMessage *said, int n, bool opening, Ids *ids)
{
    ChatMessage *messages = NEW(ChatMessage, n);
    Buffer text = {0};
    for (int i = 0; i < n; i++)
        messages[i] = (ChatMessage){said[i].role, harmless(tok, said[i].text, said[i].n_text)};
    int rc;
    if (tokenizer_chat_template(tok)) {
        rc = opening ? chat_render(tok, messages, n, &text)
                     : chat_render_said(tok, messages, n, &text);
        if (!rc) rc = tokenizer_encode(tok, text.data, text.size, true, false, ids);
    } else { /* a model without a template reads the messages one after the other */
        const char *gap = tokenizer_kind(tok) == TOKENIZER_ALPHABET ? "" : "\n";
        for (int i = 0; i < n; i++) buffer_printf(&text, "%s%s", i ? gap : "", messages[i].content);
        rc = tokenizer_encode(tok, text.data, text.size, false, true, ids);
    }
    for (int i = 0; i < n; i++) mem_free((char *)messages[i].content);
    mem_free(messages);
    buffer_free(&text);
    return rc;
}

int judge_render(const Tokenizer *tok, const JudgeMessage *said, int n, Ids *ids)
{
    return render_ids(tok, said, n, true, ids);
}

int judge_render_said(const Tokenizer *tok, const JudgeMessage *said, int n, Ids *ids)
{
    return render_ids(tok, said, n, false, ids);
}

/* ---- questions ------------------------------------------------------------------------------- */

static void done(void *ctx, Group *g)
{
    (void)ctx;
    JudgeQuestion *q = (JudgeQuestion *)g;
    for (int i = 0; i < g->n_samples; i++) q->judge->counters.tokens += g->samples[i].n_tokens;
    q->done = true;
    if (q->withdrawn) judge_question_free(q);
}

static JudgeQuestion *ask(Judge *j, const JudgeRequest *r)
{
    JudgeQuestion *q = judge_question_new(j, r->n);
    Ids ids = {0};
    errors_quiet(1);
    if (judge_render(j->policy.tok, r->messages, r->n_messages, &ids)) {
        judge_question_fail(q, SCORE_ERROR, errors_last());
    } else if (ids.n + r->max_tokens > j->max_context) {
        char *why = mem_printf("the question has %d tokens, its answer up to %d: max_context is %d",
                               ids.n, r->max_tokens, j->max_context);
        judge_question_fail(q, SCORE_ERROR, why);
        mem_free(why);
    }
    errors_quiet(-1);
    if (q->done) {
        ids_free(&ids);
        return q;
    }
    q->group = (Group){.id = (int64_t)(judge_hash(r->tag) >> 1),
                       .n_prompt = ids.n,
                       .prompt = ids.data,
                       .n_samples = r->n};
    q->params = (GenerateParams){
        .sampling = {(float)r->temperature, 0, r->top_p > 0 ? (float)r->top_p : 1, 0},
        .max_tokens = r->max_tokens,
        .n_stops = r->n_stops,
        .stops = r->stops,
        .seed = j->seed};
    if (engine_add(j->engine, &q->group, &q->params))
        judge_question_fail(q, SCORE_ERROR, errors_last());
    return q;
}

static bool answered(JudgeQuestion *q, JudgeAnswer *answers)
{
    if (!q->done) return false;
    for (int i = 0; i < q->n; i++) {
        Sample *s = &q->group.samples[i];
        Buffer clean = {0};
        buffer_text(&clean, "");
        utf8_clean(s->text, strlen(s->text), true, &clean);
        answers[i] = (JudgeAnswer){.status = SCORE_OK,
                                   .text = clean.data,
                                   .n_text = clean.size,
                                   .cut = s->finish == FINISH_LENGTH};
    }
    return true;
}

static JudgeQuestion *rate(Judge *j, const JudgeRating *r)
{
    JudgeQuestion *q = judge_rating_new(j, r);
    Ids ids = {0};
    errors_quiet(1);
    for (int k = 0; k < q->n_options && !q->done; k++) {
        char *text = harmless(j->policy.tok, q->options[k], strlen(q->options[k]));
        if (tokenizer_encode(j->policy.tok, text, strlen(text), false, false, &q->option_ids[k]))
            judge_question_fail(q, SCORE_ERROR, errors_last());
        mem_free(text);
    }
    if (!q->done && judge_render(j->policy.tok, r->messages, r->n_messages, &ids))
        judge_question_fail(q, SCORE_ERROR, errors_last());
    if (!q->done) raters_add(j, q, &ids, r->prefix);
    errors_quiet(-1);
    ids_free(&ids);
    return q;
}

static bool rated(JudgeQuestion *q, double *logprobs)
{
    if (!q->done) return false;
    memcpy(logprobs, q->logprobs, (size_t)q->n_options * sizeof *logprobs);
    return true;
}

static void withdraw(JudgeQuestion *q)
{
    if (q->n_options)
        raters_withdraw(q->judge, q);
    else
        q->withdrawn = true;
}

static bool work(Judge *j)
{
    bool rated_one = raters_work(j);
    return engine_step(j->engine) || rated_one;
}

static void close_judge(Judge *j)
{
    raters_free(j);
    if (j->engine) {
        engine_abandon(j->engine);
        engine_free(j->engine);
    }
    policy_close(&j->policy);
}

static const JudgeKind local = {ask, answered, withdraw, work, close_judge, rate, rated};
static const JudgeKind lent = {.close = close_judge}; /* to a reward that runs it by itself */

/* ---- opening --------------------------------------------------------------------------------- */

static int open_model(Judge *j, const KernelSet *k, bool trainable)
{
    const char *path = j->values[JUDGE_MODEL].text;
    int rc = strcmp(path, "policy") ? policy_open(&j->policy, path, k, trainable)
                                    : policy_from_config(&j->policy, j->cfg, k, trainable);
    if (rc) return -1;
    j->max_context = judge_longest(j, model_desc(j->policy.model));
    return 0;
}

int judge_open_model(Judge *j, const KernelSet *run)
{
    KernelSet k = judge_kernels(j, run);
    if (open_model(j, &k, true)) return -1;
    j->kind = &lent;
    return 0;
}

int judge_reopen(Judge *j)
{
    KernelSet k = j->policy.kernels;
    policy_close(&j->policy);
    return open_model(j, &k, true);
}

int judge_open_local(Judge *j, const KernelSet *run)
{
    KernelSet k = judge_kernels(j, run);
    int rows = (int)j->values[JUDGE_BATCH].number;
    if (open_model(j, &k, false)) return -1;
    j->seed = (uint64_t)j->cfg->run.seed ^ judge_hash(judge_name(j));
    size_t kv = judge_kv_tokens(j, j->max_context);
    j->engine = engine_new(j->policy.model, j->policy.tok, rows, kv);
    engine_begin(j->engine, j->max_context, j->max_context, 0, done, NULL);
    j->kind = &local;
    return 0;
}
