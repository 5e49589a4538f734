/* A schema and an instance from anyone, parted by the first line end. Reading, compiling and
 * checking end; the verdict is the same twice, and the same for what dumps and reads again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/json_text.h"
#include "rewardsvc/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_instance(const Schema *s, json_t *instance)
{
    SchemaVerdict verdict = schema_check(s, instance);
    json_t *again;
    char *dump = json_dumps(instance, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
    REQUIRE(dump, "an instance that does not dump");
    REQUIRE(json_text_read(span_of(dump), &again) == JSON_TEXT_FINE, "%s does not read again",
            dump);
    REQUIRE(verdict == schema_check(s, again), "another verdict of %s", dump);
    long steps = 0;
    REQUIRE(json_same(instance, again, &steps) && json_hash(instance) == json_hash(again),
            "%s is another value", dump);
    json_decref(again);
    free(dump);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Span text = {(const char *)data, size}, first = span_line(text), rest = {"", 0};
    json_t *json, *instance;
    if (first.n < size) rest = (Span){first.p + first.n + 1, size - first.n - 1};
    errors_quiet(1);
    if (size > 0 && json_text_read(first, &json) == JSON_TEXT_FINE) {
        Schema *s = schema_compile(json, first.n % 2);
        if (s && json_text_read(rest, &instance) == JSON_TEXT_FINE) {
            check_instance(s, instance);
            json_decref(instance);
        }
        schema_free(s);
        json_decref(json);
    }
    errors_quiet(-1);
    return 0;
}
