/* What the endpoints share: parameters, and the two ends of every JSON body. */
#ifndef API_ANSWER_H
#define API_ANSWER_H

#include "api/api.h"
#include "base/json_write.h"

/* Opens the object. */
struct koa_json koa_api_json(struct koa_http_response *response);
/* Adds the timestamp and closes it. */
void koa_api_json_end(const struct koa_api *api, struct koa_json *json);

enum { KOA_API_LIMIT_MAX = 100000 };

/* `limit` of the query: missing or empty is `fallback`, 0 all that is kept. False: the response is
 * a 400 already. */
bool koa_api_limit(const struct koa_http_request *request, struct koa_http_response *response,
                   int64_t fallback, int64_t *ret_limit);
/* 400 for a query value that cannot be read. */
void koa_api_invalid(struct koa_http_response *response, const char *name, const char *value,
                     const char *allowed);
/* 503: `count` rows could not be sorted. */
void koa_api_no_memory(struct koa_http_response *response, size_t count);
/* A number, or null when it is not known. */
void koa_api_number(struct koa_json *json, const char *key, bool is_known, int64_t number);
void koa_api_real(struct koa_json *json, const char *key, bool is_known, double number);
/* Of `count` rows kept, the first that a limit lets pass: the newest are last. */
size_t koa_api_first(size_t count, int64_t limit);

/* Whether details may be shown: without credentials an open endpoint shows less. */
bool koa_api_may_read(const struct koa_http_request *request);

#endif
