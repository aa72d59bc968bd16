/* The connections of one broker, over real TCP: a listener that answers with a real broker's bytes,
 * when the test lets it. */
#include "kafka/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/kit.h"
#include "kit/loop_kit.h"
#include "kit/vectors.h"

#include "base/memory.h"
#include "kafka/messages/describe_cluster.h"

enum { BROKER = 1, CONNECTIONS = 4, REQUESTS = 1000, DEADLINE_MS = 20000 };

struct connection {
    int descriptor;
    int32_t waiting[REQUESTS]; /* correlation ids that have no answer yet */
    int waiting_count;
};

/* One thread with all its connections. */
struct broker {
    int listener, port;
    int limit; /* connections that it keeps; further ones are closed at once */
    pthread_t thread;
    atomic_bool is_over, is_holding;
    atomic_int accepted, asked[CONNECTIONS];
    struct kit_vector hello, answer;
    struct connection connections[CONNECTIONS];
    int count;
};

static void send_answer(int descriptor, const struct kit_vector *vector, int32_t correlation)
{
    uint32_t id = htonl((uint32_t) correlation);

    memcpy(vector->bytes + 4, &id, sizeof(id));
    (void) !write(descriptor, vector->bytes, vector->size);
}

static bool read_all(int descriptor, unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t got = read(descriptor, bytes, size);

        if (got <= 0)
            return false;
        bytes += got;
        size -= (size_t) got;
    }
    return true;
}

static bool take_request(struct broker *broker, int index)
{
    struct connection *connection = &broker->connections[index];
    unsigned char frame[512];
    uint32_t number;
    size_t size;

    if (!read_all(connection->descriptor, frame, 4))
        return false;
    memcpy(&number, frame, sizeof(number));
    size = ntohl(number);
    if (size > sizeof(frame) || !read_all(connection->descriptor, frame, size))
        return false;
    memcpy(&number, frame + 4, sizeof(number));
    if (frame[1] == KOA_KAFKA_API_VERSIONS) {
        send_answer(connection->descriptor, &broker->hello, (int32_t) ntohl(number));
    } else {
        connection->waiting[connection->waiting_count++] = (int32_t) ntohl(number);
        atomic_fetch_add(&broker->asked[index], 1);
    }
    return true;
}

static void accept_one(struct broker *broker)
{
    int descriptor = accept(broker->listener, NULL, NULL);

    atomic_fetch_add(&broker->accepted, 1);
    if (broker->count >= broker->limit) {
        (void) close(descriptor);
        return;
    }
    broker->connections[broker->count++] = (struct connection){.descriptor = descriptor};
}

static void release(struct broker *broker)
{
    for (int i = 0; i < broker->count && !atomic_load(&broker->is_holding); i++) {
        struct connection *connection = &broker->connections[i];

        for (int j = 0; j < connection->waiting_count; j++)
            send_answer(connection->descriptor, &broker->answer, connection->waiting[j]);
        connection->waiting_count = 0;
    }
}

static void *serve(void *context)
{
    struct broker *broker = context;

    while (!atomic_load(&broker->is_over)) {
        struct pollfd waits[CONNECTIONS + 1] = {{.fd = broker->listener, .events = POLLIN}};
        int count = broker->count;

        for (int i = 0; i < count; i++) {
            waits[i + 1] =
                (struct pollfd){.fd = broker->connections[i].descriptor, .events = POLLIN};
        }
        (void) poll(waits, (nfds_t) count + 1, 5);
        if (waits[0].revents != 0)
            accept_one(broker);
        for (int i = 0; i < count; i++) {
            if (waits[i + 1].revents != 0 && !take_request(broker, i))
                broker->connections[i].descriptor = -1;
        }
        release(broker);
    }
    return NULL;
}

struct fixture {
    struct kit_loop kit;
    struct koa_kafka_client *client;
    struct broker broker;
    struct koa_kafka_request requests[REQUESTS];
    int submitted;
    struct kit_gate done;
    int failures; /* on the loop's thread */
};

static void on_done(void *context, struct koa_kafka_request *request,
                    const struct koa_kafka_answer *answer)
{
    struct fixture *f = context;

    (void) request;
    f->failures += answer->error != NULL ? 1 : 0;
    kit_gate_pass(&f->done);
}

static void start_broker(struct broker *broker, int limit)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    broker->limit = limit;
    kit_vector_read("4.3.1/api_versions-v4.response.bin", &broker->hello);
    kit_vector_read("4.3.1/describe_cluster-v2.response.bin", &broker->answer);
    broker->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(broker->listener, (struct sockaddr *) &address, size), 0);
    assert_int_equal(listen(broker->listener, 8), 0);
    assert_int_equal(getsockname(broker->listener, (struct sockaddr *) &address, &size), 0);
    broker->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&broker->thread, NULL, serve, broker), 0);
}

static void make_client(void *context)
{
    struct fixture *f = context;
    struct koa_kafka_address address = {.host = "127.0.0.1", .id = BROKER, .port = f->broker.port};
    struct koa_kafka_client_opts opts = {.loop = f->kit.loop,
                                         .resolver = f->kit.resolver,
                                         .bootstrap = &address,
                                         .bootstrap_count = 1,
                                         .connections = 2,
                                         .connect_timeout_ms = DEADLINE_MS};
    struct koa_error error;

    assert_int_equal(koa_kafka_client_create(&opts, &f->client, &error), KOA_OK);
    koa_kafka_client_set_brokers(f->client, &address, 1);
}

static void set_up(struct fixture *f, int limit)
{
    memset(f, 0, sizeof(*f));
    f->done = (struct kit_gate) KIT_GATE_INIT;
    start_broker(&f->broker, limit);
    kit_loop_start(&f->kit, 0);
    kit_loop_call(&f->kit, make_client, f);
}

static void destroy_client(void *context)
{
    struct fixture *f = context;

    koa_kafka_client_destroy(f->client);
}

static void tear_down(struct fixture *f)
{
    kit_loop_call(&f->kit, destroy_client, f);
    kit_loop_end(&f->kit);
    atomic_store(&f->broker.is_over, true);
    assert_int_equal(pthread_join(f->broker.thread, NULL), 0);
    for (int i = 0; i < f->broker.count; i++)
        (void) close(f->broker.connections[i].descriptor);
    (void) close(f->broker.listener);
    koa_free(f->broker.hello.bytes);
    koa_free(f->broker.answer.bytes);
}

static void submit_one(void *context)
{
    static const struct koa_kafka_describe_cluster_request body = {.endpoint_type =
                                                                       KOA_KAFKA_ENDPOINT_BROKERS};
    struct fixture *f = context;
    struct koa_kafka_request *request = &f->requests[f->submitted++];

    *request = (struct koa_kafka_request){
        .api_key = KOA_KAFKA_DESCRIBE_CLUSTER,
        .body = &body,
        .deadline = koa_mono_add_ms(koa_loop_now(f->kit.loop), DEADLINE_MS),
        .done = on_done,
        .context = f};
    koa_kafka_client_submit(f->client, BROKER, request);
}

static void submit(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++)
        kit_loop_call(&f->kit, submit_one, f);
}

static bool is_second_accepted(void *context)
{
    const struct fixture *f = context;

    return atomic_load(&f->broker.accepted) >= 2;
}

/* Asks on until the second connection, whose handshake takes a moment, has got a request. */
static bool has_asked_second(void *context)
{
    struct fixture *f = context;

    if (f->submitted == REQUESTS || atomic_load(&f->broker.asked[1]) > 0)
        return true;
    submit_one(f);
    return false;
}

static void a_busy_broker_gets_a_second_connection(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, CONNECTIONS);
    submit(&f, 1);
    kit_gate_wait(&f.done, 1);
    assert_int_equal(atomic_load(&f.broker.accepted), 1);
    atomic_store(&f.broker.is_holding, true);
    submit(&f, 1); /* idle: no other is needed */
    assert_int_equal(atomic_load(&f.broker.accepted), 1);
    submit(&f, 1); /* busy: the next one will have a choice */
    kit_loop_run_until(&f.kit, is_second_accepted, &f);
    kit_loop_run_until(&f.kit, has_asked_second, &f);
    assert_true(atomic_load(&f.broker.asked[1]) > 0);
    assert_int_equal(atomic_load(&f.broker.accepted), 2);
    atomic_store(&f.broker.is_holding, false);
    kit_gate_wait(&f.done, f.submitted);
    assert_int_equal(f.failures, 0);
    tear_down(&f);
}

static void a_broker_that_refuses_a_second_connection_loses_nothing(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, 1);
    submit(&f, 1);
    kit_gate_wait(&f.done, 1);
    atomic_store(&f.broker.is_holding, true);
    submit(&f, 2);
    kit_loop_run_until(&f.kit, is_second_accepted, &f);
    submit(&f, 2);
    atomic_store(&f.broker.is_holding, false);
    kit_gate_wait(&f.done, 5);
    assert_int_equal(f.failures, 0);
    assert_int_equal(atomic_load(&f.broker.asked[0]), 5);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_broker_gets_a_second_connection),
        cmocka_unit_test(a_broker_that_refuses_a_second_connection_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
