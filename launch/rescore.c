/* See rescore.h. The step that schedules and states are judged at is the one before the recorded
 * number: a group of step 1 was judged when 0 optimiser steps were done. */
#include "launch/rescore.h"

#include "common/errors.h"
#include "common/memory.h"

Group group_copy(const Group *g)
{
    Group copy;
    Buffer bytes = {0};
    group_pack(g, &bytes);
    REQUIRE(!group_unpack(&copy, bytes.data, bytes.size), "a copy of group %lld", (long long)g->id);
    buffer_free(&bytes);
    return copy;
}

static void settle(RewardBlock *b, GroupCase *cases, int n)
{
    for (bool all = false; !all;) {
        all = true;
        for (int i = 0; i < n; i++) all &= reward_case_settled(cases[i].c);
        if (!all) reward_block_wait(b);
    }
}

static void advance(RewardBlock *b, const GroupCase *cases, int n, int64_t step, int64_t steps)
{
    JudgedGroup *groups = NEW(JudgedGroup, n);
    for (int i = 0; i < n; i++) groups[i] = group_case_judged(&cases[i], step, steps);
    reward_block_advance(b, groups, n, step);
    while (!reward_block_advanced(b)) reward_block_wait(b);
    for (int i = 0; i < n; i++) judged_group_free(&groups[i]);
    mem_free(groups);
}

int rescore_step(RewardBlock *b, const RewardRun *run, int64_t step, Group *groups, int n)
{
    GroupCase *cases = NEW(GroupCase, n);
    int rc = 0;
    for (int i = 0; i < n && !rc; i++) rc = group_case_open(&cases[i], &groups[i], run);
    for (int i = 0; i < n && !rc; i++) group_case_begin(&cases[i], b, step - 1, run->steps);
    if (!rc) {
        settle(b, cases, n);
        for (int i = 0; i < n; i++) group_case_finish(&cases[i], b);
        if (reward_block_has_state(b)) advance(b, cases, n, step - 1, run->steps);
    }
    for (int i = 0; i < n; i++) group_case_close(&cases[i]);
    mem_free(cases);
    return rc;
}
