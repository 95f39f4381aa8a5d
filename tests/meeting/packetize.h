// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/scenario.h"

/*
 * Cuts encoded pictures into RTP payloads: RFC 7741 (VP8, 15-bit picture ids), RFC 9628 (VP9,
 * flexible mode, one spatial layer), RFC 6184 (H.264, single NAL units and FU-A). Pure.
 */

#define MEETING_PAYLOAD_MAX_BYTES 1100

/**
 * meeting_packetize:
 * @key: whether the picture is a key frame
 *
 * Appends the payloads of one picture to @payloads (of GBytes). Picture ids are left zero;
 * meeting_payload_set_picture_id() writes them when the packet leaves.
 */
void meeting_packetize(MeetingCodec codec, const guint8 *data, gsize length, bool key,
                       GPtrArray *payloads);

/* Writes the 15-bit picture id into a payload made above; nothing for H.264. */
void meeting_payload_set_picture_id(MeetingCodec codec, guint8 *payload, guint16 picture_id);
