/* `waymark-webhook rules`: the table of rules, as text, for the README, or for programs. */
#ifndef WAYMARK_WEBHOOK_RULES_COMMAND_H
#define WAYMARK_WEBHOOK_RULES_COMMAND_H

#include <stdio.h>

#include "waymark/error.h"

/* argv without program and subcommand. */
int wm_rules_command(int argc, char *const argv[], FILE *out, struct wm_error *err);

#endif
