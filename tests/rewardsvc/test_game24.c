/* Game of 24: the reward on known answers; the task's hands against the published list (where it
 * is) and its demonstrations against the reward. */
#include "common/task.h"
#include "tests/reward_scores.h"

#define WRAP(x) "<think>so</think><answer>" x "</answer>"

START_TEST(makes_24_by_the_rules)
{
    const Setup s = {"game24", {NULL}}, tag = {"game24", {"where", "answer", "valid", "0.1"}},
                last = {"game24", {"where", "last_line", "field", "Puzzles"}},
                ten = {"game24", {"target", "10"}};
    const char *r = "{\"numbers\": [4, 9, 10, 13]}";
    static const char *const right[] = {WRAP("(10-4)*(13-9)"),
                                        WRAP("(13 - 9) \xC3\x97 (10 \xE2\x88\x92 4) = 24"),
                                        WRAP("4*(10-(13-9))"), WRAP("((10-4))*(13-9)=24.0")};
    static const char *const wrong[] = {WRAP("(10-4)*4"),         WRAP("24"),
                                        WRAP("4+9+10+1"),         WRAP("(10-4)*(13-9)*1"),
                                        WRAP("(10-4)*(13-9)=25"), WRAP("(10-4)*(13-9"),
                                        WRAP("4+9+10+13"),        WRAP("13-9*4/(10-10)"),
                                        WRAP("10-4*13-9"),        WRAP(""),
                                        "(10-4)*(13-9)",          "<answer>(10-4)*(13-9)</answer>"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) expect(&s, r, right[i], 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) expect(&s, r, wrong[i], 0);
    expect(&s, "{\"numbers\": \"3 3 8 8\"}", WRAP("8/(3-8/3)"), 1);
    expect(&s, "{\"numbers\": \"3,3, 8,8\"}", WRAP("8/(3-8/3)"), 1);
    expect(&tag, r, "So <answer>(10-4)*(13-9)</answer>", 1);
    expect(&tag, r, "<answer>4+9+10+13</answer>", 0.1);
    expect(&tag, r, "<answer>4+9+10</answer>", 0);
    expect(&last, "{\"Puzzles\": \"4 9 10 13\"}", "13 - 9 = 4\n(10 - 4) * (13 - 9) = 24\n", 1);
    expect(&last, "{\"Puzzles\": \"4 9 10 13\"}", "(10 - 4) * (13 - 9) = 24\nDone.", 0);
    expect(&ten, "{\"numbers\": [1, 2, 3, 4]}", WRAP("1+2+3+4"), 1);
}
END_TEST

START_TEST(says_what_it_cannot_judge)
{
    const Setup s = {"game24", {NULL}};
    static const char *const bad[] = {"{}",
                                      "{\"numbers\": [1, 2, 3]}",
                                      "{\"numbers\": [1, 2, 3, 4, 5]}",
                                      "{\"numbers\": [1, 2, 3, 4.5]}",
                                      "{\"numbers\": \"1 2 3 x\"}",
                                      "{\"numbers\": \"\"}",
                                      "{\"numbers\": 1234}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_status(&s, bad[i], WRAP("1+2+3+4"), SCORE_ERROR);
    Buffer deep = {0};
    buffer_text(&deep, "<think></think><answer>");
    for (int i = 0; i < 100000; i++) buffer_text(&deep, "(");
    buffer_text(&deep, "</answer>");
    expect(&s, "{\"numbers\": [1, 2, 3, 4]}", deep.data, 0);
    buffer_free(&deep);
    const Setup refused[] = {{"game24", {"where", "here"}}, {"game24", {"target", "24.5"}}};
    for (int i = 0; i < 2; i++) expect_refused(&refused[i], "");
}
END_TEST

/* A hand as a number, its four numbers in ascending order. */
static int hand_code(const char *text)
{
    int a, b, c, d;
    ck_assert_msg(sscanf(text, "%d%*[, ]%d%*[, ]%d%*[, ]%d", &a, &b, &c, &d) == 4, "%s", text);
    ck_assert(a <= b && b <= c && c <= d && d <= 13);
    return ((a * 14 + b) * 14 + c) * 14 + d;
}

static unsigned char hands[14 * 14 * 14 * 14];

static int demos_right(double careless)
{
    const Task *task = task_find("game24");
    const Setup reward = {"game24", {NULL}};
    TaskState *t = task->open(&(TaskSettings){.seed = 1, .forget_carry = careless});
    int right = 0;
    memset(hands, 0, sizeof hands);
    ck_assert_int_eq(task->count(t, SPLIT_TRAIN) + task->count(t, SPLIT_HELDOUT), 1362);
    for (int k = 0; k < 2; k++) {
        Split split = k ? SPLIT_HELDOUT : SPLIT_DEMO;
        for (int64_t i = 0; i < task->count(t, split); i++) {
            Problem p;
            task->problem(t, split, i, &p);
            ck_assert_int_eq(hands[hand_code(p.prompt)]++, 0);
            if (split == SPLIT_DEMO) right += score_text(&reward, p.record, p.demo).value == 1;
            problem_free(&p);
        }
    }
    int64_t all = task->count(t, SPLIT_DEMO);
    ck_assert_int_gt(task->count(t, SPLIT_HELDOUT), 100);
    task->close(t);
    ck_assert(careless > 0 || right == all);
    return right;
}

START_TEST(the_task_solves_every_hand)
{
    demos_right(0);
    int slipping = demos_right(1); /* the last operation is + anyway for some */
    ck_assert_msg(slipping < 700, "%d", slipping);
}
END_TEST

START_TEST(the_hands_are_the_published_ones)
{
    if (!test_data_dir()) return;
    char *path = mem_printf("%s/game24/24.csv", test_data_dir()), line[200];
    FILE *f = fopen(path, "r");
    int rows = 0;
    ck_assert_msg(f != NULL, "%s", path);
    demos_right(0);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
    for (; fgets(line, sizeof line, f); rows++)
        ck_assert_int_eq(hands[hand_code(strchr(line, ',') + 1)]++, 1);
    ck_assert_int_eq(rows, 1362);
    fclose(f);
    mem_free(path);
}
END_TEST

TEST_MAIN("game24", makes_24_by_the_rules, says_what_it_cannot_judge, the_task_solves_every_hand,
          the_hands_are_the_published_ones)
