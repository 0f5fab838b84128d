#include "cli/inspect.h"

#include "cli/tool.h"

int inspect_main(int argc, char *argv[])
{
    static const ckptlua_option options[] = {
        {"json", NULL, "one JSON object"},
        {"help", NULL, "print the usage and exit"},
        {NULL, NULL, NULL},
    };
    static const struct tool tool = {
        .name = "inspect",
        .options = options,
        .usage = "ckptlua inspect [--json] FILE [NAME ...]",
    };
    return tool_main(&tool, argc, argv);
}
