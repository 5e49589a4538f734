/* A checkpoint directory from anyone. The input is MANIFEST without its last line, a byte 0, and
 * the bytes of shard-000.h5; the last line is made to fit, so that what stands in the lines is
 * reached. state.h5 has fixed bytes. Whatever is accepted loads into arrays of the shapes it names,
 * and into no others.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/checkpoint.h"
#include "common/errors.h"
#include "common/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64], checkpoint[128];

static void write_file(const char *name, const void *data, size_t n)
{
    char *path = mem_printf("%s/%s", checkpoint, name);
    FILE *f = fopen(path, "wb");
    REQUIRE(f && (!n || fwrite(data, 1, n, f) == n) && !fclose(f), "%s", path);
    mem_free(path);
}

static void remove_all(void)
{
    static const char *const names[] = {"MANIFEST", "shard-000.h5", "state.h5"};
    for (int i = 0; i < 3; i++) {
        char *path = mem_printf("%s/%s", checkpoint, names[i]);
        unlink(path);
        mem_free(path);
    }
    rmdir(checkpoint);
    checkpoint[strlen(folder) + strlen("/checkpoints")] = 0;
    rmdir(checkpoint);
    rmdir(folder);
}

static void begin(void)
{
    if (*folder) return;
    snprintf(folder, sizeof folder, "/tmp/fuzz_checkpoint.XXXXXX");
    REQUIRE(mkdtemp(folder), "%s", folder);
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoints", folder);
    mkdir(checkpoint, 0700);
    strcat(checkpoint, "/step-000001");
    mkdir(checkpoint, 0700);
    write_file("state.h5", "0123456789", 10);
    atexit(remove_all);
}

static void load_all(size_t file_bytes)
{
    CheckpointArray *a;
    int n;
    if (checkpoint_list(checkpoint, &a, &n)) return;
    for (int i = 0; i < n; i++) {
        int64_t bytes = 4;
        for (int d = 0; d < a[i].n_dims; d++)
            REQUIRE(!__builtin_mul_overflow(bytes, a[i].dims[d], &bytes) &&
                        bytes <= (int64_t)file_bytes,
                    "%s is larger than its file", a[i].name);
        a[i].data = mem_zeroed((size_t)bytes, 1);
    }
    checkpoint_load(checkpoint, a, n);
    for (int i = 0; i < n; i++) {
        mem_free(a[i].data);
        mem_free((char *)a[i].name);
    }
    mem_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = memchr(data, 0, size);
    size_t n = cut ? (size_t)(cut - data) : size, rest = cut ? size - n - 1 : 0;
    CheckpointState s;
    char path[4096];
    Buffer manifest = {0};
    begin();
    errors_quiet(1);
    buffer_add(&manifest, data, n);
    buffer_printf(&manifest, "end %08x\n", crc32c(0, data, n));
    write_file("MANIFEST", manifest.data, manifest.size);
    write_file("shard-000.h5", rest ? cut + 1 : data, rest);
    load_all(rest > 10 ? rest : 10);
    if (!checkpoint_read_state(checkpoint, &s)) {
        mem_free(s.config_text);
        mem_free(s.service_state);
    }
    checkpoint_find(folder, path, sizeof path);
    errors_quiet(-1);
    buffer_free(&manifest);
    return 0;
}
