/* Work is numbered, not handed out: who writes, judges, trains and evaluates what is arithmetic on
 * a group's id, the same on every rank (design.md 2). Nothing here communicates.
 *
 *   step s consumes groups sP .. sP+P-1; group g is written by actor g mod A, judged by reward rank
 * g mod R, and belongs to slot (g mod P) mod S of the step's gradient; learner i of n owns slots
 * iS/n .. (i+1)S/n - 1.
 */
#ifndef COMMON_WORK_H
#define COMMON_WORK_H

#include <stdbool.h>
#include <stdint.h>

static inline int64_t work_step(int64_t group, int P)
{
    return group / P;
}

/* The steps whose groups are written with the weights of `version`: step s has those of version
 * max(0, s - staleness), so that the lag is a constant and which weights wrote a group is no
 * matter of timing. first > last: none. */
static inline void work_steps_due(int64_t version, int64_t staleness, int64_t steps, int64_t *first,
                                  int64_t *last)
{
    *first = version ? version + staleness : 0;
    *last = version + staleness < steps ? version + staleness : steps - 1;
}

/* Steps whose groups were written with older weights than `version` and are not consumed by it:
 * version .. *end - 1. They are what a checkpoint has to keep. */
static inline int64_t work_in_flight_end(int64_t version, int64_t staleness, int64_t steps)
{
    if (!version) return 0;
    return version + staleness < steps ? version + staleness : steps;
}

/* Which of n ranks of a role has item id. */
static inline int work_owner(int64_t id, int n)
{
    return (int)(id % n);
}

/* How many of items 0 .. count - 1 rank `me` of n has. */
static inline int64_t work_share(int64_t count, int n, int me)
{
    return (count - me + n - 1) / n;
}

static inline int work_slot(int64_t group, int P, int S)
{
    return (int)(group % P % S);
}

static inline int work_slot_learner(int slot, int S, int n_learners)
{
    return slot / (S / n_learners);
}

/* The learner that trains on a group. */
static inline int work_learner(int64_t group, int P, int S, int n_learners)
{
    return work_slot_learner(work_slot(group, P, S), S, n_learners);
}

/* Whether the weights of `version` are evaluated: before the first step, every `every` steps, after
 * the last. `started_at` is the version that this launch began with: what a resumed run has
 * measured already is not measured again. */
static inline bool work_evaluation_due(int64_t version, int64_t steps, int64_t every,
                                       int64_t started_at)
{
    if (version == started_at && version > 0) return false;
    return version == 0 || version == steps || (every > 0 && version % every == 0);
}

#endif
