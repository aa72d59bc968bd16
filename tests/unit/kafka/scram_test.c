/* SCRAM against the RFC's own exchange, and against servers that lie. */
#include "kit/kit.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "kafka/codec.h"
#include "kafka/messages/sasl_authenticate.h"
#include "kafka/sasl.h"
#include "kit/vectors.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SERVER_FIRST "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

static const struct vector {
    const char *name;
    enum koa_digest_kind kind;
    const char *proof, *server_proof;
} vectors[] = {
    /* RFC 7677, section 3. */
    {"SHA-256", KOA_DIGEST_SHA256, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
     "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
    /* The same with SHA-512, computed with Python's hashlib and hmac: no RFC has one. */
    {"SHA-512", KOA_DIGEST_SHA512,
     "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
     "ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="},
};

/* Up to our proof. */
static void prove(struct koa_scram *scram, const struct vector *vector, struct koa_buf *out)
{
    struct koa_pbkdf2 stretch = {.kind = vector->kind, .password = KOA_STR("pencil")};
    struct koa_digest salted;
    struct koa_error error;

    assert_int_equal(KOA_OK, koa_scram_begin(scram, vector->kind, "user", NONCE, out));
    koa_buf_clear(out);
    assert_int_equal(KOA_OK, koa_scram_take_first(scram, koa_str_from(SERVER_FIRST), &error));
    KIT_EXPECT_INT(vector->name, 4096, scram->salt.iterations);
    KIT_EXPECT_INT(vector->name, 16, scram->salt.size);
    stretch.salt =
        (struct koa_str){.data = (const char *) scram->salt.bytes, .size = scram->salt.size};
    stretch.iterations = scram->salt.iterations;
    assert_true(koa_pbkdf2(&stretch, &salted));
    assert_int_equal(KOA_OK, koa_scram_prove(scram, &salted, out, &error));
}

static void exchanges_match_the_published_ones(void **state)
{
    (void) state;
    KIT_EACH (c, vectors) {
        struct koa_scram scram = {.nonce = ""};
        struct koa_buf out = {.limit = 1 << 16};
        struct koa_error error = {.text = ""};
        char expected[512];

        prove(&scram, c, &out);
        (void) snprintf(expected, sizeof(expected), "c=biws,r=%s,p=%s", SERVER_NONCE, c->proof);
        KIT_EXPECT_TEXT(c->name, expected, koa_buf_text(&out));
        (void) snprintf(expected, sizeof(expected), "v=%s", c->server_proof);
        KIT_EXPECT_INT(c->name, KOA_OK,
                       koa_scram_take_last(&scram, koa_str_from(expected), &error));
        koa_scram_deinit(&scram);
        koa_buf_deinit(&out);
    }
}

/* The bytes inside a captured SaslAuthenticate, appended to `out`. */
static void read_message(const char *folder, int version, const char *rest, struct koa_buf *out)
{
    struct koa_arena *arena = koa_arena_create(1 << 16);
    struct koa_kafka_request_header header = {.api_key = KOA_KAFKA_SASL_AUTHENTICATE,
                                              .api_version = (int16_t) version};
    struct kit_vector vector;
    struct koa_error error;
    struct koa_str bytes;
    char name[128];

    (void) snprintf(name, sizeof(name), "%s/sasl_authenticate-v%d-scram-%s.bin", folder, version,
                    rest);
    kit_vector_read(name, &vector);
    if (vector.is_request) {
        struct koa_kafka_sasl_authenticate_request body;
        const struct koa_kafka_api *api;
        struct koa_str left;

        assert_int_equal(KOA_OK,
                         koa_kafka_open_request(vector.frame, &header, &api, &left, &error));
        assert_int_equal(
            KOA_OK, koa_kafka_decode((struct koa_kafka_layout){api->request, header.api_version},
                                     left, arena, &body, &error));
        bytes = body.auth_bytes;
    } else {
        struct koa_kafka_sasl_authenticate_response body;

        assert_int_equal(KOA_OK,
                         koa_kafka_open_response(&header, vector.frame, arena, &body, &error));
        KIT_EXPECT_INT(name, 0, body.error_code);
        bytes = body.auth_bytes;
    }
    koa_buf_append(out, bytes.data, bytes.size);
    koa_free(vector.bytes);
    koa_arena_destroy(arena);
}

/* We say the same bytes as the client that was captured, and accept what the broker said. */
static void exchanges_with_real_brokers_are_repeated(void **state)
{
    static const char *const folders[] = {"2.8.2", "3.9.2", "4.4.0"};
    static const struct {
        enum koa_digest_kind kind;
        const char *files[4];
    } kinds[] = {
        {KOA_DIGEST_SHA256,
         {"256-first.request", "256-first.response", "256-last.request", "256-last.response"}},
        {KOA_DIGEST_SHA512,
         {"512-first.request", "512-first.response", "512-last.request", "512-last.response"}},
    };

    (void) state;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(folders) * KOA_ARRAY_COUNT(kinds) * 3; i++) {
        const char *folder = folders[i % 3];
        size_t kind = i / 3 % 2;
        int version = (int) (i / 6);
        struct koa_pbkdf2 stretch = {.kind = kinds[kind].kind, .password = KOA_STR("alice-word")};
        struct koa_buf said[4] = {
            {.limit = 1 << 16}, {.limit = 1 << 16}, {.limit = 1 << 16}, {.limit = 1 << 16}};
        struct koa_buf out = {.limit = 1 << 16};
        struct koa_scram scram = {.nonce = ""};
        struct koa_digest salted;
        struct koa_error error;

        for (size_t m = 0; m < KOA_ARRAY_COUNT(said); m++)
            read_message(folder, version, kinds[kind].files[m], &said[m]);
        assert_int_equal(KOA_OK, koa_scram_begin(&scram, kinds[kind].kind, "alice", NONCE, &out));
        KIT_EXPECT_TEXT(folder, koa_buf_text(&said[0]), koa_buf_text(&out));
        koa_buf_clear(&out);
        assert_int_equal(
            KOA_OK, koa_scram_take_first(&scram, koa_str_from(koa_buf_text(&said[1])), &error));
        stretch.salt =
            (struct koa_str){.data = (const char *) scram.salt.bytes, .size = scram.salt.size};
        stretch.iterations = scram.salt.iterations;
        assert_true(koa_pbkdf2(&stretch, &salted));
        assert_int_equal(KOA_OK, koa_scram_prove(&scram, &salted, &out, &error));
        KIT_EXPECT_TEXT(folder, koa_buf_text(&said[2]), koa_buf_text(&out));
        assert_int_equal(KOA_OK,
                         koa_scram_take_last(&scram, koa_str_from(koa_buf_text(&said[3])), &error));
        koa_scram_deinit(&scram);
        koa_buf_deinit(&out);
        for (size_t m = 0; m < KOA_ARRAY_COUNT(said); m++)
            koa_buf_deinit(&said[m]);
    }
}

static void the_first_message_says_who_we_are(void **state)
{
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"user", "n,,n=user,r=" NONCE},
        {"a,b=c", "n,,n=a=2Cb=3Dc,r=" NONCE},
        {"m\xc3\xbcller", "n,,n=m\xc3\xbcller,r=" NONCE},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_scram scram = {.nonce = ""};
        struct koa_buf out = {.limit = 1 << 16};

        assert_int_equal(KOA_OK, koa_scram_begin(&scram, KOA_DIGEST_SHA256, c->name, NONCE, &out));
        KIT_EXPECT_TEXT(c->name, c->message, koa_buf_text(&out));
        koa_scram_deinit(&scram);
        koa_buf_deinit(&out);
    }
}

static void a_server_that_lies_at_first_is_found_out(void **state)
{
    static const struct {
        const char *message, *part;
    } cases[] = {
        {"", "is not nonce, salt and iterations"},
        {"r=" SERVER_NONCE, "is not nonce, salt and iterations"},
        {"m=ext,r=" SERVER_NONCE ",s=QSXCR+Q6sek8bf92,i=4096", "is not nonce, salt and iterations"},
        {"r=" NONCE ",s=QSXCR+Q6sek8bf92,i=4096", "nonce does not continue ours"},
        {"r=other" NONCE "x,s=QSXCR+Q6sek8bf92,i=4096", "nonce does not continue ours"},
        {"r=" SERVER_NONCE ",s=***,i=4096", "salt cannot be read"},
        {"r=" SERVER_NONCE ",s=,i=4096", "salt cannot be read"},
        {"r=" SERVER_NONCE ",s=QSXCR+Q6sek8bf92,i=4095", "'4095' iterations; 4096 to 1000000"},
        {"r=" SERVER_NONCE ",s=QSXCR+Q6sek8bf92,i=1000001", "'1000001' iterations"},
        {"r=" SERVER_NONCE ",s=QSXCR+Q6sek8bf92,i=-1", "'-1' iterations"},
        {"r=" SERVER_NONCE ",s=QSXCR+Q6sek8bf92,i=99999999999999999999", "iterations; 4096 to"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_scram scram = {.nonce = ""};
        struct koa_buf out = {.limit = 1 << 16};
        struct koa_error error = {.text = ""};

        assert_int_equal(KOA_OK, koa_scram_begin(&scram, KOA_DIGEST_SHA256, "user", NONCE, &out));
        KIT_EXPECT_INT(c->message, KOA_ERR_PROTOCOL,
                       koa_scram_take_first(&scram, koa_str_from(c->message), &error));
        KIT_EXPECT_CONTAINS(c->message, c->part, error.text);
        koa_scram_deinit(&scram);
        koa_buf_deinit(&out);
    }
}

static void a_server_must_prove_itself(void **state)
{
    static const struct {
        const char *message, *part;
        enum koa_err err;
    } cases[] = {
        {"v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "may be an impostor", KOA_ERR_AUTH},
        {"v=6rri", "may be an impostor", KOA_ERR_AUTH},
        {"v=", "may be an impostor", KOA_ERR_AUTH},
        {"v=***", "is no proof", KOA_ERR_PROTOCOL},
        {"", "is no proof", KOA_ERR_PROTOCOL},
        {"e=invalid-proof", "the broker refuses: invalid-proof", KOA_ERR_AUTH},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_scram scram = {.nonce = ""};
        struct koa_buf out = {.limit = 1 << 16};
        struct koa_error error = {.text = ""};

        prove(&scram, &vectors[0], &out);
        KIT_EXPECT_INT(c->message, c->err,
                       koa_scram_take_last(&scram, koa_str_from(c->message), &error));
        KIT_EXPECT_CONTAINS(c->message, c->part, error.text);
        koa_scram_deinit(&scram);
        koa_buf_deinit(&out);
    }
}

static void memory_that_runs_out_ends_the_exchange(void **state)
{
    const struct koa_kafka_identity identity = {.username = "user", .password = "pencil"};
    struct koa_digest key = {.size = 32};
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_kafka_sasl sasl = {.mechanism = NULL};
        char first[256];

        ok = koa_kafka_sasl_begin(&sasl, koa_kafka_mechanism_find("SCRAM-SHA-256"), &identity,
                                  NULL) == KOA_OK;
        (void) snprintf(first, sizeof(first), "r=%sx,s=QSXCR+Q6sek8bf92,i=4096", sasl.scram.nonce);
        ok = ok && koa_kafka_sasl_take(&sasl, koa_str_from(first), NULL) == KOA_OK;
        ok = ok && koa_kafka_sasl_supply(&sasl, &key, NULL) == KOA_OK;
        koa_kafka_sasl_deinit(&sasl);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchanges_match_the_published_ones),
        cmocka_unit_test(exchanges_with_real_brokers_are_repeated),
        cmocka_unit_test(the_first_message_says_who_we_are),
        cmocka_unit_test(a_server_that_lies_at_first_is_found_out),
        cmocka_unit_test(a_server_must_prove_itself),
        cmocka_unit_test(memory_that_runs_out_ends_the_exchange),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
