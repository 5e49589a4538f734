/* One case of comm a run, under mpirun: test_comm.sh starts them and judges exit codes and lines.
 *
 *   comm_cases CASE LAYOUT [ARGUMENT]      LAYOUT: workers,actors,learners,rewardsvc
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/comm.h"
#include "common/errors.h"
#include "common/memory.h"

enum { SLOTS = 4, GROUPS = 24 };

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The code that rank 0 stops with comes to all. */
static int until_stopped(Comm *c)
{
    int code = -1;
    while (!comm_stopped(c, &code)) comm_idle(c, "the end");
    return code;
}

static int stop_all(Comm *c, int code)
{
    if (comm_rank(c) == 0) comm_stop(c, code);
    int got = until_stopped(c);
    REQUIRE(got == code, "stop code %d, not %d", got, code);
    return got;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static Group made_group(int64_t id, int tokens)
{
    Group g = {.id = id, .n_samples = 2, .samples = NEW(Sample, 2), .record = mem_text("{}")};
    for (int i = 0; i < 2; i++) {
        sample_reserve(&g.samples[i], tokens);
        g.samples[i].n_tokens = tokens;
        for (int t = 0; t < tokens; t++) g.samples[i].tokens[t] = (int32_t)(id + t);
    }
    return g;
}

static int tokens_of(int64_t id)
{
    return id % 5 ? (int)id * 3 : 200000; /* some groups are of several pieces */
}

static void check_group(const Group *g)
{
    REQUIRE(g->n_samples == 2 && g->samples[1].n_tokens == tokens_of(g->id),
            "group %d came changed", (int)g->id);
    for (int t = 0; t < g->samples[1].n_tokens; t++)
        REQUIRE(g->samples[1].tokens[t] == g->id + t, "group %d, token %d came changed", (int)g->id,
                t);
}

static void act(Comm *c)
{
    if (!comm_hosts(c, ROLE_ACTOR)) return;
    for (int64_t id = comm_index(c, ROLE_ACTOR); id < GROUPS; id += comm_count(c, ROLE_ACTOR)) {
        Group g = made_group(id, tokens_of(id));
        comm_send_group(c, ROLE_REWARD, (int)(id % comm_count(c, ROLE_REWARD)), &g);
        group_free(&g);
    }
}

static bool judge(Comm *c)
{
    Group g;
    if (!comm_hosts(c, ROLE_REWARD) || !comm_take_group(c, ROLE_REWARD, &g)) return false;
    check_group(&g);
    group_reserve_scores(&g, 1);
    for (int i = 0; i < 2; i++)
        g.samples[i].reward = g.samples[i].components[0] = (Score){(double)g.id + i, SCORE_OK};
    int learner = (int)(g.id % comm_count(c, ROLE_LEARNER));
    comm_send_group(c, ROLE_LEARNER, learner, &g);
    if (learner) comm_send_group(c, ROLE_LEARNER, 0, &g);
    group_free(&g);
    comm_worked(c);
    return true;
}

static const int64_t done_id =
    1000; /* a learner's word to learner 0 that it has all of its groups */

static int share_of(int learner, int learners)
{
    int n = 0;
    for (int id = 0; id < GROUPS; id++) n += id % learners == learner;
    return n;
}

static bool learn(Comm *c, int *n, int *done)
{
    Group g;
    int me = comm_index(c, ROLE_LEARNER), learners = comm_count(c, ROLE_LEARNER);
    if (me < 0 || !comm_take_group(c, ROLE_LEARNER, &g)) return false;
    if (g.id == done_id) {
        ++*done;
    } else {
        check_group(&g);
        REQUIRE(g.samples[1].reward.value == (double)g.id + 1, "group %d has another's reward",
                (int)g.id);
        REQUIRE(g.id % learners == me || me == 0, "group %d is not for learner %d", (int)g.id, me);
        ++*n;
    }
    group_free(&g);
    if (me && *n == share_of(me, learners)) {
        g = made_group(done_id, 1);
        comm_send_group(c, ROLE_LEARNER, 0, &g);
        group_free(&g);
    }
    return true;
}

static int case_groups(Comm *c)
{
    int n = 0, done = 1, code = -1;
    bool told = false;
    act(c);
    while (!comm_stopped(c, &code)) {
        if (!(judge(c) | learn(c, &n, &done))) comm_idle(c, "groups");
        if (told || comm_rank(c) || n < GROUPS || done < comm_count(c, ROLE_LEARNER)) continue;
        told = true;
        comm_stop(c, 75);
    }
    printf("rank %d learnt from %d groups\n", comm_rank(c), n);
    return code;
}

/* ---- weights --------------------------------------------------------------------------------- */

enum { WEIGHTS = 20 * 1000 * 1000 + 3 };

static int case_weights(Comm *c, long versions)
{
    unsigned char *w = NEW(unsigned char, WEIGHTS);
    double start = wall();
    for (int v = 1; v <= versions && comm_hosts(c, ROLE_LEARNER); v++) {
        for (size_t i = 0; i < WEIGHTS; i++) w[i] = (unsigned char)(i * 7 + (size_t)v);
        comm_send_weights(c, v, w, WEIGHTS);
        for (int i = 0; i < 20; i++) comm_progress(c);
    }
    memset(w, 0, WEIGHTS); /* the buffer is the caller's again */
    bool dedicated = comm_hosts(c, ROLE_ACTOR) && !comm_hosts(c, ROLE_LEARNER);
    int64_t last = dedicated ? 0 : versions;
    while (last < versions) {
        const unsigned char *got;
        int64_t v = comm_take_weights(c, (const void **)&got, WEIGHTS);
        if (v < 0) {
            comm_idle(c, "weights");
            continue;
        }
        REQUIRE(v == last + 1, "version %d after %d", (int)v, (int)last);
        for (size_t i = 0; i < WEIGHTS; i++)
            REQUIRE(got[i] == (unsigned char)(i * 7 + (size_t)v), "byte %zu", i);
        last = v;
    }
    if (dedicated) printf("weights %d in %.3f s\n", (int)last, wall() - start);
    mem_free(w);
    double one = 1; /* learners agree that they are done; actors tell by a group */
    Group g = made_group(comm_rank(c), 1);
    if (dedicated) comm_send_group(c, ROLE_LEARNER, 0, &g);
    group_free(&g);
    if (comm_hosts(c, ROLE_LEARNER)) comm_sum_doubles(c, &one, 1, "done");
    for (int n = 0;
         comm_rank(c) == 0 && n < comm_count(c, ROLE_ACTOR) && comm_index(c, ROLE_ACTOR) < 0;) {
        if (comm_take_group(c, ROLE_LEARNER, &g))
            group_free(&g), n++;
        else
            comm_idle(c, "actors");
    }
    return stop_all(c, 0);
}

/* ---- sums ------------------------------------------------------------------------------------ */

static float number_of(int slot, size_t i)
{
    uint32_t h = (uint32_t)i * 2654435761u ^ (uint32_t)(slot + 1) * 40503u;
    h ^= h >> 13, h *= 0x5bd1e995u, h ^= h >> 15;
    return ldexpf((float)(int32_t)h, -31 + (int)(h % 9));
}

static float slot_sum(int first, int n, size_t i)
{
    return n == 1 ? number_of(first, i)
                  : slot_sum(first, n / 2, i) + slot_sum(first + n / 2, n / 2, i);
}

static int case_sums(Comm *c, long n)
{
    if (!comm_hosts(c, ROLE_LEARNER)) return until_stopped(c);
    int learners = comm_count(c, ROLE_LEARNER), share = SLOTS / learners,
        first = comm_index(c, ROLE_LEARNER) * share;
    float *x = NEW(float, n);
    double sum[3] = {first + 1, 1, 0.5};
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < (size_t)n; i++) x[i] = slot_sum(first, share, i);
        double start = wall();
        comm_sum_floats(c, x, (size_t)n, "gradient");
        if (comm_rank(c) == 0)
            printf("sum of %ld numbers over %d in %.3f s\n", n, learners, wall() - start);
        for (size_t i = 0; i < (size_t)n; i++) {
            float want = slot_sum(0, SLOTS, i);
            REQUIRE(!memcmp(&x[i], &want, sizeof want), "number %zu: %a, not %a", i, (double)x[i],
                    (double)want);
        }
    }
    comm_sum_doubles(c, sum, 3, "losses");
    REQUIRE(sum[1] == learners && sum[2] == 0.5 * learners, "%f %f", sum[1], sum[2]);
    printf("CRC of the sum on rank %d: %08x\n", comm_rank(c), crc32c(0, x, sizeof *x * (size_t)n));
    mem_free(x);
    return stop_all(c, 0);
}

/* ---- the handshake, signals, deadlines ------------------------------------------------------- */

static int case_handshake(Comm *c)
{
    char text[100] = "", big[3000000] = "";
    if (comm_rank(c) == 0) strcpy(text, "seed: 1"), memset(big, 7, sizeof big);
    comm_share(c, text, sizeof text, "config");
    comm_share(c, big, sizeof big, "tokenizer");
    REQUIRE(!strcmp(text, "seed: 1") && big[2999999] == 7, "not shared");
    REQUIRE(comm_agree(c, 5, "kernel set") == 0, "all agree");
    int last = comm_rank(c) == comm_size(c) - 1;
    int rc = comm_agree(c, last ? 6 : 5, "model");
    REQUIRE(rc == (comm_size(c) > 1 ? -1 : 0), "the last rank differs: %d", rc);
    return stop_all(c, 0);
}

static int case_leave(Comm *c)
{
    int code;
    if (comm_rank(c) == comm_size(c) - 1) raise(SIGUSR1);
    while (!comm_stopped(c, &code)) {
        if (comm_rank(c) == 0 && comm_asked_to_leave(c)) comm_stop(c, EXIT_AGAIN);
        comm_idle(c, "a signal");
    }
    return code;
}

static int case_idle(Comm *c)
{
    struct rusage a, b;
    double start = wall();
    getrusage(RUSAGE_SELF, &a);
    while (wall() - start < 4) comm_idle(c, "nothing");
    getrusage(RUSAGE_SELF, &b);
    double cpu =
        (double)(b.ru_utime.tv_sec - a.ru_utime.tv_sec + b.ru_stime.tv_sec - a.ru_stime.tv_sec) +
        1e-6 * (double)(b.ru_utime.tv_usec - a.ru_utime.tv_usec + b.ru_stime.tv_usec -
                        a.ru_stime.tv_usec);
    printf("idle rank %d: %.1f %% of a core\n", comm_rank(c), 100 * cpu / (wall() - start));
    REQUIRE(cpu / (wall() - start) < 0.05, "an idle rank takes %.1f %% of a core",
            100 * cpu / (wall() - start));
    return stop_all(c, 0);
}

/* The given rank stops (or dies, or leaves) for good; the others wait for what it never sends. */
static int case_loss(Comm *c, long who, const char *how)
{
    double start = wall();
    while (wall() - start < 0.5) comm_idle(c, "the start");
    if (comm_rank(c) == who) {
        if (!strcmp(how, "stopped")) raise(SIGSTOP);
        if (!strcmp(how, "killed")) raise(SIGKILL);
        if (!strcmp(how, "left")) exit(0);
        if (!strcmp(how, "died")) die(EXIT_CONFIG, "a reason of its own");
    }
    if (comm_hosts(c, ROLE_LEARNER) && strcmp(how, "standstill")) {
        double x = 1;
        comm_sum_doubles(c, &x, 1, "tokens of the step");
    }
    for (;;) comm_idle(c, "weights that never come");
}

/* A rank that works for longer than the deadline is not silent as long as it calls comm_progress.
 */
static int case_busy(Comm *c)
{
    double start = wall();
    while (comm_rank(c) == comm_size(c) - 1 && wall() - start < 3.5 * 3) {
        usleep(300000);
        comm_progress(c);
    }
    Group g = made_group(1, 3);
    if (comm_rank(c) == comm_size(c) - 1) comm_send_group(c, ROLE_LEARNER, 0, &g);
    group_free(&g);
    int code;
    while (!comm_stopped(c, &code)) {
        if (comm_rank(c) == 0 && comm_take_group(c, ROLE_LEARNER, &g))
            group_free(&g), comm_stop(c, 0);
        comm_idle(c, "a slow rank");
    }
    return code;
}

int main(int argc, char **argv)
{
    Comm *c = comm_open(&argc, &argv);
    Layout l = {.deadline_s = 60};
    if (argc < 3 ||
        sscanf(argv[2], "%d,%d,%d,%d", &l.workers, &l.actors, &l.learners, &l.rewardsvc) != 4)
        die(EXIT_USAGE, "comm_cases CASE workers,actors,learners,rewardsvc [number [word]]");
    const char *name = argv[1], *word = argc > 4 ? argv[4] : "";
    long number = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    if (!strcmp(name, "loss") || !strcmp(name, "busy")) l.deadline_s = 3;
    if (comm_set_layout(c, &l, SLOTS)) {
        comm_close(c);
        return EXIT_UNABLE;
    }
    int code = EXIT_USAGE;
    if (!strcmp(name, "groups")) code = case_groups(c);
    if (!strcmp(name, "weights")) code = case_weights(c, number);
    if (!strcmp(name, "sums")) code = case_sums(c, number);
    if (!strcmp(name, "handshake")) code = case_handshake(c);
    if (!strcmp(name, "leave")) code = case_leave(c);
    if (!strcmp(name, "idle")) code = case_idle(c);
    if (!strcmp(name, "loss")) code = case_loss(c, number, word);
    if (!strcmp(name, "busy")) code = case_busy(c);
    comm_close(c);
    return code;
}
