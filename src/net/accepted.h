/* What the listener needs of a stream. */
#ifndef NET_ACCEPTED_H
#define NET_ACCEPTED_H

#include "net/stream.h"

/* Adopts `descriptor`, a connected non-blocking socket. Reads nothing before koa_stream_serve(). */
KOA_MUST_USE enum koa_err koa_stream_accept(struct koa_loop *loop, int descriptor,
                                            size_t write_limit, struct koa_stream **ret_stream,
                                            struct koa_error *reterr);

#endif
