/* A live log as a killed writer, a full disk or anyone may leave it: the bytes as they are, then
 * the same bytes as the bodies of frames whose headers and CRCs fit. Reading ends, and gives no
 * group that does not pack again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/runfile_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *path(void)
{
    static char name[64];
    if (!*name) snprintf(name, sizeof name, "/tmp/fuzz_livelog.%ld", (long)getpid());
    return name;
}

static void remove_file(void)
{
    unlink(path());
}

static void read_log(const void *data, size_t size)
{
    static int registered;
    if (!registered++) atexit(remove_file);
    FILE *f = fopen(path(), "wb");
    REQUIRE(f && fwrite(data, 1, size, f) == size && !fclose(f), "%s", path());
    LogReader log;
    Group g;
    int64_t step, before = -1;
    REQUIRE(!log_open(&log, path()), "%s", errors_last());
    while (log_next(&log, &step, &g)) {
        Buffer b = {0};
        REQUIRE(log.at > before && log.at <= log.size, "at %lld of %lld", (long long)log.at,
                (long long)log.size);
        before = log.at;
        group_pack(&g, &b);
        group_free(&g);
        buffer_free(&b);
    }
    group_free(&g);
    log_close(&log);
}

/* Bodies are cut where the input says 0xFE 0xED; each gets its own CRC and a whole header. */
static void seal(const uint8_t *data, size_t size, Buffer *out)
{
    for (size_t from = 0, to; from < size; from = to + 2) {
        for (to = from; to + 1 < size && !(data[to] == 0xfe && data[to + 1] == 0xed);) to++;
        if (to + 1 >= size) to = size;
        uint32_t crc = crc32c(0, data + from, to - from);
        LogFrame f = {.magic = 0x676f6c54u, .step = (int64_t)from, .bytes = to - from + sizeof crc};
        f.crc = crc32c(crc32c(crc32c(0, &f, sizeof f), data + from, to - from), &crc, sizeof crc);
        buffer_add(out, &f, sizeof f);
        buffer_add(out, data + from, to - from);
        buffer_add(out, &crc, sizeof crc);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Buffer frames = {0};
    errors_quiet(1);
    read_log(data, size);
    seal(data, size, &frames);
    if (frames.size) read_log(frames.data, frames.size);
    errors_quiet(-1);
    buffer_free(&frames);
    return 0;
}
