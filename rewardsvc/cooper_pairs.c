/* See cooper_pairs.h. */
#include "rewardsvc/cooper_pairs.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/cooper.h"
#include "rewardsvc/judge_prompt.h"

void cooper_pairs_init(CooperPairs *p, const CooperPairing *s, const JudgedGroup *groups, int n)
{
    *p = (CooperPairs){.s = s, .n = n, .list = NEW(CooperPair, n)};
    for (int i = 0; i < n; i++) {
        const GroupEvidence *g = &groups[i].g;
        const Score *verdicts = g->scores + s->rule_row * g->n;
        int at = g->n ? cooper_positive(verdicts, g->n, g->samples->seed, g->samples->group) : -1;
        p->list[i].done = at < 0;
        if (at >= 0) p->list[i].right = &g->samples[at];
    }
}

void cooper_pairs_free(CooperPairs *p)
{
    for (int i = 0; i < p->n; i++) {
        if (p->list[i].open) judge_withdraw(p->list[i].open);
        mem_free(p->list[i].wrong);
    }
    mem_free(p->list);
    *p = (CooperPairs){0};
}

/* ---- one pair -------------------------------------------------------------------------------- */

/* Takes the text over if the rule is sure that it is wrong. */
static void offer(const CooperPairing *s, CooperPair *p, char *text, size_t n)
{
    const RewardComponent *rule = s->rule;
    Evidence e = *p->right;
    e.text = text;
    e.n_text = n;
    errors_quiet(1);
    Score verdict = rule->reward->score(rule->values, rule->state, &e);
    errors_quiet(-1);
    if (cooper_is_corrupted(verdict)) {
        p->wrong = text;
        p->n_wrong = n;
        p->done = true;
    } else {
        mem_free(text);
    }
}

static void replace_number(const CooperPairing *s, CooperPair *p)
{
    Span text = {p->right->text, p->right->n_text}, part = s->where->take(text);
    Buffer out = {0};
    if (!cooper_corrupt(text, part.p ? part : text, p->right->seed, p->right->group, p->attempt++,
                        &out))
        p->done = true; /* and none of the next tries can either */
    else
        offer(s, p, out.data, out.size);
}

static void ask_rewriter(const CooperPairing *s, CooperPair *p)
{
    Buffer text = {0};
    buffer_text(&text, "");
    char *tag =
        mem_printf("g%lld/%s/rewrite/%d", (long long)p->right->group, s->label, p->attempt++);
    if (judge_prompt_fill(s->template, p->right, s->reference, NULL, 0, &text)) {
        p->done = true;
    } else {
        JudgeMessage message = {"user", text.data, text.size};
        p->open = judge_ask(s->rewriter, &(JudgeRequest){.n_messages = 1,
                                                         .messages = &message,
                                                         .n = 1,
                                                         .temperature = s->temperature,
                                                         .top_p = 1,
                                                         .max_tokens = s->max_tokens,
                                                         .tag = tag});
    }
    mem_free(tag);
    buffer_free(&text);
}

/* false: the rewriter is still at it. */
static bool take_rewritten(const CooperPairing *s, CooperPair *p)
{
    JudgeAnswer a;
    if (!judge_answered(p->open, &a)) return false;
    p->open = NULL;
    Span text = span_trim((Span){a.text, a.status == SCORE_OK ? a.n_text : 0});
    if (text.n && !a.cut) offer(s, p, mem_text_n(text.p, text.n), text.n);
    judge_answer_free(&a);
    return true;
}

static bool move(const CooperPairing *s, CooperPair *p)
{
    while (!p->done) {
        if (p->open && !take_rewritten(s, p)) return false;
        if (p->done) break;
        if (p->attempt >= s->tries)
            p->done = true;
        else if (s->rewriter)
            ask_rewriter(s, p);
        else
            replace_number(s, p);
    }
    return true;
}

bool cooper_pairs_move(CooperPairs *p)
{
    bool all = true;
    errors_quiet(1);
    for (int i = 0; i < p->n; i++) all &= move(p->s, &p->list[i]);
    errors_quiet(-1);
    return all;
}
