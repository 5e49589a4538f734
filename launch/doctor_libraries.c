/* See doctor.h: libraries and launchers. Versions are asked of the libraries that were loaded and
 * compared with those that the build saw. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <arb.h>
#include <curl/curl.h>
#include <dnnl_version.h>
#include <glob.h>
#include <gmp.h>
#include <hdf5.h>
#include <jansson.h>
#include <mpi.h>
#include <pcre2.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>
#include <zlib.h>

#include "common/memory.h"
#include "launch/doctor.h"

/* The path of a program of PATH. Caller frees; NULL if there is none. */
static char *find_program(const char *name)
{
    char *folders = mem_text(getenv("PATH") ? getenv("PATH") : ""), *rest = folders, *folder,
         *found = NULL;
    while (!found && (folder = strsep(&rest, ":"))) {
        char *path = mem_printf("%s/%s", *folder ? folder : ".", name);
        if (!access(path, X_OK))
            found = path;
        else
            mem_free(path);
    }
    mem_free(folders);
    return found;
}

static void look_at_mpi(Findings *f)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int n;
    MPI_Get_library_version(text, &n); /* one of the few calls that need no MPI_Init */
    text[strcspn(text, ",\n")] = 0;
#ifdef OMPI_MAJOR_VERSION
    char built[64];
    snprintf(built, sizeof built, "Open MPI v%d.%d.%d", OMPI_MAJOR_VERSION, OMPI_MINOR_VERSION,
             OMPI_RELEASE_VERSION);
    if (strcmp(text, built)) {
        findings_add(f, FINDING_WARNING, "MPI", "%s is loaded, the build saw %s: build again", text,
                     built);
        return;
    }
#endif
    findings_add(f, FINDING_OK, "MPI", "%s", text);
}

static void look_at_mpirun(Findings *f)
{
    char *path = find_program("mpirun");
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");
    if (!path)
        findings_add(f, FINDING_WARNING, "mpirun",
                     "not in PATH: several ranks can only be started by srun --mpi=pmix");
    else if (size)
        findings_add(f, FINDING_OK, "mpirun", "%s; this process is one of %s ranks", path, size);
    else if (!geteuid() &&
             (!getenv("OMPI_ALLOW_RUN_AS_ROOT") || !getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM")))
        findings_add(f, FINDING_WARNING, "mpirun",
                     "%s; for root it wants OMPI_ALLOW_RUN_AS_ROOT=1 and "
                     "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 (launch/local sets them)",
                     path);
    else
        findings_add(f, FINDING_OK, "mpirun", "%s", path);
    mem_free(path);
}

static void look_at_pmix(Findings *f)
{
    const char *space = getenv("PMIX_NAMESPACE"), *rank = getenv("PMIX_RANK"),
               *tasks = getenv("SLURM_NTASKS");
    bool step = getenv("SLURM_STEP_ID") && getenv("SLURM_PROCID");
    if (space && rank)
        findings_add(f, FINDING_OK, "PMIx", "rank %s of namespace %s", rank, space);
    else if (step && tasks && atoi(tasks) > 1)
        findings_add(f, FINDING_BROKEN, "PMIx",
                     "this is one of %s tasks of srun, without PMIx: they would be %s separate "
                     "worlds; start them with srun --mpi=pmix",
                     tasks, tasks);
    else
        findings_add(f, FINDING_ABSENT, "PMIx", "no launcher's environment: one process alone");
}

static void look_at_slurm(Findings *f)
{
    const char *job = getenv("SLURM_JOB_ID"), *nodes = getenv("SLURM_JOB_NUM_NODES"),
               *tasks = getenv("SLURM_NTASKS");
    char *srun = find_program("srun"), *sbatch = find_program("sbatch");
    if (job)
        findings_add(f, srun ? FINDING_OK : FINDING_WARNING, "Slurm",
                     "job %s, %s nodes, %s tasks%s", job, nodes ? nodes : "?", tasks ? tasks : "?",
                     srun ? "" : "; srun is not in PATH");
    else if (srun && sbatch)
        findings_add(f, FINDING_OK, "Slurm", "%s, %s; not inside a job (launch/train.sbatch)", srun,
                     sbatch);
    else
        findings_add(f, FINDING_ABSENT, "Slurm", "no srun and sbatch in PATH");
    mem_free(srun);
    mem_free(sbatch);
}

static void look_at_hdf5(Findings *f)
{
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    bool filters = H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0 &&
                   H5Zfilter_avail(H5Z_FILTER_SHUFFLE) > 0 &&
                   H5Zfilter_avail(H5Z_FILTER_FLETCHER32) > 0;
    const char *locking = getenv("HDF5_USE_FILE_LOCKING");
    if (!filters)
        findings_add(f, FINDING_BROKEN, "HDF5",
                     "%u.%u.%u without deflate, shuffle or fletcher32: run files need them", major,
                     minor, release);
    else if (major != H5_VERS_MAJOR || minor != H5_VERS_MINOR)
        findings_add(f, FINDING_WARNING, "HDF5",
                     "%u.%u.%u is loaded, the build saw %d.%d.%d: build again", major, minor,
                     release, H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
    else
        findings_add(f, FINDING_OK, "HDF5", "%u.%u.%u with its filters; file locking %s", major,
                     minor, release, locking && !strcmp(locking, "FALSE") ? "off" : "on");
}

static void look_at_onednn(Findings *f)
{
    findings_add(f, FINDING_OK, "oneDNN",
                 "%d.%d.%d when this was built; nothing is loaded: products are this program's own "
                 "kernels",
                 DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH);
}

/* What rewards and files stand on: versions as loaded. */
static void look_at_others(Findings *f)
{
    char pcre2[64] = "", zlib[32];
    uint32_t jit = 0;
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    const struct scmp_version *seccomp = seccomp_version();
    bool waits = !(curl->features & CURL_VERSION_ASYNCHDNS);
    pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
    pcre2_config(PCRE2_CONFIG_JIT, &jit);
    snprintf(zlib, sizeof zlib, "%s", zlibVersion());
    findings_add(f, waits ? FINDING_WARNING : FINDING_OK, "libcurl", "%s, %s%s", curl->version,
                 curl->ssl_version ? curl->ssl_version : "without TLS",
                 waits ? "; it looks names up while everything waits" : "");
    findings_add(f, FINDING_OK, "libseccomp", "%u.%u.%u", seccomp->major, seccomp->minor,
                 seccomp->micro);
    findings_add(f, FINDING_OK, "PCRE2", "%s, compiler to machine code: %s", pcre2,
                 jit ? "yes" : "no");
    findings_add(f, FINDING_OK, "FLINT", "%s, Arb %s, GMP %s", flint_version, arb_version,
                 gmp_version);
    findings_add(f, FINDING_OK, "texts", "jansson %s, utf8proc %s, zlib %s", jansson_version_str(),
                 utf8proc_version(), zlib);
}

static void look_at_cuda(Findings *f)
{
    glob_t found;
    int n = glob("/dev/nvidia[0-9]*", 0, NULL, &found) ? 0 : (int)found.gl_pathc;
    globfree(&found);
    if (n)
        findings_add(f, FINDING_ABSENT, "CUDA",
                     "not in this build, nor NCCL: the %d GPU%s of this machine stay%s unused", n,
                     n > 1 ? "s" : "", n > 1 ? "" : "s");
    else
        findings_add(f, FINDING_ABSENT, "CUDA", "not in this build, nor NCCL; no NVIDIA GPU here");
}

void doctor_libraries(Findings *f)
{
    look_at_mpi(f);
    look_at_mpirun(f);
    look_at_pmix(f);
    look_at_slurm(f);
    look_at_hdf5(f);
    look_at_onednn(f);
    look_at_others(f);
    look_at_cuda(f);
}
