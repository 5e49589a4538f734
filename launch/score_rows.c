/* See score_rows.h. */
#include "launch/score_rows.h"

#include <string.h>

#include "common/clock.h"
#include "common/memory.h"
#include "launch/json_text.h"
#include "rewardsvc/reward_case.h"

/* ---- rows to evidence ------------------------------------------------------------------------ */

/* A whole number that a row may have: 0 and *out left alone where it has none. */
static int read_count(const Jsonl *in, const json_t *row, const char *field, int *out)
{
    const json_t *v = json_object_get(row, field);
    if (!v) return 0;
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > INT32_MAX)
        return jsonl_fail(in, "\"%s\" is not a whole number of tokens", field);
    *out = (int)json_integer_value(v);
    return 0;
}

static int read_finish(const Jsonl *in, const json_t *row, FinishReason *out)
{
    static const char *const words[] = {"eos", "stop", "length"};
    const json_t *v = json_object_get(row, "finish");
    if (!v) return 0;
    for (int i = 0; i < 3 && json_is_string(v); i++)
        if (!strcmp(json_string_value(v), words[i])) {
            *out = (FinishReason)i;
            return 0;
        }
    return jsonl_fail(in, "\"finish\" is none of \"eos\", \"stop\", \"length\"");
}

/* What `eval --out` wrote has the problem's record as a field of its own; otherwise the row is the
 * record. */
static const json_t *record_of(const json_t *row)
{
    const json_t *record = json_object_get(row, "record");
    return json_is_object(record) ? record : row;
}

static int read_evidence(const Jsonl *in, ScoreRow *r, Evidence *e)
{
    if (json_object_get(r->row, "prompt") && !(r->prompt = jsonl_text(in, r->row, "prompt")))
        return -1;
    if (!(r->completion = jsonl_text(in, r->row, "completion"))) return -1;
    e->prompt = r->prompt ? r->prompt : "";
    e->n_prompt = strlen(e->prompt);
    e->text = r->completion;
    e->n_text = strlen(e->text);
    e->record = record_of(r->row);
    if (read_count(in, r->row, "n_tokens", &e->n_tokens)) return -1;
    if (read_count(in, r->row, "max_tokens", &e->max_tokens)) return -1;
    return read_finish(in, r->row, &e->finish);
}

static void drop_group(Scoring *s)
{
    for (int i = 0; i < s->n; i++) {
        json_decref(s->rows[i].row);
        mem_free(s->rows[i].prompt);
        mem_free(s->rows[i].completion);
    }
    s->n = 0;
}

static void grow(Scoring *s)
{
    if (s->n < s->capacity) return;
    size_t old = (size_t)s->capacity, new = 2 * old + 16;
    s->rows = mem_resize(s->rows, old, new, sizeof *s->rows);
    s->evidence = mem_resize(s->evidence, old, new, sizeof *s->evidence);
    s->capacity = (int)new;
}

static const json_t *group_of(const json_t *row)
{
    const json_t *group = json_object_get(row, "group");
    return json_is_null(group) ? NULL : group;
}

static int add_row(Scoring *s, const Jsonl *in, json_t *row)
{
    grow(s);
    int i = s->n++;
    s->rows[i] = (ScoreRow){.row = json_incref(row)};
    s->evidence[i] = (Evidence){.max_tokens = s->cfg.file ? (int)s->cfg.rollout.max_tokens : 0,
                                .seed = s->cfg.file ? (uint64_t)s->cfg.run.seed : 1,
                                .group = s->n_rows - i,
                                .sample = i};
    s->n_rows++;
    return read_evidence(in, &s->rows[i], &s->evidence[i]);
}

int score_row(Scoring *s, const Jsonl *in, json_t *row)
{
    const json_t *group = group_of(row), *open = s->n ? group_of(s->rows[0].row) : NULL;
    if (s->n && !(group && open && json_equal(group, open))) score_group(s);
    int rc = s->n < SCORE_LARGEST_GROUP
                 ? add_row(s, in, row)
                 : jsonl_fail(in, "a group of more than %d rows", SCORE_LARGEST_GROUP);
    if (rc)
        drop_group(s);
    else if (!group)
        score_group(s);
    return rc;
}

/* ---- judging and writing --------------------------------------------------------------------- */

static json_t *value_json(Score s)
{
    return s.status == SCORE_OK ? json_real(s.value) : json_null();
}

static void write_row(const Scoring *s, const RewardCase *c, int i)
{
    json_t *o = json_object(), *components = json_object(), *statuses = json_object(),
           *notes = s->notes ? json_object() : NULL, *id = json_object_get(s->rows[i].row, "id");
    for (int k = 0; k < s->block.n; k++) {
        const char *name = s->block.components[k].name, *note = reward_case_note(c, k, i);
        Score score = reward_case_score(c, k, i);
        json_object_set_new(components, name, value_json(score));
        json_object_set_new(statuses, name, json_string(score_status_name(score.status)));
        if (notes && note) json_object_set_new(notes, name, json_text(note, strlen(note)));
    }
    Score reward = reward_case_reward(c, i);
    if (id) json_object_set(o, "id", id);
    json_object_set_new(o, "reward", value_json(reward));
    json_object_set_new(o, "status", json_string(score_status_name(reward.status)));
    json_object_set_new(o, "components", components);
    json_object_set_new(o, "statuses", statuses);
    if (notes) json_object_set_new(o, "notes", notes);
    json_line(stdout, o);
}

void score_group(Scoring *s)
{
    if (!s->n) return;
    double began = clock_seconds();
    RewardCase *c = reward_case_open(&s->block, s->evidence, s->n, 0, 0);
    while (!reward_case_settled(c)) reward_block_wait(&s->block);
    s->scoring_s += clock_seconds() - began;
    for (int i = 0; i < s->n; i++) {
        Score reward = reward_case_reward(c, i);
        s->counts[reward.status]++;
        if (reward.status == SCORE_OK) s->sum += reward.value;
        if (!s->errors) write_row(s, c, i);
    }
    reward_case_close(c);
    drop_group(s);
}

void score_free(Scoring *s)
{
    drop_group(s);
    mem_free(s->rows);
    mem_free(s->evidence);
    reward_block_close(&s->block);
    config_free(&s->cfg);
    *s = (Scoring){0};
}
