/* Measures from outside when providers answer, for end-to-end tests.  Reads what is known of their pods:
 *
 *   PROVIDER POD ADDRESS yes|no SINCE     (yes: an endpoint that is Ready and not going)
 *
 * asks each that is a "yes" ten times a second for /healthz, and says when the first pod of a provider
 * answers, and when none does any more, in ms since 1970:
 *
 *   MS PROVIDER up|down SINCE
 *
 * with what the pod's line said of the change, in seconds since 1970; 0 where no line told of it, but an
 * answer did not come.  A pod that does not refuse is given five seconds to answer, since the machine may be
 * busy; if it does not, it was down from the question on.
 *
 * Usage: provider_probe PORT < PODS       (until the input ends) */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "waymark/clock.h"

enum { PODS = 32, EVERY_MS = 100, PATIENCE_MS = 5000, LINE = 1024 };

struct pod {
    char provider[128], name[256];
    struct sockaddr_in at;
    bool ready, asked, answers; /* asked: since it has been ready */
    bool sent, told_up;         /* told_up: of the provider, in its first pod here */
    int fd;                     /* of the question that is under way; -1 = none */
    int64_t asked_ms;           /* the last time */
    long long since_s;          /* as its last line said */
};

static struct pod pods[PODS];
static size_t n_pods;

static int64_t now_ms(void)
{
    return wm_wall_us() / 1000;
}

static void hang_up(struct pod *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

/* Says what is new of the provider, as of at_ms. Nothing as long as a new pod has not been asked, which may
 * well answer. */
static void tell(const char *provider, int64_t at_ms, long long since_s)
{
    struct pod *first = NULL;
    bool up = false, unknown = false;

    for (size_t i = 0; i < n_pods; i++) {
        if (strcmp(pods[i].provider, provider) != 0)
            continue;
        first = first ? first : &pods[i];
        up = up || (pods[i].ready && pods[i].answers);
        unknown = unknown || (pods[i].ready && !pods[i].asked);
    }
    if (!first || first->told_up == up || (!up && unknown))
        return;
    first->told_up = up;
    printf("%lld %s %s %lld\n", (long long)at_ms, provider, up ? "up" : "down", since_s);
}

/* A question is over. One that failed tells of the moment in which it was asked. */
static void answered(struct pod *p, bool well)
{
    hang_up(p);
    p->asked = true;
    p->answers = well;
    if (well)
        tell(p->provider, now_ms(), p->since_s);
    else
        tell(p->provider, p->asked_ms, 0);
}

static void ask(struct pod *p)
{
    p->asked_ms = now_ms();
    p->sent = false;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || (connect(p->fd, (struct sockaddr *)&p->at, sizeof p->at) < 0 && errno != EINPROGRESS))
        answered(p, false);
}

static void go_on(struct pod *p)
{
    static const char question[] = "GET /healthz HTTP/1.0\r\n\r\n";
    char answer[64] = "";

    if (!p->sent) {
        p->sent = send(p->fd, question, sizeof question - 1, MSG_NOSIGNAL) == (ssize_t)sizeof question - 1;
        if (!p->sent)
            answered(p, false);
        return;
    }
    answered(p, recv(p->fd, answer, sizeof answer - 1, 0) > 12 && strncmp(answer + 9, "200", 3) == 0);
}

static void on_tick(void)
{
    for (size_t i = 0; i < n_pods; i++) {
        struct pod *p = &pods[i];

        if (p->fd >= 0 && now_ms() - p->asked_ms >= PATIENCE_MS)
            answered(p, false);
        if (p->fd < 0 && p->ready && now_ms() - p->asked_ms >= EVERY_MS)
            ask(p);
    }
}

/* Pods are never forgotten: a test has a few. */
static struct pod *pod_of(const char *provider, const char *name)
{
    for (size_t i = 0; i < n_pods; i++)
        if (strcmp(pods[i].name, name) == 0)
            return &pods[i];
    if (n_pods == PODS) {
        fprintf(stderr, "more than %d pods\n", PODS);
        exit(1);
    }
    pods[n_pods].fd = -1;
    snprintf(pods[n_pods].provider, sizeof pods->provider, "%s", provider);
    snprintf(pods[n_pods].name, sizeof pods->name, "%s", name);
    return &pods[n_pods++];
}

static void on_line(const char *line, in_port_t port)
{
    char provider[128], name[256], address[64], ready[8];
    struct pod *p;
    long long since_s;

    if (sscanf(line, "%127s %255s %63s %7s %lld", provider, name, address, ready, &since_s) != 5)
        return;
    p = pod_of(provider, name);
    p->since_s = since_s;
    p->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    p->ready = strcmp(ready, "yes") == 0 && inet_pton(AF_INET, address, &p->at.sin_addr) == 1;
    if (!p->ready) {
        hang_up(p);
        p->asked = p->answers = false;
    }
    tell(provider, now_ms(), since_s);
}

/* Whole lines of what stands there to be read; false at its end. */
static bool on_input(in_port_t port)
{
    static char text[LINE];
    static size_t len;
    ssize_t n = read(STDIN_FILENO, text + len, sizeof text - 1 - len);

    if (n <= 0)
        return false;
    len += (size_t)n;
    text[len] = '\0';
    for (char *end; (end = strchr(text, '\n'));) {
        *end = '\0';
        on_line(text, port);
        len -= (size_t)(end + 1 - text);
        memmove(text, end + 1, len + 1);
    }
    return len < sizeof text - 1;
}

int main(int argc, char **argv)
{
    const in_port_t port = htons((in_port_t)(argc == 2 ? atoi(argv[1]) : 0));
    struct pollfd fds[1 + PODS] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    size_t n;

    if (!port) {
        fputs("Usage: provider_probe PORT < PODS\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        on_tick();
        n = n_pods;
        for (size_t i = 0; i < n; i++)
            fds[1 + i] = (struct pollfd){.fd = pods[i].fd, .events = pods[i].sent ? POLLIN : POLLOUT};
        poll(fds, 1 + n, EVERY_MS / 10);
        for (size_t i = 0; i < n; i++)
            if (fds[1 + i].revents && pods[i].fd >= 0)
                go_on(&pods[i]);
        if (fds[0].revents && !on_input(port))
            return 0;
    }
}
