/* rouge, bleu, chrf and wer against the values of their reference implementations (tests/data/
 * make_overlap_golden.py), at their corners, and on hostile texts. */
#include "rewardsvc/words.h"
#include "tests/reward_scores.h"

typedef struct {
    const char *key;
    int index; /* in a list of values; -1: a number */
    Setup setup;
} Column;

static const Column columns[] = {
    {"rouge1", 0, {"rouge", {"kind", "1", "measure", "precision"}}},
    {"rouge1", 1, {"rouge", {"kind", "1", "measure", "recall"}}},
    {"rouge1", 2, {"rouge", {"kind", "1"}}},
    {"rouge2", 0, {"rouge", {"kind", "2", "measure", "precision"}}},
    {"rouge2", 2, {"rouge", {"kind", "2"}}},
    {"rouge3", 2, {"rouge", {"kind", "3"}}},
    {"rougeL", 0, {"rouge", {"measure", "precision"}}},
    {"rougeL", 1, {"rouge", {"measure", "recall"}}},
    {"rougeL", 2, {"rouge", {NULL}}},
    {"bleu_exp", -1, {"bleu", {NULL}}},
    {"bleu_floor", -1, {"bleu", {"smooth", "floor"}}},
    {"bleu_add_k", -1, {"bleu", {"smooth", "add_k"}}},
    {"bleu_none", -1, {"bleu", {"smooth", "none"}}},
    {"bleu_char", -1, {"bleu", {"tokens", "char"}}},
    {"bleu_lower2", -1, {"bleu", {"case", "false", "order", "2"}}},
    {"chrf", -1, {"chrf", {NULL}}},
    {"chrfpp", -1, {"chrf", {"words", "2"}}},
    {"chrf_beta1_lower", -1, {"chrf", {"chars", "4", "beta", "1", "case", "false"}}},
    {"wer", -1, {"wer", {"form", "penalty", "most", "100", "case", "true"}}},
    {"cer", -1, {"wer", {"form", "penalty", "most", "100", "case", "true", "unit", "char"}}},
};

static json_t *golden(void)
{
    const char *source = getenv("TROUPE_SOURCE");
    char *path = mem_printf("%s/tests/data/overlap_golden.json", source ? source : ".");
    json_t *rows = json_load_file(path, 0, NULL);
    ck_assert_msg(rows != NULL, "%s", path);
    mem_free(path);
    return rows;
}

static void check_row(RewardComponent *c, const Column *column, const json_t *row)
{
    const json_t *want = json_object_get(json_object_get(row, "values"), column->key);
    const char *text = json_string_value(json_object_get(row, "hypothesis"));
    if (!want) return;
    if (column->index >= 0) want = json_array_get(want, (size_t)column->index);
    double sign = strcmp(column->setup.name, "wer") ? 1 : -1;
    Evidence e = {.text = text, .n_text = strlen(text), .record = row, .prompt = ""};
    Score s = c->reward->score(c->values, c->state, &e);
    ck_assert_msg(s.status == SCORE_OK && fabs(s.value - sign * json_number_value(want)) < 1e-9,
                  "%s %d of \"%s\": %.12g, not %.12g", column->key, column->index, text, s.value,
                  sign * json_number_value(want));
}

START_TEST(values_are_the_reference_implementations)
{
    json_t *rows = golden(), *row;
    size_t i, n_columns = sizeof columns / sizeof *columns;
    ck_assert_uint_ge(json_array_size(rows), 40);
    for (size_t k = 0; k < n_columns; k++) {
        RewardComponent c;
        ck_assert_int_eq(setup_open(&columns[k].setup, &c), 0);
        setting_set(c.reward->settings, c.values, "field", "references");
        json_array_foreach(rows, i, row) check_row(&c, &columns[k], row);
        setup_close(&c);
    }
    json_decref(rows);
}
END_TEST

START_TEST(wer_counts_by_hand)
{
    const Setup acc = {"wer", {NULL}}, most = {"wer", {"most", "2"}},
                cer = {"wer", {"unit", "char"}}, penalty = {"wer", {"form", "penalty"}};
    const char *r = "{\"answer\": \"one two three four\"}";
    expect(&acc, r, "one two three four", 1);
    expect(&acc, r, "ONE  two\nthree four", 1);
    expect(&acc, r, "one three four", 0.75);
    expect(&acc, r, "one two 3 four five", 0.5);
    expect(&acc, r, "", 0);
    expect(&acc, r, "a b c d e f g h i j", 0);
    expect(&penalty, r, "one three four", -0.25);
    expect(&penalty, r, "a b c d e f g h i j", -1);
    expect(&most, r, "a b c d e f", 0.25); /* rate 1.5 of 2 */
    expect(&cer, "{\"answer\": \"kitten\"}", "sitting", 0.5);
    expect(&acc, "{\"answer\": [\"x y\", \"one two\"]}", "one two", 1);
    expect(&acc, "{\"answer\": \"\"}", "", 1);
    expect(&acc, "{\"answer\": \"\"}", "x", 0);
    expect_status(&acc, "{}", "x", SCORE_ERROR);
}
END_TEST

/* Long sequences cross the 64-row blocks: against the plain table. */
static int plain_distance(const int32_t *a, int n, const int32_t *b, int m)
{
    int *row = NEW(int, n + 1);
    for (int i = 0; i <= n; i++) row[i] = i;
    for (int j = 1; j <= m; j++) {
        int corner = row[0];
        row[0] = j;
        for (int i = 1; i <= n; i++) {
            int replace = corner + (a[i - 1] != b[j - 1]),
                other = 1 + (row[i] < row[i - 1] ? row[i] : row[i - 1]);
            corner = row[i];
            row[i] = replace < other ? replace : other;
        }
    }
    int d = row[n];
    mem_free(row);
    return d;
}

static int plain_common(const int32_t *a, int n, const int32_t *b, int m)
{
    int *row = NEW(int, n + 1);
    for (int j = 1; j <= m; j++)
        for (int i = 1, corner = 0; i <= n; i++) {
            int up = row[i];
            row[i] = a[i - 1] == b[j - 1] ? corner + 1 : up > row[i - 1] ? up : row[i - 1];
            corner = up;
        }
    int d = row[n];
    mem_free(row);
    return d;
}

START_TEST(alignments_agree_with_the_plain_tables)
{
    uint64_t x = 7;
    int32_t a[300], b[300];
    for (int k = 0; k < 400; k++) {
        int n[2], kinds = 2 + k % 40;
        for (int i = 0; i < 2; i++) {
            n[i] = (int)((x = x * 6364136223846793005u + 1442695040888963407u) >> 33) % 300;
            for (int j = 0; j < n[i]; j++)
                (i ? b : a)[j] =
                    (int)((x = x * 6364136223846793005u + 1442695040888963407u) >> 33) % kinds - 1;
        }
        for (int j = 0; j < n[0]; j++) a[j] = a[j] < 0 ? 0 : a[j]; /* only b has strangers */
        ck_assert_int_eq(words_common(a, n[0], b, n[1]), plain_common(a, n[0], b, n[1]));
        ck_assert_int_eq(words_distance(a, n[0], b, n[1]), plain_distance(a, n[0], b, n[1]));
    }
}
END_TEST

START_TEST(other_languages_have_words_too)
{
    const Setup ascii = {"rouge", {"kind", "1"}},
                unicode = {"rouge", {"kind", "1", "tokens", "unicode"}};
    const char *r = "{\"answer\": \"\u041a\u043e\u0442 \u0441\u043f\u0438\u0442\"}";
    expect(&ascii, r, "\u043a\u043e\u0442 \u0441\u043f\u0438\u0442", 0);
    expect(&unicode, r, "\u043a\u043e\u0442 \u0441\u043f\u0438\u0442", 1);
    expect(&unicode, "{\"answer\": \"\u6211\u53bb\u516c\u56ed\"}", "\u6211\u53bb\u5b66\u6821", 0.5);
    expect(&unicode, "{\"answer\": \"Stra\u00dfe 5\"}", "STRASSE 5", 1);
}
END_TEST

START_TEST(corners_are_zeros_not_faults)
{
    static const char *const names[] = {"rouge", "bleu", "chrf", "wer"};
    for (int i = 0; i < 4; i++) {
        const Setup s = {names[i], {NULL}}, tag = {names[i], {"where", "answer"}};
        expect(&s, "{\"answer\": \"a b\"}", "", 0);
        expect(&s, "{\"answer\": \"a b\"}", "...", 0);
        expect(&tag, "{\"answer\": \"a b\"}", "a b", 0);
        expect(&tag, "{\"answer\": \"a b c d\"}", "so <answer> a b c d </answer> ok", 1);
        expect_status(&s, "{}", "a b", SCORE_ERROR);
        expect_status(&s, "{\"answer\": []}", "a b", SCORE_ERROR);
        expect_status(&s, "{\"answer\": [\"a\", true]}", "a b", SCORE_ERROR);
        const Setup nowhere = {names[i], {"where", "here"}};
        expect_refused(&nowhere, "where: here");
    }
    const Setup bad[] = {{"rouge", {"kind", "LCS"}},  {"rouge", {"measure", "f2"}},
                         {"bleu", {"smooth", "x"}},   {"bleu", {"tokens", "14a"}},
                         {"bleu", {"order", "2.5"}},  {"chrf", {"chars", "1.5"}},
                         {"wer", {"form", "inverse"}}};
    static const char *const why[] = {
        "kind:", "measure:", "smooth:", "tokens:", "order:", "whole", "form:"};
    for (int i = 0; i < 7; i++) expect_refused(&bad[i], why[i]);
}
END_TEST

START_TEST(hostile_texts_end_in_time)
{
    const char *r = "{\"answer\": \"word word a b c the cat sat on the mat {{ 99999 frac 1\"}";
    const Setup setups[] = {{"rouge", {NULL}},
                            {"rouge", {"kind", "2", "tokens", "unicode"}},
                            {"bleu", {NULL}},
                            {"chrf", {"words", "2", "case", "false"}},
                            {"wer", {"unit", "char"}}};
    expect_survives(setups, 5, r);
}
END_TEST

TEST_MAIN("overlap", values_are_the_reference_implementations, wer_counts_by_hand,
          alignments_agree_with_the_plain_tables, other_languages_have_words_too,
          corners_are_zeros_not_faults, hostile_texts_end_in_time)
