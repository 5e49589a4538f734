/* See doctor.h: the sandbox, for rewards that run programs. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/sandbox.h"
#include "launch/doctor.h"

static const SandboxLimits limits = {5, 10, 1024, 64, 64, 32};

/* The first line that a program prints about its version; NULL if it is not there. Caller frees. */
static char *version_of(const char *program)
{
    SandboxResult r;
    char *line = NULL;
    sandbox_run(
        &(SandboxRun){.argv = (const char *[]){program, "--version", NULL}, .limits = limits}, &r);
    if (r.outcome == SANDBOX_EXITED && r.code == 0 && r.n_out)
        line = mem_text_n(r.out, strcspn(r.out, "\n"));
    sandbox_result_free(&r);
    return line;
}

/* Milliseconds that starting and ending a program takes. */
static double run_ms(void)
{
    SandboxResult r;
    double ms = 0;
    for (int i = 0; i < 5; i++) {
        sandbox_run(&(SandboxRun){.argv = (const char *[]){"true", NULL}, .limits = limits}, &r);
        if (!i || r.wall_s * 1000 < ms) ms = r.wall_s * 1000;
        sandbox_result_free(&r);
    }
    return ms;
}

void doctor_sandbox(Findings *f)
{
    errors_quiet(1);
    int rc = sandbox_open(&(SandboxOptions){0});
    errors_quiet(-1);
    if (rc) {
        findings_add(f, FINDING_ABSENT, "sandbox", "%s", errors_last());
        return;
    }
    char *python = version_of("python3"), *c = version_of("cc");
    findings_add(f, FINDING_OK, "sandbox",
                 "programs as rewards run in namespaces of their own, %.1f ms each; %s, %s",
                 run_ms(), python ? python : "no python3 in /usr", c ? c : "no C compiler cc");
    mem_free(python);
    mem_free(c);
    sandbox_stop();
}
