/* What wrk cannot measure: full handshakes (wrk resumes sessions, API servers never do) and the time from
 * exec to the first answer.
 *
 *   bench_client handshakes PORT PATH BODY_FILE N   N connections one after the other, a full handshake and
 * one request each; prints the microseconds of each at p50 and p99 bench_client exec-ready PORT PATH
 * BODY_FILE -- COMMAND... starts COMMAND, asks until the first 200, prints the microseconds, ends COMMAND */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int dial(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* One connection, one request.  Returns the HTTP status, -1 when there was none. */
static int ask_once(SSL_CTX *ctx, int port, const char *request, size_t n)
{
    int fd = dial(port), status = -1;
    char answer[8192];

    if (fd < 0)
        return -1;
    SSL *ssl = SSL_new(ctx);

    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1 && SSL_write(ssl, request, (int)n) == (int)n) {
        int got = SSL_read(ssl, answer, sizeof answer - 1);

        if (got > 12) {
            answer[got] = '\0';
            sscanf(answer, "HTTP/1.1 %d", &status);
        }
    }
    SSL_free(ssl);
    close(fd);
    return status;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int handshakes(SSL_CTX *ctx, int port, const char *request, size_t n, int times)
{
    int64_t *took = calloc((size_t)times, sizeof *took);
    int failed = 0;

    for (int i = 0; i < times; i++) {
        int64_t from = now_us();

        failed += ask_once(ctx, port, request, n) != 200;
        took[i] = now_us() - from;
    }
    qsort(took, (size_t)times, sizeof *took, by_value);
    printf("{\"connections\":%d,\"failed\":%d,\"p50_us\":%lld,\"p99_us\":%lld}\n", times, failed,
           (long long)took[times / 2], (long long)took[times * 99 / 100]);
    free(took);
    return failed != 0;
}

static int exec_ready(SSL_CTX *ctx, int port, const char *request, size_t n, char *const command[])
{
    int64_t from = now_us(), limit = from + 30 * 1000000;
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        execvp(command[0], command);
        _exit(127);
    }
    while (status != 200 && now_us() < limit && waitpid(pid, NULL, WNOHANG) == 0) {
        status = ask_once(ctx, port, request, n);
        if (status != 200)
            usleep(200);
    }
    int64_t took = now_us() - from;

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    if (status != 200) {
        fprintf(stderr, "bench_client: %s never answered\n", command[0]);
        return 1;
    }
    printf("%lld\n", (long long)took);
    return 0;
}

static char *request_of(const char *path, const char *body_file, size_t *ret_n)
{
    static char body[4 << 20];
    FILE *f = fopen(body_file, "r");
    size_t n = f ? fread(body, 1, sizeof body, f) : 0;
    char *request = malloc(n + 512);

    if (f)
        fclose(f);
    int head = snprintf(request, 512,
                        "POST %s?timeout=2s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        path, n);
    memcpy(request + head, body, n);
    *ret_n = (size_t)head + n;
    return request;
}

int main(int argc, char *argv[])
{
    size_t n;

    if (argc < 6)
        return 2;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    char *request = request_of(argv[3], argv[4], &n);
    int port = atoi(argv[2]);

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    signal(SIGPIPE, SIG_IGN);
    int rc = strcmp(argv[1], "handshakes") == 0 ? handshakes(ctx, port, request, n, atoi(argv[5]))
                                                : exec_ready(ctx, port, request, n, argv + 6);

    free(request);
    SSL_CTX_free(ctx);
    return rc;
}
