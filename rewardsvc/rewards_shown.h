/* The state that rewards have over steps (reward.h), as rank 0 keeps and shows it: the texts that
 * came, by step, and what of them is for people: the array "shown" of a component's state. Its last
 * element stands under "rewards_state" in the metrics of every step that changed it. */
#ifndef REWARDSVC_REWARDS_SHOWN_H
#define REWARDSVC_REWARDS_SHOWN_H

#include <jansson.h>
#include <stdint.h>
#include <stddef.h>

/* States that have come and are not due yet: with staleness the reward ranks are ahead of the
 * learner by some steps. Empty is {0}. */
typedef struct {
    int n, capacity;
    struct RewardsStateText {
        int64_t step;
        char *text;
    } * list; /* [n] */
} RewardsStates;

void rewards_states_add(RewardsStates *s, int64_t step, const char *text, size_t n);
/* The state after `step` steps, which the caller frees; NULL if it has not come. Older ones go. */
char *rewards_states_take(RewardsStates *s, int64_t step);
void rewards_states_free(RewardsStates *s);

/* What a state shows: {"mpo": [{...}, ...]}, components that show nothing left out. New reference.
 */
json_t *rewards_shown(const char *state);
/* The last elements that another state does not end with: {"mpo": {...}}; NULL if there are none.
 * New reference. */
json_t *rewards_shown_change(const char *before, const char *after);

#endif
