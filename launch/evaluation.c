/* See evaluation.h. Actors write one greedy answer to each held-out problem, the reward service
 * scores it, rank 0 counts. */
#include "launch/evaluation.h"

#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/statistics.h"

int evaluation_init(Evaluation *e, const Config *cfg, const char *const *component_names, int n)
{
    *e = (Evaluation){.cfg = cfg, .component = -1, .version = -1};
    if (!*cfg->eval.component) return 0;
    for (int i = 0; i < n; i++)
        if (strcmp(component_names[i], cfg->eval.component) == 0) e->component = i;
    if (e->component < 0)
        return fail("%s: eval.component: the reward block has no component `%s`", cfg->file,
                    cfg->eval.component);
    return 0;
}

void evaluation_free(Evaluation *e)
{
    json_decref(e->examples);
    e->examples = NULL;
}

void evaluation_begin(Evaluation *e, int64_t version)
{
    evaluation_free(e);
    e->version = version;
    e->n_wanted = (int)e->cfg->eval.problems;
    e->n_in = e->n_right = e->n_failed = 0;
    e->examples = json_array();
    for (int i = 0; i < EVALUATION_EXAMPLES; i++) json_array_append_new(e->examples, json_null());
}

/* Text for JSON: what is not UTF-8 (a byte-level model may write anything) becomes U+FFFD. */
static json_t *text_json(const char *s)
{
    json_t *j = json_string(s);
    if (j) return j;
    Buffer b = {0};
    for (; *s; s++) {
        if ((unsigned char)*s < 0x80)
            buffer_add(&b, s, 1);
        else
            buffer_text(&b, "\xef\xbf\xbd");
    }
    j = json_string(b.data);
    buffer_free(&b);
    return j;
}

void evaluation_add(Evaluation *e, const Group *g)
{
    REQUIRE(g->version == e->version,
            "an evaluation of version %d while version %lld was evaluated", g->version,
            (long long)e->version);
    const Sample *s = &g->samples[0];
    Score score = e->component < 0 ? s->reward : s->components[e->component];
    e->n_in++;
    if (score.status != SCORE_OK)
        e->n_failed++;
    else if (score.value >= e->cfg->eval.threshold)
        e->n_right++;
    if (g->id >= EVALUATION_EXAMPLES) return;
    json_t *example = json_pack("{s:o, s:o, s:s}", "prompt", text_json(g->prompt_text), "answer",
                                text_json(s->text), "status", score_status_name(score.status));
    if (score.status == SCORE_OK) json_object_set_new(example, "reward", json_real(score.value));
    json_array_set_new(e->examples, (size_t)g->id, example);
}

bool evaluation_complete(const Evaluation *e)
{
    return e->version >= 0 && e->n_in == e->n_wanted;
}

double evaluation_accuracy(const Evaluation *e)
{
    int n = e->n_in - e->n_failed;
    return n ? (double)e->n_right / n : NAN;
}

json_t *evaluation_json(const Evaluation *e)
{
    int n = e->n_in - e->n_failed;
    double accuracy = evaluation_accuracy(e);
    Estimate share = n ? estimate_share(accuracy, n) : (Estimate){NAN, 0, 1};
    return json_pack("{s:o, s:f, s:f, s:i, s:i, s:O}", "accuracy",
                     isnan(accuracy) ? json_null() : json_real(accuracy), "low", share.low, "high",
                     share.high, "n", n, "failed", e->n_failed, "examples", e->examples);
}
