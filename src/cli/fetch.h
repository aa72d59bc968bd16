/* Blocking HTTP requests to an agent, for the commands that look at one from outside. */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include <koa/error.h>

#include "base/buf.h"

struct cli_fetcher;

struct cli_fetcher_opts {
    const char *url;        /* "http://localhost:8080" */
    const char *user;       /* "name:password", or NULL */
    const char *token_file; /* or NULL */
    int64_t timeout_ms;     /* of each request */
};

struct cli_answer {
    int status;
    char content_type[128];
    char cache_control[64];
    char content_type_options[32];
    struct koa_buf body; /* the fetcher's, until its next request */
    double seconds;
};

KOA_MUST_USE enum koa_err cli_fetcher_create(const struct cli_fetcher_opts *opts,
                                             struct cli_fetcher **ret_fetcher,
                                             struct koa_error *reterr);
void cli_fetcher_destroy(struct cli_fetcher *fetcher);
KOA_DEFINE_AUTO(cli_fetcher, cli_fetcher_destroy)

/* GET `path` with an optional Accept. The answer is borrowed until the next request. */
KOA_MUST_USE enum koa_err cli_fetch(struct cli_fetcher *fetcher, const char *path,
                                    const char *accept, const struct cli_answer **ret_answer,
                                    struct koa_error *reterr);

#endif
