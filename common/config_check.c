/* What must hold between options. Every failed check is reported, at the place of the option that
 * was written. */
#include <ctype.h>
#include <string.h>

#include "common/config_options.h"
#include "common/errors.h"
#include "common/task.h"

typedef struct {
    const Config *c;
    const YamlNode *const *where; /* [n_options] what set the option; NULL: its default */
    int errors;
} Check;

/* The node that set `key`, or NULL. */
static const YamlNode *place(const Check *k, const char *key)
{
    for (int i = 0; i < n_options; i++) {
        size_t n = strlen(options_all[i].section);
        if (!strncmp(key, options_all[i].section, n) && key[n] == '.' &&
            !strcmp(key + n + 1, options_all[i].name))
            return k->where[i];
    }
    REQUIRE(false, "no option %s", key);
}

/* Error unless `good`, at the first of two options that was written (`also` may be NULL), or about
 * the file as a whole. */
#define CHECK(good, key, also, ...)                                                                \
    do {                                                                                           \
        const YamlNode whole_ = {.file = k->c->file}, *at_ = place(k, key);                        \
        if (!at_ && (also)) at_ = place(k, also);                                                  \
        if (!(good)) k->errors -= yaml_fail(at_ ? at_ : &whole_, key ": " __VA_ARGS__);            \
    } while (0)

bool run_name_char(char x)
{
    return isalnum((unsigned char)x) || x == '.' || x == '_' || x == '-';
}

static void check_run(Check *k)
{
    const char *name = k->c->run.name;
    bool good = *name && *name != '.' && strlen(name) <= 64;
    for (const char *p = name; *p; p++) good &= run_name_char(*p);
    CHECK(good, "run.name", NULL,
          "1 to 64 of A-Z a-z 0-9 . _ - are allowed, the first not a point");
    CHECK(*k->c->run.dir, "run.dir", NULL, "a folder is wanted (. is this one)");
}

static bool power_of_two(int64_t x)
{
    return x > 0 && !(x & (x - 1));
}

static void check_layout(Check *k)
{
    int64_t W = k->c->layout.workers, A = k->c->layout.actors, L = k->c->layout.learners,
            S = k->c->learner.reduction_slots;
    CHECK(!W || (!A && !L), "layout.workers", "layout.actors",
          "workers roll out and learn: then actors and learners must be 0");
    CHECK(W || !L || A, "layout.actors", "layout.learners", "%lld learners need at least one actor",
          (long long)L);
    CHECK(W || !A || L, "layout.learners", "layout.actors", "%lld actors need at least one learner",
          (long long)A);
    CHECK(k->c->layout.rewardsvc || (!W && !A), "layout.rewardsvc", NULL,
          "at least one reward rank is needed");
    CHECK(power_of_two(S), "learner.reduction_slots", NULL, "%lld is not a power of two",
          (long long)S);
    if (!power_of_two(S)) return;
    CHECK(!L || S % L == 0, "layout.learners", "learner.reduction_slots",
          "%lld learners do not divide learner.reduction_slots %lld", (long long)L, (long long)S);
    CHECK(!W || S % W == 0, "layout.workers", "learner.reduction_slots",
          "%lld workers do not divide learner.reduction_slots %lld", (long long)W, (long long)S);
}

static void check_new_model(Check *k)
{
    int64_t C = k->c->model.width, H = k->c->model.heads, K = k->c->model.kv_heads;
    if (*k->c->model.path) return; /* its shape is the file's */
    CHECK(C % H == 0, "model.width", "model.heads",
          "%lld channels are not a multiple of %lld heads", (long long)C, (long long)H);
    CHECK(C % H || C / H % 2 == 0, "model.heads", "model.width",
          "a head has %lld channels: rotary positions need an even number", (long long)(C / H));
    CHECK(H % K == 0, "model.kv_heads", "model.heads",
          "%lld heads are not a multiple of %lld key/value heads", (long long)H, (long long)K);
    CHECK(k->c->rollout.max_tokens < k->c->model.max_positions, "rollout.max_tokens",
          "model.max_positions", "%lld tokens and a prompt do not fit in model.max_positions %lld",
          (long long)k->c->rollout.max_tokens, (long long)k->c->model.max_positions);
    CHECK(strcmp(k->c->task.template, "chat"), "task.template", NULL,
          "chat needs a model that brings a template (model.path)");
}

static void check_task(Check *k)
{
    const char *name = k->c->task.name, *words[64], *near;
    int n;
    const Task *const *tasks = task_list(&n);
    for (int i = 0; i < n && i < 64; i++) words[i] = tasks[i]->name;
    near = nearest_word(name, words, n);
    CHECK(task_find(name), "task.name", NULL, "there is no task %.60s%s%s", name,
          near ? "; did you mean " : "", near ? near : "");
    if (!task_find(name)) return;
    bool rows = !strcmp(name, "jsonl");
    CHECK(!rows || *k->c->task.train, "task.train", "task.name",
          "task jsonl needs the path of its rows");
    CHECK(rows || !*k->c->task.train, "task.train", NULL,
          "only task jsonl reads a file, task.name is %s", name);
    CHECK(rows || !*k->c->task.heldout, "task.heldout", NULL,
          "only task jsonl reads a file, task.name is %s", name);
    CHECK(rows || !*k->c->task.demo_field, "task.demo_field", NULL,
          "only task jsonl has fields, task.name is %s", name);
    CHECK(!rows || *k->c->task.prompt_field, "task.prompt_field", NULL,
          "the name of a field is wanted");
    CHECK(!rows || *k->c->task.answer_field, "task.answer_field", NULL,
          "the name of a field is wanted");
    CHECK(task_find(name)->alphabet || *k->c->model.path, "model.path", "task.name",
          "task %s has no alphabet of its own: it needs a model with a tokenizer", name);
    CHECK(!*k->c->task.system || strcmp(k->c->task.template, "raw"), "task.system", "task.template",
          "template raw has no system message");
}

static void check_training(Check *k)
{
    const Config *c = k->c;
    CHECK(!c->sft.steps || c->sft.warmup <= c->sft.steps, "sft.warmup", NULL,
          "is longer than sft.steps %lld", (long long)c->sft.steps);
    CHECK(!c->run.steps || c->learner.warmup <= c->run.steps, "learner.warmup", NULL,
          "is longer than run.steps %lld", (long long)c->run.steps);
    CHECK(c->learner.beta1 < 1, "learner.beta1", NULL, "must be below 1");
    CHECK(c->learner.beta2 < 1, "learner.beta2", NULL, "must be below 1");
    CHECK(c->learner.eps > 0, "learner.eps", NULL, "must be above 0");
    CHECK(!c->run.steps || c->rollout.samples > 1, "rollout.samples", "run.steps",
          "a group of one answer has nothing to compare: at least 2");
    CHECK(c->eval.problems || !c->eval.every, "eval.every", NULL,
          "eval.problems is 0: there is nothing to evaluate");
    CHECK(!*c->monitor.gold || c->eval.every, "monitor.gold", NULL,
          "needs evaluations: set eval.every and eval.problems");
    CHECK(!*c->monitor.proxy || *c->monitor.gold, "monitor.proxy", NULL,
          "is compared with monitor.gold, which is not set");
}

int config_check(const Config *c, const YamlNode *const *where)
{
    Check k = {.c = c, .where = where};
    check_run(&k);
    check_layout(&k);
    check_new_model(&k);
    check_task(&k);
    check_training(&k);
    return k.errors;
}
