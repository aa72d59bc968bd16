/* The mutex is held for a pointer and a count only: a writer never waits for a reader's work. */
#include "base/published.h"

void koa_object_init(struct koa_object *object, void (*destroy)(struct koa_object *object))
{
    atomic_init(&object->references, 1);
    object->destroy = destroy;
}

void koa_object_ref(struct koa_object *object)
{
    atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);
}

void koa_object_unref(struct koa_object *object)
{
    /* Every earlier use, on any thread, happens before the destruction. */
    if (object != NULL &&
        atomic_fetch_sub_explicit(&object->references, 1, memory_order_acq_rel) == 1)
        object->destroy(object);
}

void koa_published_init(struct koa_published *published)
{
    (void) pthread_mutex_init(&published->mutex, NULL);
    published->object = NULL;
}

void koa_published_deinit(struct koa_published *published)
{
    koa_object_unref(published->object);
    published->object = NULL;
    (void) pthread_mutex_destroy(&published->mutex);
}

void koa_published_set(struct koa_published *published, struct koa_object *object)
{
    struct koa_object *previous;

    (void) pthread_mutex_lock(&published->mutex);
    previous = published->object;
    published->object = object;
    (void) pthread_mutex_unlock(&published->mutex);
    koa_object_unref(previous);
}

struct koa_object *koa_published_get(struct koa_published *published)
{
    struct koa_object *object;

    (void) pthread_mutex_lock(&published->mutex);
    object = published->object;
    if (object != NULL)
        koa_object_ref(object);
    (void) pthread_mutex_unlock(&published->mutex);
    return object;
}
