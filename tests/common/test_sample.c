/* The record's bytes: what is packed comes back, and nothing damaged is ever accepted. */
#include "tests/harness.h"

#include "common/errors.h"
#include "common/sample.h"

static Group tiny_group(void)
{
    Group g = {.kind = GROUP_TRAIN,
               .id = 37,
               .problem = 1203,
               .version = 5,
               .n_prompt = 6,
               .n_samples = 2};
    static const int32_t prompt[6] = {3, 4, 11, 5, 2, 13};
    g.prompt = NEW(int32_t, 6);
    memcpy(g.prompt, prompt, sizeof prompt);
    g.prompt_text = mem_text("12+30=");
    g.record = mem_text("{\"answer\": 42}");
    g.samples = NEW(Sample, 2);
    for (int i = 0; i < 2; i++) {
        Sample *s = &g.samples[i];
        sample_reserve(s, 8);
        s->n_tokens = 3;
        for (int t = 0; t < 3; t++) {
            s->tokens[t] = 10 * i + t;
            s->logprobs[t] = -0.25f * (float)t;
            s->logprobs_untempered[t] = -0.5f;
            s->logprobs_sampled[t] = 0;
            s->versions[t] = 5;
        }
        s->finish = i ? FINISH_LENGTH : FINISH_EOS;
        s->text = mem_text(i ? "43 \xf0\x9f\x99\x82" : "");
    }
    g.samples[1].mask = NEW(uint8_t, 3);
    g.samples[1].mask[1] = 1;
    group_reserve_scores(&g, 2);
    g.samples[0].components[0] = (Score){1, SCORE_OK};
    g.samples[1].components[1] = (Score){0, SCORE_TIMEOUT};
    g.samples[1].latencies_s[1] = 2.5f;
    g.samples[1].notes[0] = mem_text("too long");
    g.samples[1].reward = (Score){-1, SCORE_REFUSED};
    g.samples[0].advantage = 0.7f;
    g.samples[0].text_ends = NEW(int32_t, 3);
    g.samples[0].text_ends[2] = 4;
    g.samples[1].steps = NEW(SampleStep, 2);
    g.samples[1].n_steps = 2;
    g.samples[1].steps[0] = (SampleStep){.end = 1, .reward = 0.25, .advantage = -0.5f};
    g.samples[1].steps[1] = (SampleStep){.end = 3, .reward = -1, .advantage = 0.5f};
    return g;
}

START_TEST(a_group_comes_back_whole)
{
    Group g = tiny_group(), h;
    Buffer b = {0}, again = {0};
    group_pack(&g, &b);
    ck_assert_int_eq(group_unpack(&h, b.data, b.size), 0);
    group_pack(&h, &again);
    ck_assert_uint_eq(b.size, again.size);
    ck_assert(same_bits(b.data, again.data, b.size));
    ck_assert_int_eq((int)h.id, 37);
    ck_assert_str_eq(h.prompt_text, "12+30=");
    ck_assert_str_eq(h.samples[0].text, "");
    ck_assert_ptr_null(h.samples[0].mask);
    ck_assert_int_eq(h.samples[1].mask[1], 1);
    ck_assert_int_eq(h.samples[1].tokens[2], 12);
    ck_assert_int_eq((int)h.samples[1].components[1].status, SCORE_TIMEOUT);
    ck_assert_float_eq(h.samples[1].latencies_s[1], 2.5f);
    ck_assert_str_eq(h.samples[1].notes[0], "too long");
    ck_assert_ptr_null(h.samples[1].notes[1]);
    ck_assert_int_eq((int)h.samples[1].reward.status, SCORE_REFUSED);
    ck_assert_int_eq(h.samples[0].text_ends[2], 4);
    ck_assert_ptr_null(h.samples[1].text_ends);
    ck_assert_int_eq(h.samples[0].n_steps, 0);
    ck_assert_int_eq(h.samples[1].n_steps, 2);
    ck_assert_int_eq(h.samples[1].steps[1].end, 3);
    ck_assert_double_eq(h.samples[1].steps[0].reward, 0.25);
    ck_assert_float_eq(sample_advantage_at(&h.samples[1], 0), -0.5f);
    ck_assert_float_eq(sample_advantage_at(&h.samples[1], 2), 0.5f);
    ck_assert_float_eq(sample_advantage_at(&h.samples[0], 2), 0.7f);
    group_free(&g);
    group_free(&h);
    group_free(&h); /* an empty group is fine */
    buffer_free(&b);
    buffer_free(&again);
}
END_TEST

START_TEST(steps_that_are_none_of_the_answer_are_refused)
{
    static const int32_t ends[][2] = {{0, 3}, {2, 2}, {2, 1}, {2, 4}, {-1, 3}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        Group g = tiny_group(), h;
        Buffer b = {0};
        for (int k = 0; k < 2; k++) g.samples[1].steps[k].end = ends[i][k];
        group_pack(&g, &b);
        errors_quiet(1);
        ck_assert_int_eq(group_unpack(&h, b.data, b.size), -1);
        errors_quiet(-1);
        ck_assert_ptr_nonnull(strstr(errors_last(), "has steps that are none of its answer"));
        buffer_free(&b);
        group_free(&g);
    }
}
END_TEST

START_TEST(every_flipped_bit_and_every_cut_is_refused)
{
    Group g = tiny_group(), h;
    Buffer b = {0};
    group_pack(&g, &b);
    errors_quiet(1);
    for (size_t i = 0; i < b.size * 8; i++) {
        b.data[i / 8] = (char)(b.data[i / 8] ^ 1 << i % 8);
        ck_assert_int_eq(group_unpack(&h, b.data, b.size), -1);
        ck_assert_ptr_null(h.samples);
        b.data[i / 8] = (char)(b.data[i / 8] ^ 1 << i % 8);
    }
    for (size_t n = 0; n < b.size; n++) ck_assert_int_eq(group_unpack(&h, b.data, n), -1);
    errors_quiet(-1);
    ck_assert_int_eq(group_unpack(&h, b.data, b.size), 0);
    group_free(&g);
    group_free(&h);
    buffer_free(&b);
}
END_TEST

/* With the CRC made to fit, each 32-bit word is replaced by hostile counts: the reader must refuse
 * or read, never crash. */
START_TEST(hostile_counts_with_a_good_crc_are_refused)
{
    static const uint32_t hostile[] = {0x7fffffff, 0x80000000, 0xfffffffe,
                                       0x00100000, 0xffffffff, 1000};
    Group g = tiny_group(), h;
    Buffer b = {0};
    int refused = 0;
    group_pack(&g, &b);
    errors_quiet(1);
    for (size_t at = 0; at + 8 <= b.size; at += 4) {
        for (size_t k = 0; k < sizeof hostile / sizeof *hostile; k++) {
            uint32_t kept, crc;
            memcpy(&kept, b.data + at, 4);
            memcpy(b.data + at, &hostile[k], 4);
            crc = crc32c(0, b.data, b.size - 4);
            memcpy(b.data + b.size - 4, &crc, 4);
            refused += group_unpack(&h, b.data, b.size) != 0;
            group_free(&h);
            memcpy(b.data + at, &kept, 4);
        }
    }
    errors_quiet(-1);
    ck_assert_int_gt(refused, 50);
    group_free(&g);
    buffer_free(&b);
}
END_TEST

START_TEST(room_grows_and_keeps_what_is_there)
{
    Sample s = {0};
    sample_reserve(&s, 2);
    s.tokens[0] = 7, s.tokens[1] = 8, s.n_tokens = 2;
    sample_reserve(&s, 1000);
    ck_assert_int_eq(s.tokens[0], 7);
    ck_assert_int_eq(s.tokens[1], 8);
    s.tokens[999] = 1;
    Group g = {.samples = NEW(Sample, 1), .n_samples = 1};
    g.samples[0] = s;
    group_free(&g);
}
END_TEST

/* RFC 3720, B.4, and a bitwise reference on odd lengths and alignments. */
START_TEST(crc32c_is_castagnoli)
{
    unsigned char bytes[300] = {0};
    ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xE3069283u);
    ck_assert_uint_eq(crc32c(0, bytes, 32), 0x8A9136AAu);
    for (int i = 0; i < 300; i++) bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t from = 0; from < 9; from++) {
        uint32_t crc = ~0u;
        for (size_t i = from; i < 300; i++) {
            crc ^= bytes[i];
            for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
        }
        ck_assert_uint_eq(crc32c(0, bytes + from, 300 - from), ~crc);
        ck_assert_uint_eq(crc32c(crc32c(0, bytes + from, 100), bytes + from + 100, 200 - from),
                          ~crc);
    }
}
END_TEST

TEST_MAIN("sample", a_group_comes_back_whole, steps_that_are_none_of_the_answer_are_refused,
          every_flipped_bit_and_every_cut_is_refused, hostile_counts_with_a_good_crc_are_refused,
          room_grows_and_keeps_what_is_there, crc32c_is_castagnoli)
