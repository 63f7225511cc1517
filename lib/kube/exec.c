/* An exec credential plugin: spawned without a shell, read without blocking, killed when it takes too long.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"
#include "waymark/base64.h"
#include "waymark/clock.h"

enum { MAX_OUTPUT = 1 << 20, REAP_EVERY_MS = 20 };

struct wm_exec {
    struct wm_kube *k;
    wm_exec_done_fn *done;
    void *ctx;
    pid_t pid; /* 0 = reaped */
    int fd;    /* the plugin's stdout; -1 = closed */
    int status;
    int64_t started_ms;
    struct wm_timer timer; /* first the deadline, then the next look whether it ended */
    struct wm_buf out;
};

extern char **environ;

/* --- what it is told --- */

static void put_cluster(struct wm_kube *k, struct wm_buf *out)
{
    const struct wm_kube_access *a = &k->access;
    wm_auto_buf struct wm_buf ca = WM_BUF_MAX(WM_KUBE_MAX_FILE_BYTES);

    wm_buf_puts(out, ",\"cluster\":{\"server\":");
    wm_json_quote(out, wm_str_of(a->server));
    if (a->tls_server_name) {
        wm_buf_puts(out, ",\"tls-server-name\":");
        wm_json_quote(out, wm_str_of(a->tls_server_name));
    }
    if (a->insecure)
        wm_buf_puts(out, ",\"insecure-skip-tls-verify\":true");
    if (a->ca_pem.p) {
        wm_base64_encode(a->ca_pem, &ca);
        wm_buf_printf(out, ",\"certificate-authority-data\":\"%s\"", ca.p ? ca.p : "");
    }
    wm_buf_puts(out, "}");
}

static char *exec_info(struct wm_kube *k)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(4 << 20);

    wm_buf_puts(&out, "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":");
    wm_json_quote(&out, wm_str_of(k->access.exec_api_version));
    wm_buf_puts(&out, ",\"spec\":{\"interactive\":false");
    if (k->access.exec_cluster_info)
        put_cluster(k, &out);
    wm_buf_puts(&out, "}}");
    return wm_buf_take(&out);
}

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");

    return strncmp(a, b, n + 1) == 0;
}

/* The child's environment: ours, with the plugin's own pairs in front and in place of ours. */
static char **child_env(const struct wm_kube *k, char *info)
{
    size_t n_ours = 0, n_own = 0, n = 0;

    while (environ[n_ours])
        n_ours++;
    while (k->access.exec_env && k->access.exec_env[n_own])
        n_own++;
    char **env = wm_xcalloc(n_ours + n_own + 2, sizeof *env);

    env[n++] = info;
    for (size_t i = 0; i < n_own; i++)
        env[n++] = k->access.exec_env[i];
    for (size_t i = 0; i < n_ours; i++) {
        bool replaced = false;

        for (size_t j = 0; j < n_own + 1 && !replaced; j++)
            replaced = same_name(env[j], environ[i]);
        if (!replaced)
            env[n++] = environ[i];
    }
    return env;
}

/* --- running --- */

static int spawn(struct wm_exec *x, int out_fd, struct wm_error *err)
{
    char **argv = x->k->access.exec_argv;
    wm_auto_free char *info = exec_info(x->k);
    wm_auto_free char **env = child_env(x->k, info);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
    /* what plugins say on stderr may hold tokens, and our log must not */
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    int rc = posix_spawnp(&x->pid, argv[0], &files, &attr, argv, env);

    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    if (rc == 0)
        return WM_OK;
    x->pid = 0;
    errno = rc;
    return wm_fail_errno(err, WM_E_AUTH, argv[0], "cannot run the credential plugin");
}

static void finish(struct wm_exec *x)
{
    struct wm_exec_result result = {0};
    struct wm_error why = {0};
    const char *name = x->k->access.exec_argv[0];
    int rc;

    wm_timer_stop(x->k, &x->timer);
    if (x->out.bad)
        rc =
            wm_fail(&why, WM_E_TOO_BIG, name, "the credential plugin printed more than %d bytes", MAX_OUTPUT);
    else if (WIFSIGNALED(x->status))
        rc = wm_fail(&why, WM_E_AUTH, name, "the credential plugin was ended by signal %d",
                     WTERMSIG(x->status));
    else if (WEXITSTATUS(x->status) != 0)
        rc = wm_fail(&why, WM_E_AUTH, name, "the credential plugin exited with %d", WEXITSTATUS(x->status));
    else
        rc = wm_exec_result_parse(wm_buf_text(&x->out), x->k->access.exec_api_version, &result, &why);
    x->done(x->ctx, rc < 0 ? &why : NULL, &result);
    wm_exec_result_done(&result);
}

static void close_out(struct wm_exec *x)
{
    if (x->fd >= 0)
        close(x->fd);
    x->fd = -1;
}

static void look(void *ctx)
{
    struct wm_exec *x = ctx;
    struct wm_error why;

    if (waitpid(x->pid, &x->status, WNOHANG) == x->pid) {
        x->pid = 0;
        close_out(x);
        finish(x);
    } else if (wm_mono_ms() - x->started_ms >= x->k->t.exec_ms) {
        wm_fail(&why, WM_E_TIMEOUT, x->k->access.exec_argv[0], "the credential plugin took over %d s",
                x->k->t.exec_ms / 1000);
        x->done(x->ctx, &why, NULL);
    } else {
        wm_timer_set(x->k, &x->timer, x->fd >= 0 ? x->k->t.exec_ms : REAP_EVERY_MS);
    }
}

int wm_exec_start(struct wm_kube *k, wm_exec_done_fn *done, void *ctx, struct wm_exec **ret,
                  struct wm_error *err)
{
    int pipe_fds[2], rc;

    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return wm_fail_errno(err, WM_E_IO, NULL, "no pipe for the credential plugin");
    struct wm_exec *x = wm_xcalloc(1, sizeof *x);

    *x = (struct wm_exec){.k = k, .done = done, .ctx = ctx, .fd = pipe_fds[0]};
    x->out = WM_BUF_MAX(MAX_OUTPUT);
    x->timer = (struct wm_timer){.fire = look, .ctx = x};
    x->started_ms = wm_mono_ms();
    /* the plugin's own end may block */
    fcntl(pipe_fds[1], F_SETFL, 0);
    rc = spawn(x, pipe_fds[1], err);
    close(pipe_fds[1]);
    if (rc < 0) {
        wm_exec_free(x);
        return rc;
    }
    wm_timer_set(k, &x->timer, k->t.exec_ms);
    *ret = x;
    return WM_OK;
}

int wm_exec_fd(const struct wm_exec *x)
{
    return x->fd;
}

void wm_exec_readable(struct wm_exec *x)
{
    char part[4096];
    ssize_t n = read(x->fd, part, sizeof part);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0) {
        wm_buf_add(&x->out, part, (size_t)n);
        explicit_bzero(part, sizeof part);
        if (!x->out.bad)
            return;
        kill(-x->pid, SIGKILL);
    }
    close_out(x);
    look(x);
}

struct wm_exec *wm_exec_free(struct wm_exec *x)
{
    if (x) {
        close_out(x);
        if (x->pid) {
            /* the whole group: what a wrapper started must not outlive it */
            kill(-x->pid, SIGKILL);
            waitpid(x->pid, NULL, 0);
        }
        wm_timer_stop(x->k, &x->timer);
        if (x->out.p)
            explicit_bzero(x->out.p, x->out.n);
        wm_buf_done(&x->out);
        free(x);
    }
    return NULL;
}
