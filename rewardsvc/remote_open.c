/* Settings of a remote client: their defaults and ranges; opening and closing. */
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/remote_internal.h"

static int n_open; /* Remotes in this process: curl's global state lives as long as one does */

RemoteSettings remote_defaults(void)
{
    return (RemoteSettings){.max_concurrency = 16,
                            .retries = 4,
                            .backoff_s = 0.5,
                            .backoff_most_s = 30,
                            .attempt_s = 120,
                            .deadline_s = 600,
                            .wait_s = 3600};
}

static int number_check(const char *name, double v, double least, double most)
{
    if (v >= least && v <= most) return 0;
    return fail("%s: %g is not in [%g, %g]", name, v, least, most);
}

static int settings_check(const RemoteSettings *s)
{
    if (!s->base_url || !*s->base_url) return fail("base_url: the endpoint's address is missing");
    if (!s->model || !*s->model) return fail("model: the endpoint's name of the model is missing");
    return number_check("max_concurrency", s->max_concurrency, 1, REMOTE_MOST_CONCURRENT) ||
                   number_check("requests_per_minute", s->requests_per_minute, 0, 1e9) ||
                   number_check("tokens_per_minute", s->tokens_per_minute, 0, 1e12) ||
                   number_check("retries", s->retries, 0, 20) ||
                   number_check("backoff_s", s->backoff_s, 0, 3600) ||
                   number_check("backoff_most_s", s->backoff_most_s, 0, 3600) ||
                   number_check("attempt_s", s->attempt_s, 0.001, 86400) ||
                   number_check("deadline_s", s->deadline_s, 0.001, 86400) ||
                   number_check("wait_s", s->wait_s, 0.001, 31 * 86400)
               ? -1
               : 0;
}

static int curl_start(void)
{
    if (!n_open++ && curl_global_init(CURL_GLOBAL_DEFAULT)) return fail("libcurl does not start");
    /* Without it a slow name server would stop the whole service. */
    if (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) return 0;
    return fail(
        "this libcurl blocks while it looks up names: remote judges need one that does not");
}

static void curl_stop(void)
{
    if (!--n_open) curl_global_cleanup();
}

Remote *remote_open(const RemoteSettings *settings, RemoteLog *log)
{
    if (settings_check(settings)) return NULL;
    Remote *r = NEW(Remote, 1);
    r->set = *settings;
    r->set.base_url = mem_text(settings->base_url);
    r->set.model = mem_text(settings->model);
    r->set.ca_file = mem_text(settings->ca_file);
    r->log = log;
    remote_pace_init(&r->pace, settings->requests_per_minute, settings->tokens_per_minute);
    r->trace = (RemoteTrace){&r->access, settings->trace, settings->trace_arg};
    int rc = curl_start();
    if (!rc) rc = remote_access_open(&r->access, settings);
    r->set.key_env = r->set.key_file = NULL;
    if (!rc && !(r->multi = curl_multi_init())) rc = fail("libcurl does not start");
    if (rc) {
        remote_close(r);
        return NULL;
    }
    /* connections are kept, and only those that can be in use */
    curl_multi_setopt(r->multi, CURLMOPT_MAXCONNECTS, (long)settings->max_concurrency);
    return r;
}

void remote_close(Remote *r)
{
    if (!r) return;
    for (int i = 0; i < JOB_STATES; i++)
        while (r->lists[i].first) {
            remote_job_ground(r, r->lists[i].first);
            remote_job_free(r, r->lists[i].first);
        }
    while (r->n_idle) curl_easy_cleanup(r->idle[--r->n_idle]);
    if (r->multi) curl_multi_cleanup(r->multi);
    remote_access_close(&r->access);
    curl_stop();
    mem_free((char *)(uintptr_t)r->set.base_url);
    mem_free((char *)(uintptr_t)r->set.model);
    mem_free((char *)(uintptr_t)r->set.ca_file);
    mem_free(r->slots);
    mem_free(r->spare);
    mem_free(r);
}
