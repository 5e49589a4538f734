/* Opens decoder and tokenizer together: from a model file, from a run's checkpoint, or new for a
 * task's alphabet. Used by every role and verb.
 *
 * A checkpoint holds numbers only. What they mean is in the configuration text beside them, read
 * again as when the run began: so a run that started from model.path still needs that path for its
 * tokenizer and description.
 */
#include "common/policy.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/checkpoint.h"
#include "common/errors.h"
#include "common/task.h"

static bool is_folder(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool holds(const char *folder, const char *name)
{
    char *path = mem_printf("%s/%s", folder, name);
    bool found = !access(path, F_OK);
    mem_free(path);
    return found;
}

void policy_close(Policy *p)
{
    model_free(p->model);
    if (p->tok) tokenizer_close(p->tok);
    *p = (Policy){0};
}

/* ---- a model file ---------------------------------------------------------------------------- */

/* Every id of the tokenizer must be a row of the embedding; rows without an id are padding. */
static int check_vocabulary(const ModelDesc *d, const Tokenizer *tok, const char *path)
{
    if (tokenizer_size(tok) <= d->V) return 0;
    return fail(
        "%s: the tokenizer has %d ids, the model's vocabulary %d: the files do not belong together",
        path, tokenizer_size(tok), d->V);
}

static int open_file(Policy *p, const char *path, const KernelSet *k, bool trainable)
{
    int rc = -1;
    TensorFile *f = tensor_file_open(path);
    if (!f) return -1;
    p->tok = tokenizer_open(path);
    if (!p->tok || check_vocabulary(tensor_file_desc(f), p->tok, path)) goto done;
    p->model = model_new(tensor_file_desc(f), k, trainable);
    rc = model_load(p->model, f);
done:
    tensor_file_close(f);
    return rc;
}

int policy_open_scalar(Policy *p, ScalarHead *head, const char *path, const KernelSet *k)
{
    int rc = -1;
    TensorFile *f = tensor_file_open_scalar(path);
    *p = (Policy){.kernels = *k};
    if (!f) return -1;
    p->tok = tokenizer_open(path);
    if (!p->tok || check_vocabulary(tensor_file_desc(f), p->tok, path)) goto done;
    p->model = model_new(tensor_file_desc(f), k, false);
    rc = model_load(p->model, f);
    if (!rc) scalar_head_read(head, f);
done:
    tensor_file_close(f);
    if (rc) policy_close(p);
    return rc;
}

int policy_describe_scalar(const char *path, ModelDesc *d)
{
    TensorFile *f = tensor_file_open_scalar(path);
    if (!f) return -1;
    *d = *tensor_file_desc(f);
    tensor_file_close(f);
    return 0;
}

/* ---- a configuration ------------------------------------------------------------------------- */

static Tokenizer *task_tokenizer(const Config *c)
{
    const Task *task = task_find(c->task.name);
    if (!task) {
        fail("task.name: there is no task %s", c->task.name);
        return NULL;
    }
    if (!task->alphabet) {
        fail("task %s has no alphabet of its own: set model.path to a model with a tokenizer",
             task->name);
        return NULL;
    }
    return tokenizer_from_alphabet(task->alphabet);
}

static int new_desc(const Config *c, const Tokenizer *tok, ModelDesc *d)
{
    if (c->model.width % c->model.heads)
        return fail("model.width: %lld does not divide into model.heads: %lld",
                    (long long)c->model.width, (long long)c->model.heads);
    *d = (ModelDesc){.architecture = "llama",
                     .L = (int)c->model.layers,
                     .C = (int)c->model.width,
                     .H = (int)c->model.heads,
                     .Kh = (int)c->model.kv_heads,
                     .D = (int)(c->model.width / c->model.heads),
                     .F = (int)c->model.mlp,
                     .V = tokenizer_size(tok),
                     .max_positions = (int)c->model.max_positions,
                     .rms_eps = 1e-5f,
                     .rope_theta = 10000,
                     .bos = tokenizer_bos(tok),
                     .eos = tokenizer_eos(tok)};
    return model_desc_check(d);
}

static int describe_new(const Config *c, ModelDesc *d, Tokenizer **tok)
{
    *tok = task_tokenizer(c);
    return *tok ? new_desc(c, *tok, d) : -1;
}

static int describe_file(const char *path, ModelDesc *d, Tokenizer **tok)
{
    TensorFile *f = tensor_file_open(path);
    if (!f) return -1;
    *d = *tensor_file_desc(f);
    tensor_file_close(f);
    *tok = tokenizer_open(path);
    return *tok ? check_vocabulary(d, *tok, path) : -1;
}

/* Hands the tokenizer out, or closes it; rc goes through. */
static int hand_out(int rc, Tokenizer *t, Tokenizer **tok)
{
    if (!rc && tok)
        *tok = t;
    else if (t)
        tokenizer_close(t);
    return rc;
}

int policy_describe(const Config *c, ModelDesc *d, Tokenizer **tok)
{
    Tokenizer *t = NULL;
    int rc = *c->model.path ? describe_file(c->model.path, d, &t) : describe_new(c, d, &t);
    return hand_out(rc, t, tok);
}

int policy_from_config(Policy *p, const Config *c, const KernelSet *k, bool trainable)
{
    if (*c->model.path) return policy_open(p, c->model.path, k, trainable);
    ModelDesc d;
    *p = (Policy){.kernels = *k};
    if (describe_new(c, &d, &p->tok)) {
        policy_close(p);
        return -1;
    }
    p->model = model_new(&d, k, trainable);
    model_init_random(p->model, (uint64_t)c->run.seed);
    return 0;
}

/* ---- a checkpoint ---------------------------------------------------------------------------- */

/* Reads weights/NAME for every parameter into the block at `to` [n_numbers]. */
static int load_block(const char *path, const Model *m, float *to)
{
    int n;
    const Param *params = model_param_table(m, &n, NULL);
    CheckpointArray *arrays = NEW(CheckpointArray, n);
    char **names = NEW(char *, n);
    for (int i = 0; i < n; i++) {
        const Param *p = &params[i];
        names[i] = mem_printf("weights/%s", p->name);
        arrays[i] = (CheckpointArray){.name = names[i],
                                      .n_dims = p->n_dims,
                                      .dims = {p->rows, p->cols},
                                      .data = to + p->offset};
        if (p->n_dims == 1) arrays[i].dims[1] = 0;
    }
    int rc = checkpoint_load(path, arrays, n);
    for (int i = 0; i < n; i++) mem_free(names[i]);
    mem_free(names);
    mem_free(arrays);
    return rc;
}

/* A trainable model takes the numbers as its master; any other the way weights travel, rounded as
 * model_pack would. */
static int load_weights(const char *path, Model *m)
{
    if (model_master(m)) {
        if (load_block(path, m, model_master(m))) return -1;
        model_pack(m);
        return 0;
    }
    size_t n;
    model_param_table(m, NULL, &n);
    float *block = NEW(float, n);
    void *wire = mem_zeroed(model_wire_bytes(m), 1);
    int rc = load_block(path, m, block);
    if (!rc) {
        bool bf16 = model_kernels(m)->precision == PRECISION_BF16;
        dtype_from_f32(wire, block, bf16 ? DTYPE_BF16 : DTYPE_F32, n);
        model_wire_read(m, wire);
    }
    mem_free(wire);
    mem_free(block);
    return rc;
}

/* ---- a run's configuration ------------------------------------------------------------------- */

static const char set_mark[] = "#--set ";
enum { MOST_SETS = 256 };

char *policy_config_text(const Config *c)
{
    Buffer b = {0};
    buffer_text(&b, c->text ? c->text : "");
    for (const char *line = c->sets ? c->sets : ""; *line;) {
        size_t n = strcspn(line, "\n");
        if (b.size && b.data[b.size - 1] != '\n') buffer_text(&b, "\n");
        buffer_printf(&b, "%s%.*s\n", set_mark, (int)n, line);
        line += n + (line[n] == '\n');
    }
    return b.data;
}

/* The marked lines of a configuration text, cut out of a copy of it. */
static int read_sets(char *text, const char **sets)
{
    int n = 0;
    for (char *line = text; line && *line && n < MOST_SETS;) {
        char *next = strchr(line, '\n');
        if (!strncmp(line, set_mark, sizeof set_mark - 1)) {
            if (next) *next = 0;
            sets[n++] = line + sizeof set_mark - 1;
        }
        line = next ? next + 1 : NULL;
    }
    return n;
}

static int checkpoint_config(const char *path, Config *c, KernelSet *k)
{
    CheckpointState s = {0};
    if (checkpoint_read_state(path, &s)) return -1;
    const char *sets[MOST_SETS];
    char *copy = mem_text(s.config_text), *name = mem_printf("%s/config.yaml", path);
    int rc = config_parse(c, name, s.config_text, sets, read_sets(copy, sets));
    if (k) *k = s.kernels;
    mem_free(copy);
    mem_free(name);
    mem_free(s.config_text);
    mem_free(s.service_state);
    return rc;
}

int policy_run_config(const char *path, Config *c, KernelSet *k)
{
    char newest[4096];
    if (!is_folder(path)) return 1;
    if (holds(path, "MANIFEST")) return checkpoint_config(path, c, k);
    if (!holds(path, "checkpoints") || checkpoint_find(path, newest, sizeof newest)) return 1;
    return checkpoint_config(newest, c, k);
}

int policy_describe_path(const char *path, ModelDesc *d, Tokenizer **tok)
{
    Config c = {0};
    Tokenizer *t = NULL;
    int rc = policy_run_config(path, &c, NULL);
    if (rc == 0) {
        rc = policy_describe(&c, d, tok);
        config_free(&c);
        return rc;
    }
    if (rc < 0) return -1;
    bool exported = is_folder(path) && !holds(path, "config.json") && holds(path, "model");
    char *file = exported ? mem_printf("%s/model", path) : mem_text(path);
    rc = describe_file(file, d, &t);
    mem_free(file);
    return hand_out(rc, t, tok);
}

static int open_checkpoint(Policy *p, const char *path, const KernelSet *k, bool trainable)
{
    ModelDesc d;
    Config c = {0};
    int rc = checkpoint_config(path, &c, NULL);
    if (rc) return rc;
    if (policy_describe(&c, &d, &p->tok)) {
        rc = fail("%s: the run's model cannot be described (the reason is above)%s", path,
                  *c.model.path ? "; its model.path is looked up from the present folder" : "");
    } else {
        p->model = model_new(&d, k, trainable);
        rc = load_weights(path, p->model);
    }
    config_free(&c);
    return rc;
}

/* The newest whole checkpoint of a run, or the model it exported. */
static int open_run(Policy *p, const char *path, const KernelSet *k, bool trainable)
{
    char checkpoint[4096];
    if (!checkpoint_find(path, checkpoint, sizeof checkpoint))
        return open_checkpoint(p, checkpoint, k, trainable);
    char *model = mem_printf("%s/model", path);
    int rc = is_folder(model)
                 ? open_file(p, model, k, trainable)
                 : fail("%s: a run without a whole checkpoint and without an exported model", path);
    mem_free(model);
    return rc;
}

static int open_folder(Policy *p, const char *path, const KernelSet *k, bool trainable)
{
    if (holds(path, "config.json")) return open_file(p, path, k, trainable);
    if (holds(path, "MANIFEST")) return open_checkpoint(p, path, k, trainable);
    if (holds(path, "checkpoints") || holds(path, "run.h5") || holds(path, "model"))
        return open_run(p, path, k, trainable);
    return fail("%s: neither a Hugging Face folder (no config.json) nor a run (no checkpoints)",
                path);
}

int policy_open(Policy *p, const char *path, const KernelSet *k, bool trainable)
{
    *p = (Policy){.kernels = *k};
    int rc;
    if (access(path, F_OK))
        rc = fail("%s: there is no such file or folder; expected a Hugging Face folder, a .gguf "
                  "file or a run's folder",
                  path);
    else
        rc =
            is_folder(path) ? open_folder(p, path, k, trainable) : open_file(p, path, k, trainable);
    if (rc) policy_close(p);
    return rc;
}
