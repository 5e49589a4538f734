/* The reward service's turn. On the ring: between actors and learners. It keeps a group only while
 * a judge has it; the staleness bound limits how many that can be. */
#include "rewardsvc/service.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/work.h"
#include "rewardsvc/reward_case.h"

int service_init(Service *s, Comm *comm, const Config *cfg)
{
    *s = (Service){.comm = comm, .cfg = cfg};
    if (!cfg->reward) return fail("%s: no `reward:` block: name at least one reward", cfg->file);
    if (reward_block_read(&s->block, cfg)) return -1;
    s->has_state = reward_block_has_state(&s->block);
    s->step = -1;
    if (s->has_state && comm_index(comm, ROLE_REWARD) == 0)
        s->judged = NEW(ServiceCase *, cfg->rollout.prompts);
    return 0;
}

int service_prepare(Service *s, const KernelSet *k)
{
    char *dir = mem_printf("%s/%s", s->cfg->run.dir, s->cfg->run.name);
    int rc = reward_block_prepare(&s->block, k, dir, comm_rank(s->comm));
    mem_free(dir);
    return rc;
}

/* ---- one group ------------------------------------------------------------------------------- */

struct ServiceCase {
    ServiceCase *next;
    Group g;
    json_t *record;
    Evidence *evidence; /* [g.n_samples] */
    RewardCase *c;      /* NULL: its judging has not begun, or is over */
};

/* The optimiser step that a group belongs to: schedules and states of the reward follow it. */
static int64_t step_of(const Group *g, const Config *cfg)
{
    return g->kind == GROUP_TRAIN ? g->id / cfg->rollout.prompts : g->version;
}

/* Takes the group over. */
static ServiceCase *case_new(const Config *cfg, const Group *g)
{
    ServiceCase *k = NEW(ServiceCase, 1);
    json_error_t why;
    k->g = *g;
    k->record = json_loads(g->record ? g->record : "{}", JSON_REJECT_DUPLICATES, &why);
    REQUIRE(k->record, "record of problem %lld: %s", (long long)g->problem, why.text);
    k->evidence = NEW(Evidence, g->n_samples);
    for (int i = 0; i < g->n_samples; i++) {
        const Sample *s = &g->samples[i];
        k->evidence[i] = (Evidence){.prompt = g->prompt_text,
                                    .n_prompt = strlen(g->prompt_text),
                                    .text = s->text,
                                    .n_text = strlen(s->text),
                                    .n_tokens = s->n_tokens,
                                    .finish = s->finish,
                                    .record = k->record,
                                    .max_tokens = (int)cfg->rollout.max_tokens,
                                    .seed = (uint64_t)cfg->run.seed,
                                    .group = g->id,
                                    .sample = i};
    }
    return k;
}

static void case_begin(ServiceCase *k, RewardBlock *block, const Config *cfg)
{
    k->c =
        reward_case_open(block, k->evidence, k->g.n_samples, step_of(&k->g, cfg), cfg->run.steps);
}

static void case_free(ServiceCase *k)
{
    reward_case_close(k->c);
    group_free(&k->g);
    json_decref(k->record);
    mem_free(k->evidence);
    mem_free(k);
}

/* Writes the scores of a settled case into its group. */
static void case_finish(ServiceCase *k, int n_components)
{
    Group *g = &k->g;
    group_reserve_scores(g, n_components);
    for (int i = 0; i < g->n_samples; i++) {
        Sample *s = &g->samples[i];
        for (int j = 0; j < n_components; j++) {
            s->components[j] = reward_case_score(k->c, j, i);
            s->latencies_s[j] = reward_case_latency(k->c, j, i);
            const char *note = reward_case_note(k->c, j, i);
            if (note) s->notes[j] = mem_text(note);
        }
        s->reward = reward_case_reward(k->c, i);
    }
    reward_case_close(k->c);
    k->c = NULL;
}

void service_score(RewardBlock *block, const Config *cfg, Group *g)
{
    ServiceCase *k = case_new(cfg, g);
    struct timespec nap = {.tv_nsec = 200000};
    case_begin(k, block, cfg);
    while (!reward_case_settled(k->c))
        if (!reward_block_work(block)) nanosleep(&nap, NULL);
    case_finish(k, block->n);
    *g = k->g;
    k->g = (Group){0};
    case_free(k);
}

static void cases_append(ServiceCase **list, ServiceCase *k)
{
    while (*list) list = &(*list)->next;
    *list = k;
    k->next = NULL;
}

static void cases_free(ServiceCase *list)
{
    while (list) {
        ServiceCase *next = list->next;
        case_free(list);
        list = next;
    }
}

/* ---- state over steps ------------------------------------------------------------------------ */

/* On the first reward rank: a judged group of the state's step. */
static void keep_judged(Service *s, ServiceCase *k)
{
    int64_t P = s->cfg->rollout.prompts, at = k->g.id - s->step * P;
    REQUIRE(at >= 0 && at < P && !s->judged[at], "judged group %lld in step %lld",
            (long long)k->g.id, (long long)s->step);
    s->judged[at] = k;
    s->n_judged++;
}

static JudgedGroup judged_group(const Service *s, const Group *g, const Evidence *evidence)
{
    int n = g->n_samples, K = g->n_components;
    Score *scores = NEW(Score, K * n), *reward = NEW(Score, n);
    const char **notes = NEW(const char *, K *n);
    for (int i = 0; i < n; i++) {
        reward[i] = g->samples[i].reward;
        for (int k = 0; k < K; k++) {
            scores[k * n + i] = g->samples[i].components[k];
            notes[k * n + i] = g->samples[i].notes[k];
        }
    }
    return (JudgedGroup){.g = {.n = n,
                               .samples = evidence,
                               .step = s->step,
                               .steps = s->cfg->run.steps,
                               .n_components = K,
                               .scores = scores},
                         .reward = reward,
                         .notes = notes};
}

static void end_advance(Service *s)
{
    int P = (int)s->cfg->rollout.prompts;
    for (int i = 0; i < P; i++) {
        if (s->advancing) {
            mem_free((void *)s->advancing[i].g.scores);
            mem_free((void *)s->advancing[i].reward);
            mem_free((void *)s->advancing[i].notes);
        }
        if (s->judged[i]) case_free(s->judged[i]);
        s->judged[i] = NULL;
    }
    mem_free(s->advancing);
    s->advancing = NULL;
    s->n_judged = 0;
}

/* The first reward rank, when all of a step is judged: the next step's state, to all that need it.
 */
static bool advance(Service *s)
{
    int P = (int)s->cfg->rollout.prompts;
    if (!s->judged || s->n_judged < P) return false;
    if (!s->advancing) {
        s->advancing = NEW(JudgedGroup, P);
        for (int i = 0; i < P; i++)
            s->advancing[i] = judged_group(s, &s->judged[i]->g, s->judged[i]->evidence);
        reward_block_advance(&s->block, s->advancing, P, s->step);
    }
    bool moved = reward_block_work(&s->block);
    if (!reward_block_advanced(&s->block)) return moved;
    end_advance(s);
    char *text = reward_block_save(&s->block);
    comm_send_state(s->comm, ROLE_REWARD, s->step + 1, text, strlen(text));
    comm_send_state(s->comm, ROLE_LEARNER, s->step + 1, text, strlen(text));
    mem_free(text);
    return true;
}

/* The new state, and the groups that waited for it. */
static bool take_state(Service *s)
{
    Buffer text = {0};
    bool any = false;
    for (; comm_take_state(s->comm, ROLE_REWARD, &s->step, &text); any = true)
        if (reward_block_load(&s->block, text.data ? text.data : ""))
            die(EXIT_CONFIG, "the rewards' state of step %lld cannot be used", (long long)s->step);
    buffer_free(&text);
    for (ServiceCase **at = &s->early; any && *at;) {
        ServiceCase *k = *at;
        if (step_of(&k->g, s->cfg) > s->step) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        case_begin(k, &s->block, s->cfg);
        cases_append(&s->cases, k);
    }
    return any;
}

/* ---- the turn -------------------------------------------------------------------------------- */

static void pass_on(Service *s, const Group *g)
{
    int to = 0;
    if (g->kind == GROUP_TRAIN) {
        int S = (int)s->cfg->learner.reduction_slots;
        to = work_slot_learner(work_slot(g->id, (int)s->cfg->rollout.prompts, S), S,
                               comm_count(s->comm, ROLE_LEARNER));
    }
    comm_send_group(s->comm, ROLE_LEARNER, to, g);
    if (to) comm_send_group(s->comm, ROLE_LEARNER, 0, g);
    if (s->has_state && g->kind == GROUP_TRAIN) comm_send_group(s->comm, ROLE_REWARD, 0, g);
}

static bool take_groups(Service *s)
{
    bool any = false;
    for (Group g = {0}; comm_take_group(s->comm, ROLE_REWARD, &g); any = true, g = (Group){0}) {
        ServiceCase *k = case_new(s->cfg, &g);
        if (g.n_components) {
            keep_judged(s, k);
        } else if (s->has_state && step_of(&g, s->cfg) > s->step) {
            cases_append(&s->early, k);
        } else {
            case_begin(k, &s->block, s->cfg);
            cases_append(&s->cases, k);
        }
    }
    return any;
}

static bool pass_on_settled(Service *s)
{
    bool any = false;
    for (ServiceCase **at = &s->cases; *at;) {
        ServiceCase *k = *at;
        if (!reward_case_settled(k->c)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        case_finish(k, s->block.n);
        pass_on(s, &k->g);
        case_free(k);
        any = true;
    }
    return any;
}

bool service_turn(Service *s)
{
    bool worked = s->has_state && take_state(s);
    worked |= take_groups(s);
    if (s->cases) worked |= reward_block_work(&s->block);
    worked |= pass_on_settled(s);
    if (s->has_state) worked |= advance(s);
    if (worked) comm_worked(s->comm);
    return worked;
}

void service_free(Service *s)
{
    cases_free(s->cases);
    cases_free(s->early);
    if (s->judged) end_advance(s);
    mem_free(s->judged);
    reward_block_close(&s->block);
    *s = (Service){0};
}
