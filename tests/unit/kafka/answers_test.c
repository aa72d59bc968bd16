/* What real brokers answered about themselves, their topics and who may log in, captured by
 * tests/vectors/kafka/capture.py. */
#include <string.h>

#include "answer_kit.h"
#include "kit/kit.h"

#include "kafka/error_code.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/describe_configs.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/list_partition_reassignments.h"
#include "kafka/messages/sasl_authenticate.h"
#include "kafka/messages/sasl_handshake.h"

static void look_at_log_dirs(const struct answer *answer)
{
    const struct koa_kafka_describe_log_dirs_response *body = answer->body;
    size_t partitions = 0;

    KIT_EXPECT_INT(answer->name, 1, body->results.count);
    for (size_t i = 0; i < body->results.rows[0].topics.count; i++)
        partitions += body->results.rows[0].topics.rows[i].partitions.count;
    KIT_EXPECT(answer->name, partitions >= 4);
    KIT_EXPECT(answer->name, (body->results.rows[0].total_bytes > 0) == (answer->version >= 4));
    KIT_EXPECT_INT(answer->name, 0, body->results.rows[0].error_code);
}

static void look_at_quorum(const struct answer *answer)
{
    const struct koa_kafka_describe_quorum_response *body = answer->body;
    const struct koa_kafka_describe_quorum_partition *partition =
        &body->topics.rows[0].partitions.rows[0];
    bool is_three = strstr(answer->name, "three") != NULL;

    KIT_EXPECT_INT(answer->name, 0, partition->error_code);
    KIT_EXPECT_INT(answer->name, is_three ? 3 : 1, partition->current_voters.count);
    KIT_EXPECT(answer->name, partition->leader_id >= 1 && partition->high_watermark > 0);
    KIT_EXPECT(answer->name, partition->current_voters.rows[0].log_end_offset > 0);
}

static void look_at_reassignment(const struct answer *answer)
{
    const struct koa_kafka_list_partition_reassignments_response *body = answer->body;
    const struct koa_kafka_list_partition_reassignments_partition *moving;

    KIT_EXPECT_INT(answer->name, 1, body->topics.count);
    KIT_EXPECT(answer->name, answer_is(body->topics.rows[0].name, "moving"));
    moving = &body->topics.rows[0].partitions.rows[0];
    KIT_EXPECT_INT(answer->name, 2, moving->replicas.count);
    KIT_EXPECT_INT(answer->name, 1, moving->adding_replicas.count);
    KIT_EXPECT_INT(answer->name, 1, moving->removing_replicas.count);
}

static void the_cluster_tells_its_folders_quorum_and_moves(void **state)
{
    (void) state;
    answer_each_version("2.8.2/describe_log_dirs-v#", 1, 2, look_at_log_dirs);
    answer_each_version("4.4.0/describe_log_dirs-v#", 1, 5, look_at_log_dirs);
    answer_each_version("4.4.0/describe_quorum-v#", 0, 2, look_at_quorum);
    answer_each_version("4.4.0/describe_quorum-v#-three", 2, 2, look_at_quorum);
    answer_each_version("3.9.2/describe_quorum-v#-three", 2, 2, look_at_quorum);
    answer_each_version("4.4.0/list_partition_reassignments-v#-moving", 0, 0, look_at_reassignment);
    answer_each_version("3.9.2/list_partition_reassignments-v#-moving", 0, 0, look_at_reassignment);
}

static void look_at_created(const struct answer *answer)
{
    static const struct {
        const char *name;
        int error;
    } rows[] = {{"created", 0}, {"orders", KOA_KAFKA_TOPIC_ALREADY_EXISTS}, {"bad name", 17}};
    const struct koa_kafka_create_topics_response *body = answer->body;

    KIT_EXPECT_INT(answer->name, 4, body->topics.count);
    for (size_t i = 0; i < body->topics.count; i++) {
        const struct koa_kafka_create_topics_topic *topic = &body->topics.rows[i];

        KIT_EACH (row, rows) {
            if (answer_is(topic->name, row->name))
                KIT_EXPECT_INT(answer->name, row->error, topic->error_code);
        }
        if (answer_is(topic->name, "created"))
            KIT_EXPECT_INT(answer->name, answer->version >= 5 ? 2 : -1, topic->num_partitions);
    }
}

static void look_at_configs(const struct answer *answer)
{
    const struct koa_kafka_describe_configs_response *body = answer->body;
    const struct koa_kafka_describe_configs_result *orders = &body->results.rows[0];
    size_t found = 0;

    KIT_EXPECT_INT(answer->name, 3, body->results.count);
    for (size_t i = 0; i < body->results.count; i++) {
        if (answer_is(body->results.rows[i].resource_name, "orders"))
            orders = &body->results.rows[i];
    }
    for (size_t i = 0; i < orders->configs.count; i++) {
        if (answer_is(orders->configs.rows[i].name, "retention.ms"))
            found += answer_is(orders->configs.rows[i].value, "604800000");
        if (answer_is(orders->configs.rows[i].name, "min.insync.replicas"))
            found += answer_is(orders->configs.rows[i].value, "1");
    }
    KIT_EXPECT_INT(answer->name, 2, found);
}

static void topics_are_created_and_their_settings_read(void **state)
{
    (void) state;
    answer_each_version("2.8.2/create_topics-v#", 2, 7, look_at_created);
    answer_each_version("4.4.0/create_topics-v#", 2, 7, look_at_created);
    answer_each_version("2.8.2/describe_configs-v#", 1, 4, look_at_configs);
    answer_each_version("4.4.0/describe_configs-v#", 1, 4, look_at_configs);
}

static void look_at_handshake(const struct answer *answer)
{
    const struct koa_kafka_sasl_handshake_response *body = answer->body;
    bool is_refused = strstr(answer->name, "errors") != NULL;

    KIT_EXPECT_INT(answer->name, is_refused ? KOA_KAFKA_UNSUPPORTED_SASL_MECHANISM : 0,
                   body->error_code);
    KIT_EXPECT_INT(answer->name, 3, body->mechanisms.count);
    KIT_EXPECT(answer->name, answer_is(body->mechanisms.rows[2], "SCRAM-SHA-256"));
}

static void look_at_authentication(const struct answer *answer)
{
    const struct koa_kafka_sasl_authenticate_response *body = answer->body;
    bool is_refused = strstr(answer->name, "errors") != NULL;

    KIT_EXPECT_INT(answer->name, is_refused ? KOA_KAFKA_SASL_AUTHENTICATION_FAILED : 0,
                   body->error_code);
    KIT_EXPECT_INT(answer->name, answer->version >= 1 && !is_refused ? 3600000 : 0,
                   body->session_lifetime_ms);
    KIT_EXPECT(answer->name, (body->error_message.size > 0) == is_refused);
}

static void passwords_are_accepted_and_refused(void **state)
{
    (void) state;
    answer_each_version("2.8.2/sasl_handshake-v#", 0, 1, look_at_handshake);
    answer_each_version("4.4.0/sasl_handshake-v#-errors", 0, 1, look_at_handshake);
    answer_each_version("2.8.2/sasl_authenticate-v#", 0, 2, look_at_authentication);
    answer_each_version("4.4.0/sasl_authenticate-v#", 0, 2, look_at_authentication);
    answer_each_version("4.4.0/sasl_authenticate-v#-errors", 0, 2, look_at_authentication);
    answer_each_version("4.4.0/sasl_authenticate-v#-scram-512-last-errors", 0, 2,
                        look_at_authentication);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cluster_tells_its_folders_quorum_and_moves),
        cmocka_unit_test(topics_are_created_and_their_settings_read),
        cmocka_unit_test(passwords_are_accepted_and_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
