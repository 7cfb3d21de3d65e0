/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Labelled values below each other, as `kubectl describe` has them.
 */
#pragma once

#include "text.h"

/* "Label: value", the value cleaned (NULL: "<none>"). An empty label continues the last one. */
void field(const char *label, const char *value);
void field_styled(const char *label, const char *value, enum text_style style);
void field_format(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The heading of a section, behind an empty line. */
void field_section(const char *title);
