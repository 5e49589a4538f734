/* A judge that scores by a rubric, item by item (MPO's junior judge, Kim et al. 2025): one call
 * asks for a rationale, a second one in the same conversation for a whole number on the item's
 * scale; the score is the sum over the items, each clipped to its scale. Shared by the reward whose
 * rubric is fixed (judge_rubric) and the one whose rubric is rewritten (mpo). */
#ifndef REWARDSVC_RUBRIC_JUDGE_H
#define REWARDSVC_RUBRIC_JUDGE_H

#include "rewardsvc/judge_parts.h"
#include "rewardsvc/rubric.h"

/* Rows of settings that follow ASK_ROWS; the reward's own begin at N_RUBRIC. */
enum {
    RUBRIC_TEXT = N_ASK,
    RUBRIC_FILE,
    RUBRIC_RATIONALE,
    RUBRIC_SCORE,
    RUBRIC_PARSE,
    RUBRIC_UNREADABLE,
    RUBRIC_SCALED,
    N_RUBRIC
};
extern const char rubric_rationale_template[], rubric_score_template[];

#define RUBRIC_ROWS                                                                                \
    [RUBRIC_TEXT] = {"rubric", SETTING_TEXT, .text = "",                                           \
                     .help = "the rubric: an item begins with a line that has its scale in it, "   \
                             "(0-5) or [0-5], and has the lines up to the next such line; what "   \
                             "stands before the first is {preamble}"},                             \
    [RUBRIC_FILE] = {"rubric_file", SETTING_TEXT, .text = "", .file = true,                        \
                     .help = "a file with the rubric instead"},                                    \
    [RUBRIC_RATIONALE] = {"rationale", SETTING_TEXT, .text = rubric_rationale_template,            \
                          .help = "the first call, with {item} {least} {most} {preamble} and "     \
                                  "{prompt} {answer} {think} {final} {reference} {record.FIELD} "  \
                                  "{mark} in it"},                                                 \
    [RUBRIC_SCORE] = {"score", SETTING_TEXT, .text = rubric_score_template,                        \
                      .help = "the second call, with the same places"},                            \
    [RUBRIC_PARSE] = {"parse", SETTING_TEXT, .text = "(?i)score\\s*:?\\s*\\**\\s*(-?\\d+)",        \
                      .help = "pattern whose last match has the score, a whole number, as its "    \
                              "first group"},                                                      \
    [RUBRIC_UNREADABLE] = {"unreadable", SETTING_TEXT, .text = "error",                            \
                           .help = "an item whose score cannot be read after all retries: error: " \
                                   "so the answer has no score; zero: the item counts as 0 "       \
                                   "(MPO). A judge that gave no answer at all is a failure "       \
                                   "either way"},                                                  \
    [RUBRIC_SCALED] = {"scale", SETTING_BOOL, .number = 0,                                         \
                       .help = "maps the least sum there can be .. the largest to 0 .. 1"}

typedef struct {
    Asker asker;
    const RewardValue *values;
    Pattern *parse;
} RubricJudge;

/* Reads the settings but the rubric. 0, or -1 with the reason; rubric_judge_free accepts either. */
int rubric_judge_open(RubricJudge *j, const RewardValue *v);
void rubric_judge_free(RubricJudge *j);
/* The settings' rubric, which rubric_read takes; caller frees. Neither given: `otherwise`, unless
 * that is NULL. NULL with the reason. */
char *rubric_judge_text(const RewardValue *v, const char *otherwise);

/* Asks about every item of r, read from text. */
void rubric_judge_ask(const RubricJudge *j, JudgeParts *q, int sample, Span text, const Rubric *r);
/* The score of a sample, all of whose items are answered; what each item got is added to `items`
 * ("item1 3 of 0-5, item2 unread") unless that is NULL. */
Score rubric_judge_score(const RubricJudge *j, const JudgeParts *q, int sample, const Rubric *r,
                         Buffer *items);

#endif
