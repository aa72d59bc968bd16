#include "httpserver/preview.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kit/kit.h"

#define HOST "Host: x\r\n"
#define ROW(name_, bytes_, fault_)                                                                 \
    {                                                                                              \
        .name = (name_), .bytes = (bytes_), .size = sizeof(bytes_) - 1, .fault = (fault_)          \
    }

static const struct {
    const char *name, *bytes;
    size_t size;
    enum koa_http_fault fault;
} heads[] = {
    ROW("plain", "GET / HTTP/1.1\r\n" HOST "\r\n", KOA_HTTP_FAULT_NONE),
    ROW("bare line feeds", "GET / HTTP/1.1\nHost: x\n\n", KOA_HTTP_FAULT_NONE),
    ROW("blank lines before it", "\r\n\r\n\nGET / HTTP/1.1\r\n" HOST "\r\n", KOA_HTTP_FAULT_NONE),
    ROW("more behind it", "GET / HTTP/1.1\r\n" HOST "\r\nbody: \r\n\r\n", KOA_HTTP_FAULT_NONE),
    ROW("1.0 without fields", "GET / HTTP/1.0\r\n\r\n", KOA_HTTP_FAULT_NONE),
    ROW("blanks before the target", "GET   / HTTP/1.1\r\n" HOST "\r\n", KOA_HTTP_FAULT_NONE),
    ROW("blanks around a value", "GET / HTTP/1.1\r\nHost: \t x \t\r\n\r\n", KOA_HTTP_FAULT_NONE),
    ROW("an empty value", "GET / HTTP/1.1\r\n" HOST "X:\r\n\r\n", KOA_HTTP_FAULT_NONE),
    ROW("one word", "GET\r\n\r\n", KOA_HTTP_FAULT_VERSION),
    ROW("two words", "GET /\r\n\r\n", KOA_HTTP_FAULT_VERSION),
    ROW("a word too many", "GET / HTTP/1.1 x\r\n" HOST "\r\n", KOA_HTTP_FAULT_VERSION),
    ROW("a blank too many", "GET / HTTP/1.1 \r\n" HOST "\r\n", KOA_HTTP_FAULT_VERSION),
    ROW("a blank in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n", KOA_HTTP_FAULT_TARGET),
    ROW("no version", "GET / FOO\r\n" HOST "\r\n", KOA_HTTP_FAULT_VERSION),
    ROW("a version with a NUL", "GET / HTTP/1.1\0x\r\n" HOST "\r\n", KOA_HTTP_FAULT_VERSION),
    ROW("a method with a NUL", "GET\0X / HTTP/1.1\r\n" HOST "\r\n", KOA_HTTP_FAULT_METHOD),
    ROW("a blank first", " GET / HTTP/1.1\r\n" HOST "\r\n", KOA_HTTP_FAULT_METHOD),
    ROW("a target with a NUL", "GET /\0a HTTP/1.1\r\n" HOST "\r\n", KOA_HTTP_FAULT_TARGET),
    ROW("no colon", "GET / HTTP/1.1\r\n" HOST "nonsense\r\n\r\n", KOA_HTTP_FAULT_NAME),
    ROW("no name", "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n", KOA_HTTP_FAULT_NAME),
    ROW("a blank before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", KOA_HTTP_FAULT_NAME),
    ROW("folded", "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", KOA_HTTP_FAULT_LAYOUT),
    ROW("folded by a tab", "GET / HTTP/1.1\r\n\tX: a\r\n" HOST "\r\n", KOA_HTTP_FAULT_LAYOUT),
    ROW("a value with a NUL", "GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n", KOA_HTTP_FAULT_VALUE),
    ROW("a carriage return alone", "GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n",
        KOA_HTTP_FAULT_VALUE),
    ROW("a length that is none", "POST / HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n",
        KOA_HTTP_FAULT_LENGTH),
    ROW("an empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n",
        KOA_HTTP_FAULT_LENGTH),
    ROW("an escape that is none", "GET /%4 HTTP/1.1\r\n" HOST "\r\n", KOA_HTTP_FAULT_ESCAPE),
};

/* In memory of its very size, so that a step too far is seen by the sanitizer. */
static char *copy(const char *bytes, size_t size)
{
    char *result = malloc(size > 0 ? size : 1);

    assert_non_null(result);
    memcpy(result, bytes, size);
    return result;
}

static void each_fault_is_found(void **state)
{
    static char scratch[KOA_HTTP_TARGET_MEMORY(KOA_HTTP_TARGET_SIZE)];

    (void) state;
    KIT_EACH (c, heads) {
        struct koa_http_preview preview;
        size_t size = koa_http_head_size((struct koa_str){.data = c->bytes, .size = c->size}, 0);
        char *head;

        KIT_EXPECT(c->name, size > 0);
        head = copy(c->bytes, size);
        KIT_EXPECT_INT(c->name, c->fault, koa_http_preview(head, size, scratch, &preview));
        KIT_EXPECT(c->name, preview.memory >= size);
        free(head);
    }
}

static void the_end_is_found_however_the_bytes_come(void **state)
{
    (void) state;
    KIT_EACH (c, heads) {
        struct koa_str whole = {.data = c->bytes, .size = c->size};
        size_t expected = koa_http_head_size(whole, 0);
        size_t found = 0;

        for (size_t size = 1; size <= c->size && found == 0; size++) {
            char *bytes = copy(c->bytes, size);

            found = koa_http_head_size((struct koa_str){.data = bytes, .size = size}, size - 1);
            KIT_EXPECT(c->name, found == 0 || found == size);
            free(bytes);
        }
        KIT_EXPECT_INT(c->name, expected, found);
    }
    KIT_EXPECT_INT("nothing", 0, koa_http_head_size((struct koa_str){.data = "", .size = 0}, 0));
    KIT_EXPECT_INT("only blank lines", 0, koa_http_head_size(KOA_STR("\r\n\r\n\r\n\n\n"), 0));
}

static void the_fault_of_what_has_no_end_is_its_first_part_s(void **state)
{
    (void) state;
    KIT_EXPECT_INT("a line", KOA_HTTP_FAULT_TARGET_SIZE,
                   koa_http_fault_of_overlong(KOA_STR("GET /aaaaaaaaaaaa")));
    KIT_EXPECT_INT("fields", KOA_HTTP_FAULT_SIZE,
                   koa_http_fault_of_overlong(KOA_STR("GET / HTTP/1.1\r\nX: aaaaaaaaaaaa")));
}

static void what_the_library_needs_is_estimated(void **state)
{
    static char scratch[KOA_HTTP_TARGET_MEMORY(KOA_HTTP_TARGET_SIZE)];
    char plain[] = "GET / HTTP/1.1\r\n" HOST "\r\n";
    char cookies[] = "GET /?a&b HTTP/1.1\r\n" HOST "Cookie: a=b;c=d\r\n\r\n";
    struct koa_http_preview preview;

    (void) state;
    (void) koa_http_preview(plain, sizeof(plain) - 1, scratch, &preview);
    KIT_EXPECT_INT("one field", sizeof(plain) - 1 + (size_t) 64 * 2, preview.memory);
    KIT_EXPECT_TEXT("method", "GET", preview.method);
    (void) koa_http_preview(cookies, sizeof(cookies) - 1, scratch, &preview);
    KIT_EXPECT_INT("cookies and parameters", sizeof(cookies) - 1 + (size_t) 64 * (2 + 2 + 2) + 8,
                   preview.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_is_found),
        cmocka_unit_test(the_end_is_found_however_the_bytes_come),
        cmocka_unit_test(the_fault_of_what_has_no_end_is_its_first_part_s),
        cmocka_unit_test(what_the_library_needs_is_estimated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
