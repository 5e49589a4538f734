/* The folder checkpoints/ of a run: which checkpoints are there, in what order, and what dead
 * launches left behind. */
#ifndef COMMON_CHECKPOINT_FOLDER_H
#define COMMON_CHECKPOINT_FOLDER_H

#include <stddef.h>
#include <stdint.h>

/* Names of whole checkpoints ("step-000120", "sft-000400"), the newest first. Caller frees each and
 * the array with mem_free. A missing folder has none. */
int checkpoint_folder_list(const char *folder, char ***names);

/* Removes what launches that are dead left: X.tmp.HOST.PID and .trash-*. */
void checkpoint_folder_clean(const char *folder);

/* Renames folder/name to .trash-..., then removes it. 0 or -1. */
int checkpoint_folder_drop(const char *folder, const char *name);

/* Removes a folder of plain files. */
void folder_remove(const char *path);

/* "name.tmp.HOST.PID" of this process. */
char *checkpoint_temporary(const char *folder, const char *name);

#endif
