/* See judge.h: the table of judges, and what both kinds share. */
#include "rewardsvc/judge.h"

#include <ctype.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/yaml.h"
#include "rewardsvc/judge_internal.h"
#include "rewardsvc/remote_log.h"
#include "rewardsvc/settings.h"

static const RewardSetting rows[] = {
    [JUDGE_NAME] = {"name", SETTING_TEXT, .help = "what rewards call it", .required = true},
    [JUDGE_MODEL] = {"model", SETTING_TEXT,
                     .help = "a Hugging Face folder, a .gguf file or a run's folder; policy: the "
                             "policy's weights before training; with url: the endpoint's name for "
                             "it",
                     .required = true},
    [JUDGE_MAX_CONTEXT] = {"max_context", SETTING_NUMBER, .number = 2048, .least = 64, .most = 1e6,
                           .help = "local: most tokens of a question and its answer"},
    [JUDGE_BATCH] = {"batch", SETTING_NUMBER, .number = 32, .least = 1, .most = 4096,
                     .help = "local: answers that are written together"},
    [JUDGE_PRECISION] = {"precision", SETTING_TEXT, .text = "",
                         .help = "local: bf16 or f32; empty: the policy's"},
    [JUDGE_URL] = {"url", SETTING_TEXT, .text = "",
                   .help = "remote: base address of an OpenAI-compatible endpoint, without "
                           "/chat/completions"},
    [JUDGE_KEY_ENV] = {"key_env", SETTING_TEXT, .text = "",
                       .help = "remote: environment variable that holds the key"},
    [JUDGE_KEY_FILE] = {"key_file", SETTING_TEXT, .text = "",
                        .help = "remote: file that holds the key, readable by its owner alone"},
    [JUDGE_CA_FILE] = {"ca_file", SETTING_TEXT, .text = "",
                       .help = "remote: certificates to trust instead of the system's"},
    [JUDGE_CONCURRENCY] = {"concurrency", SETTING_NUMBER, .number = 16, .least = 1, .most = 1024,
                           .help = "remote: requests in flight"},
    [JUDGE_REQUESTS_PER_MINUTE] = {"requests_per_minute", SETTING_NUMBER, .number = 0, .least = 0,
                                   .most = 1e9, .help = "remote: 0 is no limit"},
    [JUDGE_TOKENS_PER_MINUTE] = {"tokens_per_minute", SETTING_NUMBER, .number = 0, .least = 0,
                                 .most = 1e12, .help = "remote: 0 is no limit"},
    [JUDGE_RETRIES] = {"retries", SETTING_NUMBER, .number = 4, .least = 0, .most = 20,
                       .help = "remote: attempts after the first"},
    [JUDGE_ATTEMPT_S] = {"attempt_s", SETTING_NUMBER, .number = 120, .least = 0.1, .most = 86400,
                         .help = "remote: seconds of one attempt"},
    [JUDGE_DEADLINE_S] = {"deadline_s", SETTING_NUMBER, .number = 600, .least = 0.1, .most = 86400,
                          .help = "remote: seconds from the first attempt to the last one's end"},
    {0},
};

const RewardSetting *judge_settings(void)
{
    return rows;
}

struct Judges {
    int n;
    Judge *list;
    RemoteLog *log;
};

/* ---- reading the block ----------------------------------------------------------------------- */

static int check_name(const YamlNode *at, const Judges *all, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i])) n = 0;
    if (n == 0 || n > 64)
        return yaml_fail(at, "name: a judge's name is made of 1 to 64 letters, digits, . _ -");
    for (int i = 0; i < all->n; i++)
        if (!strcmp(judge_name(&all->list[i]), name))
            return yaml_fail(at, "two judges are called %s", name);
    return 0;
}

/* Settings of the other kind are a mistake, not something to pass over. */
static int check_kind(const YamlNode *item, const RewardValue *v)
{
    bool remote = *v[JUDGE_URL].text;
    int rc = 0;
    for (int i = 0; i < item->n; i++) {
        int k = settings_index(rows, item->keys[i].text);
        if (k <= JUDGE_MODEL || k == JUDGE_URL || (k > JUDGE_URL) == remote) continue;
        rc = yaml_fail(&item->keys[i],
                       remote ? "%s is for judges on this machine, and this one has a url"
                              : "%s is for judges with a url, and this one has none",
                       item->keys[i].text);
    }
    const char *precision = v[JUDGE_PRECISION].text;
    if (*precision && strcmp(precision, "bf16") && strcmp(precision, "f32"))
        rc = yaml_fail(item, "precision is bf16 or f32, not %s", precision);
    return rc;
}

static int read_judge(Judges *all, const YamlNode *item, const Config *cfg)
{
    if (item->kind != YAML_MAP)
        return yaml_fail(item, "a judge is a map: {name: critic, model: PATH}");
    RewardValue *v = settings_default(rows);
    int rc = settings_required(rows, item, "a judge");
    for (int i = 0; i < item->n; i++) {
        int k = settings_index(rows, item->keys[i].text);
        if (k < 0)
            rc |= settings_unknown(rows, NULL, 0, &item->keys[i], "a judge");
        else
            rc |= settings_read(&rows[k], &item->items[i], &v[k]);
    }
    if (!rc) rc = check_name(item, all, v[JUDGE_NAME].text) | check_kind(item, v);
    if (rc)
        settings_free(rows, v);
    else
        all->list[all->n++] = (Judge){.values = v, .cfg = cfg};
    return rc;
}

Judges *judges_read(const Config *cfg)
{
    const YamlNode *list = cfg->judges;
    Judges *all = NEW(Judges, 1);
    int n = list ? list->n : 0, rc = 0;
    all->list = NEW(Judge, n ? n : 1);
    for (int i = 0; i < n; i++) rc |= read_judge(all, &list->items[i], cfg);
    if (!rc) return all;
    judges_close(all);
    return NULL;
}

Judge *judges_find(Judges *all, const char *name)
{
    for (int i = 0; all && i < all->n; i++)
        if (!strcmp(judge_name(&all->list[i]), name)) return &all->list[i];
    return NULL;
}

static bool is_used(const Judge *j)
{
    return j->wanted || j->lent || j->valued;
}

/* This rank's file, and what all ranks of earlier launches kept in theirs. */
static RemoteLog *open_log(const char *dir, int rank)
{
    char *own = mem_printf("%s/judges-%03d.jsonl", dir, rank);
    char *all = mem_printf("%s/judges-*.jsonl", dir);
    glob_t found = {0};
    RemoteLog *log = remote_log_open(own);
    bool any = log && glob(all, GLOB_NOESCAPE, NULL, &found) == 0;
    for (size_t i = 0; any && log && i < found.gl_pathc; i++) {
        if (!strcmp(found.gl_pathv[i], own) || !remote_log_include(log, found.gl_pathv[i]))
            continue;
        remote_log_close(log);
        log = NULL;
    }
    globfree(&found);
    mem_free(all);
    mem_free(own);
    return log;
}

/* Is a judge wanted for one thing, and can it be that? Only a folder's config and table of tensors
 * are read, and only if it is here: `check` may run elsewhere. */
static int check_use(const Judge *j)
{
    const char *path = j->values[JUDGE_MODEL].text;
    ModelDesc d;
    if (j->lent && (j->wanted || j->valued))
        return fail("judge %s is trained by one reward and asked by another: give each a model",
                    judge_name(j));
    if (j->valued && j->wanted)
        return fail(
            "judge %s is a reward model for judge_scalar and is to write for another reward: "
            "give each a model",
            judge_name(j));
    if (!j->valued || access(path, F_OK)) return 0;
    errors_quiet(1);
    int rc = policy_describe_scalar(path, &d);
    errors_quiet(-1);
    return rc ? fail("judge %s is no reward model with a scalar head: %s", judge_name(j),
                     errors_last())
              : 0;
}

int judges_check(const Judges *all)
{
    int rc = 0;
    for (int i = 0; i < all->n; i++) rc |= check_use(&all->list[i]);
    return rc;
}

int judges_prepare(Judges *all, const KernelSet *k, const char *dir, int rank)
{
    for (int i = 0; i < all->n; i++) {
        Judge *j = &all->list[i];
        bool remote = *j->values[JUDGE_URL].text;
        if (!is_used(j) || j->kind) continue;
        if (check_use(j)) return -1;
        if (remote && dir && !all->log && !(all->log = open_log(dir, rank))) return -1;
        int rc = remote      ? judge_open_remote(j, all->log)
                 : j->lent   ? judge_open_model(j, k)
                 : j->valued ? judge_open_value(j, k)
                             : judge_open_local(j, k);
        if (rc) return fail("judge %s cannot be opened: %s", judge_name(j), errors_last());
    }
    return 0;
}

int judges_memory(const Judges *all, const KernelSet *k, JudgeMemory *out)
{
    *out = (JudgeMemory){0};
    for (int i = 0; i < all->n; i++) {
        const Judge *j = &all->list[i];
        if (!is_used(j) || *j->values[JUDGE_URL].text) continue;
        if (judge_memory(j, k, out)) return fail("judge %s: %s", judge_name(j), errors_last());
    }
    return 0;
}

void judges_close(Judges *all)
{
    if (!all) return;
    for (int i = 0; i < all->n; i++) {
        Judge *j = &all->list[i];
        if (j->kind) j->kind->close(j);
        settings_free(rows, j->values);
    }
    remote_log_close(all->log);
    mem_free(all->list);
    mem_free(all);
}

const char *judge_name(const Judge *j)
{
    return j->values[JUDGE_NAME].text;
}

void judge_want(Judge *j)
{
    j->wanted = true;
}

int judge_borrow(Judge *j, const JudgeLoan *loan)
{
    if (*j->values[JUDGE_URL].text)
        return fail("%s has a url: what is trained must be a model of this rank", judge_name(j));
    if (is_used(j))
        return fail("%s serves another reward: name a model for this one alone", judge_name(j));
    j->lent = true;
    j->loan = *loan;
    return 0;
}

Policy *judge_policy(Judge *j)
{
    return j->lent && j->kind ? &j->policy : NULL;
}

int judge_max_context(const Judge *j)
{
    return j->max_context;
}

const Config *judge_config(const Judge *j)
{
    return j->cfg;
}

char *judge_model_config(const Judge *j)
{
    const char *path = j->values[JUDGE_MODEL].text;
    Config own = *j->cfg;
    if (!strcmp(path, "policy")) return policy_config_text(&own);
    char *sets = mem_printf("%s%smodel.path=%s\n", own.sets ? own.sets : "",
                            own.sets && *own.sets ? "\n" : "", path);
    own.sets = sets;
    char *text = policy_config_text(&own);
    mem_free(sets);
    return text;
}

/* FNV-1a. */
uint64_t judge_hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++) h = (h ^ (uint8_t)*text) * 0x100000001b3u;
    return h;
}

/* ---- questions ------------------------------------------------------------------------------- */

JudgeQuestion *judge_question_new(Judge *j, int n)
{
    JudgeQuestion *q = NEW(JudgeQuestion, 1);
    q->judge = j, q->n = n, q->failed = SCORE_OK;
    j->counters.open++;
    j->counters.questions++;
    return q;
}

void judge_question_free(JudgeQuestion *q)
{
    q->judge->counters.open--;
    group_free(&q->group);
    judge_rating_free(q);
    mem_free(q->reason);
    mem_free(q);
}

void judge_queue_add(JudgeQueue *w, JudgeQuestion *q)
{
    if (w->last)
        w->last->next = q;
    else
        w->first = q;
    w->last = q;
}

void judge_queue_remove(JudgeQueue *w, JudgeQuestion *q)
{
    JudgeQuestion *before = NULL, *at = w->first;
    while (at && at != q) before = at, at = at->next;
    if (!at) return;
    if (before)
        before->next = q->next;
    else
        w->first = q->next;
    if (w->last == q) w->last = before;
    q->next = NULL;
}

void judge_question_fail(JudgeQuestion *q, ScoreStatus status, const char *reason)
{
    q->failed = status;
    q->done = true;
    mem_free(q->reason);
    q->reason = mem_text(reason);
}

void judge_answer_free(JudgeAnswer *a)
{
    mem_free(a->text);
    mem_free(a->reason);
    *a = (JudgeAnswer){0};
}

JudgeQuestion *judge_ask(Judge *j, const JudgeRequest *r)
{
    REQUIRE(j->kind && j->kind->ask, "judge %s was not opened to be asked", judge_name(j));
    REQUIRE(r->n >= 1 && r->max_tokens >= 1 && r->n_messages >= 1, "%d answers of %d tokens", r->n,
            r->max_tokens);
    return j->kind->ask(j, r);
}

bool judge_answered(JudgeQuestion *q, JudgeAnswer *answers)
{
    Judge *j = q->judge;
    if (q->failed == SCORE_OK && !j->kind->answered(q, answers)) return false;
    for (int i = 0; i < q->n && q->failed != SCORE_OK; i++)
        answers[i] = (JudgeAnswer){.status = q->failed, .reason = mem_text(q->reason)};
    for (int i = 0; i < q->n; i++)
        if (answers[i].status == SCORE_OK)
            j->counters.answers++;
        else
            j->counters.failed++;
    judge_question_free(q);
    return true;
}

int judge_want_ratings(Judge *j, const char *prefix)
{
    j->rates = true;
    if (!*j->values[JUDGE_URL].text || !*prefix) return 0;
    return fail("judge %s is asked over HTTP, where an answer cannot be given a beginning: leave "
                "the prefix empty, or name a judge of this machine",
                judge_name(j));
}

JudgeQuestion *judge_rate(Judge *j, const JudgeRating *r)
{
    REQUIRE(j->kind && j->kind->rate, "judge %s was not opened to be asked", judge_name(j));
    REQUIRE(r->n_options >= 1 && r->n_options <= JUDGE_MOST_OPTIONS && r->n_messages >= 1,
            "%d options after %d messages", r->n_options, r->n_messages);
    return j->kind->rate(j, r);
}

bool judge_rated(JudgeQuestion *q, JudgeAnswer *a, double *logprobs)
{
    Judge *j = q->judge;
    if (q->failed == SCORE_OK && !j->kind->rated(q, logprobs)) return false;
    *a = (JudgeAnswer){.status = q->failed, .reason = mem_text(q->reason)};
    if (q->failed == SCORE_OK)
        j->counters.answers++;
    else
        j->counters.failed++;
    judge_question_free(q);
    return true;
}

int judge_want_values(Judge *j)
{
    if (*j->values[JUDGE_URL].text)
        return fail("judge %s is asked over HTTP, where no scalar head can be read: name a reward "
                    "model of this machine",
                    judge_name(j));
    if (!strcmp(j->values[JUDGE_MODEL].text, "policy"))
        return fail(
            "judge %s is the policy, which has no scalar head: name a reward model's folder",
            judge_name(j));
    j->valued = true;
    return 0;
}

void judge_withdraw(JudgeQuestion *q)
{
    if (q->done)
        judge_question_free(q);
    else
        q->judge->kind->withdraw(q);
}

bool judge_work(Judge *j)
{
    return j->kind && j->kind->work && j->kind->work(j);
}

JudgeCounters judge_counters(const Judge *j)
{
    return j->counters;
}
