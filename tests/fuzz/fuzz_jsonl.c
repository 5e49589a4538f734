/* Rows of JSON from anyone. Reading ends; every row is an object that dumps and reads again to the
 * same; every field is text or is refused. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/jsonl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const Jsonl *j, json_t *row)
{
    const char *key;
    json_t *value;
    REQUIRE(json_is_object(row), "a row that is no object");
    char *dump = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_t *again = dump ? json_loads(dump, JSON_REJECT_DUPLICATES, NULL) : NULL;
    REQUIRE(again && json_equal(row, again), "line %ld comes back as another row: %s", j->number,
            dump ? dump : "nothing");
    json_decref(again);
    free(dump);
    json_object_foreach(row, key, value)
    {
        char *text = jsonl_text(j, row, key);
        REQUIRE(!text == !(json_is_string(value) || json_is_number(value)),
                "field %s is text or is not", key);
        mem_free(text);
    }
    mem_free(jsonl_text(j, row, "\x01 no such field"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char none = 0;
    Jsonl j = {.file =
                   size ? fmemopen((void *)(uintptr_t)data, size, "rb") : fmemopen(&none, 1, "rb"),
               .name = mem_text("fuzz")};
    REQUIRE(j.file, "no memory stream");
    json_t *row;
    int more;
    long last = 0;
    errors_quiet(1);
    while ((more = jsonl_next(&j, &row))) {
        REQUIRE(j.number > last && (size_t)j.number <= size + 1, "line %ld after line %ld",
                j.number, last);
        REQUIRE((more > 0) == (row != NULL), "%d with%s a row", more, row ? "" : "out");
        last = j.number;
        if (more > 0) check_row(&j, row);
        json_decref(row);
    }
    errors_quiet(-1);
    jsonl_close(&j);
    return 0;
}
