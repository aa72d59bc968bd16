/* One writer hands immutable objects to many readers: mutex, pointer, reference count. One of the
 * three things that threads share. */
#ifndef BASE_PUBLISHED_H
#define BASE_PUBLISHED_H

#include <pthread.h>
#include <stdatomic.h>

#include <koa/base.h>

/* First member of everything that is published. `destroy` runs on the last reader's thread. */
struct koa_object {
    atomic_size_t references;
    void (*destroy)(struct koa_object *object);
};

/* One reference, the caller's. */
void koa_object_init(struct koa_object *object, void (*destroy)(struct koa_object *object));
void koa_object_ref(struct koa_object *object);
void koa_object_unref(struct koa_object *object); /* NULL is nothing */

struct koa_published {
    pthread_mutex_t mutex;
    struct koa_object *object;
};

#define KOA_PUBLISHED_INIT                                                                         \
    {                                                                                              \
        .mutex = PTHREAD_MUTEX_INITIALIZER                                                         \
    }

void koa_published_init(struct koa_published *published);
void koa_published_deinit(struct koa_published *published);
/* Adopts the writer's reference (NULL: nothing is published any more) and drops the previous. */
void koa_published_set(struct koa_published *published, struct koa_object *object);
/* A reference of the caller's own, or NULL. Any thread. */
KOA_MUST_USE struct koa_object *koa_published_get(struct koa_published *published);

/* A reader that walks a published object in steps (a stream) ends when it has held it this long. */
enum { KOA_PUBLISHED_PIN_LIMIT_MS = 30000 };

#endif
