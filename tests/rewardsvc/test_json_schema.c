/* The reward json_schema: where it looks, what it says of broken, hostile and oversized JSON, which
 * schemas it refuses. The keywords one by one are the official suite's business (test_schema_suite)
 * and, so that none goes untested where that is not at hand, of the table below. */
#include <time.h>

#include "rewardsvc/fence.h"
#include "rewardsvc/json_text.h"
#include "rewardsvc/schema.h"
#include "tests/reward_scores.h"

#define PERSON                                                                                     \
    "{\"type\": \"object\", \"required\": [\"name\"], \"additionalProperties\": false, "           \
    "\"properties\": {\"name\": {\"type\": \"string\", \"minLength\": 1}, \"age\": {\"type\": "    \
    "\"integer\", \"minimum\": 0}}}"

START_TEST(whole_tag_and_fence)
{
    const Setup whole = {"json_schema", {"schema", PERSON}};
    const Setup tag = {"json_schema", {"schema", PERSON, "where", "tag"}};
    const Setup other = {"json_schema", {"schema", PERSON, "where", "tag", "tag", "json"}};
    const Setup fence = {"json_schema", {"schema", PERSON, "where", "fence", "valid", "0.25"}};
    expect(&whole, "{}", " {\"name\": \"Ann\", \"age\": 3}\n", 1);
    expect(&whole, "{}", "{\"name\": \"Ann\", \"age\": 3.0}", 1);
    expect(&whole, "{}", "{\"name\": \"Ann\", \"age\": 3.5}", 0);
    expect(&whole, "{}", "{\"name\": \"\"}", 0);
    expect(&whole, "{}", "{\"name\": \"Ann\", \"x\": 1}", 0);
    expect(&whole, "{}", "{\"name\": \"Ann\"} and more", 0);
    expect(&whole, "{}", "[]", 0);
    expect(&whole, "{}", "", 0);
    expect(&tag, "{}", "so <answer>{\"name\": \"Ann\"}</answer> done", 1);
    expect(&tag, "{}", "{\"name\": \"Ann\"}", 0);
    expect(&other, "{}", "<json>{\"name\": \"Ann\"}</json>", 1);
    expect(&fence, "{}", "```json\n{}\n```\ntext\n```json\n{\"name\": \"Ann\"}\n```\n", 1);
    expect(&fence, "{}", "```json\n{\"name\": \"Ann\"}\n```\n```\n{}\n```", 0.25);
    expect(&fence, "{}", "```json\n{\"name\": \"Ann\"}\n", 0);
    expect(&fence, "{}", "```\nnot JSON\n```", 0);
    expect(&fence, "{}", "{\"name\": \"Ann\"}", 0);
}
END_TEST

START_TEST(the_records_schema)
{
    const Setup record = {"json_schema", {NULL}}, named = {"json_schema", {"field", "shape"}};
    expect(&record, "{\"schema\": {\"type\": \"array\"}}", "[1]", 1);
    expect(&record, "{\"schema\": {\"type\": \"array\"}}", "{}", 0);
    expect(&record, "{\"schema\": \"{\\\"type\\\": \\\"array\\\"}\"}", "[1]", 1);
    expect(&record, "{\"schema\": true}", "1", 1);
    expect(&record, "{\"schema\": false}", "1", 0);
    expect(&named, "{\"shape\": {\"const\": 1.0}}", "1", 1);
    expect_status(&named, "{\"schema\": {}}", "1", SCORE_ERROR);
    expect_status(&record, "{\"schema\": 7}", "1", SCORE_ERROR);
    expect_status(&record, "{\"schema\": \"no JSON\"}", "1", SCORE_ERROR);
    expect_status(&record, "{\"schema\": {\"typ\": \"array\"}}", "[1]", SCORE_ERROR);
    ck_assert_str_eq(errors_last(), "schema: /typ: this keyword is not supported, so what it asks "
                                    "could not be checked");
}
END_TEST

START_TEST(one_state_for_many_records)
{
    const Setup setup = {"json_schema", {NULL}};
    RewardComponent c;
    ck_assert_int_eq(setup_open(&setup, &c), 0);
    static const char *const types[] = {"array", "object", "array", "array", "object"};
    for (int i = 0; i < 5; i++) {
        json_t *record = json_pack("{s:{s:s}}", "schema", "type", types[i]);
        Evidence e = {.text = "[]", .n_text = 2, .record = record};
        ck_assert(c.reward->score(c.values, c.state, &e).value == (types[i][0] == 'a'));
        json_decref(record);
    }
    setup_close(&c);
}
END_TEST

/* keyword, schema, instance that holds, instance that does not */
static const char *const keywords[][3] = {
    {"{\"type\": [\"integer\", \"null\"]}", "null", "1.5"},
    {"{\"enum\": [1, \"a\", {\"b\": [2]}]}", "{\"b\": [2.0]}", "{\"b\": [3]}"},
    {"{\"const\": {\"a\": 1, \"b\": 2}}", "{\"b\": 2, \"a\": 1}", "{\"a\": 1}"},
    {"{\"multipleOf\": 0.0001}", "0.0075", "0.00751"},
    {"{\"multipleOf\": 0.01}", "4.35", "4.355"},
    {"{\"maximum\": 3}", "3", "3.0001"},
    {"{\"exclusiveMaximum\": 3}", "2.9", "3"},
    {"{\"maximum\": 9007199254740992}", "9007199254740992", "9007199254740993"},
    {"{\"minimum\": 3}", "3", "2"},
    {"{\"exclusiveMinimum\": 3}", "4", "3"},
    {"{\"maxLength\": 2}", "\"\xF0\x9F\x98\x80\xC3\xA9\"", "\"abc\""},
    {"{\"minLength\": 2}", "\"\xC3\xA9z\"", "\"\xF0\x9F\x98\x80\""},
    {"{\"pattern\": \"^\\\\u00e9+$\"}", "\"\xC3\xA9\xC3\xA9\"", "\"\xC3\xA9\xC3\xA9\\n\""},
    {"{\"format\": \"date\"}", "\"2024-02-29\"", "\"2023-02-29\""},
    {"{\"format\": \"date-time\"}", "\"1990-12-31T15:59:60-08:00\"", "\"1990-12-31T15:59:60Z\""},
    {"{\"format\": \"ipv6\"}", "\"::1\"", "\"1::2::3\""},
    {"{\"format\": \"email\"}", "\"a.b@c.org\"", "\"a..b@c.org\""},
    {"{\"format\": \"uri\"}", "\"https://a.b/c?d#e\"", "\"//a.b/c\""},
    {"{\"format\": \"uuid\"}", "\"2eb8aa08-aa98-11ea-b4aa-73b441d16380\"", "\"2eb8aa08\""},
    {"{\"maxItems\": 1}", "[1]", "[1, 2]"},
    {"{\"minItems\": 1}", "[1]", "[]"},
    {"{\"uniqueItems\": true}", "[1, true, \"1\", [1], {\"a\": 1}]", "[{\"a\": 1}, {\"a\": 1.0}]"},
    {"{\"prefixItems\": [{\"const\": 1}], \"items\": {\"const\": 2}}", "[1, 2, 2]", "[1, 1]"},
    {"{\"contains\": {\"const\": 2}, \"maxContains\": 1}", "[1, 2]", "[2, 2]"},
    {"{\"contains\": {\"const\": 2}, \"minContains\": 2}", "[2, 2]", "[2, 1]"},
    {"{\"maxProperties\": 1}", "{\"a\": 1}", "{\"a\": 1, \"b\": 1}"},
    {"{\"minProperties\": 1}", "{\"a\": 1}", "{}"},
    {"{\"required\": [\"a\"]}", "{\"a\": null}", "{\"b\": 1}"},
    {"{\"dependentRequired\": {\"a\": [\"b\"]}}", "{\"a\": 1, \"b\": 1}", "{\"a\": 1}"},
    {"{\"dependentSchemas\": {\"a\": {\"required\": [\"b\"]}}}", "{\"b\": 1}", "{\"a\": 1}"},
    {"{\"propertyNames\": {\"maxLength\": 1}}", "{\"a\": 1}", "{\"ab\": 1}"},
    {"{\"properties\": {\"a\": {\"type\": \"null\"}}}", "{\"a\": null}", "{\"a\": 1}"},
    {"{\"patternProperties\": {\"^x\": {\"type\": \"null\"}}}", "{\"xy\": null, \"y\": 1}",
     "{\"xy\": 1}"},
    {"{\"properties\": {\"a\": true}, \"patternProperties\": {\"^x\": true}, "
     "\"additionalProperties\": false}",
     "{\"a\": 1, \"x1\": 1}", "{\"b\": 1}"},
    {"{\"$ref\": \"#/$defs/a~1b%25\", \"$defs\": {\"a/b%\": {\"type\": \"null\"}}}", "null", "1"},
    {"{\"$ref\": \"#here\", \"$defs\": {\"x\": {\"$anchor\": \"here\", \"type\": \"null\"}}}",
     "null", "1"},
    {"{\"$id\": \"http://a.b/c\", \"properties\": {\"next\": {\"$ref\": \"http://a.b/c\"}}, "
     "\"required\": [\"v\"]}",
     "{\"v\": 1, \"next\": {\"v\": 2}}", "{\"v\": 1, \"next\": {}}"},
    {"{\"allOf\": [{\"minimum\": 1}, {\"maximum\": 2}]}", "2", "3"},
    {"{\"anyOf\": [{\"minimum\": 3}, {\"maximum\": 1}]}", "3", "2"},
    {"{\"oneOf\": [{\"minimum\": 1}, {\"maximum\": 2}]}", "3", "2"},
    {"{\"not\": {\"type\": \"string\"}}", "1", "\"a\""},
    {"{\"if\": {\"minimum\": 5}, \"then\": {\"multipleOf\": 2}, \"else\": {\"const\": 1}}", "6",
     "2"},
    {"{\"allOf\": [{\"properties\": {\"a\": true}}], \"unevaluatedProperties\": false}",
     "{\"a\": 1}", "{\"b\": 1}"},
    {"{\"anyOf\": [{\"prefixItems\": [{\"const\": 1}, true]}, true], \"unevaluatedItems\": false}",
     "[1, 2]", "[2, 2]"},
};

START_TEST(every_keyword_holds_and_fails)
{
    const Setup setup = {"json_schema", {NULL}};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        char *record = mem_printf("{\"schema\": %s}", keywords[i][0]);
        expect(&setup, record, keywords[i][1], 1);
        expect(&setup, record, keywords[i][2], 0);
        mem_free(record);
    }
}
END_TEST

static const char *const refused[][2] = {
    {"{\"properties\": {\"a/b\": {\"minLenght\": 1}}}", "/properties/a~1b/minLenght"},
    {"{\"items\": [true]}", "/items"},
    {"{\"contentEncoding\": \"base64\"}", "/contentEncoding"},
    {"{\"$dynamicRef\": \"#a\"}", "/$dynamicRef"},
    {"{\"$schema\": \"http://json-schema.org/draft-07/schema#\"}", "/$schema"},
    {"{\"$ref\": \"other.json\"}", "$ref other.json"},
    {"{\"$ref\": \"#/$defs/a\"}", "$ref #/$defs/a"},
    {"{\"$ref\": \"#\"}", "never end"},
    {"{\"allOf\": [{\"anyOf\": [{\"$ref\": \"#\"}]}]}", "never end"},
    {"{\"type\": \"text\"}", "/type"},
    {"{\"minLength\": -1}", "/minLength"},
    {"{\"minLength\": 1.5}", "/minLength"},
    {"{\"multipleOf\": 0}", "/multipleOf"},
    {"{\"required\": \"a\"}", "/required"},
    {"{\"pattern\": \"(\"}", "/pattern"},
    {"{\"patternProperties\": {\"[\": true}}", "/patternProperties"},
    {"{\"format\": \"iri\"}", "/format"},
    {"{\"allOf\": []}", "/allOf"},
    {"{\"$defs\": {\"a\": {\"$id\": \"x\"}}}", "/$defs/a/$id"},
    {"[]", "(root)"},
};

START_TEST(refuses_what_it_cannot_check)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const Setup s = {"json_schema", {"schema", refused[i][0]}};
        expect_refused(&s, refused[i][1]);
    }
    static const Setup bad[] = {{"json_schema", {"where", "here"}},
                                {"json_schema", {"schema", "{}", "file", "x.json"}},
                                {"json_schema", {"file", "no/such/file.json"}},
                                {"json_schema", {"schema", "{} {}"}},
                                {"json_schema", {"schema", "{\"type\": 1, \"type\": 2}"}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) expect_refused(&bad[i], "");
    const Setup loose = {"json_schema", {"schema", "{\"format\": \"iri\"}", "formats", "false"}};
    expect(&loose, "{}", "\"\"", 1);
}
END_TEST

static char *repeated(const char *before, const char *unit, int n, const char *after)
{
    Buffer b = {0};
    buffer_text(&b, before);
    for (int i = 0; i < n; i++) buffer_text(&b, unit);
    buffer_text(&b, after);
    return b.data;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Sanitizers and valgrind make everything slower by a factor: this is about hangs. */
enum { FACTOR = 10 };

static void expect_quick(const char *schema, char *text, ScoreStatus status, double value)
{
    char *record = mem_printf("{\"schema\": %s}", schema);
    const Setup setup = {"json_schema", {NULL}};
    double start = seconds();
    Score got = score_text(&setup, record, text);
    double took = seconds() - start;
    ck_assert_msg(got.status == status && (status != SCORE_OK || got.value == value),
                  "%.100s for %.100s: %s %g", schema, text, score_status_name(got.status),
                  got.value);
    ck_assert_msg(took < 0.15 * FACTOR, "%.100s for %.100s: %g s", schema, text, took);
    if (getenv("TROUPE_VERBOSE")) printf("%6.1f ms  %.60s\n", 1e3 * took, schema);
    mem_free(record);
    mem_free(text);
}

START_TEST(hostile_json_is_bounded)
{
    expect_quick("{}", repeated("", "[", 100000, ""), SCORE_REFUSED, 0);
    expect_quick("{}", repeated("", "{\"a\":", 65, "1"), SCORE_REFUSED, 0);
    expect_quick("{}", repeated("[\"", "[", 100000, "\"]"), SCORE_OK, 1);
    expect_quick("{}", repeated("\"", "x", 1 << 20, "\""), SCORE_REFUSED, 0);
    expect_quick("{}", repeated("", "1", 1000000, ""), SCORE_REFUSED, 0);
    expect_quick("{}", repeated("0.", "1", 1000000, ""), SCORE_OK, 1);
    expect_quick("{}", repeated("[", "{},", 100000, "{}]"), SCORE_REFUSED, 0);
    expect_quick("{}", repeated("[", "0,", 120000, "0]"), SCORE_OK, 1);
    expect_quick("{}", repeated("[", "0,", 500000, "0]"), SCORE_REFUSED, 0);
    expect_quick("{}", repeated("\"\\\"", "\\\\", 100000, ""), SCORE_OK, 0);
    expect_quick("{}", mem_text("1e999"), SCORE_REFUSED, 0);
    expect_quick("{\"type\": \"integer\"}", mem_text("123456789012345678901234567890"), SCORE_OK,
                 1);
    expect_quick("{}", mem_text("{\"a\": 1, \"a\": 1}"), SCORE_OK, 0);
    expect_quick("{}", mem_text("\"\xFF\""), SCORE_OK, 0);
    expect_quick("{}", mem_text("\"\\ud800\""), SCORE_OK, 0);
    expect_quick("{}", mem_text("NaN"), SCORE_OK, 0);
    expect_quick("{\"const\": \"a\\u0000b\"}", mem_text("\"a\\u0000b\""), SCORE_OK, 1);
    const Setup any = {"json_schema", {"schema", "true"}};
    ck_assert(score_bytes(&any, "{}", "1\0", 2).value == 0);
}
END_TEST

START_TEST(hostile_work_is_bounded)
{
    /* both branches fail, and each only after what lies below has failed: 2^60 */
    const char *bomb =
        "{\"anyOf\": [{\"allOf\": [{\"properties\": {\"a\": {\"$ref\": \"#\"}}}, "
        "{\"required\": [\"b\"]}]}, {\"allOf\": [{\"properties\": {\"a\": {\"$ref\": "
        "\"#\"}}}, {\"required\": [\"c\"]}]}]}";
    char *opened = repeated("", "{\"a\":", 60, "{}"), *deep = repeated(opened, "}", 60, "");
    mem_free(opened);
    expect_quick(bomb, deep, SCORE_REFUSED, 0);
    expect_quick("{\"uniqueItems\": true}", repeated("[", "[0],", 60000, "1]"), SCORE_OK, 0);
    Buffer b = {0};
    buffer_text(&b, "[");
    for (int i = 0; i < 60000; i++) buffer_printf(&b, "%s%d", i ? "," : "", i);
    buffer_text(&b, "]");
    expect_quick("{\"uniqueItems\": true}", b.data, SCORE_OK, 1);
    expect_quick("{\"pattern\": \"^(a+)+$\"}", repeated("\"", "a", 50000, "b\""), SCORE_REFUSED, 0);
    expect_quick("{\"pattern\": \"(.*)(.*)(.*)(.*)x\"}", repeated("\"", "a", 1000000, "\""),
                 SCORE_OK, 0); /* PCRE2 knows that there is no x */
    expect_quick("{\"pattern\": \"(.*)(.*)(.*)[xy]\"}", repeated("\"", "a", 1000000, "\""),
                 SCORE_REFUSED, 0);
    expect_quick("{\"items\": {\"pattern\": \"^(a+)+$\"}}",
                 repeated("[", "\"aaaaaaaaaaaaaaaaaaaaaaaab\",", 30000, "1]"), SCORE_REFUSED, 0);
    expect_quick("{\"pattern\": \"^[a-z ]+\\\\.$\"}", repeated("\"", "ab ", 10000, ".\""), SCORE_OK,
                 1);
}
END_TEST

static void expect_fence(const char *text, const char *want)
{
    Span got = fence_last(span_of(text));
    if (!want)
        ck_assert_msg(!got.p, "%s", text);
    else
        ck_assert_msg(got.p && got.n == strlen(want) && memcmp(got.p, want, got.n) == 0,
                      "%s: \"%.*s\"", text, (int)got.n, got.p);
}

START_TEST(fences_are_commonmarks)
{
    expect_fence("```\na\n```", "a\n");
    expect_fence("x\n~~~~ py\na\n~~~\nb\n~~~~\n", "a\n~~~\nb\n");
    expect_fence("```\na\n~~~\n```", "a\n~~~\n");
    expect_fence("```\n```", "");
    expect_fence("   ```\na\n  ```  \n", "a\n");
    expect_fence("    ```\na\n    ```\n", NULL);
    expect_fence("```a`b\nc\n", NULL);
    expect_fence("```\na", NULL);
    expect_fence("```\na\n```b\n", NULL);
    expect_fence("```\r\na\r\n```\r\n", "a\r\n");
    expect_fence("", NULL);
    Span rest = span_of("```json\n1\n```\n```c\n2\n```\n```\n"), info;
    ck_assert(fence_next(&rest, &info).n == 2 && info.n == 4);
    ck_assert(fence_next(&rest, &info).n == 2 && info.n == 1);
    ck_assert_ptr_null(fence_next(&rest, &info).p);
}
END_TEST

TEST_MAIN("json_schema", whole_tag_and_fence, the_records_schema, one_state_for_many_records,
          every_keyword_holds_and_fails, refuses_what_it_cannot_check, hostile_json_is_bounded,
          hostile_work_is_bounded, fences_are_commonmarks)
