/* The official JSON-Schema-Test-Suite (github.com/json-schema-org/JSON-Schema-Test-Suite) against
 * our checks. TROUPE_SCHEMA_SUITE names its folder tests/draft2020-12; without it the test is
 * skipped. Every case must be right or its schema refused at compilation, never wrong. */
#include <dirent.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/json_text.h"
#include "rewardsvc/schema.h"
#include "tests/harness.h"

static struct {
    int right, wrong, refused, refused_groups, undecided;
} counts;

static void check_group(const char *file, json_t *group, bool formats)
{
    json_t *tests = json_object_get(group, "tests"), *test;
    const char *about = json_string_value(json_object_get(group, "description"));
    size_t i;
    if (strstr(about, "A-label")) return; /* xn-- is not decoded: schema_format.c says so */
    errors_quiet(1);
    Schema *s = schema_compile(json_object_get(group, "schema"), formats);
    errors_quiet(-1);
    if (!s) {
        counts.refused += (int)json_array_size(tests);
        counts.refused_groups++;
        if (getenv("TROUPE_VERBOSE")) printf("refused %s (%s): %s\n", file, about, errors_last());
        return;
    }
    json_array_foreach(tests, i, test)
    {
        SchemaVerdict v = schema_check(s, json_object_get(test, "data"));
        bool valid = json_is_true(json_object_get(test, "valid"));
        if (v == SCHEMA_UNDECIDED)
            counts.undecided++;
        else if (valid == (v == SCHEMA_VALID))
            counts.right++;
        else
            counts.wrong++, printf("wrong: %s: %s: %s is %s\n", file, about,
                                   json_string_value(json_object_get(test, "description")),
                                   valid ? "valid" : "invalid");
    }
    schema_free(s);
}

static void check_file(const char *path, bool formats)
{
    Buffer b = {0};
    json_t *groups, *group;
    size_t i;
    ck_assert_int_eq(file_read(path, 1 << 24, &b), 0);
    JsonTextVerdict v = json_text_read((Span){b.data, b.size}, &groups);
    if (v != JSON_TEXT_FINE) printf("not read: %s: %s\n", path, errors_last());
    json_array_foreach(groups, i, group) check_group(path, group, formats);
    json_decref(groups);
    buffer_free(&b);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_folder(const char *folder, bool formats)
{
    char *paths[200];
    int n = 0;
    DIR *d = opendir(folder);
    ck_assert_msg(d != NULL, "%s", folder);
    for (struct dirent *e; (e = readdir(d)) && n < 200;)
        if (strstr(e->d_name, ".json")) paths[n++] = mem_printf("%s/%s", folder, e->d_name);
    closedir(d);
    qsort(paths, (size_t)n, sizeof *paths, by_name);
    for (int i = 0; i < n; i++) {
        check_file(paths[i], formats);
        mem_free(paths[i]);
    }
}

static void report(const char *what)
{
    printf("%s: %d right, %d wrong, %d undecided, %d in %d refused schemas\n", what, counts.right,
           counts.wrong, counts.undecided, counts.refused, counts.refused_groups);
    ck_assert_int_eq(counts.wrong, 0);
    ck_assert_int_eq(counts.undecided, 0);
    ck_assert_int_gt(counts.right, 5 * counts.refused);
    memset(&counts, 0, sizeof counts);
}

START_TEST(agrees_with_the_official_suite)
{
    check_folder(getenv("TROUPE_SCHEMA_SUITE"), false);
    report("required part");
}
END_TEST

START_TEST(agrees_with_its_formats)
{
    static const char *const checked[] = {"date",     "time",         "date-time", "duration",
                                          "email",    "ipv4",         "ipv6",      "uuid",
                                          "hostname", "json-pointer", "uri"};
    for (size_t i = 0; i < sizeof checked / sizeof *checked; i++) {
        char *path =
            mem_printf("%s/optional/format/%s.json", getenv("TROUPE_SCHEMA_SUITE"), checked[i]);
        check_file(path, true);
        mem_free(path);
    }
    report("formats");
}
END_TEST

int main(void)
{
    const char *folder = getenv("TROUPE_SCHEMA_SUITE");
    if (!folder || !*folder) {
        printf("TROUPE_SCHEMA_SUITE is not set: the official suite is not here\n");
        return 77;
    }
    Suite *s = suite_create("schema suite");
    TCase *c = tcase_create("schema suite");
    tcase_add_test(c, agrees_with_the_official_suite);
    tcase_add_test(c, agrees_with_its_formats);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
