/* The numbers of this very process are plausible and move. */
#include "loop/process_stats.h"

#include <fcntl.h>
#include <unistd.h>

#include "kit/kit.h"
#include "loop/clock.h"

static void the_numbers_are_those_of_this_process(void **state)
{
    struct koa_process_stats before;
    struct koa_process_stats after;
    double now = (double) koa_clock_wall().ms / 1000.0;
    int descriptor;

    (void) state;
    assert_true(koa_process_stats_read(&before));
    descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(koa_process_stats_read(&after));
    (void) close(descriptor);
    KIT_EXPECT_INT("one more descriptor", before.open_fds + 1, after.open_fds);
    KIT_EXPECT("some memory", before.resident_bytes > 100000);
    KIT_EXPECT_INT("one thread", 1, before.threads);
    KIT_EXPECT("cpu time does not go back", after.cpu_seconds >= before.cpu_seconds);
    KIT_EXPECT("started within the last minute",
               before.start_time_seconds > now - 60 && before.start_time_seconds <= now + 1);
    KIT_EXPECT("a limit", before.max_fds >= before.open_fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_numbers_are_those_of_this_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
