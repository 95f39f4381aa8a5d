/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads protobuf wire format, field by field, without a schema. Pure: no allocation, every length
 * checked. Source: https://protobuf.dev/programming-guides/encoding/
 */

typedef struct {
    const uint8_t *data, *end; /* borrowed */
    bool damaged;
} ProtobufReader;

typedef enum {
    PROTOBUF_VARINT = 0,
    PROTOBUF_FIXED64 = 1,
    PROTOBUF_BYTES = 2, /* strings and messages too */
    PROTOBUF_FIXED32 = 5,
} ProtobufType;

typedef struct {
    uint32_t number;
    ProtobufType type;
    uint64_t value;      /* of numbers */
    const uint8_t *data; /* borrowed, of bytes */
    size_t size;
} ProtobufField;

ProtobufReader protobuf_reader(const void *data, size_t size);

/** Returns false at the end, and when the bytes make no sense (reader->damaged is then true). */
bool protobuf_next(ProtobufReader *reader, ProtobufField *ret_field);

/** A reader of the bytes of @field; an empty one when it holds a number. */
ProtobufReader protobuf_enter(const ProtobufField *field);
