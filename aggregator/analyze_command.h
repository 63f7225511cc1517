/* `waymark-aggregator analyze`: what a dump says about its migrations.  Edge. */
#ifndef WAYMARK_AGGREGATOR_ANALYZE_COMMAND_H
#define WAYMARK_AGGREGATOR_ANALYZE_COMMAND_H

/* argv with the command's name as the first; returns the exit status. */
int wm_analyze_command(int argc, char *argv[]);

#endif
