/* Pointwise judges beyond one question: steps, examples, what of it can fail. */
#include "rewardsvc/judge_inquiry.h"
#include "rewardsvc/judge_parts.h"
#include "rewardsvc/judge_steps.h"
#include "tests/rewardsvc/judge_scene.h"

static Score right(double value)
{
    return score_ok(value);
}

/* ---- steps ---------------------------------------------------------------------------------- */

static void expect_steps(const char *text, const char *how, int most, const char *want)
{
    Span steps[MOST_STEPS];
    StepKind kind;
    Buffer all = {0};
    ck_assert_int_eq(step_kind(how, &kind), 0);
    int n = steps_cut(span_of(text), kind, most, steps);
    buffer_text(&all, "");
    for (int i = 0; i < n; i++)
        buffer_printf(&all, "%s%.*s", i ? "|" : "", (int)steps[i].n, steps[i].p);
    ck_assert_str_eq(all.data, want);
    buffer_free(&all);
}

START_TEST(steps_are_paragraphs_lines_or_sentences)
{
    expect_steps("a\nb\n\n\nc \n  \nd", "paragraphs", 9, "a\nb|c|d");
    expect_steps("a\n\n b \nc", "lines", 9, "a|b|c");
    expect_steps("One. Two, Dr. Who! Three", "sentences", 9, "One.|Two, Dr. Who!|Three");
    expect_steps("a\nb\nc\nd", "lines", 2, "a|b\nc\nd");
    expect_steps(" \n ", "lines", 2, "");
    expect_steps("...", "sentences", 2, "...");
    expect_steps(" all of\n\nit ", "none", 2, "all of\n\nit");
    errors_quiet(1);
    StepKind kind;
    ck_assert_int_eq(step_kind("words", &kind), -1);
    errors_quiet(-1);
}
END_TEST

#define LINES ", steps: lines, template: \"{step}<{before}>\""

START_TEST(a_score_is_the_mean_or_the_least_of_its_steps)
{
    JudgeServer s = judge_start();
    static const char *const three[] = {"x\ny\nz"}, *const none[] = {""};
    expect_asked(&s, "ok=Score:_9,ok=Score:_2,ok=Score:_4", "judge", LINES, 1, three,
                 (Score[]){right(0.5)});
    expect_asked(&s, "ok=score:_9,ok=Score:_2,ok=Score:_4", "judge", LINES ", steps_score: min", 1,
                 three, (Score[]){right(0.2)});
    /* a step without a score leaves the answer without one */
    expect_asked(&s, "ok=Score:_9,ok=hm,ok=Score:_4", "judge", LINES, 1, three,
                 (Score[]){score_failed(SCORE_ERROR)});
    expect_asked(&s, "ok=Score:_9,refusal,ok=Score:_4", "judge", LINES, 1, three,
                 (Score[]){score_failed(SCORE_REFUSED)});
    expect_asked(&s, "ok=Score:_3", "judge", LINES, 1, none, (Score[]){right(0.3)});
    /* what is asked: the step, and what stands before it */
    static const char *const numbers[] = {"4\n2\n7"};
    expect_asked(&s, "echo", "judge", ", steps: lines, template: \"{step}\", parse: \"([0-9]+)\"",
                 1, numbers, (Score[]){right(13 / 30.)});
    expect_asked(&s, "echo+0", "judge",
                 ", steps: lines, template: \"Score: 1{before}\", steps_most: 2, most: 99, scale: "
                 "false",
                 1, numbers, (Score[]){right((1 + 14) / 2.)});
    judge_stop(&s);
}
END_TEST

/* ---- examples ------------------------------------------------------------------------------- */

static char *note_of(const JudgeServer *s, const char *script, const char *more)
{
    Evidence e[1];
    Open *o = open_asking(s, script, "judge", more);
    fill(e, 1, "15");
    errors_quiet(1);
    RewardCase *c = judged(o, e, 1);
    errors_quiet(-1);
    char *note = mem_text(reward_case_note(c, 0, 0));
    reward_case_close(c);
    close_text(o);
    return note;
}

START_TEST(examples_stand_before_the_question)
{
    JudgeServer s = judge_start();
    char *note = note_of(&s, "all",
                         ", system: be fair, template: \"q {answer}\", examples: "
                         "\"q 1\\n---\\nScore: 3\\n ===\\nq 2\\nmore\\n---\\n\\nScore: 4\\n\"");
    ck_assert_str_eq(note, "system: be fair|user: q 1|assistant: Score: 3|user: q 2\nmore|"
                           "assistant: Score: 4|user: q 15|");
    mem_free(note);
    judge_stop(&s);
}
END_TEST

START_TEST(marks_differ_between_groups_and_seeds_only)
{
    char text[3][64];
    Evidence e[] = {{.group = 5, .sample = 1, .seed = 9},
                    {.group = 6, .sample = 1, .seed = 9},
                    {.group = 5, .sample = 2, .seed = 9}};
    for (int i = 0; i < 3; i++) {
        Buffer b = {0};
        ck_assert_int_eq(judge_prompt_fill("{mark} {mark}", &e[i], "answer", NULL, 0, &b), 0);
        snprintf(text[i], sizeof text[i], "%s", b.data);
        ck_assert_int_eq((int)b.size, 17);
        ck_assert_int_eq(memcmp(b.data, b.data + 9, 8), 0);
        buffer_free(&b);
    }
    ck_assert_str_ne(text[0], text[1]);
    ck_assert_str_eq(text[0], text[2]);
}
END_TEST

START_TEST(why_a_judge_gave_nothing_is_said)
{
    JudgeServer s = judge_start();
    static const char *const one[] = {"15"};
    expect_asked(&s, "400", "judge", "", 1, one, (Score[]){score_failed(SCORE_ERROR)});
    ck_assert_msg(strstr(errors_last(), "as told: 400"), "%s", errors_last());
    expect_asked(&s, "refusal", "judge", "", 1, one, (Score[]){score_failed(SCORE_REFUSED)});
    ck_assert_msg(strstr(errors_last(), "I will not judge this"), "%s", errors_last());
    expect_asked(&s, "length", "judge", "", 1, one, (Score[]){score_failed(SCORE_ERROR)});
    ck_assert_msg(strstr(errors_last(), "cut at max_tokens"), "%s", errors_last());
    judge_stop(&s);
}
END_TEST

START_TEST(wrong_settings_are_said)
{
    static const BadBlock bad[] = {
        {"name: judge, judge: a, steps: words", "steps is none, paragraphs"},
        {"name: judge, judge: a, steps_score: max", "steps_score is mean or min"},
        {"name: judge, judge: a, steps_of: nowhere", "nowhere"},
        {"name: judge, judge: a, template: \"{step}\"", "no place {step}"},
        {"name: judge, judge: a, combine: best", "combine is mean"},
        {"name: judge, judge: a, least: 3, most: 3", "not below"},
        {"name: judge, judge: a, examples: \"only a question\"", "a line --- stands"},
    };
    expect_refused(bad, sizeof bad / sizeof *bad);
}
END_TEST

TEST_MAIN("judge parts", steps_are_paragraphs_lines_or_sentences,
          a_score_is_the_mean_or_the_least_of_its_steps, examples_stand_before_the_question,
          marks_differ_between_groups_and_seeds_only, why_a_judge_gave_nothing_is_said,
          wrong_settings_are_said)
