/* See sandbox_internal.h: walks over processes through the outside's /proc, for the bound on the
 * memory of all together and for ending them where there is no pid namespace. */
#define _GNU_SOURCE
#include "common/sandbox_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PROCESSES_MAX = 4096, DEPTH_MAX = 200 };

static int64_t resident_kb(int proc, pid_t pid)
{
    char path[64], text[256];
    long size, resident, shared;
    snprintf(path, sizeof path, "%d/statm", (int)pid);
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    if (sscanf(text, "%ld %ld %ld", &size, &resident, &shared) != 3) return 0;
    return (int64_t)(resident - shared) * (sysconf(_SC_PAGESIZE) / 1024);
}

static int64_t below(int proc, pid_t pid, int signal, int *n, int depth);

static int64_t children_of_thread(int proc, pid_t pid, pid_t thread, int signal, int *n, int depth)
{
    char path[96];
    int64_t sum = 0;
    int child;
    snprintf(path, sizeof path, "%d/task/%d/children", (int)pid, (int)thread);
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    if (!f && fd >= 0) close(fd);
    while (f && *n < PROCESSES_MAX && fscanf(f, "%d", &child) == 1) {
        sum += below(proc, child, signal, n, depth + 1);
        if (signal) kill(child, signal);
    }
    if (f) fclose(f);
    return sum;
}

static int64_t below(int proc, pid_t pid, int signal, int *n, int depth)
{
    char path[64];
    int64_t sum = resident_kb(proc, pid);
    if (++*n >= PROCESSES_MAX || depth > DEPTH_MAX) return sum;
    snprintf(path, sizeof path, "%d/task", (int)pid);
    int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
    if (!tasks && fd >= 0) close(fd);
    for (struct dirent *e; tasks && (e = readdir(tasks));)
        if (*e->d_name != '.')
            sum += children_of_thread(proc, pid, (pid_t)atoi(e->d_name), signal, n, depth);
    if (tasks) closedir(tasks);
    return sum;
}

int64_t processes_below(int proc, pid_t pid, int signal, int *n)
{
    *n = 0;
    return below(proc, pid, signal, n, 0);
}
