/* See reward_files.h. */
#include "rewardsvc/reward_files.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/utf8.h"

enum { LARGEST = 16 << 20 };

static json_t *file_json(const RewardComponent *c, const RewardSetting *s, const char *path)
{
    Buffer bytes = {0}, clean = {0};
    if (file_read(path, LARGEST, &bytes)) return NULL;
    buffer_text(&clean, "");
    utf8_clean(bytes.data, bytes.size, true, &clean);
    json_t *file =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:s%}", "component", c->name, "setting", s->key,
                  "path", path, "bytes", (json_int_t)bytes.size, "crc32c",
                  (json_int_t)crc32c(0, bytes.data, bytes.size), "text", clean.data, clean.size);
    buffer_free(&bytes);
    buffer_free(&clean);
    return file;
}

json_t *reward_files(const RewardBlock *b)
{
    json_t *list = json_array();
    for (int i = 0; i < b->n; i++) {
        const RewardComponent *c = &b->components[i];
        const RewardSetting *rows = c->reward->settings;
        for (int k = 0; rows && rows[k].key; k++) {
            if (!rows[k].file || !*c->values[k].text) continue;
            json_t *file = file_json(c, &rows[k], c->values[k].text);
            if (file && !json_array_append_new(list, file)) continue;
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

uint32_t reward_files_crc(const json_t *files)
{
    size_t i;
    json_t *f;
    uint32_t crc = 0;
    json_array_foreach((json_t *)files, i, f)
    {
        json_int_t one = json_integer_value(json_object_get(f, "crc32c"));
        crc = crc32c(crc, &one, sizeof one);
    }
    return crc;
}

static const char *text_of(const json_t *file, const char *key)
{
    const char *text = json_string_value(json_object_get(file, key));
    return text ? text : "";
}

static const json_t *find(const json_t *list, const json_t *file)
{
    size_t i;
    json_t *f;
    json_array_foreach((json_t *)list, i,
                       f) if (!strcmp(text_of(f, "component"), text_of(file, "component")) &&
                              !strcmp(text_of(f, "setting"), text_of(file, "setting"))) return f;
    return NULL;
}

int reward_files_check(const json_t *then, const json_t *now)
{
    size_t i;
    json_t *f;
    json_array_foreach((json_t *)now, i, f)
    {
        const json_t *old = find(then, f);
        if (!old || (json_equal(json_object_get(old, "crc32c"), json_object_get(f, "crc32c")) &&
                     json_equal(json_object_get(old, "bytes"), json_object_get(f, "bytes"))))
            continue;
        return fail("%s (%s of %s) is not what it was when the run began, which would make it "
                    "another run: its text then is in run.h5 (troupe inspect RUN --json, "
                    "\"reward_files\")",
                    text_of(f, "path"), text_of(f, "setting"), text_of(f, "component"));
    }
    return 0;
}
