/* Suspended requests. The library aborts the process when it is stopped with one left, so every
 * suspension is in the server's list from before the library knows of it until it is resumed, and
 * the server can answer each by itself. */
#include <string.h>

#include "httpserver/internal.h"

static void deny(struct koa_http_response *response, const char *message)
{
    koa_http_fail(response, 503, "Service unavailable", "%s", message);
}

struct koa_http_token *koa_http_suspend(const struct koa_http_request *request,
                                        struct koa_http_response *response)
{
    struct koa_http_connection *connection = request->connection;
    struct koa_http_server *server = connection->server;
    struct koa_http_token *token = koa_calloc(1, sizeof(*token));

    if (token == NULL) {
        deny(response, "there is no memory left to wait for the answer");
        return NULL;
    }
    token->server = server;
    token->connection = connection;
    token->owners = 2;
    koa_http_response_init(&token->response);
    (void) pthread_mutex_lock(&server->mutex);
    if (atomic_load(&server->refuses)) {
        (void) pthread_mutex_unlock(&server->mutex);
        koa_free(token);
        deny(response, "the agent is stopping");
        return NULL;
    }
    koa_list_push_back(&server->tokens, &token->node);
    connection->request.token = token;
    /* Under the mutex: whoever finishes the token must find the connection suspended. */
    MHD_suspend_connection(connection->handle);
    (void) pthread_mutex_unlock(&server->mutex);
    response->suspended = true;
    return token;
}

static void finish_locked(struct koa_http_token *token, struct koa_http_response *response)
{
    koa_list_remove(&token->node);
    token->response = *response;
    token->is_ready = true;
    MHD_resume_connection(token->connection->handle);
}

void koa_http_token_finish(struct koa_http_token *token, struct koa_http_response *response)
{
    struct koa_http_server *server = token->server;
    bool taken = false;

    (void) pthread_mutex_lock(&server->mutex);
    if (!token->is_ready) {
        finish_locked(token, response);
        taken = true;
    }
    (void) pthread_mutex_unlock(&server->mutex);
    if (taken) {
        koa_http_response_init(response);
    } else {
        koa_http_response_deinit(response);
    }
    koa_http_token_unref(token);
}

void koa_http_token_unref(struct koa_http_token *token)
{
    struct koa_http_server *server = token->server;
    bool is_last;

    (void) pthread_mutex_lock(&server->mutex);
    is_last = --token->owners == 0;
    (void) pthread_mutex_unlock(&server->mutex);
    if (!is_last)
        return;
    koa_http_response_deinit(&token->response);
    koa_free(token);
}

void koa_http_token_take(struct koa_http_request *request, struct koa_http_response *response)
{
    struct koa_http_token *token = request->token;

    (void) pthread_mutex_lock(&token->server->mutex);
    KOA_ASSERT(token->is_ready);
    *response = token->response;
    koa_http_response_init(&token->response);
    if (request->stage == KOA_HTTP_STAGE_LOGIN)
        request->scopes = token->scopes;
    (void) pthread_mutex_unlock(&token->server->mutex);
    request->token = NULL;
    koa_http_token_unref(token);
}

void koa_http_tokens_expire(struct koa_http_server *server,
                            const struct koa_http_generation *generation)
{
    (void) pthread_mutex_lock(&server->mutex);
    KOA_LIST_FOREACH (node, &server->tokens) {
        struct koa_http_token *token = KOA_CONTAINER_OF(node, struct koa_http_token, node);
        struct koa_http_response response;

        if (generation != NULL && token->connection->generation != generation)
            continue;
        koa_http_response_init(&response);
        deny(&response, "the agent is stopping");
        finish_locked(token, &response);
    }
    (void) pthread_mutex_unlock(&server->mutex);
}
