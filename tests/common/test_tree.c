/* Properties of the tree layout: every token once, on a slot of its own, seeing exactly what came
 * before it in its own sequence. */
#include "common/memory.h"
#include "common/model.h"
#include "common/rng.h"
#include "tests/harness.h"

enum { PROMPT = 1000, ANSWER = 2000, LONGEST = 70 };

/* The token at position p of answer i's sequence (i = -1: the prompt's own). */
static int token_at(int i, int p, int n_prompt)
{
    return p < n_prompt ? PROMPT + p : ANSWER + 100 * i + (p - n_prompt);
}

/* Walks the context that row r of segment s sees and compares each key's token with the sequence's.
 */
static void check_segment(const TreeLayout *t, const AttnSegment *s, int answer, int n_prompt,
                          const int *token_in_slot)
{
    int key = 0;
    for (int b = 0; b < s->n_blocks; b++)
        for (int j = 0; j < s->blocks[b].n; j++, key++)
            ck_assert_int_eq(token_in_slot[s->blocks[b].page * KV_PAGE + j],
                             token_at(answer, key, n_prompt));
    ck_assert_int_eq(key, s->n_keys);
    for (int r = 0; r < s->n_rows; r++) {
        int row = s->row + r, seen = s->n_keys - (s->n_rows - 1 - r);
        ck_assert_int_eq(t->pos[row], seen - 1);
        ck_assert_int_eq(t->token[row], token_at(answer, seen - 1, n_prompt));
    }
}

static void check_layout(TreeLayout *t, int n_prompt, int n, const int *lengths, bool keep_last)
{
    int32_t prompt[LONGEST], answer[8][LONGEST], *answers[8] = {0};
    for (int p = 0; p < n_prompt; p++) prompt[p] = PROMPT + p;
    for (int i = 0; i < n; i++) {
        answers[i] = answer[i];
        for (int p = 0; p < lengths[i]; p++) answer[i][p] = ANSWER + 100 * i + p;
    }
    tree_layout(t, prompt, n_prompt, n, lengths, answers, keep_last);

    int want = n_prompt;
    for (int i = 0; i < n; i++) want += lengths[i] > 0 ? lengths[i] - !keep_last : 0;
    ck_assert_int_eq(t->rows.M, want);
    int n_slots = t->n_pages * KV_PAGE, *token_in_slot = NEW(int, n_slots + 1);
    for (int r = 0; r < t->rows.M; r++) {
        ck_assert_int_lt(t->slot[r], n_slots);
        ck_assert_int_eq(token_in_slot[t->slot[r]], 0); /* a slot is used once */
        token_in_slot[t->slot[r]] = t->token[r];
    }
    int s = 0, row = 0;
    if (n_prompt) check_segment(t, &t->segs[s++], -1, n_prompt, token_in_slot);
    row += n_prompt;
    for (int i = 0; i < n; i++) {
        int length = lengths[i] > 0 ? lengths[i] - !keep_last : 0;
        ck_assert_int_eq(t->first_row[i], row);
        row += length;
        if (!length) continue;
        ck_assert_int_eq(t->segs[s].row, t->first_row[i]);
        ck_assert_int_eq(t->segs[s].n_rows, length);
        check_segment(t, &t->segs[s++], i, n_prompt, token_in_slot);
    }
    ck_assert_int_eq(t->rows.n_segs, s);
    mem_free(token_in_slot);
}

START_TEST(each_token_sees_its_own_past)
{
    TreeLayout t = {0};
    for (uint32_t trial = 0; trial < 200; trial++) {
        int lengths[8], n = (int)rng_below(9, 5, STREAM_TASK, trial, 0, 0);
        int n_prompt = (int)rng_below(LONGEST, 5, STREAM_TASK, trial, 1, 0);
        for (int i = 0; i < n; i++)
            lengths[i] = (int)rng_below(LONGEST, 5, STREAM_TASK, trial, 2, (uint32_t)i);
        check_layout(&t, n_prompt, n, lengths, trial % 2);
    }
    tree_layout_free(&t);
}
END_TEST

START_TEST(parts_at_the_page_edge)
{
    TreeLayout t = {0};
    int edge[] = {0, 1, KV_PAGE - 1, KV_PAGE, KV_PAGE + 1, 2 * KV_PAGE, 0, 1};
    for (int n_prompt = 0; n_prompt <= 2 * KV_PAGE + 1; n_prompt++)
        for (int keep = 0; keep < 2; keep++) check_layout(&t, n_prompt, 8, edge, keep);
    tree_layout_free(&t);
}
END_TEST

TEST_MAIN("tree", each_token_sees_its_own_past, parts_at_the_page_edge)
