/* A real server on the loopback, with a handler that answers by path:
 *   /view   what the handler saw, as one line      /echo   the body
 *   /big    8 MiB
 *   /late   the body, 20 ms later, from a thread   /race   at once, from a thread that may be faster
 *   /held   when fixture_let_go says so            /sleep  after 200 ms in which its loop does nothing
 *   else    200 "ok"
 * `wants` refuses paths that begin with /no (404) and /not-json without application/json (415). */
#ifndef WAYMARK_TESTS_SERVER_FIXTURE_H
#define WAYMARK_TESTS_SERVER_FIXTURE_H

#include "https_client.h"
#include "pki.h"
#include "webhook/server.h"

struct fixture {
    struct wm_server *s;
    int port;
    struct pki_pair ca, pair;
};

enum { BIG_ANSWER = 8 << 20 };

/* `o` is what differs from the defaults (2 loops, 127.0.0.1, the handler above, which one of its own replaces
 * with `wants` and `error_body`); NULL = nothing. */
struct fixture fixture_start(const struct wm_server_opts *o);
/* Ends it; checks that nothing is left accounted for. */
void fixture_end(struct fixture *f, int grace_ms);
struct wm_server_stats fixture_stats(const struct fixture *f);
/* Waits up to 5 s for a counter to get there; compares with >=. */
#define FIXTURE_WAIT(f, field, least)                                                                        \
    do {                                                                                                     \
        for (int fixture_i_ = 0; fixture_i_ < 500 && !(fixture_stats(f).field >= (least)); fixture_i_++)     \
            fixture_pause_ms(10);                                                                            \
        assert_true(fixture_stats(f).field >= (least));                                                      \
    } while (0)
void fixture_pause_ms(int ms);
struct client fixture_client(const struct fixture *f); /* handshake done */
/* The next answer has this status and, unless NULL, this body. */
void fixture_expect(struct client *c, int status, const char *body);

/* A client that stops there; CONNECTED and IN_HELLO without TLS of its own. */
enum stop_at { CONNECTED, IN_HELLO, SHAKEN, IN_HEADER, IN_BODY, ANSWERED };
struct client fixture_client_at(const struct fixture *f, enum stop_at where);
int fixture_open_files(void); /* of the whole process */
int fixture_held(void);       /* how many requests /held keeps */
void fixture_let_go(void);    /* answers all of them */
double fixture_cpu_ms(void);  /* of the whole process so far */

#endif
