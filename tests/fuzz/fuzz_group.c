/* Bytes that claim to be a group: as they are, and with a CRC that fits, so that the lengths behind
 * it are reached. What is accepted packs to the same bytes again. */
#include <stdint.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Group g;
    Buffer sealed = {0}, again = {0};
    uint32_t crc = crc32c(0, data, size);
    errors_quiet(1);
    if (!group_unpack(&g, data, size)) group_free(&g);
    buffer_add(&sealed, data, size);
    buffer_add(&sealed, &crc, sizeof crc);
    if (!group_unpack(&g, sealed.data, sealed.size)) {
        group_pack(&g, &again);
        REQUIRE(again.size == sealed.size && !memcmp(again.data, sealed.data, again.size),
                "%zu bytes became %zu", sealed.size, again.size);
    }
    group_free(&g);
    errors_quiet(-1);
    buffer_free(&sealed);
    buffer_free(&again);
    return 0;
}
