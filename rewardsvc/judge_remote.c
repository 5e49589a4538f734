/* Judges that are asked over HTTP: chat_remote.h under the interface of judge.h. */
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/judge_internal.h"

static RemoteMessage *copy_messages(const JudgeMessage *list, int n)
{
    RemoteMessage *messages = NEW(RemoteMessage, n);
    for (int i = 0; i < n; i++)
        messages[i] = (RemoteMessage){list[i].role, list[i].text, list[i].n_text};
    return messages;
}

static JudgeQuestion *ask(Judge *j, const JudgeRequest *r)
{
    JudgeQuestion *q = judge_question_new(j, r->n);
    RemoteMessage *messages = copy_messages(r->messages, r->n_messages);
    const uint64_t seed_bits = 0x7fffffff; /* endpoints take small integers */
    uint64_t seed = (uint64_t)j->cfg->run.seed ^ judge_hash(r->tag);
    q->ticket = remote_ask(j->remote, &(RemoteRequest){.n_messages = r->n_messages,
                                                       .messages = messages,
                                                       .temperature = r->temperature,
                                                       .top_p = r->top_p < 1 ? r->top_p : 0,
                                                       .max_tokens = r->max_tokens,
                                                       .seed = (int64_t)(seed & seed_bits),
                                                       .n_stop = r->n_stops,
                                                       .stop = r->stops,
                                                       .n = r->n,
                                                       .tag = r->tag});
    mem_free(messages);
    return q;
}

static bool answered(JudgeQuestion *q, JudgeAnswer *answers)
{
    RemoteAnswer a;
    int got = remote_take_ticket(q->judge->remote, q->ticket, &a);
    REQUIRE(got >= 0, "a question of judge %s is gone", judge_name(q->judge));
    if (!got) return false;
    q->judge->counters.tokens += a.completion_tokens;
    if (a.n_choices < q->n)
        judge_question_fail(q, a.status == SCORE_OK ? SCORE_ERROR : a.status, a.reason);
    for (int i = 0; i < q->n && q->failed == SCORE_OK; i++) {
        RemoteChoice *c = &a.choices[i];
        answers[i] = (JudgeAnswer){.status = c->status, .cut = c->finish == REMOTE_LENGTH};
        if (c->status != SCORE_OK) {
            answers[i].reason = c->text, c->text = NULL;
            continue;
        }
        answers[i].text = c->text, answers[i].n_text = c->n_text;
        c->text = NULL;
    }
    remote_answer_free(&a);
    return true;
}

/* ---- ratings: the likeliest first tokens of an answer -----------------------------------------
 */

enum { MOST_TOP = 20 }; /* that the protocol gives */

static JudgeQuestion *rate(Judge *j, const JudgeRating *r)
{
    JudgeQuestion *q = judge_rating_new(j, r);
    if (judge_want_ratings(j, r->prefix)) {
        judge_question_fail(q, SCORE_ERROR, errors_last());
        return q;
    }
    RemoteMessage *messages = copy_messages(r->messages, r->n_messages);
    q->ticket = remote_ask(j->remote, &(RemoteRequest){.n_messages = r->n_messages,
                                                       .messages = messages,
                                                       .temperature = 1,
                                                       .max_tokens = 1,
                                                       .seed = 0,
                                                       .n = 1,
                                                       .logprobs = true,
                                                       .top_logprobs = MOST_TOP,
                                                       .tag = r->tag});
    mem_free(messages);
    return q;
}

/* All tokens that are the option but for blanks. False: there is none among the likeliest. */
static bool find_option(const RemoteToken *first, const char *option, double *logprob)
{
    double p = 0;
    Span want = span_trim(span_of(option));
    for (int k = 0; k < first->n_top; k++) {
        Span token = span_trim(span_of(first->top[k].token));
        if (token.n == want.n && !memcmp(token.p, want.p, want.n)) p += exp(first->top[k].logprob);
    }
    *logprob = log(p);
    return p > 0;
}

static void read_rating(JudgeQuestion *q, const RemoteAnswer *a, double *logprobs)
{
    const RemoteChoice *c = &a->choices[0];
    if (c->status != SCORE_OK || !c->n_tokens || !c->tokens[0].n_top) {
        judge_question_fail(q, c->status != SCORE_OK ? c->status : SCORE_ERROR,
                            c->status != SCORE_OK
                                ? c->text
                                : "the endpoint gives no log-probabilities of likely tokens");
        return;
    }
    for (int k = 0; k < q->n_options; k++) {
        if (find_option(&c->tokens[0], q->options[k], &logprobs[k])) continue;
        char *why =
            mem_printf("option \"%.40s\" is no token, or not among the %d likeliest that the "
                       "endpoint tells",
                       q->options[k], c->tokens[0].n_top);
        judge_question_fail(q, SCORE_ERROR, why);
        mem_free(why);
        return;
    }
}

static bool rated(JudgeQuestion *q, double *logprobs)
{
    RemoteAnswer a;
    int got = remote_take_ticket(q->judge->remote, q->ticket, &a);
    REQUIRE(got >= 0, "a question of judge %s is gone", judge_name(q->judge));
    if (!got) return false;
    q->judge->counters.tokens += a.completion_tokens;
    if (a.n_choices < 1)
        judge_question_fail(q, a.status == SCORE_OK ? SCORE_ERROR : a.status, a.reason);
    else
        read_rating(q, &a, logprobs);
    remote_answer_free(&a);
    return true;
}

static void withdraw(JudgeQuestion *q)
{
    remote_cancel(q->judge->remote, q->ticket);
    judge_question_free(q);
}

static bool work(Judge *j)
{
    RemoteCounters before = remote_counters(j->remote);
    int ready = remote_poll(j->remote);
    RemoteCounters after = remote_counters(j->remote);
    return ready > before.ready || after.attempts != before.attempts;
}

static void close_judge(Judge *j)
{
    remote_close(j->remote);
}

static const JudgeKind remote = {ask, answered, withdraw, work, close_judge, rate, rated};

static const char *given(const char *text)
{
    return *text ? text : NULL;
}

int judge_open_remote(Judge *j, RemoteLog *log)
{
    const RewardValue *v = j->values;
    RemoteSettings s = remote_defaults();
    s.base_url = v[JUDGE_URL].text;
    s.model = v[JUDGE_MODEL].text;
    s.key_env = given(v[JUDGE_KEY_ENV].text);
    s.key_file = given(v[JUDGE_KEY_FILE].text);
    s.ca_file = given(v[JUDGE_CA_FILE].text);
    s.max_concurrency = (int)v[JUDGE_CONCURRENCY].number;
    s.requests_per_minute = v[JUDGE_REQUESTS_PER_MINUTE].number;
    s.tokens_per_minute = v[JUDGE_TOKENS_PER_MINUTE].number;
    s.retries = (int)v[JUDGE_RETRIES].number;
    s.attempt_s = v[JUDGE_ATTEMPT_S].number;
    s.deadline_s = v[JUDGE_DEADLINE_S].number;
    s.seed = (uint64_t)j->cfg->run.seed;
    j->remote = remote_open(&s, log);
    if (!j->remote) return -1;
    j->kind = &remote;
    return 0;
}
