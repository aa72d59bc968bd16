/* One descriptor on the loop, through a libuv poll handle. The handle outlives the watch by one
 * turn, because libuv closes handles asynchronously. */
#include "loop/watch.h"

#include "base/memory.h"
#include "loop/uv_loop.h"

struct koa_watch {
    uv_poll_t handle;
    struct koa_loop *loop;
    int descriptor;
    unsigned events;
    koa_watch_fn *ready;
    void *context;
};

static void free_watch(uv_handle_t *handle)
{
    koa_free(handle->data);
}

static void on_ready(uv_poll_t *handle, int status, int uv_events)
{
    struct koa_watch *watch = handle->data;
    unsigned events = 0;

    koa_loop_enter(watch->loop);
    if (status < 0) {
        /* libuv stops the handle after an error; the owner finds it by reading or writing. */
        events = watch->events;
        watch->events = 0;
    } else {
        events |= (uv_events & UV_READABLE) ? KOA_WATCH_READ : 0U;
        events |= (uv_events & UV_WRITABLE) ? KOA_WATCH_WRITE : 0U;
        events &= watch->events;
    }
    if (events != 0)
        watch->ready(watch->context, events);
}

enum koa_err koa_watch_create(struct koa_loop *loop, const struct koa_watch_opts *opts,
                              struct koa_watch **ret_watch, struct koa_error *reterr)
{
    struct koa_watch *watch = koa_calloc(1, sizeof(*watch));
    enum koa_err err = koa_require_memory(watch, reterr);
    int error;

    if (err != KOA_OK)
        return err;
    KOA_ASSERT(koa_loop_is_here(loop));
    watch->loop = loop;
    watch->descriptor = opts->descriptor;
    watch->ready = opts->ready;
    watch->context = opts->context;
    error = uv_poll_init(koa_loop_uv(loop), &watch->handle, opts->descriptor);
    if (error != 0) {
        koa_free(watch);
        return koa_fail_errno(reterr, KOA_ERR_IO, -error, "cannot watch descriptor %d",
                              opts->descriptor);
    }
    watch->handle.data = watch;
    koa_loop_count_watch(loop, 1);
    *ret_watch = watch;
    return KOA_OK;
}

enum koa_err koa_watch_set(struct koa_watch *watch, unsigned events, struct koa_error *reterr)
{
    int uv_events = 0;
    int error;

    if (events == watch->events)
        return KOA_OK;
    if (events & KOA_WATCH_READ)
        uv_events |= UV_READABLE;
    if (events & KOA_WATCH_WRITE)
        uv_events |= UV_WRITABLE;
    error = uv_events != 0 ? uv_poll_start(&watch->handle, uv_events, on_ready)
                           : uv_poll_stop(&watch->handle);
    if (error != 0) {
        return koa_fail_errno(reterr, KOA_ERR_IO, -error, "cannot watch descriptor %d",
                              watch->descriptor);
    }
    watch->events = events;
    return KOA_OK;
}

void koa_watch_destroy(struct koa_watch *watch)
{
    if (watch == NULL)
        return;
    KOA_ASSERT(koa_loop_is_here(watch->loop));
    koa_loop_count_watch(watch->loop, -1);
    watch->events = 0;
    (void) uv_poll_stop(&watch->handle);
    uv_close((uv_handle_t *) &watch->handle, free_watch);
}
