/* The loops of the ring (design.md 2). Loops know the stages, stages never know the loop; what rank
 * 0 records and shows comes after the work, in one place. A step is over on rank 0 when its weights
 * are published and, where one is due, its evaluation has come back.
 *
 * Asked to leave (USR1), the job ends at the next end of a step. Asked twice, or by SIGTERM, it
 * does not wait for a step's answers: the weights are still those of the last step's end, and the
 * answers are made again, to the same bits, on resume. */
#include "launch/ring.h"

#include <string.h>

#include "common/errors.h"
#include "common/work.h"

/* Scored groups that arrived: those to train on into the inbox, evaluations to the tally. */
static bool take_groups(Ring *r)
{
    bool any = false;
    for (Group g = {0}; comm_take_group(r->comm, ROLE_LEARNER, &g); any = true) {
        if (g.kind == GROUP_EVAL)
            recorder_take_evaluated(r->recorder, &g);
        else
            inbox_put(&r->learner->inbox, &g);
        group_free(&g);
    }
    if (any && r->recorder && !r->actor) {
        const Inbox *in = &r->learner->inbox;
        recorder_doing(r->recorder, "judged groups", inbox_arrived(in), in->n_wanted);
    }
    return any;
}

/* Rank 0: what the rewards remember of the steps so far. */
static bool take_state(Ring *r)
{
    Buffer text = {0};
    bool any = false;
    int64_t step;
    for (; comm_take_state(r->comm, ROLE_LEARNER, &step, &text); any = true)
        recorder_take_state(r->recorder, step, &text);
    buffer_free(&text);
    return any;
}

/* Hands the weights, as version `step`, to the actors; what is evaluated there, rank 0 now waits
 * for. */
static void publish(Ring *r)
{
    const Config *c = r->cfg;
    learner_publish(r->learner);
    if (r->actor) actor_see_version(r->actor, r->learner->step);
    if (r->recorder && c->eval.problems &&
        work_evaluation_due(r->learner->step, c->run.steps, c->eval.every, r->recorder->first_step))
        recorder_evaluate(r->recorder, r->learner->step);
}

/* Rank 0: saves, and says what a failure means. */
static int save(Ring *r, bool last)
{
    int rc = recorder_save(r->recorder);
    if (rc)
        fail("step %lld: no checkpoint was written (the reason is above); older ones are "
             "untouched%s",
             (long long)r->learner->step, last ? "" : ", the run goes on");
    return rc;
}

/* Whether what is in flight is here, so that a checkpoint can hold it. */
static bool in_flight_is_here(const Ring *r)
{
    const Config *c = r->cfg;
    int64_t end = work_in_flight_end(r->learner->step, c->run.max_staleness, c->run.steps);
    return inbox_complete(&r->learner->inbox, end - 1);
}

/* Why a run ends at a boundary, and its exit code. */
typedef struct {
    const char *reason; /* NULL: it goes on */
    int code;
} Ending;

static Ending ending_of(const Ring *r, bool over)
{
    if (over) return (Ending){"finished", 0};
    if (r->recorder->watch.stop) return (Ending){"over-optimised", EXIT_UNABLE};
    if (comm_asked_to_leave(r->comm)) return (Ending){"asked to leave", EXIT_AGAIN};
    return (Ending){0};
}

/* Rank 0, at the boundary of a step: saves where it is due, ends the run where it is over, where
 * the monitor stops it or where someone asked. Before it saves it waits, without learning, for what
 * is in flight. */
static void boundary(Ring *r, bool due, bool over)
{
    Ending e = ending_of(r, over);
    r->saving = (due || e.reason) && !over && !in_flight_is_here(r);
    if (r->saving || !(due || e.reason)) return;
    int rc = save(r, e.reason != NULL);
    if (!e.reason) return;
    recorder_finish(r->recorder, over, e.reason);
    comm_stop(r->comm, rc ? EXIT_IO : e.code);
}

/* Rank 0, in the middle of a step. While a line is open its evaluation is missing, and groups in
 * flight may be: then the newest checkpoint is older than the weights, and right. */
static void leave_now(Ring *r)
{
    bool whole = !r->recorder->line && in_flight_is_here(r);
    int rc = r->recorder->unsaved && whole ? save(r, true) : 0;
    recorder_finish(r->recorder, false, "asked to leave at once");
    comm_stop(r->comm, rc ? EXIT_IO : EXIT_AGAIN);
}

static bool multiple(int64_t step, int64_t every)
{
    return every > 0 && step % every == 0;
}

static void imitate(Ring *r)
{
    Learner *l = r->learner;
    if (learner_imitate(l)) return;
    bool last = l->sft_step == r->cfg->sft.steps;
    if (last) learner_begin_rl(l);
    if (r->recorder) {
        recorder_imitated(r->recorder);
        boundary(r, last || multiple(l->sft_step, r->cfg->checkpoint.every), false);
    }
    if (last && !comm_stopping(r->comm)) publish(r);
}

/* Rank 0: whether a step has just come to its end, or to the moment when it can be saved. */
static bool settle(Ring *r)
{
    const Learner *l = r->learner;
    const Config *c = r->cfg;
    if (!r->recorder) return false;
    bool waited = r->saving && in_flight_is_here(r);
    if (!waited && !recorder_settle(r->recorder)) return false;
    boundary(r, l->step > 0 && multiple(l->step, c->checkpoint.every), l->step == c->run.steps);
    return true;
}

/* Where a rank acts and learns, the two take turns with the memory of their large buffers. */
static void train(Ring *r)
{
    if (r->actor) actor_lend(r->actor);
    if (learner_train(r->learner)) return;
    if (r->actor) learner_lend(r->learner);
    if (r->recorder) recorder_trained(r->recorder);
    inbox_next(&r->learner->inbox);
    publish(r);
    settle(r);
}

static bool learner_turn(Ring *r)
{
    Learner *l = r->learner;
    const Config *c = r->cfg;
    bool worked = take_groups(r);
    if (r->recorder && r->recorder->has_state) worked |= take_state(r);
    if (settle(r)) return true;
    if (comm_stopping(r->comm)) return worked;
    if (r->recorder && comm_asked_to_leave_now(r->comm)) {
        leave_now(r);
        return true;
    }
    if (r->recorder && (r->recorder->line || r->saving)) return worked;
    bool imitated = l->sft_step == c->sft.steps;
    if (imitated && l->step == c->run.steps && r->recorder)
        boundary(r, false, true); /* nothing to learn or to evaluate */
    else if (!imitated)
        imitate(r);
    else if (l->step < c->run.steps && inbox_complete(&l->inbox, l->step))
        train(r);
    else
        return worked;
    comm_worked(r->comm);
    return true;
}

static const char *awaited(const Ring *r)
{
    if (!r->learner) return r->actor ? "weights" : "groups to score";
    if (r->saving) return "the groups in flight, to save them";
    if (!r->recorder || !r->recorder->line) return "the step's groups";
    return r->recorder->evaluating ? "the evaluation's answers" : "the rewards' state";
}

/* Rank 0 of a resumed run: what was in flight when it was saved, to whom it would have come. */
static void send_in_flight(Ring *r)
{
    int P = (int)r->cfg->rollout.prompts, S = (int)r->cfg->learner.reduction_slots;
    for (int i = 0; i < r->in_flight.n; i++) {
        const Group *g = &r->in_flight.groups[i];
        int to = work_learner(g->id, P, S, comm_count(r->comm, ROLE_LEARNER));
        comm_send_group(r->comm, ROLE_LEARNER, to, g);
        if (to) comm_send_group(r->comm, ROLE_LEARNER, 0, g);
    }
    segment_free(&r->in_flight);
}

int ring_run(Ring *r)
{
    int code;
    send_in_flight(r);
    if (r->recorder && r->recorder->has_state) {
        const char *text = r->recorder->state.service_state;
        comm_send_state(r->comm, ROLE_REWARD, r->learner->step, text, strlen(text));
    }
    if (r->learner && r->learner->sft_step == r->cfg->sft.steps) publish(r);
    while (!comm_stopped(r->comm, &code)) {
        bool worked = false;
        comm_progress(r->comm);
        if (r->actor && !comm_stopping(r->comm)) worked |= actor_turn(r->actor);
        if (r->service) worked |= service_turn(r->service);
        if (r->learner) worked |= learner_turn(r);
        if (!worked) comm_idle(r->comm, awaited(r));
    }
    return code;
}
