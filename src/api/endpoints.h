/* The handlers that the rows of routes.c name. */
#ifndef API_ENDPOINTS_H
#define API_ENDPOINTS_H

#include "httpserver/route.h"

koa_http_handler_fn koa_api_index;
koa_http_handler_fn koa_api_info;
koa_http_handler_fn koa_api_status;

koa_http_handler_fn koa_api_health;
koa_http_handler_fn koa_api_health_ready;
koa_http_handler_fn koa_api_health_live;
koa_http_handler_fn koa_api_health_checks;
koa_http_handler_fn koa_api_health_check;
koa_http_handler_fn koa_api_health_history;

koa_http_handler_fn koa_api_metrics;
koa_http_handler_fn koa_api_metrics_prometheus;
koa_http_handler_fn koa_api_metrics_history;

koa_http_handler_fn koa_api_alerts;
koa_http_handler_fn koa_api_alerts_history;
koa_http_handler_fn koa_api_alert;
koa_http_handler_fn koa_api_rules;

koa_http_handler_fn koa_api_clusters;
koa_http_handler_fn koa_api_cluster;
koa_http_handler_fn koa_api_cluster_brokers;
koa_http_handler_fn koa_api_cluster_topics;
koa_http_handler_fn koa_api_cluster_topic;

koa_http_handler_fn koa_api_reload;
koa_http_handler_fn koa_api_log_level;

#endif
