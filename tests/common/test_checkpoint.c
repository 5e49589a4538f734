/* A checkpoint is whole or absent: damage of every kind is refused with a reason and the older one
 * is used; a kill at any moment and a full disk leave what was there.
 */
#include "tests/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/checkpoint.h"
#include "common/errors.h"
#include "common/sample.h"

enum { A = 300 * 500, B = 7 };
static float a[A], b[B], got_a[A], got_b[B];
static char dir[64], path[4096];

static CheckpointArray arrays[2] = {
    {"weights/model.layers.0.mlp.up_proj.weight", 2, {300, 500}, a},
    {"adam_m/model.norm.weight", 1, {B}, b},
};
static CheckpointArray into[2] = {
    {"weights/model.layers.0.mlp.up_proj.weight", 2, {300, 500}, got_a},
    {"adam_m/model.norm.weight", 1, {B}, got_b},
};

static void fill(int generation)
{
    for (int i = 0; i < A; i++) a[i] = (float)(i % 1000) + 0.5f * (float)generation;
    for (int i = 0; i < B; i++) b[i] = (float)generation;
}

static CheckpointState state_of(int64_t step)
{
    CheckpointState s = {.run_id = "0123456789abcdef",
                         .step = step,
                         .sft_step = 400,
                         .adam_step = step,
                         .config_hash = 0xfedcba98u};
    s.kernels.probe = 0xffffffffu;
    snprintf(s.kernels.cpu, sizeof s.kernels.cpu, "A CPU avx512");
    s.accuracy_before = NAN;
    s.trained_s = 0.1;
    s.config_text = mem_text("run:\n  name: \"\xc3\xa4\"\n");
    return s;
}

static int save(int64_t step, int keep)
{
    CheckpointState s = state_of(step);
    fill((int)step);
    int rc = checkpoint_save(dir, &s, arrays, 2, keep);
    mem_free(s.config_text);
    return rc;
}

static void new_dir(void)
{
    snprintf(dir, sizeof dir, "/tmp/test_checkpoint.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void shell(const char *command)
{
    char line[8192];
    snprintf(line, sizeof line, "cd '%s' && %s", dir, command);
    ck_assert_msg(system(line) == 0, "%s", line);
}

static void drop_dir(void)
{
    shell("rm -rf -- checkpoints && rmdir \"$PWD\"");
}

static int files_in(const char *name)
{
    char folder[200];
    int n = 0;
    snprintf(folder, sizeof folder, "%s/%s", dir, name);
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    if (d) closedir(d);
    return n;
}

/* The step that is found and loads, with its numbers right; -1: none. */
static int loads(void)
{
    CheckpointState s;
    if (checkpoint_find(dir, path, sizeof path)) return -1;
    ck_assert_int_eq(checkpoint_read_state(path, &s), 0);
    ck_assert_int_eq(checkpoint_load(path, into, 2), 0);
    fill((int)s.step);
    ck_assert(same_bits(a, got_a, sizeof a));
    ck_assert(same_bits(b, got_b, sizeof b));
    mem_free(s.config_text);
    mem_free(s.service_state);
    return (int)s.step;
}

START_TEST(what_is_saved_comes_back)
{
    new_dir();
    ck_assert_int_eq(checkpoint_find(dir, path, sizeof path), -1); /* none yet: not an error */
    ck_assert_int_eq(save(3, 2), 0);
    ck_assert_int_eq(loads(), 3);
    CheckpointState s;
    ck_assert_int_eq(checkpoint_read_state(path, &s), 0);
    ck_assert_str_eq(s.config_text, "run:\n  name: \"\xc3\xa4\"\n");
    ck_assert_str_eq(s.service_state, "");
    ck_assert_str_eq(s.kernels.cpu, "A CPU avx512");
    ck_assert_uint_eq(s.kernels.probe, 0xffffffffu);
    ck_assert_uint_eq(s.config_hash, 0xfedcba98u);
    ck_assert(isnan(s.accuracy_before));
    ck_assert(s.trained_s == 0.1);
    mem_free(s.config_text);
    mem_free(s.service_state);
    CheckpointArray *list;
    int n;
    ck_assert_int_eq(checkpoint_list(path, &list, &n), 0);
    ck_assert_int_eq(n, 2);
    ck_assert_int_eq((int)(list[0].dims[1] + list[1].dims[1]), 500); /* in any order */
    for (int i = 0; i < n; i++) mem_free((char *)list[i].name);
    mem_free(list);
    drop_dir();
}
END_TEST

START_TEST(the_newest_are_kept_and_supervised_ones_are_older)
{
    new_dir();
    CheckpointState s = state_of(0);
    ck_assert_int_eq(checkpoint_save(dir, &s, arrays, 2, 2), 0); /* sft-000400 */
    mem_free(s.config_text);
    ck_assert_int_eq(save(5, 3), 0);
    ck_assert_int_eq(save(20, 3), 0);
    ck_assert_int_eq(files_in("checkpoints"), 3);
    ck_assert_int_eq(save(100, 2), 0);
    ck_assert_int_eq(files_in("checkpoints"), 2);
    ck_assert_int_eq(save(100, 2), 0); /* over itself */
    ck_assert_int_eq(files_in("checkpoints"), 2);
    ck_assert_int_eq(loads(), 100);
    drop_dir();
}
END_TEST

/* Shapes and names are checked first, and what the caller has stays as it was. */
START_TEST(another_model_is_refused_before_anything_is_changed)
{
    new_dir();
    ck_assert_int_eq(save(1, 2), 0);
    ck_assert_int_eq(checkpoint_find(dir, path, sizeof path), 0);
    memset(got_a, 7, sizeof got_a);
    float first = got_a[0];
    CheckpointArray other[2] = {into[0], {"adam_m/model.norm.weight", 1, {B - 1}, got_b}};
    errors_quiet(1);
    ck_assert_int_eq(checkpoint_load(path, other, 2), -1);
    ck_assert_ptr_nonnull(strstr(errors_last(), "adam_m/model.norm.weight"));
    other[1].name = "adam_v/model.norm.weight";
    ck_assert_int_eq(checkpoint_load(path, other, 2), -1);
    errors_quiet(-1);
    ck_assert(same_bits(&first, &got_a[0], sizeof first));
    drop_dir();
}
END_TEST

static void flip(const char *file, long at, int bit)
{
    char name[300], byte;
    snprintf(name, sizeof name, "%s/checkpoints/%s", dir, file);
    int fd = open(name, O_RDWR);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)pread(fd, &byte, 1, at), 1);
    byte = (char)(byte ^ 1 << bit);
    ck_assert_int_eq((int)pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static long size_of(const char *file)
{
    char name[300];
    struct stat st;
    snprintf(name, sizeof name, "%s/checkpoints/%s", dir, file);
    ck_assert_int_eq(stat(name, &st), 0);
    return (long)st.st_size;
}

/* Bits all over each file, HDF5's own bytes too: refused, the file named, the older one used; put
 * back, it is whole again. */
START_TEST(every_flipped_bit_is_refused_and_the_older_one_used)
{
    static const char *const files[] = {"MANIFEST", "shard-000.h5", "state.h5"};
    new_dir();
    ck_assert_int_eq(save(1, 2), 0);
    ck_assert_int_eq(save(2, 2), 0);
    srand(1);
    errors_quiet(1);
    for (int i = 0; i < 240; i++) {
        char file[64];
        snprintf(file, sizeof file, "step-000002/%s", files[i % 3]);
        long size = size_of(file),
             at = i % 2 ? rand() % size : rand() % (size < 4096 ? size : 4096);
        int bit = rand() % 8;
        flip(file, at, bit);
        ck_assert_msg(checkpoint_load(path[0] ? path : dir, into, 2) == -1 ||
                          !strstr(path, "000002"),
                      "%s %ld.%d", file, at, bit);
        ck_assert_msg(loads() == 1, "%s, byte %ld, bit %d", file, at, bit);
        flip(file, at, bit);
        if (i % 16 == 0) ck_assert_int_eq(loads(), 2);
    }
    errors_quiet(-1);
    drop_dir();
}
END_TEST

START_TEST(missing_short_and_swapped_files_are_refused_with_their_names)
{
    static const struct {
        const char *damage, *named;
    } cases[] = {
        {"rm step-000002/MANIFEST", "MANIFEST"},
        {"truncate -s -20 step-000002/MANIFEST", "MANIFEST"},
        {"truncate -s 0 step-000002/MANIFEST", "MANIFEST"},
        {"rm step-000002/shard-000.h5", "shard-000.h5"},
        {"truncate -s -4096 step-000002/shard-000.h5", "shard-000.h5"},
        {"rm step-000002/state.h5", "state.h5"},
        {"cp step-000001/shard-000.h5 step-000002/", "shard-000.h5"},
        {"cp step-000001/MANIFEST step-000002/", "shard-000.h5"},
        {"mv step-000002/shard-000.h5 step-000002/x; ln -s x step-000002/shard-000.h5",
         "shard-000.h5"},
        {"mkdir a; rm step-000002/state.h5; mv a step-000002/state.h5", "state.h5"},
        {"rm step-000002/state.h5; mkfifo step-000002/state.h5", "state.h5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[300];
        new_dir();
        ck_assert_int_eq(save(1, 2), 0);
        ck_assert_int_eq(save(2, 2), 0);
        snprintf(command, sizeof command, "cd checkpoints && { %s; }", cases[i].damage);
        shell(command);
        errors_quiet(1);
        snprintf(path, sizeof path, "%s/checkpoints/step-000002", dir);
        ck_assert_msg(checkpoint_load(path, into, 2) == -1, "%s", cases[i].damage);
        ck_assert_msg(strstr(errors_last(), cases[i].named), "%s: %s", cases[i].damage,
                      errors_last());
        ck_assert_msg(loads() == 1, "%s", cases[i].damage);
        errors_quiet(-1);
        drop_dir();
    }
}
END_TEST

/* Lines whose CRC fits but that cannot be: a forged manifest names no file outside, no byte beyond
 * the end, no shape that overflows. */
START_TEST(forged_manifests_are_refused)
{
    static const char *const lines[] = {
        "file ../../etc/passwd 100 00000000",
        "file /etc/passwd 100 00000000",
        "file shard-000.h5 -1 00000000",
        "file shard-000.h5 99999999999999999999 00000000",
        "file shard-000.h5 0",
        "file x 100 00000000\nentry f32 0 104 00000000 1 26 n",
        "file x 100 00000000\nentry f32 96 8 00000000 1 2 n",
        "file x 100 00000000\nentry f32 0 8 00000000 1 3 n",
        "file x 100 00000000\nentry f32 0 0 00000000 3 4294967296 4294967296 1 n",
        "file x 100 00000000\nentry f32 0 4 00000000 5 1 1 1 1 1 n",
        "file x 100 00000000\nentry f32 0 4 00000000 1 1 n m",
        "file x 100 00000000\nentry f32 8 8 00000000 1 2 n\nentry f32 0 12 00000000 1 3 m",
        "entry f32 0 8 00000000 1 2 n",
        "file x 100 00000000\nfile x 100 00000000",
        "file x 100 zzzzzzzz",
        "",
        "run 12/34",
        "link x y",
    };
    new_dir();
    shell("mkdir -p checkpoints/step-000009");
    snprintf(path, sizeof path, "%s/checkpoints/step-000009", dir);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[1000], name[4200];
        int n = snprintf(text, sizeof text, "troupe checkpoint 1\nrun 1\n%s%s", lines[i],
                         *lines[i] ? "\n" : "");
        n += snprintf(text + n, sizeof text - (size_t)n, "end %08x\n", crc32c(0, text, (size_t)n));
        snprintf(name, sizeof name, "%s/MANIFEST", path);
        FILE *f = fopen(name, "w");
        fwrite(text, 1, (size_t)n, f);
        fclose(f);
        errors_quiet(1);
        ck_assert_msg(checkpoint_load(path, into, 2) == -1, "%s", lines[i]);
        ck_assert_msg(strstr(errors_last(), "MANIFEST"), "%s: %s", lines[i], errors_last());
        errors_quiet(-1);
    }
    drop_dir();
}
END_TEST

START_TEST(a_full_disk_keeps_the_old_checkpoint_and_leaves_nothing)
{
    struct rlimit old, limit;
    new_dir();
    ck_assert_int_eq(save(1, 2), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    errors_quiet(1);
    for (rlim_t most = 0; most < 640000; most += most < 6000 ? 500 : 90000) {
        limit = (struct rlimit){most, old.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
        int rc = save(2, 2);
        setrlimit(RLIMIT_FSIZE, &old);
        ck_assert_msg(rc == (most < 600000 ? -1 : 0), "limit %lu: %d", (unsigned long)most, rc);
        if (!rc) break;
        ck_assert_int_eq(files_in("checkpoints"), 1);
        ck_assert_int_eq(loads(), 1);
    }
    errors_quiet(-1);
    ck_assert_int_eq(save(2, 2), 0);
    ck_assert_int_eq(loads(), 2);
    drop_dir();
}
END_TEST

/* A real ENOSPC, where this user may mount a small tmpfs. */
START_TEST(a_small_file_system_runs_full_with_a_reason)
{
    new_dir();
    if (mount("none", dir, "tmpfs", 0, "size=1m") == 0) {
        ck_assert_int_eq(save(1, 2), 0);
        errors_quiet(1);
        ck_assert_int_eq(save(2, 2), -1);
        ck_assert_ptr_nonnull(strstr(errors_last(), "No space left"));
        errors_quiet(-1);
        ck_assert_int_eq(files_in("checkpoints"), 1);
        ck_assert_int_eq(loads(), 1);
        ck_assert_int_eq(umount(dir), 0);
    }
    rmdir(dir);
}
END_TEST

/* A child that saves one step after the other is killed at 20 random moments: what is found is
 * always whole, never older than what was found before, and leftovers are gone after the next find.
 */
START_TEST(a_kill_in_the_middle_of_a_save_leaves_a_whole_one)
{
    new_dir();
    ck_assert_int_eq(save(1, 2), 0);
    int last = 1;
    srand(7);
    for (int kill_number = 0; kill_number < 20; kill_number++) {
        pid_t child = fork();
        if (!child) {
            for (int step = last + 1;; step++)
                if (save(step, 2)) _exit(1);
        }
        usleep((useconds_t)(1000 + rand() % 30000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        int step = loads();
        ck_assert_msg(step >= last, "step %d after %d", step, last);
        shell("test -z \"$(ls -A checkpoints | grep -v '^step-[0-9]*$')\"");
        last = step;
    }
    ck_assert_int_gt(last, 1);
    drop_dir();
}
END_TEST

TEST_MAIN("checkpoint", what_is_saved_comes_back, the_newest_are_kept_and_supervised_ones_are_older,
          another_model_is_refused_before_anything_is_changed,
          every_flipped_bit_is_refused_and_the_older_one_used,
          missing_short_and_swapped_files_are_refused_with_their_names,
          forged_manifests_are_refused, a_full_disk_keeps_the_old_checkpoint_and_leaves_nothing,
          a_small_file_system_runs_full_with_a_reason,
          a_kill_in_the_middle_of_a_save_leaves_a_whole_one)
