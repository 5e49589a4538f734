/* The table of tasks, generated from the folder common/tasks. */
#include "common/task.h"

#include <string.h>

#define ROW(stem) extern const Task task_##stem;
#include "task_list.h"
#undef ROW

static const Task *const tasks[] = {
#define ROW(stem) &task_##stem,
#include "task_list.h"
#undef ROW
};
enum { N_TASKS = sizeof tasks / sizeof *tasks };

const Task *const *task_list(int *n)
{
    *n = N_TASKS;
    return tasks;
}

const Task *task_find(const char *name)
{
    for (int i = 0; i < N_TASKS; i++)
        if (!strcmp(tasks[i]->name, name)) return tasks[i];
    return NULL;
}

void problem_free(Problem *p)
{
    mem_free(p->prompt);
    mem_free(p->record);
    mem_free(p->demo);
    *p = (Problem){0};
}
