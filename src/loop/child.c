/* Kills, follows and reaps children. No zombie stays: one that was killed is waited for in the
 * background, and for a moment when the loop ends. */
#include "loop/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "loop/clock.h"
#include "loop/uv_loop.h"
#include "loop/watch.h"

enum {
    POLL_MS = 20,          /* without a pidfd (Linux before 5.3, some sandboxes) */
    SAFETY_POLL_MS = 1000, /* with one */
    LAST_REAP_MS = 1000,   /* a killed child ends within milliseconds unless a disk holds it */
    LAST_REAP_STEP_MS = 5,
};

struct koa_child {
    struct koa_loop *loop;
    pid_t pid;
    int pidfd; /* -1: asks */
    struct koa_watch *watch;
    struct koa_timer timer;
    int64_t period_ms;
    struct koa_loop_hook hook;
    koa_child_ended_fn *ended;
    void *context;
};

static void kill_group(pid_t pid)
{
    /* Only before the leader is reaped: until then no other process group can have its number. */
    (void) kill(-pid, SIGKILL);
    (void) kill(pid, SIGKILL);
}

enum state { CHILD_RUNS, CHILD_HAS_ENDED, CHILD_IS_LOST };

/* Lost: somebody else has reaped it, and its number may belong to a stranger. */
static enum state state_of(pid_t pid)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return CHILD_IS_LOST;
    return info.si_pid != 0 ? CHILD_HAS_ENDED : CHILD_RUNS;
}

static int reap(pid_t pid, int flags)
{
    int status = -1;
    pid_t reaped;

    do {
        reaped = waitpid(pid, &status, flags);
    } while (reaped < 0 && errno == EINTR);
    return reaped == pid ? status : -1;
}

void koa_child_end_now(pid_t pid)
{
    kill_group(pid);
    (void) reap(pid, 0);
}

static void look(struct koa_child *child)
{
    koa_child_ended_fn *ended = child->ended;
    void *context = child->context;
    enum state state = state_of(child->pid);
    int status = -1;

    if (state == CHILD_RUNS)
        return;
    if (state == CHILD_HAS_ENDED) {
        kill_group(child->pid);
        status = reap(child->pid, WNOHANG);
    }
    koa_child_destroy(child);
    if (ended != NULL)
        ended(context, status);
}

static void on_pidfd(void *context, unsigned events)
{
    (void) events;
    look(context);
}

/* Re-arming a timer needs no memory: its place in the heap is there since koa_child_create(). */
static void on_poll(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_child *child = KOA_CONTAINER_OF(timer, struct koa_child, timer);

    (void) !koa_timers_arm(koa_loop_timers(child->loop), timer,
                           koa_mono_add_ms(now, child->period_ms), on_poll);
    if (child->pid != 0)
        look(child);
}

static void on_loop_closing(struct koa_loop_hook *hook)
{
    struct koa_child *child = KOA_CONTAINER_OF(hook, struct koa_child, hook);
    struct koa_mono until = koa_mono_add_ms(koa_clock_mono(), LAST_REAP_MS);
    struct pollfd exit = {.fd = child->pidfd, .events = POLLIN};

    koa_child_kill(child);
    while (state_of(child->pid) == CHILD_RUNS && koa_mono_diff_ms(until, koa_clock_mono()) > 0)
        (void) poll(&exit, 1, LAST_REAP_STEP_MS);
    (void) reap(child->pid, WNOHANG);
    koa_child_destroy(child);
}

struct koa_child *koa_child_create(struct koa_loop *loop)
{
    struct koa_child *child = koa_calloc(1, sizeof(*child));

    if (child == NULL)
        return NULL;
    child->loop = loop;
    child->pidfd = -1;
    child->period_ms = SAFETY_POLL_MS;
    child->hook.closing = on_loop_closing;
    if (koa_loop_after(loop, &child->timer, SAFETY_POLL_MS, on_poll))
        return child;
    koa_free(child);
    return NULL;
}

void koa_child_destroy(struct koa_child *child)
{
    if (child == NULL)
        return;
    koa_list_remove(&child->hook.node);
    koa_timers_disarm(koa_loop_timers(child->loop), &child->timer);
    koa_watch_destroy(child->watch);
    if (child->pidfd >= 0)
        (void) close(child->pidfd);
    koa_free(child);
}

static bool watch_pidfd(struct koa_child *child)
{
    struct koa_watch_opts opts = {.descriptor = child->pidfd, .ready = on_pidfd, .context = child};

    return child->pidfd >= 0 &&
           koa_watch_create(child->loop, &opts, &child->watch, NULL) == KOA_OK &&
           koa_watch_set(child->watch, KOA_WATCH_READ, NULL) == KOA_OK;
}

void koa_child_adopt(struct koa_child *child, pid_t pid, bool without_pidfd)
{
    child->pid = pid;
    koa_loop_add_hook(child->loop, &child->hook);
    if (!without_pidfd)
        child->pidfd = (int) syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
    if (watch_pidfd(child))
        return;
    child->period_ms = POLL_MS;
    (void) !koa_loop_after(child->loop, &child->timer, POLL_MS, on_poll);
}

void koa_child_watch(struct koa_child *child, koa_child_ended_fn *ended, void *context)
{
    child->ended = ended;
    child->context = context;
}

void koa_child_kill(struct koa_child *child)
{
    if (state_of(child->pid) != CHILD_IS_LOST)
        kill_group(child->pid);
}
