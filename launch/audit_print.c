/* The report of `troupe audit` for people (audit.h): computed as JSON, printed from it. */
#include <math.h>
#include <stdio.h>

#include "launch/audit.h"
#include "launch/json_text.h"
#include "launch/text_show.h"

enum { MOST_STEPS = 20, MOST_SHOWN = 300 };

static const json_t *part(const json_t *o, const char *key)
{
    return json_object_get(o, key);
}

static void print_score(const json_t *s)
{
    if (json_is_string(s))
        printf("%s", json_string_value(s));
    else
        printf("%.10g", json_number_value(s));
}

/* ---- components ------------------------------------------------------------------------------ */

static void print_equality(const json_t *c)
{
    double n = json_figure(c, "compared"), equal = json_figure(c, "equal");
    const json_t *d = part(c, "first_difference");
    if (isnan(n)) {
        printf("  not in the run\n");
    } else if (equal == n) {
        printf("  all %.0f equal to the bit\n", n);
    } else {
        printf("  %.0f of %.0f differ%s; first: step %.0f, group %.0f, sample %.0f, ", n - equal, n,
               json_is_false(part(c, "same_settings")) ? " (other settings)" : "",
               json_figure(d, "step"), json_figure(d, "group"), json_figure(d, "sample"));
        print_score(part(d, "old"));
        printf(" -> ");
        print_score(part(d, "new"));
        putchar('\n');
    }
}

static void print_components(const json_t *all)
{
    const json_t *c;
    size_t i;
    printf("\n%-20s%10s%10s\n", "", "mean then", "now");
    json_array_foreach(part(all, "components"), i, c)
    {
        printf("%-20s", json_word(c, "name"));
        print_figure(json_figure(c, "old_mean"));
        print_figure(json_figure(c, "new_mean"));
        print_equality(c);
    }
    printf("%-20s", "reward");
    print_figure(json_figure(part(all, "reward"), "old_mean"));
    print_figure(json_figure(part(all, "reward"), "new_mean"));
    printf("  ok %.0f then, %.0f now\n", json_figure(part(all, "reward"), "old_ok"),
           json_figure(part(all, "reward"), "new_ok"));
}

/* ---- advantages ------------------------------------------------------------------------------ */

static void print_advantages(const json_t *all)
{
    const json_t *s = part(all, "signs"), *f = part(all, "flat_groups");
    double n = json_figure(all, "samples"), changed = json_figure(s, "changed"),
           rho = json_figure(all, "rank_correlation");
    printf("\nadvantages of %.0f answers in %.0f groups\n", n, json_figure(all, "groups"));
    printf("  %.0f change sign (%.1f %%): %.0f from + to -, %.0f from - to +\n", changed,
           n > 0 ? 100 * changed / n : 0, json_figure(s, "positive_to_negative"),
           json_figure(s, "negative_to_positive"));
    printf("  %.0f lose theirs, %.0f get one\n",
           json_figure(s, "positive_to_zero") + json_figure(s, "negative_to_zero"),
           json_figure(s, "zero_to_positive") + json_figure(s, "zero_to_negative"));
    printf("  groups without any: %.0f then, %.0f now; %.0f become so, %.0f no longer are\n",
           json_figure(f, "old"), json_figure(f, "new"), json_figure(f, "became"),
           json_figure(f, "ceased"));
    printf(isnan(rho) ? "  rank correlation not defined\n" : "  rank correlation %.4f\n", rho);
}

static void print_steps(const json_t *all)
{
    const json_t *list = part(all, "by_step");
    size_t n = json_array_size(list), shown = n < MOST_STEPS ? n : MOST_STEPS;
    printf("\n%8s%10s%10s%8s%8s%8s%8s%8s\n", "step", "then", "now", "answers", "signs", "flat",
           "become", "cease");
    for (size_t i = 0; i < shown; i++) {
        const json_t *s = json_array_get(list, shown > 1 ? i * (n - 1) / (shown - 1) : 0);
        printf("%8.0f", json_figure(s, "step"));
        print_figure(json_figure(s, "old_reward"));
        print_figure(json_figure(s, "new_reward"));
        printf("%8.0f%8.0f%8.0f%8.0f%8.0f\n", json_figure(s, "samples"),
               json_figure(s, "signs_changed"), json_figure(s, "old_flat"),
               json_figure(s, "became_flat"), json_figure(s, "ceased_flat"));
    }
}

static void print_changed(const json_t *all)
{
    const json_t *g, *s;
    size_t i, k;
    if (json_array_size(part(all, "most_changed"))) printf("\ngroups changed most\n");
    json_array_foreach(part(all, "most_changed"), i, g)
    {
        printf("  step %.0f, group %.0f: advantages move by %.4g on average\n    prompt  ",
               json_figure(g, "step"), json_figure(g, "group"), json_figure(g, "mean_change"));
        text_show(stdout, json_word(g, "prompt"), "            ", MOST_SHOWN);
        putchar('\n');
        json_array_foreach(part(g, "samples"), k, s)
        {
            printf("    [%zu] reward ", k);
            print_score(part(s, "old_reward"));
            printf(" -> ");
            print_score(part(s, "new_reward"));
            printf(", advantage %+.4f -> %+.4f  ", json_figure(s, "old_advantage"),
                   json_figure(s, "new_advantage"));
            text_show(stdout, json_word(s, "answer"), NULL, MOST_SHOWN);
            putchar('\n');
        }
    }
}

void audit_print(const json_t *all)
{
    printf("%s judged again by %s, steps %.0f to %.0f\n  then  %s\n  now   %s\n",
           json_word(all, "run"), json_word(all, "config"), json_figure(all, "first_step"),
           json_figure(all, "last_step"), json_word(all, "old_formula"),
           json_word(all, "new_formula"));
    if (*json_word(all, "remark")) printf("  %s\n", json_word(all, "remark"));
    print_components(all);
    print_advantages(all);
    print_steps(all);
    print_changed(all);
}
