/* What files of a reward block are kept, and when they count as changed. */
#include "rewardsvc/reward_files.h"

#include <unistd.h>

#include "common/errors.h"
#include "common/yaml.h"
#include "tests/harness.h"

static char path[] = "/tmp/troupe-reward-files-XXXXXX";

static void write_file(const char *bytes, size_t n)
{
    FILE *f = fopen(path, "w");
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static RewardBlock open_block(void)
{
    RewardBlock b;
    char *text = mem_printf("[{name: json_schema, as: shape, file: \"%s\"}, random]", path);
    YamlNode *list = yaml_parse("t", text, strlen(text));
    ck_assert_msg(reward_block_open(&b, list) == 0, "%s", errors_last());
    yaml_close(list);
    mem_free(text);
    return b;
}

START_TEST(contents_are_kept_and_compared_by_bytes)
{
    static const char first[] = "{\"title\": \"\xc3\xa4\"}", other[] = "{\"title\": \"\xc3\xb6\"}";
    ck_assert_int_ge(mkstemp(path), 0);
    write_file(first, sizeof first - 1);
    RewardBlock b = open_block();
    json_t *then = reward_files(&b), *file = json_array_get(then, 0);
    ck_assert_uint_eq(json_array_size(then), 1);
    ck_assert_str_eq(json_string_value(json_object_get(file, "component")), "shape");
    ck_assert_str_eq(json_string_value(json_object_get(file, "setting")), "file");
    ck_assert_str_eq(json_string_value(json_object_get(file, "text")), first);
    ck_assert_int_eq(json_integer_value(json_object_get(file, "bytes")), sizeof first - 1);
    ck_assert_int_eq(json_integer_value(json_object_get(file, "crc32c")),
                     crc32c(0, first, sizeof first - 1));

    json_t *now = reward_files(&b);
    ck_assert_int_eq(reward_files_check(then, now), 0);
    ck_assert_int_eq(reward_files_check(NULL, now), 0); /* a run that kept none */
    ck_assert_uint_eq(reward_files_crc(then), reward_files_crc(now));
    json_decref(now);

    write_file(other, sizeof other - 1);
    now = reward_files(&b);
    errors_quiet(1);
    ck_assert_int_eq(reward_files_check(then, now), -1);
    errors_quiet(-1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "(file of shape) is not what it was"));
    ck_assert_uint_ne(reward_files_crc(then), reward_files_crc(now));
    json_decref(now);

    write_file("\xff\0", 2); /* no UTF-8, a zero byte */
    now = reward_files(&b);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(now, 0), "text")),
                     "\xef\xbf\xbd\xef\xbf\xbd");
    json_decref(now);
    unlink(path);
    errors_quiet(1);
    ck_assert_ptr_null(reward_files(&b));
    errors_quiet(-1);
    json_decref(then);
    reward_block_close(&b);
}
END_TEST

TEST_MAIN("reward_files", contents_are_kept_and_compared_by_bytes)
