/* What an answer depends on, and where it ends. That its log-probabilities are the learner's is
 * test_onpolicy's subject. */
#include "tests/tiny.h"

#include <malloc.h>

#include "common/errors.h"

enum { N_GROUPS = 7, G = 4 };
static const int prompt_lengths[N_GROUPS] = {1, 5, 15, 16, 17, 40, 32};

/* Weights are never changed here: one model for all tests. */
static const Tiny *tiny(void)
{
    static Tiny shared;
    if (!shared.model) shared = tiny_new(PRECISION_F32, PRODUCT_F32);
    return &shared;
}

static void setup_groups(Group *groups, Group **list, bool reversed)
{
    for (int i = 0; i < N_GROUPS; i++) {
        groups[i] = tiny_group(tiny(), 100 + i, prompt_lengths[i], G);
        list[reversed ? N_GROUPS - 1 - i : i] = &groups[i];
    }
}

static void free_groups(Group *groups)
{
    for (int i = 0; i < N_GROUPS; i++) group_free(&groups[i]);
}

static void count_done(void *ctx, Group *g)
{
    for (int i = 0; i < g->n_samples; i++) ck_assert(g->samples[i].text != NULL);
    ++*(int *)ctx;
}

/* Writes all groups and compares them with `reference`, or fills it when `first`. */
static void check_way(Group *reference, bool first, int max_rows, size_t kv_tokens, bool reversed,
                      const GenerateParams *p)
{
    Group groups[N_GROUPS], *list[N_GROUPS];
    int n_done = 0;
    setup_groups(groups, list, reversed);
    Engine *e = engine_new(tiny()->model, tiny()->tok, max_rows, kv_tokens);
    engine_generate(e, list, N_GROUPS, p, 3, count_done, NULL, &n_done);
    ck_assert_int_eq(n_done, N_GROUPS);
    for (int i = 0; i < N_GROUPS && !first; i++)
        for (int j = 0; j < G; j++)
            check_same_sample(&groups[i].samples[j], &reference[i].samples[j]);
    if (first)
        memcpy(reference, groups, sizeof groups);
    else
        free_groups(groups);
    engine_free(e);
}

static void check_all_ways(const GenerateParams *p)
{
    Group reference[N_GROUPS];
    check_way(reference, true, 64, 0, false, p);
    check_way(reference, false, 1, 0, false, p);
    check_way(reference, false, 3, 0, true, p);
    check_way(reference, false, 64, 0, true, p);
    check_way(reference, false, 16, 100, false,
              p); /* room for one answer to the longest prompt: rows wait for memory */
    free_groups(reference);
}

START_TEST(answers_do_not_depend_on_the_batch)
{
    GenerateParams p = tiny_params(0.8f, 41);
    check_all_ways(&p);
    p.sampling = (SamplingParams){1.2f, 9, 0.9f, 0.02f};
    check_all_ways(&p);
    p.sampling = (SamplingParams){0, 0, 1, 0};
    check_all_ways(&p);
}
END_TEST

/* Groups that come one by one while others run, each with parameters of its own, get what they
 * would get alone; giving up in the middle leaves an engine that can go on. */
START_TEST(a_stream_changes_nothing)
{
    GenerateParams p[2] = {tiny_params(0.8f, 41), tiny_params(1.3f, 6)};
    p[1].max_tokens = 9;
    Group groups[N_GROUPS], alone[N_GROUPS], *list[N_GROUPS];
    int n_done = 0, n_added = 0, n_steps = 0;
    setup_groups(groups, list, false);
    Engine *e = engine_new(tiny()->model, tiny()->tok, 5, 0),
           *other = engine_new(tiny()->model, tiny()->tok, 5, 0);
    engine_begin(e, 40, p[0].max_tokens, 3, count_done, &n_done);
    ck_assert(!engine_step(e));
    ck_assert_int_eq(engine_add(e, &groups[0], &p[0]), 0);
    engine_step(e);
    engine_abandon(e);
    ck_assert_int_eq(engine_pending(e), 0);
    group_free(&groups[0]);
    groups[0] = tiny_group(tiny(), 100, prompt_lengths[0], G);
    do {
        if (n_added < N_GROUPS && n_steps++ % 3 == 0) {
            ck_assert_int_eq(engine_add(e, &groups[n_added], &p[n_added % 2]), 0);
            n_added++;
        }
    } while (engine_step(e) || n_added < N_GROUPS);
    ck_assert_int_eq(n_done, N_GROUPS);
    setup_groups(alone, list, false);
    for (int i = 0; i < N_GROUPS; i++) {
        engine_generate(other, &list[i], 1, &p[i % 2], 3, NULL, NULL, NULL);
        for (int j = 0; j < G; j++) check_same_sample(&groups[i].samples[j], &alone[i].samples[j]);
    }
    free_groups(groups);
    free_groups(alone);
    Group longest = tiny_group(tiny(), 1, 160, 1); /* as many tokens as the model has positions */
    errors_quiet(1);
    ck_assert_int_eq(engine_add(e, &longest, &p[0]), -1);
    errors_quiet(-1);
    group_free(&longest);
    engine_free(e);
    engine_free(other);
}
END_TEST

START_TEST(prompts_longer_than_a_pass_do_not_matter)
{
    /* 30 groups of up to 40 tokens are more than the tokens of one prefill pass, which then stops
     * inside a prompt */
    enum { N = 30 };
    Group together[N], *list[N];
    GenerateParams p = tiny_params(1, 8);
    for (int i = 0; i < N; i++) {
        together[i] = tiny_group(tiny(), i, 21 + i, 1);
        list[i] = &together[i];
    }
    Engine *e = engine_new(tiny()->model, tiny()->tok, N, 0);
    engine_generate(e, list, N, &p, 0, NULL, NULL, NULL);
    ck_assert_int_gt(engine_stats(e).prefill_tokens, 512);
    for (int i = 0; i < N; i++) {
        Group alone = tiny_group(tiny(), i, 21 + i, 1), *one = &alone;
        engine_generate(e, &one, 1, &p, 0, NULL, NULL, NULL);
        check_same_sample(&alone.samples[0], &together[i].samples[0]);
        group_free(&alone);
        group_free(&together[i]);
    }
    engine_free(e);
}
END_TEST

START_TEST(sharing_a_prompt_changes_nothing)
{
    GenerateParams p = tiny_params(1, 33);
    Engine *e = engine_new(tiny()->model, tiny()->tok, 8, 0);
    Group many = tiny_group(tiny(), 12, 21, 8), one = tiny_group(tiny(), 12, 21, 1), *list = &many;
    engine_generate(e, &list, 1, &p, 0, NULL, NULL, NULL);
    list = &one;
    engine_generate(e, &list, 1, &p, 0, NULL, NULL, NULL);
    check_same_sample(&many.samples[0], &one.samples[0]);
    int n_different = 0;
    for (int i = 1; i < 8; i++)
        n_different += many.samples[i].n_tokens != one.samples[0].n_tokens ||
                       !same_bits(many.samples[i].tokens, one.samples[0].tokens,
                                  4 * (size_t)one.samples[0].n_tokens);
    ck_assert_int_ge(n_different, 6);
    group_free(&many);
    group_free(&one);
    engine_free(e);
}
END_TEST

/* The answers of one group of 64 samples. */
static Group write_many(const GenerateParams *p, int n_prompt)
{
    Group g = tiny_group(tiny(), 5, n_prompt, 64), *list = &g;
    Engine *e = engine_new(tiny()->model, tiny()->tok, 64, 0);
    engine_generate(e, &list, 1, p, 4, NULL, NULL, NULL);
    engine_free(e);
    return g;
}

/* Bytes of the text after every token: those of the tokens so far, at most what a stop string left.
 */
static void expect_text_ends(const Sample *s)
{
    size_t whole = strlen(s->text);
    ck_assert_ptr_nonnull(s->text_ends);
    for (int t = 0; t < s->n_tokens; t++) {
        Buffer text = {0};
        tokenizer_decode(tiny()->tok, s->tokens, t + 1, true, &text);
        ck_assert_uint_eq((size_t)s->text_ends[t], text.size < whole ? text.size : whole);
        buffer_free(&text);
    }
}

START_TEST(ends_where_it_should)
{
    int eos = tokenizer_eos(tiny()->tok), n_eos = 0, n_length = 0;
    GenerateParams p = tiny_params(2, 20);
    Group g = write_many(&p, 6);
    for (int i = 0; i < 64; i++) {
        const Sample *s = &g.samples[i];
        ck_assert_int_le(s->n_tokens, 20);
        bool ended = s->tokens[s->n_tokens - 1] == eos;
        for (int t = 0; t < s->n_tokens - 1; t++) ck_assert_int_ne(s->tokens[t], eos);
        for (int t = 0; t < s->n_tokens; t++) ck_assert_int_eq(s->versions[t], 4);
        ck_assert_int_eq(s->finish, ended ? FINISH_EOS : FINISH_LENGTH);
        if (!ended) ck_assert_int_eq(s->n_tokens, 20);
        n_eos += ended, n_length += !ended;
        expect_text_ends(s);
        Buffer text = {0};
        buffer_add(&text, "", 0);
        tokenizer_decode(tiny()->tok, s->tokens, s->n_tokens, true, &text);
        ck_assert_str_eq(s->text, text.data);
        buffer_free(&text);
    }
    ck_assert_int_gt(n_eos, 3);
    ck_assert_int_gt(n_length, 3);
    ck_assert_int_eq(g.version, 4);
    group_free(&g);
}
END_TEST

START_TEST(an_ignored_end_is_a_token_like_any_other)
{
    GenerateParams p = tiny_params(2, 20);
    Group ending = write_many(&p, 6);
    p.ignore_eos = true;
    Group going_on = write_many(&p, 6);
    int n_went_on = 0;
    for (int i = 0; i < 64; i++) {
        const Sample *a = &ending.samples[i], *b = &going_on.samples[i];
        ck_assert_int_eq(b->n_tokens, 20);
        ck_assert_int_eq(b->finish, FINISH_LENGTH);
        ck_assert(same_bits(a->tokens, b->tokens, 4 * (size_t)a->n_tokens));
        ck_assert(same_bits(a->logprobs, b->logprobs, 4 * (size_t)a->n_tokens));
        ck_assert(!strstr(b->text, "eos"));
        n_went_on += a->n_tokens < 20;
    }
    ck_assert_int_gt(n_went_on, 3);
    group_free(&ending);
    group_free(&going_on);
}
END_TEST

START_TEST(ends_at_the_models_last_position)
{
    GenerateParams p = tiny_params(1, 1000);
    p.ignore_eos = true;
    Group g = write_many(&p, 150);
    for (int i = 0; i < 64; i++) {
        ck_assert_int_eq(g.samples[i].n_tokens, 10);
        ck_assert_int_eq(g.samples[i].finish, FINISH_LENGTH);
    }
    group_free(&g);
}
END_TEST

START_TEST(stops_across_tokens)
{
    /* The stop strings are cut out of an answer written without them, over token borders: every
     * two-token piece is one. */
    GenerateParams p = tiny_params(1.5f, 30);
    Group free_running = write_many(&p, 6);
    int n_stopped = 0;
    for (int i = 0; i < 64; i++) {
        const Sample *s = &free_running.samples[i];
        size_t n = strlen(s->text);
        if (n < 8) continue;
        char stop[4] = {s->text[4], s->text[5], s->text[6], 0};
        const char *stops[] = {"never", stop};
        p.stops = stops;
        p.n_stops = 2;
        Group g = tiny_group(tiny(), 5, 6, 64), *list = &g;
        Engine *e = engine_new(tiny()->model, tiny()->tok, 64, 0);
        engine_generate(e, &list, 1, &p, 0, NULL, NULL, NULL);
        const Sample *t = &g.samples[i];
        size_t cut = (size_t)(strstr(s->text, stop) - s->text);
        ck_assert_int_eq(t->finish, FINISH_STOP);
        ck_assert_uint_eq(strlen(t->text), cut);
        expect_text_ends(t);
        ck_assert(!strncmp(t->text, s->text, cut));
        ck_assert(same_bits(t->tokens, s->tokens, 4 * (size_t)t->n_tokens));
        Buffer all = {0};
        tokenizer_decode(tiny()->tok, t->tokens, t->n_tokens, true,
                         &all); /* its tokens include the stop string */
        ck_assert(strstr(all.data, stop) != NULL);
        buffer_free(&all);
        group_free(&g);
        engine_free(e);
        if (++n_stopped == 12) break;
    }
    ck_assert_int_eq(n_stopped, 12);
    group_free(&free_running);
}
END_TEST

START_TEST(greedy_takes_the_largest)
{
    GenerateParams p = tiny_params(0, 12);
    Group g = write_many(&p, 6);
    for (int i = 1; i < 64; i++) check_same_sample(&g.samples[i], &g.samples[0]);
    for (int t = 0; t < g.samples[0].n_tokens; t++) {
        ck_assert(g.samples[0].logprobs_sampled[t] == 0);
        ck_assert(g.samples[0].logprobs[t] == g.samples[0].logprobs_untempered[t]);
    }
    group_free(&g);
}
END_TEST

typedef struct {
    const Group *g;
    int ticks, n_before;
} Watch;

static void watch(void *ctx)
{
    Watch *w = ctx;
    int n = w->g->samples[0].n_tokens;
    ck_assert_int_eq(n, w->n_before + 1);
    ck_assert(isfinite(w->g->samples[0].logprobs[n - 1]));
    w->n_before = n;
    w->ticks++;
}

START_TEST(a_tick_sees_every_token_and_statistics_count)
{
    GenerateParams p = tiny_params(1, 25);
    p.ignore_eos = true;
    Group g = tiny_group(tiny(), 1, 19, 1), *list = &g;
    Engine *e = engine_new(tiny()->model, tiny()->tok, 2, 0);
    Watch w = {.g = &g};
    engine_generate(e, &list, 1, &p, 0, NULL, watch, &w);
    ck_assert_int_eq(w.ticks, 25);
    EngineStats s = engine_stats(e);
    ck_assert_int_eq(s.prefill_tokens, 19);
    ck_assert_int_eq(s.decode_tokens, 25);
    ck_assert_int_eq(s.decode_steps, 24);
    ck_assert(s.prefill_s > 0 && s.decode_s > 0);
    group_free(&g);
    engine_free(e);
}
END_TEST

START_TEST(memory_is_what_plan_says)
{
    if (!mallinfo2().uordblks) return; /* a sanitizer's allocator does not count for us */
    enum { ROWS = 48, SLOTS = 48 * 96 };
    const ModelDesc *d = model_desc(tiny()->model);
    GenerateParams p = tiny_params(1, 40);
    for (int round = 0; round < 2; round++) { /* the first lets the model's own buffers grow */
        struct mallinfo2 before = mallinfo2();
        Group g = tiny_group(tiny(), 5, 30, 64), *list = &g;
        Engine *e = engine_new(tiny()->model, tiny()->tok, ROWS, SLOTS);
        engine_generate(e, &list, 1, &p, 0, NULL, NULL, NULL);
        group_free(&g);
        struct mallinfo2 after = mallinfo2();
        double used = (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd);
        double said = (double)engine_bytes(d, model_kernels(tiny()->model), ROWS, SLOTS);
        if (round)
            ck_assert_msg(fabs(used / said - 1) < 0.05, "%.0f bytes used, %.0f said", used, said);
        engine_free(e);
    }
}
END_TEST

#ifndef __SANITIZE_ADDRESS__
static long n_allocations;
void *aligned_alloc(size_t alignment, size_t size) /* what common/memory.c calls */
{
    void *p = NULL;
    n_allocations++;
    return posix_memalign(&p, alignment, size) ? NULL : p;
}

typedef struct {
    int ticks;
    long at_first, at_last;
} Allocations;

static void count_allocations(void *ctx)
{
    Allocations *a = ctx;
    if (++a->ticks == 1) a->at_first = n_allocations;
    if (a->ticks < 40)
        a->at_last = n_allocations; /* at the last token the answers are handed over */
}

START_TEST(a_warm_decode_loop_allocates_nothing)
{
    GenerateParams p = tiny_params(1, 40);
    p.ignore_eos = true;
    Engine *e = engine_new(tiny()->model, tiny()->tok, 16, 0);
    for (int round = 0; round < 2; round++) {
        Allocations a = {0};
        Group g = tiny_group(tiny(), 5, 30, 16), *list = &g;
        engine_generate(e, &list, 1, &p, 0, NULL, count_allocations, &a);
        ck_assert_int_eq(a.ticks, 40);
        ck_assert_int_gt(n_allocations, 0);
        if (round) ck_assert_int_eq(a.at_last - a.at_first, 0);
        group_free(&g);
    }
    engine_free(e);
}
END_TEST
#else
START_TEST(a_warm_decode_loop_allocates_nothing) {} /* the sanitiser counts its own way */
END_TEST
#endif

TEST_MAIN("engine", answers_do_not_depend_on_the_batch, a_stream_changes_nothing,
          prompts_longer_than_a_pass_do_not_matter, sharing_a_prompt_changes_nothing,
          ends_where_it_should, an_ignored_end_is_a_token_like_any_other,
          ends_at_the_models_last_position, stops_across_tokens, greedy_takes_the_largest,
          a_tick_sees_every_token_and_statistics_count, memory_is_what_plan_says,
          a_warm_decode_loop_allocates_nothing)
