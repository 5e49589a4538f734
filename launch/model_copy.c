/* See model_copy.h. A destination is new and whole, or absent: a folder is filled under another
 * name and renamed at the end; nothing is overwritten. */
#include "launch/model_copy.h"

#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/policy.h"
#include "common/tensor_names.h"
#include "launch/json_text.h"
#include "launch/progress.h"

/* ---- where the numbers come from ------------------------------------------------------------- */

typedef struct {
    TensorFile *file; /* a model file: read as it is needed */
    Policy policy;    /* otherwise a run's weights, in memory */
    Tokenizer *tok;   /* borrowed from policy for a run */
    const ModelDesc *desc;
    float *buffer; /* of the tensor fetched last */
    Dtype dtype;   /* of the matrices */
    Progress progress;
    int n_done;
} Source;

static bool is_there(const char *folder, const char *name)
{
    char *path = mem_printf("%s/%s", folder, name);
    bool yes = !access(path, F_OK);
    mem_free(path);
    return yes;
}

static int open_file(Source *s, const char *path, bool tokenizer)
{
    s->file = tensor_file_open(path);
    if (!s->file) return -1;
    s->desc = tensor_file_desc(s->file);
    s->dtype = DTYPE_F32;
    const Tensor *t = tensor_file_find(s->file, "model.layers.0.mlp.down_proj.weight");
    if (t && dtype_block(t->dtype) == 1) s->dtype = t->dtype;
    if (!tokenizer) return 0;
    s->tok = tokenizer_open(path);
    return s->tok ? 0 : -1;
}

/* The weights that the run's own kernels compute with are the bf16 of the f32 masters, so BF16 is
 * the model that was trained. */
static int open_run(Source *s, const char *path, const KernelSet *k)
{
    if (policy_open(&s->policy, path, k, true)) return -1;
    s->desc = model_desc(s->policy.model);
    s->tok = s->policy.tok;
    s->dtype = k->precision == PRECISION_BF16 ? DTYPE_BF16 : DTYPE_F32;
    return 0;
}

static int open_source(Source *s, const ModelCopy *c)
{
    Config config = {0};
    KernelSet kernels = {0};
    int run = c->runs && !is_there(c->source, "config.json")
                  ? policy_run_config(c->source, &config, &kernels)
                  : 1,
        rc;
    if (run < 0) return -1;
    if (!run) {
        config_free(&config);
        return open_run(s, c->source, &kernels);
    }
    /* a run that has ended may hold nothing but the model it exported */
    char *exported = mem_printf("%s/model", c->source);
    rc = open_file(s, c->runs && is_there(exported, "config.json") ? exported : c->source,
                   c->tokenizer);
    mem_free(exported);
    return rc;
}

static void close_source(Source *s)
{
    if (s->file) {
        tokenizer_close(s->tok);
        tensor_file_close(s->file);
    }
    policy_close(&s->policy);
    mem_free(s->buffer);
}

static const float *master_of(const Model *m, const char *name)
{
    int n;
    const Param *p = model_param_table(m, &n, NULL);
    for (int i = 0; i < n; i++)
        if (!strcmp(p[i].name, name)) return model_master((Model *)m) + p[i].offset;
    return NULL;
}

static const float *fetch(void *ctx, const TensorSpec *spec)
{
    Source *s = ctx;
    progress_show(&s->progress, s->n_done++, spec->name);
    if (!s->file) {
        const float *x = master_of(s->policy.model, spec->name);
        if (!x) fail("the run's model has no %s", spec->name);
        return x;
    }
    const Tensor *t = tensor_file_find(s->file, spec->name);
    size_t count = (size_t)spec->dims[0] * (spec->n_dims == 2 ? (size_t)spec->dims[1] : 1);
    REQUIRE(t, "no %s in a file that was checked", spec->name);
    mem_free(s->buffer);
    s->buffer = NEW(float, count);
    tensor_read(t, s->buffer);
    return s->buffer;
}

/* ---- where they go --------------------------------------------------------------------------- */

static bool is_gguf(const char *path)
{
    size_t n = strlen(path);
    return n > 5 && !strcasecmp(path + n - 5, ".gguf");
}

/* Absent, or (a folder) empty: then a rename puts the new one in its place. */
static int check_free(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    int n = 0;
    if (!dir)
        return access(path, F_OK)
                   ? 0
                   : fail("%s: is there already: name another place or remove it", path);
    while ((e = readdir(dir))) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(dir);
    if (is_gguf(path)) return fail("%s: is a folder: name a file", path);
    return n ? fail("%s: is there already and not empty: name another place or remove it", path)
             : 0;
}

static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    while (dir && (e = readdir(dir)))
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) unlinkat(dirfd(dir), e->d_name, 0);
    if (dir) closedir(dir);
    rmdir(path);
}

static int write_folder(Source *s, const char *path, Dtype dtype, const Tokenizer *tok)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--; /* "out/": the temporary name stands beside it, not in it */
    char *temporary = mem_printf("%.*s.tmp-%ld", (int)n, path, (long)getpid());
    int rc = mkdir(temporary, 0750);
    if (rc) {
        fail("%s: cannot create: %s", temporary, strerror(errno));
        goto done;
    }
    rc = tensors_export_hf_from(temporary, s->desc, fetch, s, dtype);
    if (!rc && tok)
        rc = tokenizer_export(
            tok, temporary); /* after: it adds further end tokens to generation_config.json */
    if (!rc && rename(temporary, path))
        rc = fail("%s: cannot be put in its place: %s", path, strerror(errno));
    if (rc) remove_folder(temporary);
done:
    mem_free(temporary);
    return rc;
}

static int read_dtype(const char *name, Dtype *out)
{
    for (Dtype t = 0; t < DTYPE_COUNT; t++)
        if (!strcasecmp(name, dtype_name(t))) {
            *out = t;
            return 0;
        }
    return fail("--dtype: %s is not one of f32, f16, bf16, q8_0", name);
}

static int choose_dtype(const ModelCopy *c, const Source *s, Dtype *out)
{
    bool gguf = is_gguf(c->destination);
    *out = s->dtype;
    if (c->dtype && read_dtype(c->dtype, out)) return -1;
    if (*out == DTYPE_F32 || *out == DTYPE_F16 || *out == DTYPE_BF16 ||
        (*out == DTYPE_Q8_0 && gguf))
        return 0;
    return fail("--dtype: %s cannot be written to a %s: ask for f32, f16%s", dtype_name(*out),
                gguf ? ".gguf file" : "Hugging Face folder", gguf ? ", bf16 or q8_0" : " or bf16");
}

static void report(const ModelCopy *c, const Source *s, Dtype dtype)
{
    double numbers = 0;
    for (int i = 0; i < tensor_spec_count(s->desc); i++) {
        TensorSpec t;
        tensor_spec_at(s->desc, i, &t);
        numbers += (double)t.dims[0] * (t.n_dims == 2 ? (double)t.dims[1] : 1);
    }
    if (c->json)
        json_line(stdout,
                  json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:b}", "source", c->source,
                            "destination", c->destination, "architecture", s->desc->architecture,
                            "dtype", dtype_name(dtype), "tensors", tensor_spec_count(s->desc),
                            "parameters", (json_int_t)numbers, "tokenizer", c->tokenizer));
    else
        printf("%s: %s, %d tensors, %.1f M parameters, %s%s\n", c->destination,
               s->desc->architecture, tensor_spec_count(s->desc), numbers / 1e6, dtype_name(dtype),
               c->tokenizer ? "" : ", without a tokenizer");
}

static int copy(const ModelCopy *c)
{
    Source s = {0};
    Dtype dtype = DTYPE_F32;
    int code = EXIT_NO_INPUT, rc;
    if (check_free(c->destination)) return EXIT_CREATE;
    if (open_source(&s, c)) goto done;
    code = EXIT_USAGE;
    if (choose_dtype(c, &s, &dtype)) goto done;
    code = EXIT_IO;
    const Tokenizer *tok = c->tokenizer ? s.tok : NULL;
    progress_begin(&s.progress, "tensors", tensor_spec_count(s.desc));
    rc = is_gguf(c->destination)
             ? tensors_export_gguf_from(c->destination, s.desc, fetch, &s, dtype, tok)
             : write_folder(&s, c->destination, dtype, tok);
    progress_end(&s.progress);
    if (rc) goto done;
    report(c, &s, dtype);
    code = 0;
done:
    close_source(&s);
    return code;
}

/* ---- arguments ------------------------------------------------------------------------------- */

enum { KEY_DTYPE = 256, KEY_NO_TOKENIZER, KEY_JSON };

static error_t parse_argument(int key, char *arg, struct argp_state *state)
{
    ModelCopy *c = state->input;
    switch (key) {
    case KEY_DTYPE:
        c->dtype = arg;
        return 0;
    case KEY_NO_TOKENIZER:
        c->tokenizer = false;
        return 0;
    case KEY_JSON:
        c->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1) argp_error(state, "a source and a destination, no more");
        *(state->arg_num ? &c->destination : &c->source) = arg;
        return 0;
    case ARGP_KEY_END:
        if (state->arg_num < 2) argp_error(state, "a source and a destination are needed");
        if (!*c->source || !*c->destination)
            argp_error(state, "a source or destination without a name");
        if (!c->gguf && is_gguf(c->destination))
            argp_error(state, "the destination is a folder; `troupe export` writes .gguf files");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int model_copy_run(ModelCopy *c, const char *args_doc, const char *doc, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dtype", KEY_DTYPE, "TYPE", 0,
         "f32, f16, bf16; q8_0 for .gguf files. Default: as the source has it, f32 where that is "
         "quantised",
         0},
        {"no-tokenizer", KEY_NO_TOKENIZER, NULL, 0, "the numbers alone", 0},
        {"json", KEY_JSON, NULL, 0, "say what was written as a line of JSON", 0},
        {0},
    };
    const struct argp argp = {
        .options = options, .parser = parse_argument, .args_doc = args_doc, .doc = doc};
    c->tokenizer = true;
    argp_parse(&argp, argc, argv, 0, NULL, c);
    return copy(c);
}
