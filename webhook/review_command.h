/* `waymark-webhook review`: what the server would say to objects in files.  Edge. */
#ifndef WAYMARK_WEBHOOK_REVIEW_COMMAND_H
#define WAYMARK_WEBHOOK_REVIEW_COMMAND_H

/* argv as main has it, without the program's name: argv[0] is "review".  Returns the exit status: 0 allowed,
 * 1 something would be denied, 2 something could not be read. */
int wm_review_command(int argc, char *argv[]);

#endif
