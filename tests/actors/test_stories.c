/* The engine tells the story that stories260K is known to tell. */
#include "tests/stories.h"

#include "common/engine.h"

static const char expected[] =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
    "One day, she saw a big, red ball.";

START_TEST(continues_greedily_as_known)
{
    if (!test_data_dir()) {
        printf("skipped: TROUPE_DATA does not name a folder with stories260k\n");
        exit(77);
    }
    Stories s = stories_open(test_data_dir());
    int32_t *prompt = NEW(int32_t, 1);
    prompt[0] = s.desc.bos;
    Group g = {.n_prompt = 1, .n_samples = 2, .prompt = prompt}, *list = &g;
    GenerateParams p = {.sampling = {0, 0, 1, 0}, .max_tokens = 100};
    Engine *e = engine_new(s.model, NULL, 2, 0);
    engine_generate(e, &list, 1, &p, 0, NULL, NULL, NULL);
    Buffer text = {0};
    for (int t = 0; t < g.samples[0].n_tokens; t++)
        buffer_add(&text, s.pieces[g.samples[0].tokens[t]],
                   (size_t)s.lengths[g.samples[0].tokens[t]]);
    ck_assert_uint_gt(text.size, sizeof expected);
    const char *story =
        text.data + (text.data[0] == ' '); /* SentencePiece's blank after the beginning */
    ck_assert_msg(!strncmp(story, expected, sizeof expected - 1), "it says: %s", story);
    buffer_free(&text);
    group_free(&g);
    engine_free(e);
    stories_close(&s);
}
END_TEST

TEST_MAIN("stories", continues_greedily_as_known)
