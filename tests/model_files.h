/* Small model files made by hand, byte by byte, for tests and seeds of the fuzz targets: not by the
 * program's own writers, so that a mistake shared by reader and writer shows. Also: counting the
 * lines that a call prints on standard error. */
#ifndef TESTS_MODEL_FILES_H
#define TESTS_MODEL_FILES_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/dtype.h"
#include "common/memory.h"
#include "common/tensor_names.h"
#include "common/tensors.h"

#define UNUSED __attribute__((unused))

/* ---- numbers: anything that is the same everywhere ------------------------------------------- */

static UNUSED uint32_t fixture_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33);
}

/* In (-1, 1), with few bits: F16 and BF16 hold it exactly. */
static UNUSED float fixture_number(uint64_t *state)
{
    return (float)((int)(fixture_random(state) % 255) - 127) / 128;
}

/* ---- GGUF ------------------------------------------------------------------------------------ */

typedef struct {
    Buffer keys, infos, data;
    uint64_t n_keys, n_tensors;
} GgufMaker;

static UNUSED void put_u32(Buffer *b, uint32_t v)
{
    buffer_add(b, &v, 4);
}

static UNUSED void put_u64(Buffer *b, uint64_t v)
{
    buffer_add(b, &v, 8);
}

static UNUSED void put_string(Buffer *b, const char *s)
{
    put_u64(b, strlen(s));
    buffer_text(b, s);
}

static UNUSED void maker_key(GgufMaker *m, const char *key, uint32_t type)
{
    put_string(&m->keys, key);
    put_u32(&m->keys, type);
    m->n_keys++;
}

static UNUSED void maker_u32(GgufMaker *m, const char *key, uint32_t v)
{
    maker_key(m, key, 4);
    put_u32(&m->keys, v);
}

static UNUSED void maker_f32(GgufMaker *m, const char *key, float v)
{
    maker_key(m, key, 6);
    buffer_add(&m->keys, &v, 4);
}

static UNUSED void maker_text(GgufMaker *m, const char *key, const char *s)
{
    maker_key(m, key, 8);
    put_string(&m->keys, s);
}

/* dims in GGUF's order; data is padded to 32 bytes as the format asks. */
static UNUSED void maker_tensor(GgufMaker *m, const char *name, uint32_t type, const int64_t *dims,
                                int n_dims, const void *data, size_t bytes)
{
    static const char zeros[32];
    put_string(&m->infos, name);
    put_u32(&m->infos, (uint32_t)n_dims);
    for (int i = 0; i < n_dims; i++) put_u64(&m->infos, (uint64_t)dims[i]);
    put_u32(&m->infos, type);
    put_u64(&m->infos, m->data.size);
    buffer_add(&m->data, data, bytes);
    buffer_add(&m->data, zeros, (32 - m->data.size % 32) % 32);
    m->n_tensors++;
}

static UNUSED void maker_finish(GgufMaker *m, uint32_t version, Buffer *out)
{
    static const char zeros[32];
    buffer_text(out, "GGUF");
    put_u32(out, version);
    put_u64(out, m->n_tensors);
    put_u64(out, m->n_keys);
    buffer_add(out, m->keys.data, m->keys.size);
    buffer_add(out, m->infos.data, m->infos.size);
    buffer_add(out, zeros, (32 - out->size % 32) % 32);
    buffer_add(out, m->data.data, m->data.size);
    buffer_free(&m->keys);
    buffer_free(&m->infos);
    buffer_free(&m->data);
    *m = (GgufMaker){0};
}

/* ---- a tiny model ---------------------------------------------------------------------------- */

static UNUSED ModelDesc fixture_desc(const char *architecture, bool tied)
{
    ModelDesc d = {.L = 2,
                   .C = 32,
                   .H = 2,
                   .Kh = 1,
                   .D = 16,
                   .F = 64,
                   .V = 40,
                   .max_positions = 128,
                   .rms_eps = 1e-5f,
                   .rope_theta = 10000,
                   .tied = tied,
                   .qkv_bias = !strcmp(architecture, "qwen2"),
                   .qk_norm = !strcmp(architecture, "qwen3"),
                   .bos = 1,
                   .eos = 2};
    snprintf(d.architecture, sizeof d.architecture, "%s", architecture);
    return d;
}

static UNUSED size_t spec_numbers(const TensorSpec *s)
{
    return (size_t)s->dims[0] * (s->n_dims == 2 ? (size_t)s->dims[1] : 1);
}

/* The numbers of the i-th tensor, in Hugging Face's order. Caller frees. */
static UNUSED float *fixture_tensor(const TensorSpec *s, int i)
{
    uint64_t state = 977u * (uint64_t)(i + 1);
    float *x = NEW(float, spec_numbers(s));
    for (size_t k = 0; k < spec_numbers(s); k++) x[k] = fixture_number(&state);
    return x;
}

/* Stores x [n] as ggml's type and puts into x what that type can say: a second statement of the
 * formats beside dtype.c. */
static UNUSED void fixture_store(Buffer *out, float *x, size_t n, Dtype type)
{
    for (size_t i = 0; i < n; i += 32) {
        unsigned char q[32];
        float scale = 1 / 64.0f, low = -0.25f;
        if (type == DTYPE_F32) {
            buffer_add(out, x + i, 4 * (n - i < 32 ? n - i : 32));
            continue;
        }
        if (type == DTYPE_F16 || type == DTYPE_BF16) {
            for (size_t k = i; k < i + 32 && k < n; k++) {
                uint16_t h = type == DTYPE_F16 ? f16_from_f32(x[k]) : bf16_from_f32(x[k]);
                buffer_add(out, &h, 2);
            }
            continue;
        }
        uint16_t d = f16_from_f32(scale), m = f16_from_f32(low);
        buffer_add(out, &d, 2);
        if (type == DTYPE_Q4_1) buffer_add(out, &m, 2);
        for (int k = 0; k < 32; k++) {
            float *v = &x[i + (size_t)k];
            int code = (int)(*v * 64);
            if (type == DTYPE_Q8_0) {
                q[k] = (unsigned char)(signed char)code;
                *v = (float)code * scale;
            } else {
                q[k] = (unsigned char)(code & 15);
                *v = type == DTYPE_Q4_0 ? (float)(q[k] - 8) * scale : (float)q[k] * scale + low;
            }
        }
        if (type == DTYPE_Q8_0) buffer_add(out, q, 32);
        for (int k = 0; type != DTYPE_Q8_0 && k < 16; k++) {
            unsigned char both = (unsigned char)(q[k] | q[k + 16] << 4);
            buffer_add(out, &both, 1);
        }
    }
}

static UNUSED uint32_t fixture_ggml_type(Dtype t)
{
    static const uint32_t number[] = {[DTYPE_F32] = 0,  [DTYPE_F16] = 1,  [DTYPE_BF16] = 30,
                                      [DTYPE_Q8_0] = 8, [DTYPE_Q4_0] = 2, [DTYPE_Q4_1] = 3};
    return number[t];
}

static UNUSED void fixture_keys(GgufMaker *m, const ModelDesc *d)
{
    char key[64];
    maker_text(m, "general.architecture", d->architecture);
    const struct {
        const char *rest;
        int v;
    } sizes[] = {{"block_count", d->L},          {"context_length", d->max_positions},
                 {"embedding_length", d->C},     {"feed_forward_length", d->F},
                 {"attention.head_count", d->H}, {"attention.head_count_kv", d->Kh}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(key, sizeof key, "%s.%s", d->architecture, sizes[i].rest);
        maker_u32(m, key, (uint32_t)sizes[i].v);
    }
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", d->architecture);
    maker_f32(m, key, d->rms_eps);
    maker_u32(m, "tokenizer.ggml.bos_token_id", (uint32_t)d->bos);
    maker_u32(m, "tokenizer.ggml.eos_token_id", (uint32_t)d->eos);
}

/* All tensors of d as `type` (vectors as F32), q and k of "llama" interleaved. numbers: NULL, or
 * [specs] of what a reader must give; the caller frees. */
static UNUSED void fixture_tensors(GgufMaker *m, const ModelDesc *d, Dtype type, float **numbers)
{
    for (int i = 0; i < tensor_spec_count(d); i++) {
        TensorSpec s;
        Buffer stored = {0};
        tensor_spec_at(d, i, &s);
        float *x = fixture_tensor(&s, i);
        Dtype t = s.n_dims == 1 ? DTYPE_F32 : type;
        fixture_store(&stored, x, spec_numbers(&s), t);
        if (s.rope_heads &&
            !strcmp(d->architecture,
                    "llama")) { /* file row (head, j, half) holds our row (head, half, j) */
            size_t bytes = stored.size / (size_t)s.dims[0], D = (size_t)d->D;
            char *rows = mem_zeroed(stored.size, 1);
            for (size_t head = 0; head < (size_t)s.rope_heads; head++)
                for (size_t half = 0; half < 2; half++)
                    for (size_t j = 0; j < D / 2; j++)
                        memcpy(rows + (head * D + 2 * j + half) * bytes,
                               stored.data + (head * D + half * D / 2 + j) * bytes, bytes);
            memcpy(stored.data, rows, stored.size);
            mem_free(rows);
        }
        int64_t dims[2] = {s.n_dims == 2 ? s.dims[1] : s.dims[0], s.dims[0]};
        maker_tensor(m, s.gguf_name, fixture_ggml_type(t), dims, s.n_dims, stored.data,
                     stored.size);
        buffer_free(&stored);
        if (numbers)
            numbers[i] = x;
        else
            mem_free(x);
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

static UNUSED void write_bytes(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f)) {
        perror(path);
        exit(99);
    }
}

/* A fresh folder, removed when the program ends. */
static char fixture_folder_name[64];
static UNUSED void fixture_remove(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", fixture_folder_name);
    if (system(command)) perror("rm");
}
static UNUSED const char *fixture_folder(void)
{
    if (!fixture_folder_name[0]) {
        snprintf(fixture_folder_name, sizeof fixture_folder_name, "/tmp/troupe-test-XXXXXX");
        if (!mkdtemp(fixture_folder_name)) exit(99);
        atexit(fixture_remove);
    }
    return fixture_folder_name;
}
static UNUSED const char *fixture_path(const char *name)
{
    static char path[4][256];
    static int turn;
    char *p = path[turn++ % 4];
    snprintf(p, 256, "%s/%s", fixture_folder(), name);
    return p;
}

/* ---- lines on standard error ----------------------------------------------------------------- */

static int caught_fd = -1, kept_fd = -1;
static UNUSED void catch_stderr(void)
{
    if (caught_fd < 0) {
        char name[] = "/tmp/troupe-stderr-XXXXXX";
        caught_fd = mkstemp(name);
        unlink(name);
    }
    kept_fd = dup(2);
    if (ftruncate(caught_fd, 0) || lseek(caught_fd, 0, SEEK_SET) || dup2(caught_fd, 2) < 0)
        exit(99);
}
static UNUSED int release_stderr(void)
{
    char text[8192];
    int lines = 0;
    dup2(kept_fd, 2);
    close(kept_fd);
    ssize_t n = pread(caught_fd, text, sizeof text, 0);
    for (ssize_t i = 0; i < n; i++) lines += text[i] == '\n';
    return lines;
}

#endif
