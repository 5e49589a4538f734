/* The reward service's turn. On the ring: between actors and learners. It keeps a group only while
 * a judge has it; the staleness bound limits how many that can be. */
#include "rewardsvc/service.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/work.h"
#include "rewardsvc/group_case.h"

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
    GroupCase k;
};

/* The optimiser step that a group belongs to: schedules and states of the reward follow it. */
static int64_t step_of(const Group *g, const Config *cfg)
{
    return g->kind == GROUP_TRAIN ? g->id / cfg->rollout.prompts : g->version;
}

static RewardRun run_of(const Config *cfg)
{
    return (RewardRun){(uint64_t)cfg->run.seed, cfg->run.steps, (int)cfg->rollout.max_tokens};
}

/* Takes the group over. */
static ServiceCase *case_new(const Config *cfg, const Group *g)
{
    RewardRun run = run_of(cfg);
    ServiceCase *c = NEW(ServiceCase, 1);
    c->g = *g;
    int rc = group_case_open(&c->k, &c->g, &run);
    REQUIRE(!rc, "problem %lld: %s", (long long)g->problem, errors_last());
    return c;
}

static void case_begin(ServiceCase *c, RewardBlock *block, const Config *cfg)
{
    group_case_begin(&c->k, block, step_of(&c->g, cfg), cfg->run.steps);
}

static void case_free(ServiceCase *c)
{
    group_case_close(&c->k);
    group_free(&c->g);
    mem_free(c);
}

void service_score(RewardBlock *block, const Config *cfg, Group *g)
{
    RewardRun run = run_of(cfg);
    int rc = group_case_score(block, g, &run, step_of(g, cfg));
    REQUIRE(!rc, "problem %lld: %s", (long long)g->problem, errors_last());
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

static void end_advance(Service *s)
{
    int P = (int)s->cfg->rollout.prompts;
    for (int i = 0; i < P; i++) {
        if (s->advancing) judged_group_free(&s->advancing[i]);
        if (s->judged[i]) case_free(s->judged[i]);
        s->judged[i] = NULL;
    }
    mem_free(s->advancing);
    s->advancing = NULL;
    s->n_judged = 0;
}

/* Whether this rank has judged its share of the evaluation of the state's step, where there is one:
 * answers of version v are judged by the state of step v, however late they come, so that a state
 * is not left before. */
static bool evaluated(const Service *s)
{
    const Config *c = s->cfg;
    int R = comm_count(s->comm, ROLE_REWARD), me = comm_index(s->comm, ROLE_REWARD);
    if (s->step < 0 || !c->eval.problems ||
        !work_evaluation_due(s->step, c->run.steps, c->eval.every, s->started_at))
        return true;
    return s->n_evaluated == work_share(c->eval.problems, R, me);
}

/* The first reward rank, when all of a step is judged: the next step's state, to all that need it.
 */
static bool advance(Service *s)
{
    int P = (int)s->cfg->rollout.prompts;
    if (!s->judged || s->n_judged < P || !evaluated(s)) return false;
    if (!s->advancing) {
        s->advancing = NEW(JudgedGroup, P);
        for (int i = 0; i < P; i++)
            s->advancing[i] = group_case_judged(&s->judged[i]->k, s->step, s->cfg->run.steps);
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
    for (int64_t step; evaluated(s) && comm_take_state(s->comm, ROLE_REWARD, &step, &text);
         any = true) {
        if (reward_block_load(&s->block, text.data ? text.data : ""))
            die(EXIT_CONFIG, "the rewards' state of step %lld cannot be used", (long long)step);
        if (s->step < 0) s->started_at = step;
        s->step = step;
        s->n_evaluated = 0;
    }
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
    if (g->kind == GROUP_TRAIN)
        to = work_learner(g->id, (int)s->cfg->rollout.prompts, (int)s->cfg->learner.reduction_slots,
                          comm_count(s->comm, ROLE_LEARNER));
    comm_send_group(s->comm, ROLE_LEARNER, to, g);
    if (to) comm_send_group(s->comm, ROLE_LEARNER, 0, g);
    if (s->has_state && g->kind == GROUP_TRAIN) comm_send_group(s->comm, ROLE_REWARD, 0, g);
}

static bool take_groups(Service *s)
{
    bool any = false;
    for (Group g = {0}; comm_take_group(s->comm, ROLE_REWARD, &g); any = true, g = (Group){0}) {
        ServiceCase *k = case_new(s->cfg, &g);
        REQUIRE(g.kind != GROUP_EVAL || !s->has_state || g.version >= s->step,
                "an evaluation of version %d in step %lld", g.version, (long long)s->step);
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
        if (!reward_case_settled(k->k.c)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        group_case_finish(&k->k, &s->block);
        pass_on(s, &k->g);
        s->n_evaluated += k->g.kind == GROUP_EVAL;
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
