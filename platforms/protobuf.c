/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/protobuf.h"

#define MAX_VARINT_BYTES 10

ProtobufReader protobuf_reader(const void *data, size_t size)
{
    return (ProtobufReader){.data = data, .end = (const uint8_t *)data + size};
}

static bool fail(ProtobufReader *reader)
{
    reader->damaged = true;
    return false;
}

static bool read_varint(ProtobufReader *reader, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (int i = 0; i < MAX_VARINT_BYTES && reader->data < reader->end; i++) {
        uint8_t byte = *reader->data++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *ret_value = value;
            return true;
        }
    }
    return fail(reader);
}

static bool read_fixed(ProtobufReader *reader, size_t n_bytes, uint64_t *ret_value)
{
    if ((size_t)(reader->end - reader->data) < n_bytes) {
        return fail(reader);
    }
    *ret_value = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        *ret_value |= (uint64_t)reader->data[i] << (8 * i);
    }
    reader->data += n_bytes;
    return true;
}

bool protobuf_next(ProtobufReader *reader, ProtobufField *ret_field)
{
    uint64_t tag, size;
    if (reader->damaged || reader->data == reader->end || !read_varint(reader, &tag)) {
        return false;
    }
    ProtobufField field = {.number = (uint32_t)(tag >> 3), .type = (ProtobufType)(tag & 7)};
    if (tag >> 3 == 0 || tag >> 32 != 0) {
        return fail(reader);
    }
    switch (field.type) {
    case PROTOBUF_VARINT:
        if (!read_varint(reader, &field.value)) {
            return false;
        }
        break;
    case PROTOBUF_FIXED64:
    case PROTOBUF_FIXED32:
        if (!read_fixed(reader, field.type == PROTOBUF_FIXED64 ? 8 : 4, &field.value)) {
            return false;
        }
        break;
    case PROTOBUF_BYTES:
        if (!read_varint(reader, &size)) {
            return false;
        }
        if (size > (uint64_t)(reader->end - reader->data)) {
            return fail(reader);
        }
        field.data = reader->data;
        field.size = (size_t)size;
        reader->data += size;
        break;
    default: /* groups, which nobody sends any more, and types that do not exist */
        return fail(reader);
    }
    *ret_field = field;
    return true;
}

ProtobufReader protobuf_enter(const ProtobufField *field)
{
    static const uint8_t nothing[1];
    return field->type == PROTOBUF_BYTES ? protobuf_reader(field->data, field->size)
                                         : protobuf_reader(nothing, 0);
}
