/* Reads Retry-After. Whoever retries decides what to make of it. */
#include "httpclient/retry_after.h"

#include <time.h>

#include <curl/curl.h>

#include "base/num.h"
#include "base/str.h"

enum { DAY_MS = 86400000, LONGEST_DATE = 64 };

static int64_t clamp(int64_t wait_ms)
{
    if (wait_ms < 0)
        return 0;
    return wait_ms < DAY_MS ? wait_ms : DAY_MS;
}

int64_t koa_retry_after_parse(struct koa_str value, struct koa_wall now)
{
    struct koa_str text = koa_str_trim(value);
    char date[LONGEST_DATE];
    int64_t seconds;
    enum koa_err err;
    time_t at;

    err = koa_parse_int(text, 0, DAY_MS / 1000, &seconds);
    if (err == KOA_OK)
        return seconds * 1000;
    if (err == KOA_ERR_RANGE)
        return text.data[0] == '-' ? -1 : DAY_MS;
    if (!koa_str_copy(date, sizeof(date), text))
        return -1;
    at = curl_getdate(date, NULL);
    return at >= 0 ? clamp((int64_t) at * 1000 - now.ms) : -1;
}
