/* JSON of a given shape: 1 if the answer is JSON that satisfies a JSON Schema (draft 2020-12; the
 * keywords are listed in rewardsvc/schema.h), 0 if not. The schema stands in the settings, in a
 * file, or in each problem's record. Where the limits of rewardsvc/json_text.h or the work allowed
 * for a check are exceeded, the answer is not judged: refused. */
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/answer.h"
#include "rewardsvc/fence.h"
#include "rewardsvc/json_text.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/schema.h"

enum { SCHEMA, FILE_PATH, FIELD, WHERE, TAG, FORMATS, VALID };

static const RewardSetting settings[] = {
    {"schema", SETTING_TEXT, .text = "", .help = "the JSON Schema as text"},
    {"file", SETTING_TEXT, .text = "", .file = true, .help = "path of a file with the JSON Schema"},
    {"field", SETTING_TEXT, .text = "schema",
     .help = "where neither schema nor file is given: field of the problem's record with the JSON "
             "Schema (an object, or its text)"},
    {"where", SETTING_TEXT, .text = "whole",
     .help = "whole: the text is the JSON; tag: inside the last <tag></tag>; fence: inside the "
             "last ``` block"},
    {"tag", SETTING_TEXT, .text = "answer", .help = "name of the tag"},
    {"formats", SETTING_BOOL, .number = 1,
     .help = "`format` is checked (date, time, date-time, duration, email, hostname, ipv4, ipv6, "
             "uri, uuid, json-pointer; others are refused); false: it has no effect"},
    {"valid", SETTING_NUMBER, .number = 0, .least = -1, .most = 1,
     .help = "score of JSON that does not satisfy the schema"},
    {0},
};

typedef struct {
    Span (*place)(Span text, const char *tag);
    Schema *fixed;  /* of the settings; NULL: the record's */
    Schema *latest; /* of a record, with the text it came from: a group's samples share it */
    char *latest_text;
} State;

/* ---- where the JSON is ---- */

static Span place_whole(Span text, const char *tag)
{
    (void)tag;
    return text;
}

static Span place_tag(Span text, const char *tag)
{
    return answer_tag(text, tag);
}

static Span place_fence(Span text, const char *tag)
{
    (void)tag;
    return fence_last(text);
}

static const struct {
    const char *word;
    Span (*place)(Span text, const char *tag);
} places[] = {{"whole", place_whole}, {"tag", place_tag}, {"fence", place_fence}};

/* ---- the schema ---- */

static Schema *compile_text(Span text, bool formats)
{
    json_t *json;
    if (json_text_read(text, &json) != JSON_TEXT_FINE) {
        char *why = mem_text(errors_last());
        fail("the schema is not JSON: %s", why);
        mem_free(why);
        return NULL;
    }
    Schema *s = schema_compile(json, formats);
    json_decref(json);
    return s;
}

static Schema *compile_file(const char *path, bool formats)
{
    Buffer b = {0};
    if (file_read(path, JSON_TEXT_BYTES, &b) != 0) return NULL;
    Schema *s = compile_text((Span){b.data, b.size}, formats);
    buffer_free(&b);
    return s;
}

static const Schema *record_schema(State *s, const RewardValue *v, const json_t *record)
{
    json_t *at = json_object_get(record, v[FIELD].text);
    if (!at) {
        fail("the problem's record has no field \"%s\"", v[FIELD].text);
        return NULL;
    }
    char *dump = json_dumps(at, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (!dump) die(EXIT_UNABLE, "out of memory");
    char *text = mem_text(dump);
    free(dump);
    if (s->latest_text && strcmp(s->latest_text, text) == 0) {
        mem_free(text);
        return s->latest;
    }
    schema_free(s->latest);
    mem_free(s->latest_text);
    s->latest_text = NULL;
    s->latest =
        json_is_string(at)
            ? compile_text((Span){json_string_value(at), json_string_length(at)}, v[FORMATS].flag)
            : schema_compile(at, v[FORMATS].flag);
    if (s->latest)
        s->latest_text = text;
    else
        mem_free(text);
    return s->latest;
}

/* ---- the reward ---- */

static void close_schema(void *state)
{
    State *s = state;
    if (!s) return;
    schema_free(s->fixed);
    schema_free(s->latest);
    mem_free(s->latest_text);
    mem_free(s);
}

static int prepare(const RewardValue *v, State *s)
{
    bool text = *v[SCHEMA].text, file = *v[FILE_PATH].text;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(places[i].word, v[WHERE].text) == 0) s->place = places[i].place;
    if (!s->place) return fail("where: %s is not whole, tag or fence", v[WHERE].text);
    if (text && file) return fail("schema and file are both given: which of them is it?");
    if (!text && !file) return 0;
    s->fixed = text ? compile_text(span_of(v[SCHEMA].text), v[FORMATS].flag)
                    : compile_file(v[FILE_PATH].text, v[FORMATS].flag);
    return s->fixed ? 0 : -1;
}

static int open_schema(const RewardValue *v, void **state)
{
    State *s = NEW(State, 1);
    if (prepare(v, s) == 0) {
        *state = s;
        return 0;
    }
    close_schema(s);
    return -1;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    State *s = state;
    const Schema *schema = s->fixed ? s->fixed : record_schema(s, v, e->record);
    if (!schema) return score_failed(SCORE_ERROR);
    Span text = s->place((Span){e->text, e->n_text}, v[TAG].text);
    if (!text.p) return score_ok(0);
    json_t *json;
    JsonTextVerdict read = json_text_read(text, &json);
    if (read == JSON_TEXT_OVER) return score_failed(SCORE_REFUSED);
    if (read == JSON_TEXT_BROKEN) return score_ok(0);
    SchemaVerdict verdict = schema_check(schema, json);
    json_decref(json);
    if (verdict == SCHEMA_UNDECIDED) return score_failed(SCORE_REFUSED);
    return score_ok(verdict == SCHEMA_VALID ? 1 : v[VALID].number);
}

const Reward reward_json_schema = {
    .name = "json_schema",
    .help = "1 if the answer is JSON that satisfies a JSON Schema, 0 otherwise",
    .settings = settings,
    .open = open_schema,
    .close = close_schema,
    .score = score,
};
