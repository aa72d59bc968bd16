/* Passwords that have not been accepted yet are hashed on a worker, while their requests are
 * suspended. Requests with the same user and password share one computation. */
#include <string.h>

#include "httpserver/internal.h"

enum {
    VERIFICATIONS = 16, /* different passwords under way at once; the worker takes them in turn */
    VERIFY_DEADLINE_MS = 10000 /* 16 hashes of the usual costs take 1 to 4 s */
};

/* One request that waits. */
struct waiter {
    struct koa_list_node node;
    struct koa_http_token *token;
    unsigned scope; /* that it needs */
    unsigned char address[KOA_HTTP_ADDRESS_SIZE];
};

/* One user and password under way. Freed by the worker's release. */
struct verification {
    struct koa_job job;
    struct koa_list_node node; /* in the policy's list until its end is decided */
    struct koa_http_server *server;
    struct koa_http_policy *policy; /* a reference */
    struct koa_list_node waiters;   /* under the policy's mutex while listed */
    size_t user;
    bool is_known;
    bool matches; /* written by the worker */
    char password[KOA_HTTP_CREDENTIALS_SIZE];
    unsigned char digest[KOA_SHA256_SIZE];
};

enum outcome { ACCEPTED, DENIED, NOT_VERIFIED };

static struct verification *verification_of(struct koa_job *job)
{
    return KOA_CONTAINER_OF(job, struct verification, job);
}

static void refuse_busy(struct koa_http_response *response)
{
    koa_http_fail(response, 503, "Service unavailable",
                  "too many passwords are being verified, or it takes too long; try again");
    (void) koa_http_response_header(response, "Retry-After", "1");
}

static void answer(struct verification *verification, struct waiter *waiter, enum outcome outcome)
{
    struct koa_http_policy *policy = verification->policy;
    unsigned scopes = policy->settings.users[verification->user].scopes;
    struct koa_http_response response;

    koa_http_response_init(&response);
    if (outcome == NOT_VERIFIED) {
        refuse_busy(&response);
    } else if (outcome == DENIED) {
        koa_http_count_failed_login(verification->server, policy, waiter->address);
        koa_http_refuse_login(verification->server, policy, &response);
    } else if ((scopes & waiter->scope) != waiter->scope) {
        koa_http_refuse_scope(&response, waiter->scope);
    } else {
        response.status = 0;
        waiter->token->scopes = scopes;
    }
    koa_http_token_finish(waiter->token, &response);
}

static void end(struct verification *verification, enum outcome outcome)
{
    struct koa_http_policy *policy = verification->policy;

    if (outcome == ACCEPTED)
        koa_http_policy_accept(policy, verification->user, verification->digest);
    (void) pthread_mutex_lock(&policy->mutex);
    koa_list_remove(&verification->node);
    policy->verification_count--;
    (void) pthread_mutex_unlock(&policy->mutex);
    /* Nobody can join any more. */
    KOA_LIST_FOREACH (node, &verification->waiters) {
        struct waiter *waiter = KOA_CONTAINER_OF(node, struct waiter, node);

        koa_list_remove(&waiter->node);
        answer(verification, waiter, outcome);
        koa_free(waiter);
    }
}

static void release(struct koa_job *job)
{
    struct verification *verification = verification_of(job);

    explicit_bzero(verification->password, sizeof(verification->password));
    koa_object_unref(&verification->policy->object);
    koa_free(verification);
}

static void work(struct koa_job *job)
{
    struct verification *verification = verification_of(job);

    verification->matches =
        koa_password_verify(verification->policy->settings.users[verification->user].password_hash,
                            verification->password) &&
        verification->is_known;
}

static void done(struct koa_job *job, bool abandoned)
{
    struct verification *verification = verification_of(job);

    if (abandoned) {
        end(verification, NOT_VERIFIED);
    } else {
        end(verification, verification->matches ? ACCEPTED : DENIED);
    }
}

/* On the loop. */
static void start(void *message)
{
    struct verification *verification = message;
    const struct koa_http_server_opts *opts = &verification->server->opts;
    struct koa_error error;

    verification->job.deadline_ms = VERIFY_DEADLINE_MS;
    if (koa_workers_run(opts->workers, opts->loop, "password", &verification->job, &error) ==
        KOA_OK)
        return;
    koa_log_warn(opts->log, "http.password", "a password cannot be verified: %s; answered 503",
                 error.text);
    end(verification, NOT_VERIFIED);
    release(&verification->job);
}

static void drop(void *message)
{
    struct verification *verification = message;

    end(verification, NOT_VERIFIED);
    release(&verification->job);
}

static struct verification *find_locked(struct koa_http_policy *policy,
                                        const struct koa_http_judged *judged)
{
    KOA_LIST_FOREACH (node, &policy->verifications) {
        struct verification *verification = KOA_CONTAINER_OF(node, struct verification, node);

        /* Both are HMACs under our own key: what their order of comparison tells is of no use. */
        if (memcmp(verification->digest, judged->digest, sizeof(judged->digest)) == 0)
            return verification;
    }
    return NULL;
}

static struct verification *make(struct koa_http_server *server, struct koa_http_policy *policy,
                                 const struct koa_http_judged *judged)
{
    struct verification *verification = koa_calloc(1, sizeof(*verification));

    if (verification == NULL)
        return NULL;
    verification->job.work = work;
    verification->job.done = done;
    verification->job.release = release;
    verification->server = server;
    verification->policy = policy;
    koa_object_ref(&policy->object);
    koa_list_init(&verification->waiters);
    verification->user = judged->user;
    verification->is_known = judged->is_known;
    memcpy(verification->password, judged->password, sizeof(verification->password));
    memcpy(verification->digest, judged->digest, sizeof(verification->digest));
    return verification;
}

/* Finds or makes the verification and suspends the request into it. `*ret_new` is to be posted. */
static enum koa_http_login join_locked(struct koa_http_request *request,
                                       const struct koa_http_judged *judged, struct waiter *waiter,
                                       struct koa_http_response *response,
                                       struct verification **ret_new)
{
    struct koa_http_policy *policy = request->connection->generation->policy;
    struct verification *verification = find_locked(policy, judged);
    bool is_new = verification == NULL;

    if (is_new && policy->verification_count < VERIFICATIONS)
        verification = make(request->connection->server, policy, judged);
    if (verification == NULL) {
        refuse_busy(response);
        return KOA_HTTP_LOGIN_REFUSED;
    }
    waiter->token = koa_http_suspend(request, response);
    if (waiter->token == NULL) {
        if (is_new)
            release(&verification->job);
        return KOA_HTTP_LOGIN_REFUSED;
    }
    koa_list_push_back(&verification->waiters, &waiter->node);
    if (is_new) {
        koa_list_push_back(&policy->verifications, &verification->node);
        policy->verification_count++;
        *ret_new = verification;
    }
    return KOA_HTTP_LOGIN_WAITS;
}

enum koa_http_login koa_http_verify(struct koa_http_request *request,
                                    const struct koa_http_judged *judged, unsigned scope,
                                    struct koa_http_response *response)
{
    struct koa_http_connection *connection = request->connection;
    struct koa_http_policy *policy = connection->generation->policy;
    struct waiter *waiter = koa_calloc(1, sizeof(*waiter));
    struct verification *verification = NULL;
    struct koa_loop *loop = connection->server->opts.loop;
    enum koa_http_login login;

    if (waiter == NULL) {
        refuse_busy(response);
        return KOA_HTTP_LOGIN_REFUSED;
    }
    waiter->scope = scope;
    memcpy(waiter->address, connection->address, sizeof(waiter->address));
    (void) pthread_mutex_lock(&policy->mutex);
    login = join_locked(request, judged, waiter, response, &verification);
    (void) pthread_mutex_unlock(&policy->mutex);
    if (login == KOA_HTTP_LOGIN_REFUSED)
        koa_free(waiter);
    if (verification != NULL)
        (void) koa_loop_post(loop, start, drop, verification);
    return login;
}
