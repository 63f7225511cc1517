/* Up to three managers of certificates before one API server, and what tests wait for. */
#ifndef WAYMARK_TESTS_CERTS_FIXTURE_H
#define WAYMARK_TESTS_CERTS_FIXTURE_H

#include "certs_api.h"
#include "unit.h"
#include "waymark/kube.h"

enum { MAX_REPLICAS = 3 };

struct replica {
    struct wm_kube *kube;
    struct wm_certs_manager *manager;
    pthread_mutex_t lock;
    char *cert; /* what it serves */
    int pairs;
    bool refuse;
};

struct fixture {
    struct api *api;
    struct replica replicas[MAX_REPLICAS];
};

void start_with(struct fixture *f, int i, int64_t validity_s, const char *extra);
void start(struct fixture *f, int i);
void stop(struct replica *r);
int setup(void **state);
int teardown(void **state);
struct wm_certs_stats stats(struct fixture *f, int i);
char *cert_of(struct replica *r);
bool trusted(struct fixture *f, int i);
bool at_rest(struct fixture *f);
bool at_rest_both(struct fixture *f);
bool forbidden(struct fixture *f);
bool fails(struct fixture *f);
bool works(struct fixture *f);
bool serves(struct fixture *f);
bool says_trusted(struct fixture *f);
bool both_trusted(struct fixture *f);
void assert_soon(struct fixture *f, bool (*is)(struct fixture *f));
void assert_soon_without_a_gap(struct fixture *f, bool (*is)(struct fixture *f));
void refuse(struct fixture *f, const char *method, const char *part, int status);
int writes(struct fixture *f);

#define IN_FIXTURE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
