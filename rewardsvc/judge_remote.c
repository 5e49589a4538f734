/* Judges that are asked over HTTP: chat_remote.h under the interface of judge.h. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/judge_internal.h"

static JudgeQuestion *ask(Judge *j, const JudgeRequest *r)
{
    JudgeQuestion *q = judge_question_new(j, r->n);
    RemoteMessage *messages = NEW(RemoteMessage, r->n_messages);
    for (int i = 0; i < r->n_messages; i++)
        messages[i] =
            (RemoteMessage){r->messages[i].role, r->messages[i].text, r->messages[i].n_text};
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

static const JudgeKind remote = {ask, answered, withdraw, work, close_judge};

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
