/* `waymark-aggregator causes`: the table of causes, as text, for the README, or for programs. */
#ifndef WAYMARK_AGGREGATOR_CAUSES_COMMAND_H
#define WAYMARK_AGGREGATOR_CAUSES_COMMAND_H

#include <stdio.h>

#include "waymark/error.h"

/* argv without program and subcommand. */
int wm_causes_command(int argc, char *const argv[], FILE *out, struct wm_error *err);

#endif
