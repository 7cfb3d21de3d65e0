/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bound that libyaml sets: `events FILE...` takes all events of these files and drops them.
 * Prints their number, the bytes and the seconds of CPU time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yaml.h>

static size_t count_events(FILE *file)
{
    yaml_parser_t parser;
    yaml_event_t event;
    size_t n = 0;
    int last = 0;

    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_file(&parser, file);
    while (!last) {
        if (!yaml_parser_parse(&parser, &event)) {
            fprintf(stderr, "line %zu: %s\n", parser.problem_mark.line + 1, parser.problem);
            exit(1);
        }
        last = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        n++;
    }
    yaml_parser_delete(&parser);
    return n;
}

int main(int argc, char **argv)
{
    size_t events = 0, bytes = 0;
    clock_t start = clock();

    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "re");
        if (!file) {
            perror(argv[i]);
            return 1;
        }
        events += count_events(file);
        bytes += (size_t)ftell(file);
        fclose(file);
    }
    printf("%zu %zu %.3f\n", events, bytes, (double)(clock() - start) / CLOCKS_PER_SEC);
    return 0;
}
