/* The right text in the right place, after a declared normalisation: 1 or 0. Where the record has a
 * list, each of its texts is right. */
#include <string.h>

#include "common/memory.h"
#include "rewardsvc/normal.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"

enum { WHERE, FIELD, CASE, UNICODE, SPACE, PUNCTUATION };

static const RewardSetting settings[] = {
    {"where", SETTING_TEXT, .text = "final", .help = PLACE_HELP},
    {"field", SETTING_TEXT, .text = "answer",
     .help = "field of the problem's record with the right text, or a list of them"},
    {"case", SETTING_BOOL, .number = 0, .help = "capitals count"},
    {"unicode", SETTING_BOOL, .number = 1,
     .help = "compare in Unicode's form NFKC: full-width, ligatures and composed letters as plain "
             "ones, invisible characters dropped"},
    {"space", SETTING_TEXT, .text = "collapse", .help = SPACE_HELP},
    {"punctuation", SETTING_TEXT, .text = "ends", .help = PUNCTUATION_HELP},
    {0},
};

typedef struct {
    const Place *place;
    Normal normal;
} Exact;

static int open_exact(const RewardValue *v, void **state)
{
    Exact x = {.normal = {.unicode = v[UNICODE].flag, .fold_case = !v[CASE].flag}};
    if (!(x.place = place_find(v[WHERE].text))) return -1;
    if (space_rule(v[SPACE].text, &x.normal.space)) return -1;
    if (punctuation_rule(v[PUNCTUATION].text, &x.normal.punctuation)) return -1;
    *state = NEW(Exact, 1);
    memcpy(*state, &x, sizeof x);
    return 0;
}

static bool same(const Buffer *a, const Buffer *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Exact *x = state;
    References right;
    Buffer said = {0}, want = {0};
    bool equal = false;
    if (references_read(e->record, v[FIELD].text, &right)) return score_failed(SCORE_ERROR);
    Span s = x->place->take((Span){e->text, e->n_text});
    if (s.p) normal_form(&x->normal, s, &said);
    for (int i = 0; s.p && !equal && i < right.n; i++) {
        want.size = 0;
        normal_form(&x->normal, right.list[i], &want);
        equal = same(&said, &want);
    }
    references_free(&right);
    buffer_free(&said);
    buffer_free(&want);
    return score_ok(equal);
}

const Reward reward_exact = {
    .name = "exact",
    .help = "1 if the answer is the reference's text (case, space, punctuation and Unicode forms "
            "as declared), 0 otherwise",
    .settings = settings,
    .open = open_exact,
    .close = mem_free,
    .score = score,
};
