/* A whole head, as the gate peeks at it. What must hold for any bytes is asserted. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "httpserver/preview.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the fuzzer calls it by this name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct koa_str bytes = {.data = (const char *) data, .size = size};
    size_t head_size = koa_http_head_size(bytes, 0);
    struct koa_http_preview preview;
    enum koa_http_fault fault;
    char *scratch;
    char *head;

    KOA_ASSERT(head_size <= size);
    for (size_t seen = 0; seen < head_size; seen++)
        KOA_ASSERT(koa_http_head_size((struct koa_str){bytes.data, seen}, 0) == 0);
    if (head_size == 0)
        return 0;
    KOA_ASSERT(koa_http_head_size(bytes, head_size - 1) == head_size);
    scratch = malloc(KOA_HTTP_TARGET_MEMORY(KOA_HTTP_TARGET_SIZE));
    head = malloc(head_size);
    KOA_ASSERT(scratch != NULL && head != NULL);
    memcpy(head, data, head_size);
    fault = koa_http_preview(head, head_size, scratch, &preview);
    KOA_ASSERT(koa_http_fault_find(fault)->status >= 200);
    KOA_ASSERT(strlen(preview.method) < head_size && preview.memory >= head_size);
    free(scratch);
    free(head);
    return 0;
}
