/*
 * A question as the command line puts it, answered as a lookup would be.
 */
#pragma once

#include <stdbool.h>

#include "daemon/serve/request.h"
#include "lib/resolve/search.h"
#include "report.h"

/* False: `name` or `family` is none that could be asked for. An address is asked for as such. */
bool question_make(struct request *request, const char *namespace, const char *name,
                   const char *family);

/* The answer from what is published and, of names outside the zone, known. `tried` may be NULL. */
void question_answer(const struct report *report, const struct request *request, search_tried tried,
                     void *userdata, struct search_result *result);

/* The strings of a result, "" where there are fewer: first the question's owner, the canonical
 * name last. */
const char *question_name(const struct search_result *result, unsigned index);

/* The address that is asked for. */
struct address question_address(const struct request *request);
