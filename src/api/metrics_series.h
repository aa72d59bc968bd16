/* /metrics/history?name=: one family's series over time. */
#ifndef API_METRICS_SERIES_H
#define API_METRICS_SERIES_H

#include "httpserver/route.h"

koa_http_handler_fn koa_api_metrics_series;

#endif
