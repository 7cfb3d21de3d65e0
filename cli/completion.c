/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kubesvc completion: the completion of a shell, for shells that find none installed. The scripts
 * are those that are installed, bound in as they are.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "text.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): neither a declarator nor a literal of asm takes them */
#define BIND(symbol, path)                                                                         \
    __asm__(".pushsection .rodata\n" #symbol ":\n.incbin \"" path "\"\n.byte 0\n.popsection\n");   \
    extern const char symbol[] __attribute__((visibility("hidden")))
/* NOLINTEND(bugprone-macro-parentheses) */

BIND(completion_bash, "share/completions/kubesvc.bash");
BIND(completion_zsh, "share/completions/_kubesvc");
BIND(completion_fish, "share/completions/kubesvc.fish");

static int run(struct arguments *arguments)
{
    const struct {
        const char *shell, *script;
    } scripts[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
    for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++)
        if (strcmp(scripts[i].shell, arguments->operands[0]) == 0) {
            fputs(scripts[i].script, stdout);
            return STATUS_DONE;
        }
    text_error(false, "choose bash, zsh or fish", "no completion for '%s'", arguments->operands[0]);
    return STATUS_FAILED;
}

const struct command command_completion = {
    .name = "completion",
    .summary = "print the completion script for bash, zsh or fish",
    .operands = "bash | zsh | fish",
    .description = "Prints the completion script for a shell, if no package has installed it.\n",
    .examples = "  source <(kubesvc completion bash)\n"
                "  source <(kubesvc completion zsh)\n"
                "  kubesvc completion fish | source\n",
    .takes = 0,
    .least = 1,
    .most = 1,
    .run = run,
};
