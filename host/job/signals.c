#include "job/signals.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

/* A handler can be given nothing, so the one schedule that has them is here. */
static _Atomic(struct schedule *) signals_schedule;
static atomic_int signals_handling; /* handlers that run just now, each in another thread */
static atomic_int signals_actions[OPTIONS_SIGNALS];
static void (*signals_on_call)(void *context);
static void *signals_context;

static void signals_interrupt(struct schedule *schedule)
{
    static const char text[] = "\nckptlua: stopped at once, without saving\n";
    if (atomic_exchange(&schedule->interrupted, 1)) {
        ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
        (void)ignored;
        _exit(CKPTLUA_INTERRUPTED);
    }
    schedule_request(schedule, SCHEDULE_INTERRUPT, SIGINT);
}

static void signals_serve(struct schedule *schedule, int number)
{
    for (int i = 0; i < OPTIONS_SIGNALS; i++) {
        if (options_signal_number((enum options_signal)i) != number)
            continue;
        switch ((enum options_action)atomic_load(&signals_actions[i])) {
        case OPTIONS_EXIT:
            schedule_request(schedule, SCHEDULE_EXIT, number);
            break;
        case OPTIONS_CONTINUE:
            schedule_request(schedule, SCHEDULE_SAVE, number);
            break;
        case OPTIONS_RAISE:
            schedule_request(schedule, SCHEDULE_RAISE, number);
            break;
        case OPTIONS_STOP:
            signals_interrupt(schedule);
            break;
        case OPTIONS_IGNORE:
            break;
        }
    }
}

static void signals_handle(int number)
{
    atomic_fetch_add(&signals_handling, 1);
    struct schedule *schedule = atomic_load(&signals_schedule);
    if (schedule != NULL)
        signals_serve(schedule, number);
    atomic_fetch_sub(&signals_handling, 1);
}

static void signals_handle_call(int number)
{
    int saved = errno;
    (void)number;
    atomic_fetch_add(&signals_handling, 1);
    if (atomic_load(&signals_schedule) != NULL)
        signals_on_call(signals_context);
    atomic_fetch_sub(&signals_handling, 1);
    errno = saved;
}

void signals_set_actions(const struct options *options)
{
    for (int i = 0; i < OPTIONS_SIGNALS; i++)
        atomic_store(&signals_actions[i], (int)options->actions[i]);
}

int signals_install(struct signals *signals, struct schedule *schedule,
                    const struct options *options, void (*on_call)(void *context), void *context,
                    struct error *error)
{
    struct schedule *none = NULL;
    if (!atomic_compare_exchange_strong(&signals_schedule, &none, schedule))
        return error_set(error, ERROR_BUSY,
                         "another job of this process has the signal handlers already");
    signals_set_actions(options);
    signals_on_call = on_call;
    signals_context = context;
    struct sigaction action = {.sa_handler = signals_handle, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    for (int i = 0; i < OPTIONS_SIGNALS; i++)
        if (sigaction(options_signal_number((enum options_signal)i), &action,
                      &signals->before[i]) == 0 &&
            i == OPTIONS_HUP && signals->before[i].sa_handler == SIG_IGN)
            sigaction(SIGHUP, &signals->before[i], NULL); /* nohup */
    action.sa_handler = signals_handle_call;
    sigaction(SIGNALS_CALL, &action, &signals->before_call);
    signals->installed = 1;
    return 0;
}

void signals_remove(struct signals *signals)
{
    if (!signals->installed)
        return;
    for (int i = 0; i < OPTIONS_SIGNALS; i++)
        sigaction(options_signal_number((enum options_signal)i), &signals->before[i], NULL);
    sigaction(SIGNALS_CALL, &signals->before_call, NULL);
    atomic_store(&signals_schedule, NULL);
    while (atomic_load(&signals_handling) != 0) /* one that has the schedule in its hands */
        sched_yield();
    signals->installed = 0;
}

void signals_ignore_all(void)
{
    for (int i = 0; i < OPTIONS_SIGNALS; i++)
        signal(options_signal_number((enum options_signal)i), SIG_IGN);
    signal(SIGNALS_CALL, SIG_IGN);
    signal(SIGALRM, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

_Noreturn void signals_die_of(int number)
{
    sigset_t set;
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    /* A signal whose default is to be ignored. */
    _exit(128 + number);
}
