/* Host names to addresses. One look-up per name at a time, shared by all who ask; answers are kept
 * for a while, and old ones serve when the system's resolver is slow or fails. The look-up itself
 * is getaddrinfo() on a worker; the rest runs on the loop. */
#include "loop/resolver.h"

#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include "base/list.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/str.h"
#include "loop/address_guard.h"

enum {
    FRESH_MS = 30000,
    STALE_MS = 600000,
    LOOKUP_DEADLINE_MS = 30000, /* glibc's own patience: 5 s, twice, for each of three servers */
    PARALLEL_LOOKUPS = 8,       /* a dead name server must not take all workers */
    HOST_LIMIT = 1024,          /* names remembered; the oldest unused one goes */
    HOST_SIZE = 256,            /* RFC 1035: 253 characters */
};

struct host {
    struct koa_resolver *resolver;
    char name[HOST_SIZE];
    struct koa_address addresses[KOA_RESOLVER_ADDRESSES];
    size_t count; /* of the last good answer; 0: none yet */
    struct koa_mono good_at;
    struct koa_list_node waiters;
    struct koa_list_node queued; /* in koa_resolver.queue until a look-up may start */
    bool is_looking;
    bool is_answering; /* callbacks run: the host must stay */
};

/* What outlives the resolver while getaddrinfo() hangs. */
struct running {
    atomic_size_t references;
    atomic_int lookups;
};

struct koa_resolver {
    struct koa_workers *workers;
    struct koa_loop *loop;
    struct koa_map *hosts;
    struct koa_list_node queue;
    struct koa_list_node lookups;
    struct koa_list_node numeric; /* resolutions without a host */
    struct running *running;
};

struct koa_resolution {
    struct koa_resolver *resolver;
    struct host *host; /* NULL: numeric */
    struct koa_list_node node;
    struct koa_timer timer;
    struct koa_address numeric;
    struct koa_mono deadline;
    int port;
    bool refuses_link_local;
    koa_resolved_fn *done;
    void *context;
    bool has_failed; /* `error` is the answer of the next turn */
    struct koa_error error;
};

struct lookup {
    struct koa_job job;
    struct koa_list_node node;
    struct running *running;
    struct host *host; /* NULL: the resolver has gone; loop's thread only */
    char name[HOST_SIZE];
    struct koa_address addresses[KOA_RESOLVER_ADDRESSES];
    size_t count;
    int error; /* EAI_* */
};

static void unref_running(struct running *running)
{
    if (running != NULL && atomic_fetch_sub(&running->references, 1) == 1)
        koa_free(running);
}

/* ---- answers */

static void free_resolution(struct koa_resolution *resolution)
{
    koa_timers_disarm(koa_loop_timers(resolution->resolver->loop), &resolution->timer);
    koa_list_remove(&resolution->node);
    koa_free(resolution);
}

/* What of `addresses` the caller shall see; `error` says why there is none. */
static size_t copy_allowed(const struct koa_resolution *resolution,
                           const struct koa_address *addresses, size_t count,
                           struct koa_address *copies, struct koa_error *error)
{
    char text[KOA_ADDRESS_TEXT_SIZE];
    size_t allowed = 0;

    for (size_t i = 0; i < count; i++) {
        if (resolution->refuses_link_local &&
            koa_address_classify(&addresses[i]) == KOA_ADDRESS_LINK_LOCAL) {
            koa_address_format_host(&addresses[i], text, sizeof(text));
            (void) koa_fail(error, KOA_ERR_INVALID,
                            "the address %s is link-local or a cloud's metadata service and is not "
                            "called; allow_link_local permits it",
                            text);
            continue;
        }
        copies[allowed] = addresses[i];
        koa_address_set_port(&copies[allowed], resolution->port);
        allowed++;
    }
    return allowed;
}

/* The resolution is gone before `done` runs, so that `done` may start the next. */
static void answer(struct koa_resolution *resolution, const struct koa_address *addresses,
                   size_t count, const struct koa_error *error)
{
    struct koa_address copies[KOA_RESOLVER_ADDRESSES];
    koa_resolved_fn *done = resolution->done;
    void *context = resolution->context;
    struct koa_error refused;
    size_t allowed = copy_allowed(resolution, addresses, count, copies, &refused);

    free_resolution(resolution);
    done(context, allowed > 0 ? copies : NULL, allowed,
         allowed > 0 || count == 0 ? error : &refused);
}

static bool is_younger(const struct host *host, struct koa_mono now, int64_t age_ms)
{
    return host->count > 0 && koa_mono_diff_ms(now, host->good_at) < age_ms;
}

/* All who wait get the last good addresses, or `error`. */
static void answer_all(struct host *host, const struct koa_error *error)
{
    struct koa_resolver *resolver = host->resolver;
    bool is_good = is_younger(host, koa_loop_now(resolver->loop), STALE_MS);
    struct koa_list_node waiters;

    /* Moved to a list of their own: `done` may ask for the same name again. */
    host->is_answering = true;
    koa_list_init(&waiters);
    while (!koa_list_is_empty(&host->waiters))
        koa_list_push_back(&waiters, koa_list_pop_front(&host->waiters));
    while (!koa_list_is_empty(&waiters)) {
        struct koa_resolution *resolution =
            KOA_CONTAINER_OF(waiters.next, struct koa_resolution, node);

        answer(resolution, host->addresses, is_good ? host->count : 0, is_good ? NULL : error);
    }
    host->is_answering = false;
}

/* The answer is known, or late. With old addresses at hand this comes at half the deadline, so that
 * the caller has time left to use them. */
static void on_time(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_resolution *resolution = KOA_CONTAINER_OF(timer, struct koa_resolution, timer);
    struct host *host = resolution->host;
    struct koa_error error;

    if (is_younger(host, now, STALE_MS)) {
        answer(resolution, host->addresses, host->count, NULL);
        return;
    }
    if (resolution->has_failed) {
        error = resolution->error;
        answer(resolution, NULL, 0, &error);
        return;
    }
    if (koa_mono_diff_ms(resolution->deadline, now) > 0 &&
        koa_timers_arm(koa_loop_timers(resolution->resolver->loop), timer, resolution->deadline,
                       on_time))
        return;
    (void) koa_fail(&error, KOA_ERR_TIMEOUT, "cannot resolve '%s': no answer in time", host->name);
    error.retriable = true;
    answer(resolution, NULL, 0, &error);
}

static bool arm(struct koa_resolution *resolution, int64_t delay_ms, koa_timer_fn *fire)
{
    return koa_loop_after(resolution->resolver->loop, &resolution->timer, delay_ms, fire);
}

/* ---- look-ups */

static bool is_localhost(const char *name)
{
    static const char suffix[] = ".localhost";
    size_t size = strlen(name);

    return strcasecmp(name, suffix + 1) == 0 ||
           (size > sizeof(suffix) - 1 &&
            strcasecmp(name + size - (sizeof(suffix) - 1), suffix) == 0);
}

/* RFC 6761, 6.3: these names are the loopback address everywhere, also in an image without
 * /etc/hosts. */
static void answer_localhost(struct lookup *lookup)
{
    static const char *const loopback[] = {"127.0.0.1", "::1"};

    for (size_t i = 0; i < KOA_ARRAY_COUNT(loopback); i++) {
        if (koa_address_parse(loopback[i], 0, &lookup->addresses[lookup->count]))
            lookup->count++;
    }
    lookup->error = 0;
}

static void work(struct koa_job *job)
{
    struct lookup *lookup = KOA_CONTAINER_OF(job, struct lookup, job);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;

    lookup->error = getaddrinfo(lookup->name, NULL, &hints, &found);
    for (struct addrinfo *at = lookup->error == 0 ? found : NULL; at != NULL; at = at->ai_next) {
        if (lookup->count < KOA_RESOLVER_ADDRESSES &&
            (at->ai_family == AF_INET || at->ai_family == AF_INET6))
            lookup->addresses[lookup->count++] = koa_address_from(at->ai_addr, at->ai_addrlen, 0);
    }
    if (lookup->error == 0) {
        freeaddrinfo(found);
    } else if (is_localhost(lookup->name)) {
        answer_localhost(lookup);
    }
}

static void release(struct koa_job *job)
{
    struct lookup *lookup = KOA_CONTAINER_OF(job, struct lookup, job);

    (void) atomic_fetch_sub(&lookup->running->lookups, 1);
    unref_running(lookup->running);
    koa_free(lookup);
}

static void start_queued(struct koa_resolver *resolver);

static void learn(struct host *host, const struct lookup *lookup)
{
    struct koa_error error;

    if (lookup->error == 0 && lookup->count > 0) {
        memcpy(host->addresses, lookup->addresses, lookup->count * sizeof(lookup->addresses[0]));
        host->count = lookup->count;
        host->good_at = koa_loop_now(host->resolver->loop);
        answer_all(host, NULL);
        return;
    }
    (void) koa_fail(&error, KOA_ERR_NOT_FOUND, "cannot resolve '%s': %s", host->name,
                    lookup->error != 0 ? gai_strerror(lookup->error) : "it has no address");
    error.foreign = lookup->error;
    error.retriable = true;
    answer_all(host, &error);
}

static void finish(struct koa_job *job, bool abandoned)
{
    struct lookup *lookup = KOA_CONTAINER_OF(job, struct lookup, job);
    struct host *host = lookup->host;
    struct koa_resolver *resolver;
    struct koa_error error;

    koa_list_remove(&lookup->node);
    if (host == NULL)
        return;
    resolver = host->resolver;
    host->is_looking = false;
    if (abandoned) {
        (void) koa_fail(&error, KOA_ERR_TIMEOUT, "cannot resolve '%s': no answer within %d s",
                        host->name, LOOKUP_DEADLINE_MS / 1000);
        error.retriable = true;
        answer_all(host, &error);
    } else {
        learn(host, lookup);
    }
    start_queued(resolver);
}

static enum koa_err start_lookup(struct host *host, struct koa_error *reterr)
{
    struct koa_resolver *resolver = host->resolver;
    struct lookup *lookup = koa_calloc(1, sizeof(*lookup));
    enum koa_err err = koa_require_memory(lookup, reterr);
    char key[HOST_SIZE + 4] = "dns:";

    if (err != KOA_OK)
        return err;
    lookup->job = (struct koa_job){
        .work = work, .done = finish, .release = release, .deadline_ms = LOOKUP_DEADLINE_MS};
    lookup->host = host;
    lookup->running = resolver->running;
    (void) koa_str_copy(lookup->name, sizeof(lookup->name), koa_str_from(host->name));
    (void) koa_str_copy(key + 4, sizeof(key) - 4, koa_str_from(host->name));
    err = koa_workers_run(resolver->workers, resolver->loop, key, &lookup->job, reterr);
    if (err != KOA_OK) {
        koa_free(lookup);
        return err;
    }
    (void) atomic_fetch_add(&resolver->running->references, 1);
    (void) atomic_fetch_add(&resolver->running->lookups, 1);
    koa_list_push_back(&resolver->lookups, &lookup->node);
    host->is_looking = true;
    return KOA_OK;
}

/* In the next turn: the caller may be one of those who wait. */
static void fail_all_later(struct host *host, const struct koa_error *error)
{
    KOA_LIST_FOREACH (node, &host->waiters) {
        struct koa_resolution *resolution = KOA_CONTAINER_OF(node, struct koa_resolution, node);

        resolution->has_failed = true;
        resolution->error = *error;
        /* Cannot fail, it is armed already; and if it did, its deadline would still come. */
        (void) !arm(resolution, 0, on_time);
    }
}

/* A look-up that hangs is counted until getaddrinfo() returns, which wakes nobody here: the next
 * question or the end of another look-up comes by. */
static void start_queued(struct koa_resolver *resolver)
{
    struct koa_list_node *node;
    struct koa_error error;

    while (atomic_load(&resolver->running->lookups) < PARALLEL_LOOKUPS &&
           (node = koa_list_pop_front(&resolver->queue)) != NULL) {
        struct host *host = KOA_CONTAINER_OF(node, struct host, queued);

        if (!koa_list_is_empty(&host->waiters) && start_lookup(host, &error) != KOA_OK)
            fail_all_later(host, &error);
    }
}

/* ---- names */

static bool is_idle(const struct host *host)
{
    return koa_list_is_empty(&host->waiters) && !host->is_looking && !host->is_answering &&
           host->queued.next == NULL;
}

static void make_room(struct koa_resolver *resolver)
{
    struct koa_str name;
    void *value;

    if (koa_map_count(resolver->hosts) < HOST_LIMIT)
        return;
    for (size_t at = 0; koa_map_next(resolver->hosts, &at, &name, &value);) {
        if (!is_idle(value))
            continue;
        (void) koa_map_remove(resolver->hosts, name);
        koa_free(value);
        return;
    }
}

static enum koa_err get_host(struct koa_resolver *resolver, const char *name,
                             struct host **ret_host, struct koa_error *reterr)
{
    struct host *host = koa_map_find_text(resolver->hosts, name);
    enum koa_err err;

    if (host != NULL) {
        *ret_host = host;
        return KOA_OK;
    }
    make_room(resolver);
    host = koa_calloc(1, sizeof(*host));
    err = koa_require_memory(host, reterr);
    if (err != KOA_OK)
        return err;
    host->resolver = resolver;
    koa_list_init(&host->waiters);
    (void) koa_str_copy(host->name, sizeof(host->name), koa_str_from(name));
    err = koa_map_put(resolver->hosts, koa_str_from(name), host, NULL);
    if (err == KOA_OK) {
        *ret_host = host;
        return KOA_OK;
    }
    koa_free(host);
    return koa_fail(reterr, err, "cannot resolve '%s': %d other names are being resolved", name,
                    HOST_LIMIT);
}

/* ---- resolutions */

static void on_numeric(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_resolution *resolution = KOA_CONTAINER_OF(timer, struct koa_resolution, timer);

    (void) now;
    answer(resolution, &resolution->numeric, 1, NULL);
}

static enum koa_err ask(struct koa_resolution *resolution, const struct koa_resolver_query *query,
                        struct koa_error *reterr)
{
    struct koa_resolver *resolver = resolution->resolver;
    struct koa_mono now = koa_loop_now(resolver->loop);
    int64_t delay_ms = query->deadline_ms;
    struct host *host = NULL;
    enum koa_err err = get_host(resolver, query->host, &host, reterr);
    bool is_fresh;

    if (err != KOA_OK)
        return err;
    KOA_ASSERT(host != NULL);
    is_fresh = is_younger(host, now, FRESH_MS);
    if (is_fresh) {
        delay_ms = 0;
    } else if (is_younger(host, now, STALE_MS)) {
        delay_ms = query->deadline_ms / 2;
    }
    if (!arm(resolution, delay_ms, on_time))
        return koa_require_memory(NULL, reterr);
    resolution->host = host;
    koa_list_push_back(&host->waiters, &resolution->node);
    if (!is_fresh && !host->is_looking && host->queued.next == NULL)
        koa_list_push_back(&resolver->queue, &host->queued);
    return KOA_OK;
}

enum koa_err koa_resolver_start(struct koa_resolver *resolver,
                                const struct koa_resolver_query *query,
                                struct koa_resolution **ret_resolution, struct koa_error *reterr)
{
    struct koa_resolution *resolution = NULL;
    size_t length = strlen(query->host);
    enum koa_err err;

    KOA_ASSERT(koa_loop_is_here(resolver->loop));
    if (length == 0 || length >= HOST_SIZE) {
        return koa_fail(reterr, KOA_ERR_INVALID, "a host name has 1 to %d characters, not %zu",
                        HOST_SIZE - 1, length);
    }
    resolution = koa_calloc(1, sizeof(*resolution));
    err = koa_require_memory(resolution, reterr);
    if (err != KOA_OK)
        return err;
    resolution->resolver = resolver;
    resolution->deadline = koa_mono_add_ms(koa_loop_now(resolver->loop), query->deadline_ms);
    resolution->port = query->port;
    resolution->refuses_link_local = query->refuses_link_local;
    resolution->done = query->done;
    resolution->context = query->context;
    if (!koa_address_parse(query->host, query->port, &resolution->numeric)) {
        err = ask(resolution, query, reterr);
    } else if (arm(resolution, 0, on_numeric)) {
        koa_list_push_back(&resolver->numeric, &resolution->node);
    } else {
        err = koa_require_memory(NULL, reterr);
    }
    if (err != KOA_OK) {
        koa_free(resolution);
        return err;
    }
    *ret_resolution = resolution;
    start_queued(resolver);
    return KOA_OK;
}

void koa_resolution_cancel(struct koa_resolution *resolution)
{
    if (resolution != NULL)
        free_resolution(resolution);
}

/* ---- life */

struct koa_resolver *koa_resolver_create(struct koa_workers *workers, struct koa_loop *loop)
{
    struct koa_resolver *resolver = koa_calloc(1, sizeof(*resolver));

    if (resolver == NULL)
        return NULL;
    resolver->workers = workers;
    resolver->loop = loop;
    koa_list_init(&resolver->queue);
    koa_list_init(&resolver->lookups);
    koa_list_init(&resolver->numeric);
    resolver->hosts = koa_map_create(HOST_LIMIT);
    resolver->running = koa_calloc(1, sizeof(*resolver->running));
    if (resolver->hosts == NULL || resolver->running == NULL) {
        koa_resolver_destroy(resolver);
        return NULL;
    }
    atomic_init(&resolver->running->references, 1);
    return resolver;
}

void koa_resolver_destroy(struct koa_resolver *resolver)
{
    struct koa_list_node *node;

    if (resolver == NULL)
        return;
    KOA_ASSERT(koa_loop_is_here(resolver->loop));
    KOA_ASSERT(koa_list_is_empty(&resolver->numeric));
    while ((node = koa_list_pop_front(&resolver->lookups)) != NULL)
        KOA_CONTAINER_OF(node, struct lookup, node)->host = NULL;
    if (resolver->hosts != NULL)
        koa_map_destroy(resolver->hosts, koa_free);
    unref_running(resolver->running);
    koa_free(resolver);
}
