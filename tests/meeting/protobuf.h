// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

/* Writes protobuf fields. Pure. Wire layout: protobuf encoding, wire types 0 and 2. */

void meeting_pb_varint(GByteArray *message, guint field, guint64 value);
void meeting_pb_bytes(GByteArray *message, guint field, const void *data, gsize length);
/* A NULL @text writes nothing. */
void meeting_pb_string(GByteArray *message, guint field, const char *text);
/* Appends @sub as a field and frees it. */
void meeting_pb_message(GByteArray *message, guint field, GByteArray *sub);
