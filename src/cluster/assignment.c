/* Reads others' bytes: never beyond them. */
#include "cluster/assignment.h"

/* The next `size` bytes, or NULL. */
static const unsigned char *take(struct koa_str *bytes, size_t size)
{
    const unsigned char *data = (const unsigned char *) bytes->data;

    if (bytes->size < size)
        return NULL;
    bytes->data += size;
    bytes->size -= size;
    return data;
}

static bool read_int16(struct koa_str *bytes, int16_t *ret_value)
{
    const unsigned char *data = take(bytes, 2);

    if (data == NULL)
        return false;
    *ret_value = (int16_t) (data[0] << 8 | data[1]);
    return true;
}

static bool read_int32(struct koa_str *bytes, int32_t *ret_value)
{
    const unsigned char *data = take(bytes, 4);

    if (data == NULL)
        return false;
    *ret_value = (int32_t) ((uint32_t) data[0] << 24 | (uint32_t) data[1] << 16 |
                            (uint32_t) data[2] << 8 | (uint32_t) data[3]);
    return true;
}

bool koa_assignment_read(struct koa_str bytes, koa_assigned_fn *each, void *context)
{
    int16_t version = -1;
    int32_t topics = 0;

    if (!read_int16(&bytes, &version) || version < 0 || !read_int32(&bytes, &topics))
        return false;
    for (int32_t i = 0; i < topics; i++) {
        int16_t size = -1;
        int32_t partitions = -1;
        const unsigned char *name;

        if (!read_int16(&bytes, &size) || size < 0)
            return false;
        name = take(&bytes, (size_t) size);
        if (name == NULL || !read_int32(&bytes, &partitions) || partitions < 0 ||
            take(&bytes, (size_t) partitions * sizeof(int32_t)) == NULL)
            return false;
        if (partitions > 0 &&
            !each(context, (struct koa_str){.data = (const char *) name, .size = (size_t) size},
                  (uint32_t) partitions))
            return false;
    }
    return true;
}
