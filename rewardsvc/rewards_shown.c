/* See rewards_shown.h. */
#include "rewardsvc/rewards_shown.h"

#include "common/errors.h"
#include "common/memory.h"

/* ---- what has come --------------------------------------------------------------------------- */

void rewards_states_add(RewardsStates *s, int64_t step, const char *text, size_t n)
{
    if (s->n == s->capacity) {
        int capacity = 2 * s->capacity + 4;
        s->list = mem_resize(s->list, (size_t)s->capacity, (size_t)capacity, sizeof *s->list);
        s->capacity = capacity;
    }
    REQUIRE(!s->n || s->list[s->n - 1].step < step, "state of step %lld after that of %lld",
            (long long)step, (long long)s->list[s->n - 1].step);
    s->list[s->n++] = (struct RewardsStateText){step, mem_text_n(n ? text : "", n)};
}

char *rewards_states_take(RewardsStates *s, int64_t step)
{
    int old = 0;
    char *found = NULL;
    for (; old < s->n && s->list[old].step <= step; old++) {
        if (s->list[old].step == step)
            found = s->list[old].text;
        else
            mem_free(s->list[old].text);
    }
    for (int i = old; i < s->n; i++) s->list[i - old] = s->list[i];
    s->n -= old;
    return found;
}

void rewards_states_free(RewardsStates *s)
{
    for (int i = 0; i < s->n; i++) mem_free(s->list[i].text);
    mem_free(s->list);
    *s = (RewardsStates){0};
}

/* ---- what is for people ---------------------------------------------------------------------- */

json_t *rewards_shown(const char *state)
{
    json_t *all = state && *state ? json_loads(state, 0, NULL) : NULL, *out = json_object(), *one;
    const char *name;
    json_object_foreach(all, name, one)
    {
        json_t *shown = json_object_get(one, "shown");
        if (json_array_size(shown)) json_object_set(out, name, shown);
    }
    json_decref(all);
    return out;
}

static const json_t *last_of(const json_t *shown, const char *name)
{
    const json_t *list = json_object_get(shown, name);
    size_t n = json_array_size(list);
    return n ? json_array_get(list, n - 1) : NULL;
}

json_t *rewards_shown_change(const char *before, const char *after)
{
    json_t *a = rewards_shown(before), *b = rewards_shown(after), *out = json_object(), *unused;
    const char *name;
    json_object_foreach(b, name, unused)
    {
        json_t *now = (json_t *)last_of(b, name);
        if (!json_equal(last_of(a, name), now)) json_object_set(out, name, now);
    }
    json_decref(a);
    json_decref(b);
    if (json_object_size(out)) return out;
    json_decref(out);
    return NULL;
}
