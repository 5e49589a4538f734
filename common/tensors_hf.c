/* A model in a Hugging Face folder: config.json, and model.safetensors or the shards that
 * model.safetensors.index.json lists. */
#include "common/tensors_internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/errors.h"
#include "common/hf_config.h"
#include "common/memory.h"
#include "common/safetensors.h"

enum { MAX_CONFIG = 1 << 20, MAX_INDEX = 16 << 20, MAX_SHARDS = 1024 };

/* Tensors as they come together from the files. */
typedef struct {
    Tensor *data;
    int n;
} Found;

static int read_config(const char *folder, bool scalar, ModelDesc *d)
{
    char *path = mem_printf("%s/config.json", folder);
    Buffer text = {0};
    int rc = file_read(path, MAX_CONFIG, &text);
    if (!rc)
        rc = scalar ? hf_config_parse_scalar(path, text.data, text.size, d)
                    : hf_config_parse(path, text.data, text.size, d);
    buffer_free(&text);
    mem_free(path);
    return rc;
}

static int add_file(TensorFile *f, const char *path, Found *found)
{
    FileMap *m = &f->maps[f->n_maps];
    if (filemap_open(m, path)) return -1;
    f->n_maps++;
    return safetensors_parse(path, m->data, m->size, &found->data, &found->n);
}

static bool exists(const char *path)
{
    struct stat st;
    return !stat(path, &st);
}

/* ---- shards ---------------------------------------------------------------------------------- */

/* A shard lies in the folder itself: a name that leads elsewhere is refused. */
static int check_shard_name(const char *index, const char *shard)
{
    char text[64];
    size_t n = strlen(shard);
    bool good = n > 0 && n < 256 && shard[0] != '.' && !strchr(shard, '/');
    if (good) return 0;
    return fail("%s: \"%s\" is no name of a file in the same folder: fetch the index again", index,
                printable_text(text, shard, n));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The distinct file names of the map, sorted. out [size of map], borrowed from it. */
static int list_shards(const char *index, json_t *map, const char **out, int *n)
{
    const char *tensor;
    json_t *v;
    int count = 0;
    char text[64];
    json_object_foreach(map, tensor, v)
    {
        if (!json_is_string(v))
            return fail("%s: the file of tensor %s is not named by a text: fetch the index again",
                        index, printable_text(text, tensor, strlen(tensor)));
        if (check_shard_name(index, json_string_value(v))) return -1;
        out[count++] = json_string_value(v);
    }
    qsort(out, (size_t)count, sizeof *out, compare_texts);
    *n = 0;
    for (int i = 0; i < count; i++)
        if (!*n || strcmp(out[*n - 1], out[i])) out[(*n)++] = out[i];
    if (*n < 1 || *n > MAX_SHARDS)
        return fail("%s: %d files, not 1 to %d: fetch the index again", index, *n, MAX_SHARDS);
    return 0;
}

static int add_shards(TensorFile *f, const char *folder, const char *index, json_t *map,
                      Found *found)
{
    const char **shards = mem_zeroed(json_object_size(map), sizeof *shards);
    int rc = -1, n = 0;
    if (list_shards(index, map, shards, &n)) goto done;
    f->maps = NEW(FileMap, n);
    for (int i = 0; i < n; i++) {
        int before = found->n;
        char *path = mem_printf("%s/%s", folder, shards[i]);
        int bad = add_file(f, path, found);
        for (int k = before; !bad && k < found->n; k++) {
            const char *where = json_string_value(json_object_get(map, found->data[k].name));
            if (!where || strcmp(where, shards[i]))
                bad = fail(
                    "%s: tensor %s is in this file, but the index names %s: fetch the model again",
                    path, found->data[k].name, where ? "another" : "it nowhere");
        }
        mem_free(path);
        if (bad) goto done;
    }
    if ((size_t)found->n != json_object_size(map))
        fail("%s: %zu tensors are listed, the files hold %d: fetch the model again", index,
             json_object_size(map), found->n);
    else
        rc = 0;
done:
    mem_free(shards);
    return rc;
}

static int add_index(TensorFile *f, const char *folder, const char *index, Found *found)
{
    Buffer text = {0};
    json_error_t e;
    char what[64];
    int rc = -1;
    if (file_read(index, MAX_INDEX, &text)) return -1;
    json_t *root = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &e),
           *map = json_object_get(root, "weight_map");
    if (!root)
        fail("%s:%d:%d: %s: fetch the index again", index, e.line, e.column,
             printable_text(what, e.text, strlen(e.text)));
    else if (!json_is_object(map))
        fail("%s: no object \"weight_map\": fetch the index again", index);
    else
        rc = add_shards(f, folder, index, map, found);
    json_decref(root);
    buffer_free(&text);
    return rc;
}

/* ---- the folder ------------------------------------------------------------------------------ */

static int no_weights(const char *folder)
{
    char *pickle = mem_printf("%s/pytorch_model.bin", folder);
    int rc = exists(pickle)
                 ? fail("%s: weights only in pytorch_model.bin, a pickle, which can run programs "
                        "and is never read: fetch the model's "
                        ".safetensors files",
                        folder)
                 : fail("%s: neither model.safetensors nor model.safetensors.index.json: name a "
                        "model's folder or a .gguf file",
                        folder);
    mem_free(pickle);
    return rc;
}

/* As transformers does: the one file before the index. */
static int add_weights(TensorFile *f, const char *folder, const char *only, Found *found)
{
    char *one = mem_printf("%s/model.safetensors", folder),
         *index = mem_printf("%s/model.safetensors.index.json", folder);
    int rc;
    if (only || exists(one)) {
        f->maps = NEW(FileMap, 1);
        rc = add_file(f, only ? only : one, found);
    } else if (exists(index)) {
        rc = add_index(f, folder, index, found);
    } else {
        rc = no_weights(folder);
    }
    mem_free(one);
    mem_free(index);
    return rc;
}

TensorFile *tensor_file_from_hf(const char *folder, const char *only, bool scalar)
{
    TensorFile *f = tensor_file_new(only ? only : folder);
    Found found = {0};
    int rc = read_config(folder, scalar, &f->desc);
    if (!rc) rc = add_weights(f, folder, only, &found);
    if (!rc) rc = tensor_file_settle(f, found.data, found.n);
    mem_free(found.data);
    if (!rc) return f;
    tensor_file_close(f);
    return NULL;
}
