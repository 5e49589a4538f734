/* Strict YAML: places, limits, merges, and hostile files that must be refused at once. */
#include "tests/harness.h"

#include <time.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/yaml.h"
#include "tests/common/log_capture.h"

static YamlNode *parse(const char *text)
{
    return yaml_parse("t.yaml", text, strlen(text));
}

/* The file is refused and `line` is a whole line of what is said. */
static void refuses(const char *text, const char *line)
{
    log_begin();
    YamlNode *root = parse(text);
    const char *log = log_end();
    ck_assert_msg(!root, "accepted: %s", text);
    ck_assert_msg(strstr(log, line) != NULL, "wanted \"%s\", got \"%s\"", line, log);
}

START_TEST(gives_kinds_texts_and_places)
{
    YamlNode *r = parse("a: 1\nb:\n  - x\n  - \"2\"\nc: {d: e, \"f\": [ ]}\n");
    ck_assert_ptr_nonnull(r);
    ck_assert(r->kind == YAML_MAP && r->n == 3);
    const YamlNode *b = yaml_get(r, "b"), *c = yaml_get(r, "c");
    ck_assert(b->kind == YAML_LIST && b->n == 2 && !b->items[0].quoted && b->items[1].quoted);
    ck_assert_str_eq(b->items[1].text, "2");
    ck_assert_int_eq(b->items[1].line, 4);
    ck_assert_int_eq(b->items[1].column, 5);
    ck_assert_str_eq(b->items[1].file, "t.yaml");
    ck_assert(c->kind == YAML_MAP && yaml_get(c, "f")->kind == YAML_LIST &&
              yaml_get(c, "f")->n == 0);
    ck_assert_ptr_null(yaml_get(r, "z"));
    ck_assert_ptr_null(yaml_get(b, "x"));
    yaml_close(r);
    yaml_close(NULL);
}
END_TEST

START_TEST(an_empty_file_is_an_empty_map)
{
    const char *texts[] = {"", "\n\n", "# only a comment\n"};
    for (int i = 0; i < 3; i++) {
        YamlNode *r = parse(texts[i]);
        ck_assert(r && r->kind == YAML_MAP && r->n == 0);
        yaml_close(r);
    }
}
END_TEST

START_TEST(block_texts_keep_their_lines)
{
    YamlNode *r = parse("a: |\n  one\n  two: 2\nb: >-\n  x\n  y\n");
    ck_assert_str_eq(yaml_get(r, "a")->text, "one\ntwo: 2\n");
    ck_assert_str_eq(yaml_get(r, "b")->text, "x y");
    ck_assert(yaml_get(r, "a")->quoted);
    yaml_close(r);
}
END_TEST

START_TEST(aliases_are_copies_with_the_place_of_the_original)
{
    YamlNode *r = parse("a: &x {k: [1, 2]}\nb: *x\nc: &x 3\nd: *x\n");
    const YamlNode *k = yaml_get(yaml_get(r, "b"), "k");
    ck_assert(k && k->n == 2 && k->items[1].line == 1);
    ck_assert_str_eq(yaml_get(r, "d")->text, "3");
    yaml_close(r);
}
END_TEST

START_TEST(merges_maps_and_own_keys_win)
{
    YamlNode *r = parse(
        "p: &p {a: 1, b: 2}\nq: &q {b: 3, c: 4}\nm:\n  b: 9\n  <<: *p\nn: {<<: [*p, *q], d: 5}\n");
    const YamlNode *m = yaml_get(r, "m"), *n = yaml_get(r, "n");
    ck_assert(m->n == 2 && n->n == 4);
    ck_assert_str_eq(yaml_get(m, "a")->text, "1");
    ck_assert_str_eq(yaml_get(m, "b")->text, "9");
    ck_assert_str_eq(yaml_get(n, "b")->text, "2");
    ck_assert_str_eq(yaml_get(n, "c")->text, "4");
    yaml_close(r);
    refuses("a: {<<: 3}\n", "t.yaml:1:9: << takes a map or a list of maps\n");
}
END_TEST

START_TEST(refuses_with_line_and_column)
{
    refuses("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: key a was given before, in line 1\n");
    refuses("a: {x: 1, y: 2, x: 3}\n", "t.yaml:1:17: key x was given before, in line 1\n");
    refuses("a: *nobody\n", "t.yaml:1:4: alias *nobody: no anchor &nobody comes before it\n");
    refuses("a: &x [1, *x]\n", "t.yaml:1:11: alias *x stands inside the value it names\n");
    refuses("a: !!int 3\n",
            "t.yaml:1:4: tag tag:yaml.org,2002:int: tags are not read, leave it out\n");
    refuses("[a]: 3\n", "t.yaml:1:1: a key must be text\n");
    refuses("a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document: a file has one\n");
    refuses("a: 1\n\tb: 2\n", "t.yaml:2:1: ");
    refuses("a: [1\nb: 2\n", "t.yaml:2:");
    refuses("a: \"x\\0y\"\n", "t.yaml:1:4: text with a NUL character inside\n");
    refuses("a: \x01\n", "t.yaml:1:4: control characters are not allowed (0x01)\n");
    refuses("a: b\nc: \xff\xfe\n", "t.yaml:2:4: invalid leading UTF-8 octet (0xff)\n");
    refuses("a: \xed\xa0\x80\n", "t.yaml:1:4: ");
}
END_TEST

START_TEST(reports_every_error)
{
    log_begin();
    YamlNode *r = parse("a: 1\na: 2\nb: *no\nc: {x: 1, x: 2}\n? [k]\n: 2\n");
    const char *log = log_end();
    ck_assert_ptr_null(r);
    ck_assert_int_eq(log_lines(log), 4);
}
END_TEST

START_TEST(never_prints_more_than_a_screen)
{
    Buffer b = {0};
    for (int i = 0; i < 5000; i++) buffer_text(&b, "a: *b\n");
    log_begin();
    YamlNode *r = yaml_parse("t.yaml", b.data, b.size);
    const char *log = log_end();
    ck_assert_ptr_null(r);
    ck_assert_int_eq(log_lines(log), 21);
    buffer_free(&b);
}
END_TEST

START_TEST(what_is_quoted_in_a_message_moves_no_cursor)
{
    refuses("\"a\\e[2J\": 1\n\"a\\e[2J\": 2\n",
            "t.yaml:2:1: key a?[2J was given before, in line 1\n");
}
END_TEST

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void refuses_fast(const Buffer *b, const char *part)
{
    double start = seconds();
    log_begin();
    YamlNode *r = yaml_parse("t.yaml", b->data, b->size);
    const char *log = log_end();
    ck_assert_ptr_null(r);
    ck_assert_msg(strstr(log, part) != NULL, "wanted \"%s\", got \"%.300s\"", part, log);
    ck_assert_msg(seconds() - start < 1, "%g seconds for %.20s", seconds() - start, b->data);
}

START_TEST(refuses_hostile_files_at_once)
{
    Buffer b = {0};
    buffer_text(&b, "a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n");
    for (int i = 1; i < 9; i++) {
        buffer_printf(&b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++) buffer_printf(&b, "%s*a%d", k ? "," : "", i - 1);
        buffer_text(&b, "]\n");
    }
    refuses_fast(&b, "more than 10000 values");
    const char *repeats[][2] = {{"[", "nested deeper than 64 levels"},
                                {"{a: ", "nested deeper than 64 levels"},
                                {"- ", "nested deeper than 64 levels"},
                                {"? ", "nested deeper than 64 levels"},
                                {"- a\n", "more than 10000 values"},
                                {"&", "t.yaml:1:2: "},
                                {"\"", "t.yaml:"},
                                {"*a ", "t.yaml:"},
                                {"%", "t.yaml:1:"},
                                {"\xc3", "t.yaml:1:2: invalid trailing"},
                                {"'a': &b\n", "t.yaml:"}};
    for (size_t i = 0; i < sizeof repeats / sizeof *repeats; i++) {
        b.size = 0;
        for (int k = 0; k < 200000 && b.size < 1000000; k++) buffer_text(&b, repeats[i][0]);
        refuses_fast(&b, repeats[i][1]);
    }
    b.size = 0; /* 10,000 different keys of 90 bytes, then one twice */
    for (int k = 0; k < 4900; k++) buffer_printf(&b, "%080d: 1\n", k);
    buffer_printf(&b, "%080d: 1\n", 17);
    refuses_fast(&b, "was given before, in line 18");
    b.size = 0;
    while (b.size <= 1 << 20) buffer_text(&b, "# a comment\n");
    refuses_fast(&b, "larger than 1 MiB");
    buffer_free(&b);
}
END_TEST

static YamlNode scalar(const char *text, bool quoted)
{
    return (YamlNode){.kind = YAML_SCALAR,
                      .file = "t.yaml",
                      .line = 7,
                      .column = 3,
                      .text = mem_text(text),
                      .quoted = quoted};
}

START_TEST(numbers_are_decimal_and_whole)
{
    struct {
        const char *text;
        bool quoted, good;
        double value;
    } cases[] = {
        {"1e-6", 0, 1, 1e-6}, {"-3", 0, 1, -3},   {".5", 0, 1, .5},  {"+2.50", 0, 1, 2.5},
        {"0", 0, 1, 0},       {"1e400", 0, 0, 0}, {"nan", 0, 0, 0},  {"inf", 0, 0, 0},
        {"0x10", 0, 0, 0},    {"1_000", 0, 0, 0}, {"1.5x", 0, 0, 0}, {"", 0, 0, 0},
        {".", 0, 0, 0},       {"1e", 0, 0, 0},    {"5", 1, 0, 0},    {"101", 0, 0, 0},
        {"-101", 0, 0, 0},    {"007", 0, 0, 0},   {" 5", 0, 0, 0},   {"1.", 0, 1, 1},
        {"e5", 0, 0, 0},
    };
    errors_quiet(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        YamlNode n = scalar(cases[i].text, cases[i].quoted);
        double x = 77;
        int rc = yaml_number(&n, "a.b", -100, 100, &x);
        ck_assert_msg((rc == 0) == cases[i].good, "\"%s\"", cases[i].text);
        ck_assert(x == (cases[i].good ? cases[i].value : 77));
        mem_free(n.text);
    }
    YamlNode n = scalar("ten", false);
    double x;
    yaml_number(&n, "a.b", 0, 1, &x);
    ck_assert_str_eq(errors_last(), "t.yaml:7:3: a.b: ten is not a number");
    errors_quiet(-1);
    mem_free(n.text);
}
END_TEST

START_TEST(integers_have_no_point_no_octal_no_overflow)
{
    const char *good[] = {"0", "-5", "+5", "9223372036854775807", "-9223372036854775808"};
    const char *bad[] = {"1.0", "1e3", "010", "0x1",   "9223372036854775808",
                         "",    "-",   "5 ",  "1,000", "--5"};
    errors_quiet(1);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        YamlNode n = scalar(good[i], false);
        long long x;
        ck_assert_msg(!yaml_integer(&n, "a.b", INT64_MIN, INT64_MAX, &x), "%s", good[i]);
        ck_assert(x == strtoll(good[i], NULL, 10));
        mem_free(n.text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        YamlNode n = scalar(bad[i], false);
        long long x;
        ck_assert_msg(yaml_integer(&n, "a.b", INT64_MIN, INT64_MAX, &x), "%s", bad[i]);
        mem_free(n.text);
    }
    errors_quiet(-1);
}
END_TEST

START_TEST(a_bool_is_true_or_false)
{
    const char *bad[] = {"yes", "no", "on", "True", "1", ""};
    bool x = false;
    YamlNode n = scalar("true", false);
    ck_assert(!yaml_bool(&n, "a.b", &x) && x);
    mem_free(n.text);
    errors_quiet(1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        n = scalar(bad[i], false);
        ck_assert_msg(yaml_bool(&n, "a.b", &x) == -1, "%s", bad[i]);
        mem_free(n.text);
    }
    errors_quiet(-1);
}
END_TEST

START_TEST(suggests_only_what_is_near)
{
    const char *words[] = {"learner", "rollout", "lr", "temperature"};
    ck_assert_str_eq(nearest_word("lerner", words, 4), "learner");
    ck_assert_str_eq(nearest_word("rolluot", words, 4), "rollout");
    ck_assert_str_eq(nearest_word("Temprature", words, 4), "temperature");
    ck_assert_str_eq(nearest_word("lt", words, 4), "lr");
    ck_assert_ptr_null(nearest_word("banana", words, 4));
    ck_assert_ptr_null(nearest_word("x", words, 4));
    ck_assert_ptr_null(nearest_word("", words, 4));
}
END_TEST

TEST_MAIN("yaml", gives_kinds_texts_and_places, an_empty_file_is_an_empty_map,
          block_texts_keep_their_lines, aliases_are_copies_with_the_place_of_the_original,
          merges_maps_and_own_keys_win, refuses_with_line_and_column, reports_every_error,
          never_prints_more_than_a_screen, what_is_quoted_in_a_message_moves_no_cursor,
          refuses_hostile_files_at_once, numbers_are_decimal_and_whole,
          integers_have_no_point_no_octal_no_overflow, a_bool_is_true_or_false,
          suggests_only_what_is_near)
