/* Values: a local judge that is a reward model with a scalar head. Texts that are open share
 * passes, as many whole texts as max_context rows hold: every layer's keys and values then live for
 * that layer only, in pages of one layer. A text's bits do not depend on its company, since each is
 * rows and blocks of its own. */
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/judge_internal.h"

struct Valuer {
    ScalarHead head;
    KvCache kv; /* one layer */
    TreeLayout texts;
    JudgeQueue waiting;
    int most; /* texts of a pass */
};

/* ---- asking ---------------------------------------------------------------------------------- */

static void add(Judge *j, JudgeQuestion *q, Ids *ids)
{
    struct Valuer *v = j->valuer;
    int n = scalar_head_length(&v->head, ids->data, ids->n);
    if (n < 1 || n > j->max_context) {
        char *why =
            n < 1 ? mem_text("the text has no tokens")
                  : mem_printf("the text has %d tokens: max_context is %d", n, j->max_context);
        judge_question_fail(q, SCORE_ERROR, why);
        mem_free(why);
        return;
    }
    q->group.prompt = ids->data, q->group.n_prompt = n;
    *ids = (Ids){0};
    judge_queue_add(&v->waiting, q);
}

JudgeQuestion *judge_value(Judge *j, const JudgeMessage *messages, int n)
{
    REQUIRE(j->valuer, "judge %s was not opened to give values", judge_name(j));
    JudgeQuestion *q = judge_question_new(j, 1);
    Ids ids = {0};
    errors_quiet(1);
    if (judge_render_said(j->policy.tok, messages, n, &ids))
        judge_question_fail(q, SCORE_ERROR, errors_last());
    else
        add(j, q, &ids);
    errors_quiet(-1);
    ids_free(&ids);
    return q;
}

bool judge_valued(JudgeQuestion *q, JudgeAnswer *a, double *value)
{
    if (!q->done) return false;
    *a = (JudgeAnswer){.status = q->failed, .reason = mem_text(q->reason)};
    *value = q->value;
    if (q->failed == SCORE_OK)
        q->judge->counters.answers++;
    else
        q->judge->counters.failed++;
    judge_question_free(q);
    return true;
}

/* ---- the pass -------------------------------------------------------------------------------- */

/* The first texts that wait, as far as they fit; list [most]. Returns how many. */
static int take(Judge *j, JudgeQuestion **list)
{
    struct Valuer *v = j->valuer;
    int n = 0, rows = 0;
    while (n < v->most && v->waiting.first) {
        JudgeQuestion *q = v->waiting.first;
        if (rows + q->group.n_prompt > j->max_context) break;
        rows += q->group.n_prompt;
        judge_queue_remove(&v->waiting, q);
        list[n++] = q;
    }
    return n;
}

static void settle(const ScalarHead *head, JudgeQuestion *q, const float *h)
{
    q->value = scalar_head_value(head, h);
    q->done = true;
    if (!isfinite(q->value)) judge_question_fail(q, SCORE_ERROR, "the head's number is not finite");
}

static void pass(Judge *j, JudgeQuestion **list, int n)
{
    struct Valuer *v = j->valuer;
    int C = v->head.C, *lengths = NEW(int, n);
    int32_t **tokens = NEW(int32_t *, n), *last = NEW(int32_t, n);
    float *h = NEW(float, (size_t)n *(size_t)C);
    for (int i = 0; i < n; i++)
        tokens[i] = list[i]->group.prompt, lengths[i] = list[i]->group.n_prompt;
    tree_layout(&v->texts, NULL, 0, n, lengths, tokens, true);
    for (int i = 0; i < n; i++) last[i] = v->texts.first_row[i] + lengths[i] - 1;
    model_forward(j->policy.model, &v->kv, &v->texts.rows, last, n, h);
    for (int i = 0; i < n; i++) settle(&v->head, list[i], h + (size_t)i * (size_t)C);
    void *owned[] = {lengths, tokens, last, h};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) mem_free(owned[i]);
}

static bool work(Judge *j)
{
    JudgeQuestion **list = NEW(JudgeQuestion *, j->valuer->most);
    int n = take(j, list);
    if (n) pass(j, list, n);
    mem_free(list);
    return n > 0;
}

static void withdraw(JudgeQuestion *q)
{
    judge_queue_remove(&q->judge->valuer->waiting, q);
    judge_question_free(q);
}

/* ---- opening --------------------------------------------------------------------------------- */

static void close_judge(Judge *j)
{
    struct Valuer *v = j->valuer;
    while (v->waiting.first) withdraw(v->waiting.first);
    scalar_head_free(&v->head);
    kv_free(&v->kv);
    tree_layout_free(&v->texts);
    mem_free(v);
    j->valuer = NULL;
    policy_close(&j->policy);
}

static const JudgeKind valuing = {.withdraw = withdraw, .work = work, .close = close_judge};

/* Every text may end in a page that is nearly empty. */
static int pages_of(int rows, int texts)
{
    return rows / KV_PAGE + texts + 1;
}

int judge_open_value(Judge *j, const KernelSet *run)
{
    KernelSet k = judge_kernels(j, run);
    struct Valuer *v = NEW(struct Valuer, 1);
    if (policy_open_scalar(&j->policy, &v->head, j->values[JUDGE_MODEL].text, &k)) {
        mem_free(v);
        return -1;
    }
    j->max_context = judge_longest(j, model_desc(j->policy.model));
    v->most = (int)j->values[JUDGE_BATCH].number;
    kv_init(&v->kv, j->policy.model, 1, pages_of(j->max_context, v->most));
    j->valuer = v;
    j->kind = &valuing;
    return 0;
}

size_t judge_value_bytes(const Judge *j, const ModelDesc *d, const KernelSet *k)
{
    int rows = judge_longest(j, d), texts = (int)j->values[JUDGE_BATCH].number;
    return model_pass_bytes(d, rows) +
           (size_t)pages_of(rows, texts) * kv_page_bytes(d, k->precision, 1) +
           (size_t)(texts + 1) * (size_t)d->C * sizeof(float);
}
