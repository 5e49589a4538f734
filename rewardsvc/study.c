/* See study.h. */
#include "rewardsvc/study.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/cooper.h"

struct Study {
    Judge *model;
    const VerifierSettings *settings;
    char *dir;
    int64_t every;
    int keep;
    Verifier *v;  /* NULL: not opened yet */
    uint32_t crc; /* of its weights; a step in progress has not changed them */
    /* Steps base .. base + history - 1; `learned` of all steps are learned, and of the next one the
     * pairs before `pair`. */
    int64_t base, learned;
    uint32_t base_crc;
    json_t *history; /* array of {"pairs": [...], "margins": [...], "norm": x, "after": crc} */
    size_t pair;
};

Study *study_new(Judge *model, const VerifierSettings *settings, char *dir, int64_t every, int keep)
{
    Study *s = NEW(Study, 1);
    *s = (Study){.model = model,
                 .settings = settings,
                 .dir = dir,
                 .every = every,
                 .keep = keep,
                 .history = json_array()};
    return s;
}

void study_free(Study *s)
{
    if (!s) return;
    verifier_free(s->v);
    json_decref(s->history);
    mem_free(s->dir);
    mem_free(s);
}

Verifier *study_verifier(Study *s)
{
    if (s->v) return s->v;
    Policy *p = judge_policy(s->model);
    if (!p) {
        fail("the verifier's model %s is not open", judge_name(s->model));
        return NULL;
    }
    s->v = verifier_new(p, judge_max_context(s->model), s->settings);
    if (!s->v) return NULL;
    s->crc = verifier_crc(s->v);
    if (s->base == 0 && s->learned == 0) s->base_crc = s->crc;
    return s->v;
}

int64_t study_version(const Study *s)
{
    return s->base + (int64_t)json_array_size(s->history);
}

int64_t study_learned(const Study *s)
{
    return s->learned;
}

/* ---- learning -------------------------------------------------------------------------------- */

void study_add(Study *s, json_t *pairs)
{
    json_array_append_new(s->history, json_pack("{s:o}", "pairs", pairs));
}

static json_t *present_step(const Study *s)
{
    return json_array_get(s->history, (size_t)(s->learned - s->base));
}

static void learn_pair(Study *s, json_t *step)
{
    const json_t *pairs = json_object_get(step, "pairs"), *pair = json_array_get(pairs, s->pair);
    const char *question, *reference, *right, *wrong;
    Ids a = {0}, b = {0};
    REQUIRE(!json_unpack((json_t *)pair, "{s:s, s:s, s:s, s:s}", "question", &question, "reference",
                         &reference, "right", &right, "wrong", &wrong),
            "a pair without its texts");
    if (verifier_ids(s->v, question, reference, right, &a) ||
        verifier_ids(s->v, question, reference, wrong, &b))
        die(EXIT_CONFIG, "a pair that the verifier has learned cannot be asked about any more (the "
                         "reason is above): has its configuration changed?");
    if (!s->pair) json_object_set_new(step, "margins", json_array());
    double share = 1 / ((double)json_array_size(pairs) + 1e-6), /* as preference_masked */
        margin = verifier_learn(s->v, &a, &b, share);
    json_array_append_new(json_object_get(step, "margins"),
                          isfinite(margin) ? json_real(margin) : json_null());
    s->pair++;
    ids_free(&a);
    ids_free(&b);
}

static int make_folder(const char *path)
{
    return !mkdir(path, 0750) || errno == EEXIST ? 0 : fail("%s: %s", path, strerror(errno));
}

static int make_folders(const char *dir)
{
    char *path = mem_text(dir);
    int rc = 0;
    for (char *at = path + 1; !rc && (at = strchr(at, '/')); *at++ = '/') {
        *at = 0;
        rc = make_folder(path);
    }
    if (!rc) rc = make_folder(path);
    mem_free(path);
    return rc;
}

/* From here on states refer to this copy. */
static void keep_copy(Study *s)
{
    char *config = judge_model_config(s->model);
    int rc = make_folders(s->dir) || verifier_save(s->v, s->dir, s->learned, s->keep, config);
    mem_free(config);
    if (rc) {
        fail("%s: no copy of the verifier after step %lld (the reason is above); its checkpoints "
             "hold more pairs instead",
             s->dir, (long long)s->learned);
        return;
    }
    s->base = s->learned;
    s->base_crc = s->crc;
    json_array_clear(s->history);
}

/* What another rank, or the run before it was interrupted, had after this step is what we have. */
static void check_step(const Study *s, json_t *step)
{
    const json_t *after = json_object_get(step, "after");
    if (after && json_integer_value(after) != (json_int_t)s->crc)
        die(EXIT_INTERNAL,
            "the verifier's weights after step %lld are not those that the first reward rank had: "
            "a run is no longer a number here",
            (long long)s->learned);
    if (!after) json_object_set_new(step, "after", json_integer((json_int_t)s->crc));
}

static void end_step(Study *s, json_t *step, bool keeps)
{
    size_t n = json_array_size(json_object_get(step, "pairs"));
    if (n) {
        double norm = verifier_step(s->v); /* not finite: it took none */
        json_object_set_new(step, "norm",
                            cooper_may_step((int)n, norm) ? json_real(norm) : json_null());
        s->crc = verifier_crc(s->v);
    }
    s->learned++;
    s->pair = 0;
    check_step(s, step);
    if (keeps && s->learned == study_version(s) && s->learned % s->every == 0) keep_copy(s);
}

bool study_work(Study *s, bool keeps)
{
    if (s->learned == study_version(s)) return false;
    if (!study_verifier(s)) die(EXIT_CONFIG, "the verifier cannot learn (the reason is above)");
    json_t *step = present_step(s);
    if (s->pair < json_array_size(json_object_get(step, "pairs")))
        learn_pair(s, step);
    else
        end_step(s, step, keeps);
    return true;
}

/* ---- state ----------------------------------------------------------------------------------- */

json_t *study_save(const Study *s)
{
    REQUIRE(s->learned == study_version(s), "a verifier that has not learned its last step");
    return json_pack("{s:{s:I, s:I}, s:O}", "base", "step", (json_int_t)s->base, "crc",
                     (json_int_t)s->base_crc, "steps", s->history);
}

static int begin_again(Study *s)
{
    verifier_free(s->v);
    s->v = NULL;
    s->learned = s->base = 0;
    s->pair = 0;
    json_array_clear(s->history);
    return judge_reopen(s->model) || !study_verifier(s) ? -1 : 0;
}

/* Weights and optimiser of the state's beginning. */
static int go_to_base(Study *s, int64_t base, uint32_t crc)
{
    if (base ? verifier_load(s->v, s->dir, base) : begin_again(s)) return -1;
    s->learned = base;
    s->pair = 0;
    s->crc = verifier_crc(s->v);
    if (s->crc == crc) return 0;
    return base ? fail("%s: the copy after step %lld has other weights than the state says", s->dir,
                       (long long)base)
                : fail("the model %s has other weights than when the run began",
                       judge_name(s->model));
}

/* The CRC that the state gives for the weights after `step`; -1: it says nothing of them. */
static json_int_t crc_after(const json_t *steps, int64_t base, uint32_t base_crc, int64_t step)
{
    if (step == base) return base_crc;
    if (step < base || step > base + (int64_t)json_array_size(steps)) return -1;
    const json_t *after =
        json_object_get(json_array_get(steps, (size_t)(step - base - 1)), "after");
    return after ? json_integer_value(after) : -1;
}

static int check_steps(const json_t *steps)
{
    static const char *const texts[] = {"question", "reference", "right", "wrong"};
    size_t i, k;
    const json_t *step, *pair;
    json_array_foreach(steps, i, step)
    {
        const json_t *pairs = json_object_get(step, "pairs");
        if (!json_is_array(pairs)) return fail("step %zu has no pairs", i);
        json_array_foreach(pairs, k, pair) for (size_t t = 0; t < 4; t++) if (
            !json_is_string(json_object_get(
                pair, texts[t]))) return fail("pair %zu of step %zu has no %s", k, i, texts[t]);
    }
    return 0;
}

int study_load(Study *s, const json_t *saved)
{
    json_int_t base, crc;
    json_t *steps;
    json_error_t why;
    if (!study_verifier(s)) return -1;
    if (!saved) return study_version(s) ? begin_again(s) : 0;
    if (json_unpack_ex((json_t *)saved, &why, 0, "{s:{s:I, s:I}, s:o}", "base", "step", &base,
                       "crc", &crc, "steps", &steps))
        return fail("%s", why.text);
    if (base < 0 || !json_is_array(steps)) return fail("steps from %lld on", (long long)base);
    if (check_steps(steps)) return -1;
    bool goes_on = !s->pair && crc_after(steps, base, (uint32_t)crc, s->learned) == s->crc;
    if (!goes_on && go_to_base(s, base, (uint32_t)crc)) return -1;
    json_decref(s->history);
    s->history = json_deep_copy(steps);
    s->base = base;
    s->base_crc = (uint32_t)crc;
    return 0;
}
