// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Session descriptions between webrtcbin and the page. Packets are made by hand, so webrtcbin is
 * only told what it must know (one Opus or VP8 payload type a section), while the page sees what
 * an SFU offers: every codec, header extensions, stream ids. Besides, webrtcbin always makes the
 * offer; when the page is to make it (receivers by addTransceiver), both sides are told that the
 * other one answered. Pure.
 */

typedef enum {
    MEETING_SECTION_MIC,    /* the bot's microphone: received here */
    MEETING_SECTION_CAMERA, /* the bot's camera: received here */
    MEETING_SECTION_AUDIO,  /* one of the recycled audio receivers */
    MEETING_SECTION_VIDEO,  /* one visible person */
    MEETING_SECTION_DATA,
} MeetingSectionKind;

/* What this side knows of a section, in the order of the m-lines. */
typedef struct {
    MeetingSectionKind kind;
    guint32 ssrc;
    char *stream_id;     /* owned: MediaStream id in the page */
    bool active;         /* false: offered as inactive */
    guint source_stream; /* Teams' x-source-streamid; 0: none */
} MeetingSection;

/* Payload types and the extension id as the page knows them. */
typedef struct {
    guint8 opus, red, vp8, vp9, h264;
    guint8 audio_level; /* extension id, 0: none */
} MeetingPayloadTypes;

typedef struct {
    char *mid;       /* owned */
    char *direction; /* owned */
} MeetingSdpMedia;

/* What is of interest in a description of either side. */
typedef struct {
    char *ufrag, *pwd, *fingerprint, *setup; /* owned */
    GPtrArray *media;                        /* owned, of MeetingSdpMedia */
    MeetingPayloadTypes types;               /* as far as found; 0: absent */
} MeetingSdp;

/* Errors: MEETING_ERROR_PROTOCOL. */
MeetingSdp *meeting_sdp_parse(const char *text, GError **error);
void meeting_sdp_free(MeetingSdp *sdp);

/**
 * meeting_sdp_for_page:
 * @own: webrtcbin's offer
 * @page: (nullable): the page's offer that is to be answered; NULL writes an offer
 * @sections: of MeetingSection, one for each m-line of @own
 * @both_ways: the receivers are offered as sendrecv, so that they meet the page's own tracks
 */
char *meeting_sdp_for_page(const MeetingSdp *own, const MeetingSdp *page, GPtrArray *sections,
                           const MeetingPayloadTypes *types, bool both_ways);

/* The page's answer or offer @page, written as an answer to webrtcbin's offer @own. */
char *meeting_sdp_for_bin(const MeetingSdp *own, const MeetingSdp *page, GPtrArray *sections);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MeetingSdp, meeting_sdp_free)
