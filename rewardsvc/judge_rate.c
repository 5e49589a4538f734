/* Ratings: what both kinds of judges share of them, and the pass of a local one. A prompt's rows
 * stand once and the options branch off its end, as the answers of a group do in training: it is
 * the same pass with the same bits, each option a branch whose log-probabilities do not depend on
 * the others. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/judge_internal.h"

struct Raters {
    Trainer *trainer; /* its forward only */
    TreeLayout tree;
    JudgeQueue waiting;
};

JudgeQuestion *judge_rating_new(Judge *j, const JudgeRating *r)
{
    JudgeQuestion *q = judge_question_new(j, 1);
    q->n_options = r->n_options;
    q->options = NEW(char *, r->n_options);
    q->option_ids = NEW(Ids, r->n_options);
    q->logprobs = NEW(double, r->n_options);
    for (int k = 0; k < r->n_options; k++)
        q->options[k] = mem_text_n(r->options[k].p, r->options[k].n);
    return q;
}

void judge_rating_free(JudgeQuestion *q)
{
    for (int k = 0; k < q->n_options; k++) {
        mem_free(q->options[k]);
        ids_free(&q->option_ids[k]);
    }
    mem_free(q->options);
    mem_free(q->option_ids);
    mem_free(q->logprobs);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static struct Raters *raters_of(Judge *j)
{
    if (!j->raters) {
        j->raters = NEW(struct Raters, 1);
        j->raters->trainer = trainer_new(j->policy.model);
    }
    return j->raters;
}

/* The reason why the pass cannot be made; NULL: it can. Caller frees. */
static char *refuse(const Judge *j, const JudgeQuestion *q, int n_prompt)
{
    int longest = 0;
    for (int k = 0; k < q->n_options; k++) {
        int n = q->option_ids[k].n;
        if (!n) return mem_printf("option \"%.40s\" has no tokens", q->options[k]);
        longest = n > longest ? n : longest;
    }
    if (!n_prompt) return mem_text("the question has no tokens: nothing predicts the first");
    if (n_prompt + longest > j->max_context)
        return mem_printf("the question has %d tokens, an option up to %d: max_context is %d",
                          n_prompt, longest, j->max_context);
    return NULL;
}

void raters_add(Judge *j, JudgeQuestion *q, Ids *prompt, const char *prefix)
{
    struct Raters *r = raters_of(j);
    if (tokenizer_encode(j->policy.tok, prefix, strlen(prefix), false, false, prompt)) {
        judge_question_fail(q, SCORE_ERROR, errors_last());
        return;
    }
    char *why = refuse(j, q, prompt->n);
    if (why) {
        judge_question_fail(q, SCORE_ERROR, why);
        mem_free(why);
        return;
    }
    q->group.prompt = prompt->data, q->group.n_prompt = prompt->n;
    *prompt = (Ids){0};
    judge_queue_add(&r->waiting, q);
}

void raters_withdraw(Judge *j, JudgeQuestion *q)
{
    if (j->raters) judge_queue_remove(&j->raters->waiting, q);
    judge_question_free(q);
}

void raters_free(Judge *j)
{
    struct Raters *r = j->raters;
    if (!r) return;
    while (r->waiting.first) raters_withdraw(j, r->waiting.first);
    trainer_free(r->trainer);
    tree_layout_free(&r->tree);
    mem_free(r);
    j->raters = NULL;
}

/* ---- the pass -------------------------------------------------------------------------------- */

static void keep(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp)
{
    (void)entropy, (void)dlp;
    memcpy((float *)ctx + i0, lp, (size_t)n * sizeof *lp);
}

static void rate(struct Raters *r, JudgeQuestion *q)
{
    int n = q->n_options, total = 0, at = 0;
    int *lengths = NEW(int, n);
    int32_t **tokens = NEW(int32_t *, n);
    for (int k = 0; k < n; k++) {
        tokens[k] = q->option_ids[k].data, lengths[k] = q->option_ids[k].n;
        total += lengths[k];
    }
    tree_layout(&r->tree, q->group.prompt, q->group.n_prompt, n, lengths, tokens, false);
    int32_t *want = NEW(int32_t, total), *target = NEW(int32_t, total);
    float *lp = NEW(float, total);
    for (int k = 0; k < n; k++)
        for (int t = 0; t < lengths[k]; t++, at++) {
            want[at] = t ? r->tree.first_row[k] + t - 1 : q->group.n_prompt - 1;
            target[at] = tokens[k][t];
        }
    trainer_group(r->trainer, &r->tree.rows, r->tree.n_pages, want, target, total, 1, keep, lp,
                  NULL);
    at = 0;
    for (int k = 0; k < n; k++)
        for (int t = 0; t < lengths[k]; t++) q->logprobs[k] += (double)lp[at++];
    void *owned[] = {lengths, tokens, want, target, lp};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) mem_free(owned[i]);
}

bool raters_work(Judge *j)
{
    JudgeQuestion *q = j->raters ? j->raters->waiting.first : NULL;
    if (!q) return false;
    judge_queue_remove(&j->raters->waiting, q);
    rate(j->raters, q);
    q->done = true;
    return true;
}
