/* See bench_answers.h. Every choice is a Philox number, so that a rate is of the same texts on
 * every machine. */
#include "launch/bench_answers.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonl.h"
#include "common/rng.h"

enum { SEED = 7, SENTENCES = 12 };

/* Numbers of one answer: the n-th draw below `below`. */
typedef struct {
    int64_t group;
    uint32_t sample, draws;
} Dice;

static int roll(Dice *d, int below)
{
    return (int)rng_below((uint32_t)below, SEED, STREAM_TASK, (uint64_t)d->group, d->sample,
                          d->draws++);
}

static void add_sentence(Dice *d, Buffer *b)
{
    int x = 2 + roll(d, 90), y = 2 + roll(d, 30);
    switch (roll(d, 8)) {
    case 0:
        buffer_printf(b, "First, there are %d boxes with %d apples each, so %d * %d = %d apples.\n",
                      x, y, x, y, x * y);
        return;
    case 1:
        buffer_printf(b, "Wait, let me check this again: %d + %d = %d, so the sum is right.\n", x,
                      y, x + y);
        return;
    case 2:
        buffer_printf(b, "After giving away %d of them, %d - %d = %d are left for the market.\n", y,
                      x + y, y, x);
        return;
    case 3:
        buffer_printf(b, "However, the question asks for a week, so we multiply: 7 * %d = %d.\n", x,
                      7 * x);
        return;
    case 4:
        buffer_printf(b, "Each of the %d children gets %d / %d = %d of the pears, as it says.\n", y,
                      x * y, y, x);
        return;
    case 5:
        buffer_printf(b, "Therefore the price of a ticket is $%d.%02d, and two cost twice that.\n",
                      x, y);
        return;
    case 6:
        buffer_text(b, "Hmm, maybe I should read the problem once more before I go on.\n");
        return;
    default:
        buffer_printf(b, "Let us call the number of red marbles r; then r is at least %d.\n", x);
    }
}

static void add_reasoning(Dice *d, Buffer *b, int sentences)
{
    for (int i = 0; i < sentences; i++) add_sentence(d, b);
}

static void add_tagged(Dice *d, Buffer *b, const char *answer)
{
    buffer_text(b, "<think>");
    add_reasoning(d, b, SENTENCES);
    buffer_printf(b, "</think>\n<answer>%s</answer>", answer);
}

static const char *const words[] = {
    "the",   "old",    "harbour", "was",  "quiet", "when",   "we",   "arrived", "and",   "only",
    "a",     "fisher", "stood",   "by",   "his",   "boat",   "with", "lamps",   "along", "water",
    "under", "grey",   "clouds",  "that", "came",  "slowly", "from", "sea"};
enum { N_WORDS = sizeof words / sizeof *words, SENTENCE_WORDS = 24 };

/* The reference's words; of an answer one in `wrong` is another (0: none is). */
static void add_words(Dice *of_group, Dice *of_answer, Buffer *b, int wrong)
{
    for (int i = 0; i < SENTENCE_WORDS; i++) {
        int w = roll(of_group, N_WORDS);
        if (wrong && roll(of_answer, wrong) == 0) w = roll(of_answer, N_WORDS);
        buffer_printf(b, "%s%s", i ? " " : "", words[w]);
    }
    buffer_text(b, ".");
}

/* A value written in two ways; x in 2 .. 21, y odd. */
static void math_forms(int form, int x, int y, char *reference, char *answer, size_t n)
{
#define FORMS(first, second) snprintf(reference, n, first, x, y), snprintf(answer, n, second, x, y)
    switch (form) {
    case 0:
        FORMS("\\frac{%d}{%d}", "\\dfrac{%d}{%d}");
        return;
    case 1:
        FORMS("%d\\sqrt{%d}", "%d \\cdot \\sqrt{%d}");
        return;
    case 2:
        FORMS("\\left(%d, \\frac{\\pi}{%d}\\right)", "(%d, \\pi/%d)");
        return;
    case 3:
        y += 30; /* an interval is not empty */
        FORMS("[%d, %d)", "\\left[ %d , %d \\right)");
        return;
    case 4:
        FORMS("%dx^2 + %d", "x \\cdot %dx + %d");
        return;
    case 5:
        FORMS("\\{%d, %d\\}", "\\lbrace %d , %d \\rbrace");
        return;
    case 6:
        FORMS("\\begin{pmatrix} %d \\\\ %d \\end{pmatrix}",
              "\\begin{bmatrix} %d \\\\ %d \\end{bmatrix}");
        return;
    default:
        FORMS("%d,%03d", "%d%03d");
    }
#undef FORMS
}

static Dice dice(int64_t group, int sample)
{
    return (Dice){group, (uint32_t)sample, 0};
}

/* The group's record, from numbers that the answers draw again: sample UINT32_MAX. */
static char *record_of(AnswerKind kind, int64_t id)
{
    Dice d = dice(id, -1);
    int x = 2 + roll(&d, 20), y = 3 + 2 * roll(&d, 10), form = (int)(id % 8);
    char reference[100], answer[100];
    Buffer text = {0};
    json_t *r = NULL;
    switch (kind) {
    case ANSWER_WORKED:
        d = dice(id, -2);
        add_reasoning(&d, &text, SENTENCES);
        r = json_pack("{s:i, s:s, s:[{s:s, s:s, s:i}, {s:s}, {s:s, s:s}]}", "answer", x * y,
                      "solution", text.data, "instructions", "kind", "word_count", "relation",
                      "at least", "count", 50, "kind", "no_comma", "kind", "ends_with", "text",
                      "</answer>");
        break;
    case ANSWER_CHOICE:
        r = json_pack("{s:s, s:i}", "answer", (char[]){(char)('A' + x % 4), 0}, "options", 4);
        break;
    case ANSWER_COUNTDOWN:
        r = json_pack("{s:[i,i,i,i], s:i}", "numbers", x, y, 7, 3, "target", x * y + 7 - 3);
        break;
    case ANSWER_GAME24:
        r = json_pack("{s:[i,i,i,i]}", "numbers", 4, 6, 1, 1);
        break;
    case ANSWER_SENTENCE:
        d = dice(id, -1);
        add_words(&d, NULL, &text, 0);
        r = json_pack("{s:s}", "answer", text.data);
        break;
    case ANSWER_JSON:
        r = json_loads("{\"schema\": {\"type\": \"object\", \"required\": [\"name\", \"items\"], "
                       "\"properties\": {\"name\": {\"type\": \"string\", \"maxLength\": 40}, "
                       "\"items\": {\"type\": \"array\", \"items\": {\"type\": \"object\", "
                       "\"required\": [\"price\"], \"properties\": {\"price\": {\"type\": "
                       "\"number\", \"minimum\": 0}}}}}, \"additionalProperties\": false}}",
                       0, NULL);
        break;
    case ANSWER_MATH:
        math_forms(form, x, y, reference, answer, sizeof answer);
        r = json_pack("{s:s}", "answer", reference);
    }
    char *json = json_dumps(r, JSON_COMPACT), *mine = mem_text(json);
    free(json);
    json_decref(r);
    buffer_free(&text);
    return mine;
}

static void add_answer(AnswerKind kind, int64_t id, int sample, Buffer *b)
{
    Dice of_group = dice(id, -1), d = dice(id, sample);
    int x = 2 + roll(&of_group, 20), y = 3 + 2 * roll(&of_group, 10), wrong = roll(&d, 2);
    char text[100], reference[100];
    switch (kind) {
    case ANSWER_WORKED:
        snprintf(text, sizeof text, "%d", x * y + wrong);
        add_tagged(&d, b, text);
        return;
    case ANSWER_CHOICE:
        snprintf(text, sizeof text, "(%c)", 'A' + (x + wrong) % 4);
        add_tagged(&d, b, text);
        return;
    case ANSWER_COUNTDOWN:
        snprintf(text, sizeof text, "%d * %d + (7 %c 3)", x, y, wrong ? '+' : '-');
        add_tagged(&d, b, text);
        return;
    case ANSWER_GAME24:
        add_tagged(&d, b, wrong ? "4 * 6 * 1 + 1" : "4 * 6 * (1 / 1)");
        return;
    case ANSWER_SENTENCE:
        of_group = dice(id, -1);
        add_words(&of_group, &d, b, wrong ? 4 : 0);
        return;
    case ANSWER_JSON:
        buffer_printf(b, "{\"name\": \"basket of order %d\", \"items\": [", roll(&d, 10000));
        for (int i = 0; i < 6; i++)
            buffer_printf(b, "%s{\"price\": %s%d.%02d}", i ? ", " : "", wrong && i == 4 ? "-" : "",
                          1 + roll(&d, 40), roll(&d, 100));
        buffer_text(b, "]}");
        return;
    case ANSWER_MATH:
        math_forms((int)(id % 8), x + wrong, y, reference, text, sizeof text);
        add_reasoning(&d, b, 3);
        buffer_printf(b, "So the answer is $\\boxed{%s}$.", text);
    }
}

static void set_sample(Sample *s, const char *text)
{
    const int bytes_a_token = 4, n = (int)strlen(text);
    s->text = mem_text(text);
    s->n_tokens = n / bytes_a_token + 1;
    s->logprobs_untempered = NEW(float, s->n_tokens);
    s->text_ends = NEW(int32_t, s->n_tokens);
    for (int t = 0; t < s->n_tokens; t++) {
        s->logprobs_untempered[t] = -0.01f * (float)(t + n % 7);
        s->text_ends[t] = t + 1 < s->n_tokens ? bytes_a_token * (t + 1) : n;
    }
}

Group answers_group(AnswerKind kind, int64_t id, int G)
{
    Group g = {.id = id,
               .problem = id,
               .prompt_text = mem_text("How many are there, all in all? Think first."),
               .record = record_of(kind, id),
               .n_samples = G,
               .samples = NEW(Sample, G)};
    for (int i = 0; i < G; i++) {
        Buffer text = {0};
        add_answer(kind, id, i, &text);
        set_sample(&g.samples[i], text.data);
        buffer_free(&text);
    }
    return g;
}

/* ---- worked solutions of a file -------------------------------------------------------------- */

typedef struct {
    char *solution, *answer;
} Worked;

static int read_worked(const char *path, Worked **rows, int *n)
{
    Jsonl in;
    json_t *row;
    int more, rc = 0;
    if (jsonl_open(&in, path)) return -1;
    while ((more = jsonl_next(&in, &row)) > 0 && !rc) {
        Worked w = {jsonl_text(&in, row, "solution"), NULL};
        if (w.solution) w.answer = jsonl_text(&in, row, "answer");
        rc = w.answer ? 0 : -1;
        *rows = mem_resize(*rows, (size_t)*n, (size_t)*n + 1, sizeof **rows);
        (*rows)[(*n)++] = w;
        json_decref(row);
    }
    jsonl_close(&in);
    if (!rc && *n == 0) rc = jsonl_fail(&in, "no row");
    return more < 0 ? -1 : rc;
}

int answers_read(const char *path, Group **out, int *n)
{
    Worked *rows = NULL;
    int rc = read_worked(path, &rows, n);
    *out = rc ? NULL : NEW(Group, *n);
    for (int i = 0; i < *n && !rc; i++) {
        json_t *record = json_pack("{s:s}", "answer", rows[i].answer);
        char *json = json_dumps(record, JSON_COMPACT);
        (*out)[i] = (Group){.id = i,
                            .problem = i,
                            .prompt_text = mem_text(""),
                            .record = mem_text(json),
                            .n_samples = 2,
                            .samples = NEW(Sample, 2)};
        for (int k = 0; k < 2; k++) set_sample(&(*out)[i].samples[k], rows[(i + k) % *n].solution);
        free(json);
        json_decref(record);
    }
    for (int i = 0; i < *n; i++) mem_free(rows[i].solution), mem_free(rows[i].answer);
    mem_free(rows);
    return rc;
}
