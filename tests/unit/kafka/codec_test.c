/* The codec against real brokers' bytes, and against bytes that lie. */
#include "kafka/codec.h"

#include <string.h>

#include "kit/kit.h"
#include "kit/vectors.h"

#include "base/str.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/metadata.h"

enum { ARENA = 1 << 20 };

/* Room for the vector's message. */
static void *room(const struct kit_vector *vector, struct koa_arena *arena)
{
    return koa_arena_alloc(
        arena, 1, vector->is_request ? vector->api->request->size : vector->api->response->size);
}

static enum koa_err decode(const struct kit_vector *vector, struct koa_str frame,
                           struct koa_arena *arena, void *body,
                           struct koa_kafka_request_header *header)
{
    const struct koa_kafka_api *api;
    struct koa_error error;
    struct koa_str rest;
    enum koa_err err;

    if (!vector->is_request) {
        const struct koa_kafka_request_header asked = {.api_key = vector->api->key,
                                                       .api_version = vector->version};

        return koa_kafka_open_response(&asked, frame, arena, body, &error);
    }
    err = koa_kafka_open_request(frame, header, &api, &rest, &error);
    if (err != KOA_OK)
        return err;
    return koa_kafka_decode(
        (struct koa_kafka_layout){.table = vector->api->request, .version = vector->version}, rest,
        arena, body, &error);
}

static bool is_from_the_future(const struct kit_vector *vector)
{
    return vector->is_request && strstr(vector->name, "unsupported") != NULL;
}

static void decode_and_encode_again(const struct kit_vector *vector)
{
    struct koa_arena *arena = koa_arena_create(ARENA);
    struct koa_kafka_request_header header = {.api_key = 0};
    struct koa_buf buf = {.limit = ARENA};
    struct koa_error error = {.text = ""};
    void *body = room(vector, arena);
    enum koa_err err;

    if (!is_from_the_future(vector)) {
        KIT_EXPECT_INT(vector->name, KOA_OK, decode(vector, vector->frame, arena, body, &header));
        if (vector->is_request) {
            KIT_EXPECT_INT(vector->name, vector->version, header.api_version);
            err = koa_kafka_frame_request(&header, body, &buf, &error);
        } else {
            header.api_key = vector->api->key;
            header.api_version = vector->version;
            assert_int_equal(
                koa_kafka_peek_correlation(vector->frame, &header.correlation_id, &error), KOA_OK);
            err = koa_kafka_frame_response(&header, body, &buf, &error);
        }
        KIT_EXPECT_INT(error.text, KOA_OK, err);
        KIT_EXPECT_INT(vector->name, vector->size, buf.size);
        KIT_EXPECT(vector->name, memcmp(buf.data, vector->bytes, buf.size) == 0);
    }
    koa_buf_deinit(&buf);
    koa_arena_destroy(arena);
}

static void every_capture_is_decoded_and_encoded_to_the_same_bytes(void **state)
{
    (void) state;
    kit_vectors(900, decode_and_encode_again);
}

static void cut_short(const struct kit_vector *vector)
{
    struct koa_arena *arena = koa_arena_create(ARENA);
    struct koa_kafka_request_header header;

    for (size_t size = 0; size < vector->frame.size && !is_from_the_future(vector); size++) {
        /* A copy of the exact size, so that AddressSanitizer sees a read beyond it. */
        char *exact = koa_realloc_array(NULL, size > 0 ? size : 1, 1);

        memcpy(exact, vector->frame.data, size);
        KIT_EXPECT(vector->name, decode(vector, (struct koa_str){.data = exact, .size = size},
                                        arena, room(vector, arena), &header) != KOA_OK);
        koa_free(exact);
        koa_arena_reset(arena);
    }
    koa_arena_destroy(arena);
}

static void every_capture_cut_at_any_byte_is_refused(void **state)
{
    (void) state;
    kit_vectors(900, cut_short);
}

static void change_bytes(const struct kit_vector *vector)
{
    static const unsigned char values[] = {0x00, 0x7f, 0x80, 0xff};
    struct koa_arena *arena = koa_arena_create(ARENA);
    char *copy = koa_realloc_array(NULL, vector->frame.size, 1);
    struct koa_kafka_request_header header;

    memcpy(copy, vector->frame.data, vector->frame.size);
    for (size_t at = 0; at < vector->frame.size; at++) {
        for (size_t i = 0; i < KOA_ARRAY_COUNT(values); i++) {
            struct koa_str frame = {.data = copy, .size = vector->frame.size};
            enum koa_err err;

            copy[at] = (char) values[i];
            err = decode(vector, frame, arena, room(vector, arena), &header);
            KIT_EXPECT(vector->name, err == KOA_OK || err == KOA_ERR_PROTOCOL);
            koa_arena_reset(arena);
        }
        copy[at] = vector->frame.data[at];
    }
    koa_free(copy);
    koa_arena_destroy(arena);
}

static void any_changed_byte_is_survived(void **state)
{
    (void) state;
    kit_vectors(900, change_bytes);
}

static void metadata_of_a_real_broker_means_what_it_says(void **state)
{
    static const char *const names[] = {
        "2.8.2/metadata-v0.response.bin", "2.8.2/metadata-v11.response.bin",
        "3.9.2/metadata-v12.response.bin", "4.3.1/metadata-v13.response.bin"};

    (void) state;
    KIT_EACH (name, names) {
        struct koa_arena *arena = koa_arena_create(ARENA);
        struct kit_vector vector;
        const struct koa_kafka_metadata_response *body;
        void *read;

        kit_vector_read(*name, &vector);
        read = room(&vector, arena);
        assert_int_equal(decode(&vector, vector.frame, arena, read, NULL), KOA_OK);
        body = read;
        KIT_EXPECT_INT(*name, 1, body->brokers.count);
        KIT_EXPECT(*name, koa_str_equal_text(body->brokers.rows[0].host, "127.0.0.1"));
        KIT_EXPECT_INT(*name, 2, body->topics.count);
        for (size_t i = 0; i < 2; i++) {
            struct koa_kafka_metadata_topic topic = body->topics.rows[i];
            bool orders = koa_str_equal_text(topic.name, "orders");

            KIT_EXPECT(*name, orders || koa_str_equal_text(topic.name, "payments"));
            KIT_EXPECT_INT(*name, orders ? 3 : 1, topic.partitions.count);
            KIT_EXPECT_INT(*name, 1, topic.partitions.rows[0].leader_id);
            KIT_EXPECT_INT(*name, 1, topic.partitions.rows[0].isr_nodes.count);
            KIT_EXPECT_INT(*name, 1, topic.partitions.rows[0].isr_nodes.rows[0]);
        }
        KIT_EXPECT_INT(*name, vector.version >= 1 ? 1 : -1, body->controller_id);
        KIT_EXPECT(*name,
                   vector.version < 1 || koa_str_equal_text(body->brokers.rows[0].rack, "rack-a"));
        koa_free(vector.bytes);
        koa_arena_destroy(arena);
    }
}

static void errors_of_partitions_are_read(void **state)
{
    struct koa_arena *arena = koa_arena_create(ARENA);
    struct kit_vector vector;
    const struct koa_kafka_list_offsets_response *body;
    void *read;

    (void) state;
    kit_vector_read("4.3.1/list_offsets-v11-errors.response.bin", &vector);
    read = room(&vector, arena);
    assert_int_equal(decode(&vector, vector.frame, arena, read, NULL), KOA_OK);
    body = read;
    for (size_t i = 0; i < body->topics.count; i++) {
        struct koa_kafka_list_offsets_topic topic = body->topics.rows[i];

        for (size_t j = 0; j < topic.partitions.count; j++) {
            KIT_EXPECT_INT("error",
                           topic.partitions.rows[j].partition_index == 0 &&
                                   koa_str_equal_text(topic.name, "orders")
                               ? 42
                               : 3,
                           topic.partitions.rows[j].error_code);
        }
    }
    KIT_EXPECT("two topics", body->topics.count >= 2);
    koa_free(vector.bytes);
    koa_arena_destroy(arena);
}

#define BYTES(literal)                                                                             \
    {                                                                                              \
        .data = (literal), .size = sizeof(literal) - 1                                             \
    }

static const struct {
    const char *name;
    const struct koa_kafka_message *table;
    int16_t version;
    enum koa_err err;
    struct koa_str bytes;
    const char *text;
} hostile[] = {
    {"a count of two thousand million", &koa_kafka_api_versions_response, 0, KOA_ERR_PROTOCOL,
     BYTES("\0\0\x7f\xff\xff\xff"), "2147483647 items cannot fit"},
    {"a count of -2", &koa_kafka_api_versions_response, 0, KOA_ERR_PROTOCOL,
     BYTES("\0\0\xff\xff\xff\xfe"), "below -1"},
    {"null where there is none", &koa_kafka_api_versions_response, 0, KOA_ERR_PROTOCOL,
     BYTES("\0\0\xff\xff\xff\xff"), "null"},
    {"a compact null where there is none", &koa_kafka_api_versions_response, 3, KOA_ERR_PROTOCOL,
     BYTES("\0\0\0"), "null"},
    {"a number of more than 32 bits", &koa_kafka_api_versions_response, 3, KOA_ERR_PROTOCOL,
     BYTES("\0\0\xff\xff\xff\xff\x1f"), "more than 32 bits"},
    {"bytes left over", &koa_kafka_api_versions_response, 0, KOA_ERR_PROTOCOL,
     BYTES("\0\0\0\0\0\0!"), "1 bytes left over"},
    {"a version from the future", &koa_kafka_metadata_response, 99, KOA_ERR_UNSUPPORTED, BYTES(""),
     "outside 0 to 13"},
    {"a string longer than the frame", &koa_kafka_describe_cluster_request, 0, KOA_ERR_PROTOCOL,
     BYTES(""), "needed, 0 left"},
    {"tags that do not rise", &koa_kafka_describe_cluster_request, 0, KOA_ERR_PROTOCOL,
     BYTES("\0\2\5\0\5\0"), "do not rise"},
    {"a tag larger than the frame", &koa_kafka_describe_cluster_request, 0, KOA_ERR_PROTOCOL,
     BYTES("\0\1\5\7"), "larger than what is left"},
    {"a known tag with a surplus byte", &koa_kafka_api_versions_response, 3, KOA_ERR_PROTOCOL,
     BYTES("\0\0\1\0\0\0\0\1\3\2\1\1"), "longer than its content"},
    {"an unknown tag is skipped", &koa_kafka_describe_cluster_request, 0, KOA_OK,
     BYTES("\1\1\5\2xy"), ""},
};

static void lies_are_refused_with_their_field(void **state)
{
    (void) state;
    KIT_EACH (c, hostile) {
        struct koa_arena *arena = koa_arena_create(ARENA);
        struct koa_error error = {.text = ""};
        void *body = koa_arena_alloc(arena, 1, c->table->size);

        KIT_EXPECT_INT(
            c->name, c->err,
            koa_kafka_decode((struct koa_kafka_layout){.table = c->table, .version = c->version},
                             c->bytes, arena, body, &error));
        KIT_EXPECT_CONTAINS(c->name, c->text, error.text);
        koa_arena_destroy(arena);
    }
}

static void the_arena_bounds_what_a_peer_can_make_us_hold(void **state)
{
    const struct koa_kafka_request_header asked = {.api_key = KOA_KAFKA_METADATA,
                                                   .api_version = 13};
    struct koa_arena *arena = koa_arena_create(64);
    struct kit_vector vector;
    struct koa_error error;
    struct koa_kafka_metadata_response body = {.throttle_time_ms = 0};

    (void) state;
    kit_vector_read("4.3.1/metadata-v13.response.bin", &vector);
    assert_int_equal(koa_kafka_open_response(&asked, vector.frame, arena, &body, &error),
                     KOA_ERR_LIMIT);
    KIT_EXPECT_CONTAINS("text", "memory limit", error.text);
    koa_free(vector.bytes);
    koa_arena_destroy(arena);
}

static void defaults_stand_for_what_a_version_lacks(void **state)
{
    struct koa_kafka_list_offsets_request request;
    struct koa_kafka_metadata_response metadata;

    (void) state;
    koa_kafka_defaults(&koa_kafka_list_offsets_request, &request);
    assert_int_equal(request.replica_id, -1);
    koa_kafka_defaults(&koa_kafka_metadata_response, &metadata);
    assert_int_equal(metadata.cluster_authorized_operations, INT32_MIN);
    assert_int_equal(metadata.controller_id, -1);
}

static void what_is_too_long_for_the_wire_is_refused_and_leaves_no_trace(void **state)
{
    static char text[40000];
    struct koa_kafka_api_versions_request request = {
        .client_software_name = {.data = text, .size = sizeof(text)}};
    struct koa_kafka_request_header header = {.api_key = KOA_KAFKA_API_VERSIONS, .api_version = 3};
    struct koa_buf buf = {.limit = 100000};
    struct koa_error error;

    (void) state;
    koa_buf_append_text(&buf, "before");
    assert_int_equal(koa_kafka_frame_request(&header, &request, &buf, &error), KOA_ERR_RANGE);
    KIT_EXPECT_CONTAINS("text", "client_software_name", error.text);
    assert_string_equal(koa_buf_text(&buf), "before");
    koa_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_capture_is_decoded_and_encoded_to_the_same_bytes),
        cmocka_unit_test(every_capture_cut_at_any_byte_is_refused),
        cmocka_unit_test(any_changed_byte_is_survived),
        cmocka_unit_test(metadata_of_a_real_broker_means_what_it_says),
        cmocka_unit_test(errors_of_partitions_are_read),
        cmocka_unit_test(lies_are_refused_with_their_field),
        cmocka_unit_test(the_arena_bounds_what_a_peer_can_make_us_hold),
        cmocka_unit_test(defaults_stand_for_what_a_version_lacks),
        cmocka_unit_test(what_is_too_long_for_the_wire_is_refused_and_leaves_no_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
