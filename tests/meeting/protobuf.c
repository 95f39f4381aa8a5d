// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/protobuf.h"

#include <string.h>

static void put(GByteArray *message, guint64 value)
{
    guint8 byte;
    do {
        byte = value & 0x7f;
        value >>= 7;
        if (value != 0)
            byte |= 0x80;
        g_byte_array_append(message, &byte, 1);
    } while (value != 0);
}

void meeting_pb_varint(GByteArray *message, guint field, guint64 value)
{
    put(message, (guint64)field << 3);
    put(message, value);
}

void meeting_pb_bytes(GByteArray *message, guint field, const void *data, gsize length)
{
    put(message, (guint64)field << 3 | 2);
    put(message, length);
    g_byte_array_append(message, data, (guint)length);
}

void meeting_pb_string(GByteArray *message, guint field, const char *text)
{
    if (text != NULL)
        meeting_pb_bytes(message, field, text, strlen(text));
}

void meeting_pb_message(GByteArray *message, guint field, GByteArray *sub)
{
    meeting_pb_bytes(message, field, sub->data, sub->len);
    g_byte_array_unref(sub);
}
