/* Every reward of this build with its settings: for people, or as JSON. */
#ifndef LAUNCH_REWARD_SHOW_H
#define LAUNCH_REWARD_SHOW_H

#include <stdbool.h>

void reward_show_all(bool json); /* on standard output */

#endif
