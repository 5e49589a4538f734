/* Puts the weights of a small model into a Hugging Face folder that has a tokenizer: random ones,
 * two layers. For tests whose prompts are English, where a model of a task's alphabet will not do.
 *
 *   make_small_model DIR
 */
#include "common/errors.h"
#include "common/policy.h"

static ModelDesc describe(const Tokenizer *tok)
{
    ModelDesc d = {.architecture = "llama",
                   .L = 2,
                   .C = 48,
                   .H = 4,
                   .Kh = 2,
                   .D = 12,
                   .F = 96,
                   .V = tokenizer_size(tok),
                   .tied = true,
                   .max_positions = 2048,
                   .rms_eps = 1e-5f,
                   .rope_theta = 10000,
                   .bos = tokenizer_bos(tok),
                   .eos = tokenizer_eos(tok)};
    return d;
}

static int write_weights(const char *folder, Model *m)
{
    int n;
    const Param *table = model_param_table(m, &n, NULL);
    TensorView *views = NEW(TensorView, n);
    for (int i = 0; i < n; i++)
        views[i] = (TensorView){.name = table[i].name,
                                .n_dims = table[i].n_dims,
                                .dims = {table[i].rows, table[i].cols},
                                .data = model_master(m) + table[i].offset};
    int rc = tensors_export_hf(folder, model_desc(m), views, n, DTYPE_F32);
    mem_free(views);
    return rc;
}

int main(int argc, char **argv)
{
    const KernelSet f32 = {.precision = PRECISION_F32, .product = PRODUCT_F32};
    if (argc != 2) die(EXIT_USAGE, "make_small_model DIR");
    Tokenizer *tok = tokenizer_open(argv[1]);
    if (!tok) die(EXIT_IO, "make_small_model: %s has no tokenizer", argv[1]);
    ModelDesc d = describe(tok);
    if (model_desc_check(&d)) die(EXIT_IO, "make_small_model: the description is wrong");
    Model *m = model_new(&d, &f32, true);
    model_init_random(m, 1);
    if (write_weights(argv[1], m)) die(EXIT_IO, "make_small_model: nothing is written");
    model_free(m);
    tokenizer_close(tok);
    return 0;
}
