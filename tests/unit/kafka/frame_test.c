#include "kafka/frame.h"

#include "kit/kit.h"

#include "base/str.h"

#define BYTES(literal)                                                                             \
    {                                                                                              \
        .data = (literal), .size = sizeof(literal) - 1                                             \
    }

static void frames_are_cut_wherever_the_bytes_are_split(void **state)
{
    static const char stream[] = "\0\0\0\3abc\0\0\0\1d\0\0\0\2ef";
    const size_t size = sizeof(stream) - 1;

    (void) state;
    for (size_t step = 1; step <= size; step++) {
        struct koa_kafka_framer framer = {.limit = 16};
        struct koa_buf got = {.limit = 100};
        struct koa_error error;

        for (size_t at = 0; at < size; at += step) {
            struct koa_str part = {.data = stream + at,
                                   .size = size - at < step ? size - at : step};
            struct koa_str frame = {.data = ""};

            assert_int_equal(koa_kafka_framer_feed(&framer, part, &error), KOA_OK);
            while (frame.data != NULL) {
                assert_int_equal(koa_kafka_framer_next(&framer, &frame, &error), KOA_OK);
                koa_buf_append(&got, frame.data, frame.size);
                if (frame.data != NULL)
                    koa_buf_append_char(&got, ';');
            }
        }
        KIT_EXPECT_TEXT("frames", "abc;d;ef;", koa_buf_text(&got));
        koa_buf_deinit(&got);
        koa_kafka_framer_deinit(&framer);
    }
}

static const struct {
    const char *name;
    struct koa_str bytes;
    const char *part;
} impossible[] = {
    {"zero", BYTES("\0\0\0\0"), "allowed are 1 to 16"},
    {"negative", BYTES("\xff\xff\xff\xff"), "allowed are 1 to 16"},
    {"one above the limit", BYTES("\0\0\0\x11"), "allowed are 1 to 16"},
    {"an HTTP answer", BYTES("HTTP/1.1 400 Bad Request"), "allowed are 1 to 16"},
    {"a TLS alert", BYTES("\x15\3\3\0\2\2\x28"), "the peer answers in TLS"},
};

static void an_impossible_length_is_refused_before_its_bytes_come(void **state)
{
    (void) state;
    KIT_EACH (c, impossible) {
        struct koa_kafka_framer framer = {.limit = 16};
        struct koa_error error;
        struct koa_str frame;

        assert_int_equal(koa_kafka_framer_feed(&framer, c->bytes, &error), KOA_OK);
        KIT_EXPECT_INT(c->name, KOA_ERR_PROTOCOL, koa_kafka_framer_next(&framer, &frame, &error));
        KIT_EXPECT_CONTAINS(c->name, c->part, error.text);
        koa_kafka_framer_deinit(&framer);
    }
}

static void a_promised_length_takes_no_memory(void **state)
{
    struct koa_kafka_framer framer = {.limit = 64 << 20};
    struct koa_error error;
    struct koa_str frame;

    (void) state;
    assert_int_equal(koa_kafka_framer_feed(&framer, KOA_STR("\3\0\0\0x"), &error), KOA_OK);
    assert_int_equal(koa_kafka_framer_next(&framer, &frame, &error), KOA_OK);
    assert_null(frame.data);
    assert_true(framer.buf.capacity < 4096);
    koa_kafka_framer_deinit(&framer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_cut_wherever_the_bytes_are_split),
        cmocka_unit_test(an_impossible_length_is_refused_before_its_bytes_come),
        cmocka_unit_test(a_promised_length_takes_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
