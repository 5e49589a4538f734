/* A model into a Hugging Face folder: model.safetensors, then config.json and
 * generation_config.json. */
#include <string.h>

#include "common/errors.h"
#include "common/hf_config.h"
#include "common/memory.h"
#include "common/safetensors.h"
#include "common/tensors_export.h"

static int write_weights(const char *path, const ModelDesc *d, tensor_fetch_fn *fetch, void *ctx,
                         Dtype dtype)
{
    int n = tensor_spec_count(d), rc = -1;
    TensorSpec *specs = NEW(TensorSpec, n);
    TensorView *views = NEW(TensorView, n);
    Buffer header = {0};
    Aside a;
    for (int i = 0; i < n; i++) {
        tensor_spec_at(d, i, &specs[i]);
        views[i] = (TensorView){.name = specs[i].name,
                                .n_dims = specs[i].n_dims,
                                .dims = {specs[i].dims[0], specs[i].dims[1]}};
    }
    safetensors_header(views, n, dtype, &header);
    if (aside_open(&a, path)) goto done;
    aside_write(&a, header.data, header.size);
    bool good = true;
    for (int i = 0; good && i < n; i++)
        good = !tensor_write(&a, &specs[i], fetch, ctx, dtype, false);
    rc = aside_close(&a, good);
done:
    buffer_free(&header);
    mem_free(specs);
    mem_free(views);
    return rc;
}

int tensors_export_hf_from(const char *folder, const ModelDesc *d, tensor_fetch_fn *fetch,
                           void *ctx, Dtype dtype)
{
    Buffer config = {0}, generation = {0};
    char *weights = mem_printf("%s/model.safetensors", folder),
         *config_path = mem_printf("%s/config.json", folder),
         *generation_path = mem_printf("%s/generation_config.json", folder);
    int rc = -1;
    if (dtype != DTYPE_F32 && dtype != DTYPE_F16 && dtype != DTYPE_BF16) {
        fail("%s: %s is no type of a Hugging Face folder: ask for F32, F16 or BF16", folder,
             dtype_name(dtype));
        goto done;
    }
    if (model_desc_check(d) || write_weights(weights, d, fetch, ctx, dtype)) goto done;
    hf_config_write(d, dtype, &config, &generation);
    if (aside_put(config_path, config.data, config.size) ||
        aside_put(generation_path, generation.data, generation.size))
        goto done;
    rc = 0;
done:
    buffer_free(&config);
    buffer_free(&generation);
    mem_free(weights);
    mem_free(config_path);
    mem_free(generation_path);
    return rc;
}

int tensors_export_hf(const char *folder, const ModelDesc *d, const TensorView *t, int n,
                      Dtype dtype)
{
    TensorList list = {t, n};
    if (model_desc_check(d) || tensor_list_check(&list, d)) return -1;
    return tensors_export_hf_from(folder, d, tensor_list_fetch, &list, dtype);
}
