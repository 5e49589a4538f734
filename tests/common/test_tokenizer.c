/* Alphabets; byte-level BPE against golden ids of Hugging Face's `tokenizers`. */
#include "tests/harness.h"

#include "common/errors.h"
#include "common/tokenizer.h"

static void expect_ids(const Tokenizer *t, const char *text, bool special, int n,
                       const int32_t *want)
{
    Ids ids = {0};
    ck_assert_int_eq(tokenizer_encode(t, text, strlen(text), special, true, &ids), 0);
    ck_assert_int_eq(ids.n, n);
    for (int i = 0; i < n; i++) ck_assert_int_eq(ids.data[i], want[i]);
    Buffer back = {0};
    tokenizer_decode(t, ids.data, ids.n, false, &back);
    ck_assert_str_eq(back.data ? back.data : "", text);
    buffer_free(&back);
    ids_free(&ids);
}

START_TEST(alphabet_takes_the_longest_literal)
{
    Tokenizer *t = tokenizer_from_alphabet(" 0 1 12 + =\n<think> </think>\t< é ");
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(tokenizer_size(t), 10);
    ck_assert_int_eq(tokenizer_eos(t), 0);
    ck_assert(tokenizer_is_eos(t, 0) && !tokenizer_is_eos(t, 1));
    ck_assert_int_eq(tokenizer_bos(t), -1);
    expect_ids(t, "", false, 0, NULL);
    expect_ids(t, "1120", false, 3,
               (int32_t[]){2, 3, 1}); /* leftmost first: 1 12 0 would need a look ahead */
    expect_ids(t, "<think><é</think>", false, 4, (int32_t[]){6, 8, 9, 7});
    expect_ids(t, "1<eos>", true, 2, (int32_t[]){2, 0});
    tokenizer_close(t);
}
END_TEST

START_TEST(alphabet_refuses_other_text)
{
    static const char *const bad[] = {"2", "1 1", "1<eos>", "1é"};
    Tokenizer *t = tokenizer_from_alphabet("1 <");
    Ids ids = {0};
    ids_add(&ids, 1);
    errors_quiet(1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(tokenizer_encode(t, bad[i], strlen(bad[i]), false, false, &ids), -1);
        ck_assert_int_eq(ids.n, 1); /* nothing was left behind */
    }
    ck_assert_ptr_nonnull(strstr(errors_last(), "no token for 'é'"));
    ck_assert_ptr_null(tokenizer_from_alphabet(" \n"));
    ck_assert_ptr_null(tokenizer_from_alphabet("a b a"));
    ck_assert_ptr_null(tokenizer_from_alphabet("a <eos>"));
    errors_quiet(-1);
    ids_free(&ids);
    tokenizer_close(t);
}
END_TEST

TEST_MAIN("tokenizer", alphabet_takes_the_longest_literal, alphabet_refuses_other_text)
