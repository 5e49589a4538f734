/* See checkpoint_folder.h. A temporary folder carries host and process id, so that a reader (eval,
 * inspect) of a living run does not remove what is being written. */
#include "common/checkpoint_folder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/memory.h"

static const char *host_name(void)
{
    static char host[64];
    if (!*host && gethostname(host, sizeof host - 1)) snprintf(host, sizeof host, "localhost");
    for (char *p = host; *p; p++)
        if (!isalnum((unsigned char)*p)) *p = '-';
    return host;
}

char *checkpoint_temporary(const char *folder, const char *name)
{
    return mem_printf("%s/%s.tmp.%s.%ld", folder, name, host_name(), (long)getpid());
}

/* Every reinforcement step is newer than every supervised one. -1: not a checkpoint's name. */
static int64_t age_key(const char *name)
{
    int used = -1;
    long long n;
    if (sscanf(name, "step-%12lld%n", &n, &used) == 1 && used > 0 && !name[used] && n >= 0)
        return (1LL << 50) + n;
    if (sscanf(name, "sft-%12lld%n", &n, &used) == 1 && used > 0 && !name[used] && n >= 0) return n;
    return -1;
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = age_key(*(char *const *)a), y = age_key(*(char *const *)b);
    return (x < y) - (x > y);
}

int checkpoint_folder_list(const char *folder, char ***names)
{
    int n = 0;
    DIR *d = opendir(folder);
    *names = NULL;
    if (!d) return 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (age_key(e->d_name) < 0) continue;
        *names = mem_resize(*names, (size_t)n, (size_t)n + 1, sizeof **names);
        (*names)[n++] = mem_text(e->d_name);
    }
    closedir(d);
    if (n) qsort(*names, (size_t)n, sizeof **names, newest_first);
    return n;
}

void folder_remove(const char *path)
{
    DIR *d = opendir(path);
    if (!d) return;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(path);
}

int checkpoint_folder_drop(const char *folder, const char *name)
{
    char *from = mem_printf("%s/%s", folder, name),
         *to = mem_printf("%s/.trash-%s.%ld", folder, name, (long)getpid());
    folder_remove(to);
    int rc = rename(from, to) ? fail("%s: cannot be removed: %s", from, strerror(errno)) : 0;
    if (!rc) folder_remove(to);
    mem_free(from);
    mem_free(to);
    return rc;
}

/* Of another host nothing is known but the time: an hour without a change is death. */
static bool left_behind(const char *folder, const char *name)
{
    if (!strncmp(name, ".trash-", 7)) return true;
    const char *tmp = strstr(name, ".tmp."), *dot = strrchr(name, '.');
    if (!tmp) return false;
    const char *host = tmp + 5;
    long pid = strtol(dot + 1, NULL, 10);
    if (dot > host && (size_t)(dot - host) == strlen(host_name()) &&
        !strncmp(host, host_name(), (size_t)(dot - host)))
        return pid <= 0 || pid == getpid() || (kill((pid_t)pid, 0) && errno == ESRCH);
    struct stat st;
    char *path = mem_printf("%s/%s", folder, name);
    bool old = !stat(path, &st) && time(NULL) - st.st_mtime > 3600;
    mem_free(path);
    return old;
}

void checkpoint_folder_clean(const char *folder)
{
    DIR *d = opendir(folder);
    if (!d) return;
    for (struct dirent *e; (e = readdir(d));) {
        if (!left_behind(folder, e->d_name)) continue;
        char *path = mem_printf("%s/%s", folder, e->d_name);
        folder_remove(path);
        mem_free(path);
    }
    closedir(d);
}
