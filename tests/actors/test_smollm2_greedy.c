/* SmolLM2's greedy continuations in f32 are transformers' (tests/data/make_smollm2_greedy.py made
 * them). */
#include "tests/harness.h"

#include <jansson.h>

#include "common/engine.h"
#include "common/policy.h"

enum { N_TOKENS = 40 };

static int32_t *ids_of(const json_t *array, int *n)
{
    *n = (int)json_array_size(array);
    int32_t *ids = NEW(int32_t, *n);
    for (int i = 0; i < *n; i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(array, (size_t)i));
    return ids;
}

/* The prompt's text must give the reference's ids, too. */
static Group group_of(const Policy *p, const json_t *golden, int id)
{
    const char *text = json_string_value(json_object_get(golden, "prompt"));
    Group g = {.kind = GROUP_EVAL, .id = id, .n_samples = 1};
    Ids ids = {0};
    g.prompt = ids_of(json_object_get(golden, "prompt_ids"), &g.n_prompt);
    ck_assert_int_eq(tokenizer_encode(p->tok, text, strlen(text), false, true, &ids), 0);
    ck_assert_int_eq(ids.n, g.n_prompt);
    ck_assert(same_bits(ids.data, g.prompt, 4 * (size_t)ids.n));
    ids_free(&ids);
    return g;
}

START_TEST(continues_as_transformers_does)
{
    const KernelSet k = {.precision = PRECISION_F32, .product = PRODUCT_F32};
    const char *path = test_smollm2_path(), *source = getenv("TROUPE_SOURCE");
    char file[4096];
    Policy p;
    if (!path) {
        printf("skipped: SmolLM2 is not in models/ (launch/fetch-smollm2 gets it)\n");
        exit(77);
    }
    snprintf(file, sizeof file, "%s/tests/data/smollm2_greedy.json", source ? source : ".");
    json_t *golden = json_load_file(file, 0, NULL);
    size_t n = json_array_size(golden);
    ck_assert_uint_eq(n, 5);
    ck_assert_int_eq(policy_open(&p, path, &k, false), 0);
    Group groups[5], *list[5];
    for (size_t i = 0; i < n; i++) {
        groups[i] = group_of(&p, json_array_get(golden, i), (int)i);
        list[i] = &groups[i];
    }
    GenerateParams params = {.sampling = {0, 0, 1, 0}, .max_tokens = N_TOKENS};
    Engine *e = engine_new(p.model, p.tok, 5, 0);
    engine_generate(e, list, 5, &params, 0, NULL, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        int n_ids;
        int32_t *ids = ids_of(json_object_get(json_array_get(golden, i), "ids"), &n_ids);
        ck_assert_int_eq(groups[i].samples[0].n_tokens, n_ids);
        for (int t = 0; t < n_ids; t++) ck_assert_int_eq(groups[i].samples[0].tokens[t], ids[t]);
        mem_free(ids);
        group_free(&groups[i]);
    }
    engine_free(e);
    policy_close(&p);
    json_decref(golden);
}
END_TEST

TEST_MAIN("smollm2_greedy", continues_as_transformers_does)
