/* Verifiable instructions: the share of what a prompt asked for that the answer does, each checked
 * by a program (instruction.h has the kinds, their sources and how to add one). The record lists
 * them:
 *
 *   "instructions": [{"kind": "word_count", "relation": "at least", "count": 50},
 *                    {"kind": "no_comma"}]
 *
 * or has the two fields of the published IFEval data, instruction_id_list and kwargs, so that its
 * file is used as it is (task jsonl with prompt_field: prompt, answer_field: key). Loose as IFEval
 * has it: an instruction is followed if it is in one of eight readings of the text: as it is or
 * without its first line, its last, or both, each with its stars or without. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/yaml.h"
#include "rewardsvc/instruction.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"

enum { FIELD, LOOSE, VALUE, UNKNOWN, WHERE };
/* The longest answer is read some 30 times, a shorter one more often: 100 ms. */
enum { INSTRUCTIONS_MAX = 64, READINGS = 8, WORK_BYTES = 32 << 20 };

static const RewardSetting settings[] = {
    {"field", SETTING_TEXT, .text = "instructions",
     .help = "field of the problem's record with the list of instructions; without it the record's "
             "instruction_id_list and kwargs are read"},
    {"loose", SETTING_BOOL, .number = 0,
     .help = "follow IFEval's loose form: the first and last line and all stars may be left out"},
    {"value", SETTING_TEXT, .text = "share",
     .help = "share: of the instructions that are followed; all: 1 if all are, 0 otherwise"},
    {"unknown", SETTING_TEXT, .text = "error",
     .help = "a record with an instruction of a kind that is not known gives: error or "
             "not_applicable"},
    {"where", SETTING_TEXT, .text = "whole", .help = PLACE_HELP},
    {0},
};

typedef struct {
    const Place *place; /* NULL: the text as it is, white space at its ends included */
    bool all;
    ScoreStatus unknown;
} State;

static int choose(const char *key, const char *word, const char *first, const char *second,
                  bool *is_second)
{
    *is_second = strcmp(word, second) == 0;
    if (*is_second || strcmp(word, first) == 0) return 0;
    return fail("%s: %s is not %s or %s", key, word, first, second);
}

static int prepare(const RewardValue *v, State *s)
{
    bool skips;
    s->place = place_find(v[WHERE].text);
    if (!s->place) return -1;
    if (strcmp(v[WHERE].text, "whole") == 0) s->place = NULL;
    if (choose("value", v[VALUE].text, "share", "all", &s->all) != 0) return -1;
    if (choose("unknown", v[UNKNOWN].text, "error", "not_applicable", &skips) != 0) return -1;
    s->unknown = skips ? SCORE_NOT_APPLICABLE : SCORE_ERROR;
    return 0;
}

static void close_instructions(void *state)
{
    mem_free(state);
}

static int open_instructions(const RewardValue *v, void **state)
{
    State *s = NEW(State, 1);
    if (prepare(v, s) == 0) {
        *state = s;
        return 0;
    }
    mem_free(s);
    return -1;
}

/* ---- what is asked ---- */

typedef struct {
    int n;
    Instruction list[INSTRUCTIONS_MAX];
} Asked;

static void asked_free(Asked *a)
{
    for (int i = 0; i < a->n; i++) instruction_free(&a->list[i]);
    a->n = 0;
}

static void fail_unknown(const char *name)
{
    enum { MOST = 200 };
    const char *words[MOST];
    int n = 0;
    for (const InstructionKind *k; n < MOST && (k = instruction_at(n)) != NULL; n++)
        words[n] = k->name;
    const char *near = nearest_word(name, words, n);
    if (near)
        fail("no kind of instruction is called %.80s; did you mean %s?", name, near);
    else
        fail("no kind of instruction is called %.80s (rewardsvc/instruction.h says where the kinds "
             "are listed)",
             name);
}

static ScoreStatus ask(Asked *a, const State *s, const json_t *name, const json_t *params,
                       bool published)
{
    const InstructionKind *kind =
        json_is_string(name) ? instruction_find(json_string_value(name)) : NULL;
    if (!kind) {
        fail_unknown(json_is_string(name) ? json_string_value(name) : "(not a text)");
        return s->unknown;
    }
    if (instruction_read(&a->list[a->n], kind, params, published) != 0) return SCORE_ERROR;
    a->n++;
    return SCORE_OK;
}

static ScoreStatus read_list(const json_t *list, const State *s, Asked *a)
{
    ScoreStatus status = SCORE_OK;
    for (size_t i = 0; i < json_array_size(list) && status == SCORE_OK; i++) {
        const json_t *item = json_array_get(list, i);
        status = ask(a, s, json_object_get(item, "kind"), item, false);
    }
    return status;
}

static ScoreStatus read_published(const json_t *ids, const json_t *kwargs, const State *s, Asked *a)
{
    ScoreStatus status = SCORE_OK;
    if (json_array_size(ids) != json_array_size(kwargs)) {
        fail("instruction_id_list has %zu items, kwargs %zu", json_array_size(ids),
             json_array_size(kwargs));
        return SCORE_ERROR;
    }
    for (size_t i = 0; i < json_array_size(ids) && status == SCORE_OK; i++)
        status = ask(a, s, json_array_get(ids, i), json_array_get(kwargs, i), true);
    return status;
}

static ScoreStatus read_record(const json_t *record, const char *field, const State *s, Asked *a)
{
    const json_t *list = json_object_get(record, field),
                 *ids = json_object_get(record, "instruction_id_list");
    const json_t *all = list ? list : ids;
    if (!json_is_array(all) || json_array_size(all) > INSTRUCTIONS_MAX) {
        fail("the problem's record has no list \"%s\" (nor instruction_id_list) of at most %d "
             "instructions",
             field, INSTRUCTIONS_MAX);
        return SCORE_ERROR;
    }
    if (json_array_size(all) == 0) return SCORE_NOT_APPLICABLE;
    return list ? read_list(list, s, a)
                : read_published(ids, json_object_get(record, "kwargs"), s, a);
}

/* ---- readings of the text ---- */

static Span without_first_line(Span s)
{
    Span line;
    line_next(&s, &line);
    return s.p ? s : (Span){"", 0};
}

static Span without_last_line(Span s)
{
    size_t n = s.n;
    while (n > 0 && s.p[n - 1] != '\n') n--;
    return (Span){s.p, n > 0 ? n - 1 : 0};
}

/* Bits of a reading's number: 1 without stars, 2 without the first line, 4 without the last. */
static void reading_make(Span text, int reading, Passage *out)
{
    Buffer starless = {0};
    if (reading & 2) text = without_first_line(text);
    if (reading & 4) text = without_last_line(text);
    if (reading & 6) text = text_strip(text);
    if (reading & 1) {
        buffer_text(&starless, "");
        for (Span piece; piece_next(&text, "*", &piece);) buffer_add(&starless, piece.p, piece.n);
        text = (Span){starless.data, starless.size};
    }
    passage_init(out, text);
    buffer_free(&starless);
}

static int count_followed(const Asked *a, Span text, bool loose)
{
    bool followed[INSTRUCTIONS_MAX] = {false};
    int n = 0;
    for (int reading = 0; reading < (loose ? READINGS : 1) && n < a->n; reading++) {
        Passage p;
        reading_make(text, reading, &p);
        for (int i = 0; i < a->n; i++) {
            if (followed[i] || !instruction_followed(&a->list[i], &p)) continue;
            followed[i] = true;
            n++;
        }
        passage_free(&p);
    }
    return n;
}

static Score judge(const State *s, const Asked *a, Span text, bool loose)
{
    if (text.n * (size_t)(a->n + 1) * (loose ? READINGS : 1) > WORK_BYTES) {
        fail("%zu bytes are too many for %d instructions", text.n, a->n);
        return score_failed(SCORE_REFUSED);
    }
    int n = text.p ? count_followed(a, text, loose) : 0;
    return score_ok(s->all ? n == a->n : (double)n / a->n);
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const State *s = state;
    Asked asked;
    asked.n = 0;
    ScoreStatus status = read_record(e->record, v[FIELD].text, s, &asked);
    Score result = score_failed(status);
    Span text = {e->text, e->n_text};
    if (s->place) text = s->place->take(text);
    if (status == SCORE_OK) result = judge(s, &asked, text, v[LOOSE].flag);
    asked_free(&asked);
    return result;
}

const Reward reward_instructions = {
    .name = "instructions",
    .help = "the share of the record's verifiable instructions (as in IFEval) that the answer "
            "follows",
    .settings = settings,
    .open = open_instructions,
    .close = close_instructions,
    .score = score,
};
