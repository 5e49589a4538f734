/* troupe bench: what this build does on this machine, each figure with the limit that it is a part
 * of. Limits are calibrated in the same run: absolute times of a shared machine are noise. */
#include <argp.h>
#include <jansson.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/engine.h"
#include "common/clock.h"
#include "common/errors.h"
#include "common/policy.h"
#include "common/rng.h"
#include "launch/bench_figures.h"
#include "launch/bench_rewards.h"
#include "launch/calibrate.h"
#include "launch/verb.h"
#include "learner/learner.h"

typedef struct {
    const char *model, *only;
    Precision precision;
    int products; /* ProductKind, or -1: measured */
    int threads;
    double seconds; /* of a rule's rate */
    bool json, rewards;
} Arguments;

typedef struct {
    const Arguments *a;
    Policy policy;
    double flops, read;    /* peaks, a second */
    double weight_numbers; /* that a token is multiplied with, LM head included */
    Figures f;
} Bench;

/* ---- products ---- */

static double time_product(int N, int K, int M, ProductKind kind)
{
    float *w = NEW(float, (size_t)N *(size_t)K), *x = NEW(float, (size_t)M *(size_t)K),
          *y = NEW(float, (size_t)M *(size_t)N);
    for (size_t i = 0; i < (size_t)N * (size_t)K; i++) w[i] = (float)(i % 89) / 89 - 0.5f;
    for (size_t i = 0; i < (size_t)M * (size_t)K; i++) x[i] = (float)(i % 97) / 97 - 0.5f;
    Packed *p = packed_new(N, K, kind);
    packed_fill(p, w, DTYPE_F32, false);
    double best = 1e30, all = clock_seconds();
    while (clock_seconds() - all < 0.3) {
        double began = clock_seconds();
        op_matmul(y, x, p, M);
        double s = clock_seconds() - began;
        if (s < best) best = s;
    }
    packed_free(p);
    mem_free(w), mem_free(x), mem_free(y);
    return 2.0 * N * K * M / best;
}

static void bench_products(Bench *b)
{
    const ModelDesc *d = model_desc(b->policy.model);
    const struct {
        const char *what;
        int N, K;
    } shapes[] = {{"qkv", (d->H + 2 * d->Kh) * d->D, d->C},
                  {"gate|up", 2 * d->F, d->C},
                  {"down", d->C, d->F},
                  {"LM head", d->V, d->C}};
    char name[80];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int M = 64; M <= 512; M *= 8) {
            snprintf(name, sizeof name, "gemm %s %d x %d, %d rows", shapes[i].what, shapes[i].N,
                     shapes[i].K, M);
            if (!figures_wanted(&b->f, name)) continue;
            figures_add(&b->f, name,
                        time_product(shapes[i].N, shapes[i].K, M, b->policy.kernels.product) / 1e9,
                        "GFLOP/s", b->flops / 1e9, "peak");
        }
}

/* ---- rollout ---- */

static Group *random_groups(const Bench *b, int P, int G, int n_prompt)
{
    int V = model_desc(b->policy.model)->V;
    Group *g = NEW(Group, P);
    for (int i = 0; i < P; i++) {
        g[i] = (Group){.kind = GROUP_TRAIN,
                       .id = i,
                       .n_prompt = n_prompt,
                       .n_samples = G,
                       .samples = NEW(Sample, G)};
        g[i].prompt = NEW(int32_t, n_prompt);
        g[i].prompt_text = mem_text("");
        g[i].record = mem_text("{}");
        for (int t = 0; t < n_prompt; t++)
            g[i].prompt[t] =
                (int32_t)rng_below((uint32_t)V, 1, STREAM_TASK, (uint64_t)i, (uint32_t)t, 0);
    }
    return g;
}

static void free_groups(Group *g, int P)
{
    for (int i = 0; i < P; i++) group_free(&g[i]);
    mem_free(g);
}

static void generate(Engine *e, Group *g, int P, int n_answer)
{
    Group **all = NEW(Group *, P);
    for (int i = 0; i < P; i++) all[i] = &g[i];
    GenerateParams params = {
        .sampling = {1, 0, 1, 0}, .max_tokens = n_answer, .ignore_eos = true, .seed = 1};
    engine_generate(e, all, P, &params, 0, NULL, NULL, NULL);
    mem_free(all);
}

/* Seconds that a pass over `rows` tokens must take: either the products or the reading of what it
 * multiplies with. */
static double pass_limit_s(const Bench *b, double rows, double kv_numbers)
{
    const KernelSet *k = &b->policy.kernels;
    double bytes = b->weight_numbers * (k->product == PRODUCT_BF16 ? 2 : 4) +
                   kv_numbers * (k->precision == PRECISION_BF16 ? 2 : 4);
    return fmax(2 * b->weight_numbers * rows / b->flops, bytes / b->read);
}

static void bench_rollout(Bench *b)
{
    enum { PROMPT = 128, ANSWER = 64 };
    const ModelDesc *d = model_desc(b->policy.model);
    char name[80];
    for (int B = 1; B <= 64; B *= 8) {
        snprintf(name, sizeof name, "decode, batch %d, after %d tokens", B, PROMPT);
        if (!figures_wanted(&b->f, name) && !figures_wanted(&b->f, "prefill")) continue;
        Engine *e = engine_new(b->policy.model, NULL, B, 0);
        Group *g = random_groups(b, B, 1, PROMPT);
        generate(e, g, B, 2); /* buffers grow */
        free_groups(g, B);
        EngineStats before = engine_stats(e);
        g = random_groups(b, B, 1, PROMPT);
        generate(e, g, B, ANSWER);
        free_groups(g, B);
        EngineStats after = engine_stats(e);
        engine_free(e);
        double kv = 2.0 * d->L * d->Kh * d->D * B * (PROMPT + ANSWER / 2);
        double rate = (double)(after.decode_tokens - before.decode_tokens) /
                      (after.decode_s - before.decode_s);
        if (figures_wanted(&b->f, name))
            figures_add(&b->f, name, rate, "tokens/s", B / pass_limit_s(b, B, kv), "the limit");
        snprintf(name, sizeof name, "prefill, %d x %d tokens", B, PROMPT);
        rate = (double)(after.prefill_tokens - before.prefill_tokens) /
               (after.prefill_s - before.prefill_s);
        double body =
            b->weight_numbers - (double)d->V * d->C; /* the LM head sees one row a prompt */
        if (figures_wanted(&b->f, name))
            figures_add(&b->f, name, rate, "tokens/s", b->flops / (2 * body), "the limit");
    }
}

/* ---- learning ---- */

/* A learner as in a run of one process, for P groups of G answers. */
typedef struct {
    Comm *comm;
    Config cfg;
    Learner learner;
} Bed;

static void bed_open(Bed *t, Bench *b, int P, int G, int n_answer)
{
    char text[400];
    snprintf(text, sizeof text,
             "run: {name: bench, steps: 1000000}\nlayout: {workers: 1, rewardsvc: 1}\nrollout: "
             "{prompts: %d, samples: %d, max_tokens: %d}\n"
             "learner: {lr: 1e-9, reduction_slots: 1}\nreward: [random]\n",
             P, G, n_answer);
    int argc = 0;
    char **argv = NULL;
    t->comm = comm_open(&argc, &argv);
    REQUIRE(!config_parse(&t->cfg, "bench", text, NULL, 0), "the benchmark's own experiment");
    Layout alone = {.workers = 1, .rewardsvc = 1, .deadline_s = 600};
    REQUIRE(!comm_set_layout(t->comm, &alone, 1) &&
                !learner_init(&t->learner, t->comm, &t->cfg, NULL, &b->policy),
            "a learner alone");
}

static void bed_close(Bed *t)
{
    learner_free(&t->learner);
    config_free(&t->cfg);
    comm_close(t->comm);
}

/* One whole step: P prompts, G answers each, scored at random, learnt from. Seconds of its parts.
 */
static void whole_step(Bed *t, Engine *e, Bench *b, int P, int G, int n_prompt, int n_answer,
                       double *rollout_s, double *learn_s)
{
    double began = clock_seconds();
    Group *g = random_groups(b, P, G, n_prompt);
    generate(e, g, P, n_answer);
    *rollout_s = clock_seconds() - began;
    for (int i = 0; i < P; i++) {
        group_reserve_scores(&g[i], 1);
        for (int k = 0; k < G; k++)
            g[i].samples[k].reward = g[i].samples[k].components[0] = (Score){k % 2, SCORE_OK};
        g[i].id = t->learner.inbox.step * P + i;
        inbox_put(&t->learner.inbox, &g[i]);
    }
    began = clock_seconds();
    REQUIRE(!learner_train(&t->learner), "a step alone");
    *learn_s = clock_seconds() - began;
    inbox_next(&t->learner.inbox);
    free_groups(g, P);
}

static void bench_step(Bench *b, const char *name, int P, int G, int n_prompt, int n_answer)
{
    char line[96];
    if (!figures_wanted(&b->f, name)) return;
    Bed bed = {0};
    bed_open(&bed, b, P, G, n_answer);
    Engine *e = engine_new(b->policy.model, NULL, P * G, 0);
    double best = 1e30, rollout_s = 0, learn_s = 0;
    for (int i = 0; i < 2; i++) {
        double r, l;
        whole_step(&bed, e, b, P, G, n_prompt, n_answer, &r, &l);
        if (r + l < best) best = r + l, rollout_s = r, learn_s = l;
    }
    const ModelDesc *d = model_desc(b->policy.model);
    double body = b->weight_numbers - (double)d->V * d->C, head = (double)d->V * d->C;
    double rows = P * (n_prompt + (double)G * (n_answer - 1)), answers = (double)P * G * n_answer;
    double learn_flops =
        6 * (body * rows + head * answers); /* recomputation is not counted as useful */
    double kv = 2.0 * d->L * d->Kh * d->D * (P * n_prompt + P * G * n_answer / 2.0);
    double rollout_limit =
        P * n_prompt * 2 * body / b->flops + n_answer * pass_limit_s(b, P * G, kv);
    snprintf(line, sizeof line, "%s: whole step", name);
    figures_add(&b->f, line, best, "s", 0, "");
    snprintf(line, sizeof line, "%s: rollout", name);
    figures_add(&b->f, line, answers / rollout_s, "tokens/s", answers / rollout_limit, "the limit");
    snprintf(line, sizeof line, "%s: learning", name);
    figures_add(&b->f, line, rows / learn_s, "tokens/s", rows / (learn_flops / b->flops),
                "the limit");
    engine_free(e);
    bed_close(&bed);
}

/* ---- */

static int open_policy(Bench *b)
{
    KernelSet k;
    kernelset_choose(&k, b->a->precision);
    if (b->a->precision == PRECISION_BF16 && b->a->products >= 0)
        k.product = (ProductKind)b->a->products;
    if (policy_open(&b->policy, b->a->model, &k, true)) return -1;
    const ModelDesc *d = model_desc(b->policy.model);
    b->weight_numbers = (double)d->V * d->C +
                        (double)d->L * ((double)d->C * ((d->H + 2.0 * d->Kh) * d->D + 3.0 * d->F) +
                                        (double)d->H * d->D * d->C);
    return 0;
}

static const char *const product_names[] = {"f32", "bf16", "bf16 as f32"};

static void bench(Bench *b)
{
    ProductKind kind = b->policy.kernels.product;
    double onednn;
    b->flops = calibrate_flops(kind, &onednn);
    b->read = calibrate_read();
    if (!b->a->json)
        printf("%s, %d threads, %s\nproducts: %s\n", b->policy.kernels.cpu, omp_get_max_threads(),
               troupe_version, product_names[kind]);
    figures_add(&b->f, "peak: product 2048 x 2048 x 2048", b->flops / 1e9, "GFLOP/s", 0, "");
    figures_add(&b->f, "oneDNN: product 2048 x 2048 x 2048", onednn / 1e9, "GFLOP/s",
                b->flops / 1e9, "peak");
    figures_add(&b->f, "peak: reading memory", b->read / 1e9, "GB/s", 0, "");
    bench_products(b);
    bench_rollout(b);
    bench_step(b, "GRPO 8 x 8, 128 + 128", 8, 8, 128, 128);
    bench_step(b, "GRPO 8 x 8, 128 + 256", 8, 8, 128, 256);
    figures_add(&b->f, "peak resident memory", (double)memory_peak() / 1e9, "GB", 0, "");
    figures_end(&b->f, json_pack("{s:s, s:i, s:s, s:s}", "cpu", b->policy.kernels.cpu, "threads",
                                 omp_get_max_threads(), "products", product_names[kind], "version",
                                 troupe_version));
}

static error_t parse_argument(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    switch (key) {
    case 'p':
        if (!strcmp(arg, "f32"))
            a->precision = PRECISION_F32;
        else if (strcmp(arg, "bf16"))
            argp_error(state, "--precision is bf16 or f32, not %s", arg);
        return 0;
    case 'P':
        if (!strcmp(arg, "bf16"))
            a->products = PRODUCT_BF16;
        else if (!strcmp(arg, "bf16_as_f32"))
            a->products = PRODUCT_BF16_AS_F32;
        else if (strcmp(arg, "auto"))
            argp_error(state, "--products is auto, bf16 or bf16_as_f32, not %s", arg);
        return 0;
    case 'o':
        a->only = arg;
        return 0;
    case 't':
        a->threads = atoi(arg);
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->model) argp_error(state, "one model, please: what is %s?", arg);
        a->model = arg;
        return 0;
    case 'r':
        a->rewards = true;
        return 0;
    case 's':
        a->seconds = atof(arg);
        if (!(a->seconds > 0 && a->seconds <= 60))
            argp_error(state, "--seconds: above 0, up to 60");
        return 0;
    case ARGP_KEY_END:
        if (a->model && a->rewards) argp_error(state, "--rewards measures rules: it has no model");
        if (a->model || a->rewards) return 0;
        argp_error(state, "which model? For instance models/SmolLM2-135M-Instruct.Q4_1.gguf "
                          "(launch/fetch-smollm2)");
    }
    return ARGP_ERR_UNKNOWN;
}

static int run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"precision", 'p', "bf16|f32", 0, "default bf16", 0},
        {"products", 'P', "auto|bf16|bf16_as_f32", 0,
         "how bf16 products are computed; default: the faster", 0},
        {"only", 'o', "TEXT", 0,
         "only the figures whose name holds TEXT (gemm, decode, prefill, GRPO)", 0},
        {"threads", 't', "N", 0, "default: all cores", 0},
        {"rewards", 'r', NULL, 0,
         "instead: samples a second of each rule of the rewards, N processes at once", 0},
        {"seconds", 's', "S", 0, "with --rewards: how long each is measured; default 1", 0},
        {"json", 'j', NULL, 0, "for programs", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_argument,
        .args_doc = "MODEL\n--rewards",
        .doc = "Measures products, prefill, decode and whole GRPO steps of a model on random "
               "tokens, beside limits calibrated in the same run."
               "\vExample: troupe bench models/SmolLM2-135M-Instruct.Q4_1.gguf --only decode, or "
               "troupe bench --rewards",
    };
    Arguments a = {.precision = PRECISION_BF16, .products = -1, .seconds = 1};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (a.threads > 0) omp_set_num_threads(a.threads);
    Figures f = {.json = a.json, .only = a.only};
    if (a.rewards) return bench_rewards(&f, omp_get_max_threads(), a.seconds);
    Bench b = {.a = &a, .f = f};
    if (open_policy(&b)) return EXIT_NO_INPUT;
    bench(&b);
    policy_close(&b.policy);
    return 0;
}

const Verb verb_bench = {"bench", "figures of this build on this machine, beside their limits", 90,
                         run};
