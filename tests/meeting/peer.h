// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/sdp.h"

#include <gst/gst.h>

/*
 * The WebRTC connection to one bot's page: a webrtcbin on loopback, and its negotiation. RTP is
 * made by the caller and pushed per section; feedback comes back. One negotiation runs at a
 * time.
 *
 * Thread: the creating one (with its default main context), except where a member says
 * otherwise.
 */

typedef struct MeetingPeer MeetingPeer;

typedef enum {
    MEETING_FEEDBACK_PLI,
    MEETING_FEEDBACK_FIR,
    MEETING_FEEDBACK_NACK,
} MeetingFeedback;

typedef struct {
    /* A JSON message for the page: {"t":"offer"|"answer"|"make_offer"|"candidate", …}. */
    void (*on_signal)(const char *json, gpointer data);
    /* Media may flow to the sections that are ready; comes after each negotiation too. */
    void (*on_ready)(gpointer data);
    void (*on_collections_open)(gpointer data);
    /* Any thread. @seq: the packet asked for again, for NACK only. */
    void (*on_feedback)(guint32 ssrc, MeetingFeedback what, guint16 seq, gpointer data);
    /* Streaming thread. A packet of the bot's microphone or camera, in order. */
    void (*on_packet)(MeetingSectionKind kind, GstBuffer *packet, gint64 monotonic_us,
                      gpointer data);
} MeetingPeerEvents;

typedef enum {
    MEETING_PEER_PAGE_OFFERS = 1 << 0,  /* the page makes its receivers and the offers */
    MEETING_PEER_BOTH_WAYS = 1 << 1,    /* see meeting_sdp_for_page() */
    MEETING_PEER_PAGE_CHANNEL = 1 << 2, /* the page opens the data channel, `main-channel` or
                                           MEETING_ZOOM_CHANNEL */
} MeetingPeerFlags;

#define MEETING_ZOOM_CHANNEL "ZoomWebclientAudioDataChannel"

/**
 * meeting_peer_new:
 *
 * Errors: MEETING_ERROR_MEDIA.
 */
MeetingPeer *meeting_peer_new(const MeetingPeerEvents *events, gpointer data,
                              const MeetingPayloadTypes *types, MeetingPeerFlags flags,
                              GError **error);

/* Closes the sockets; no callback comes afterwards. */
void meeting_peer_free(MeetingPeer *peer);

/* Adds a section to send on, to take part in the next negotiation. Returns its index. */
guint meeting_peer_add_section(MeetingPeer *peer, const MeetingSection *section);
void meeting_peer_activate_section(MeetingPeer *peer, guint index);

void meeting_peer_negotiate(MeetingPeer *peer);

/* The page's description: an answer, or an offer when the page offers. */
bool meeting_peer_set_description(MeetingPeer *peer, const char *sdp, GError **error);

/* Whether media may be pushed to a section. */
bool meeting_peer_section_ready(MeetingPeer *peer, guint index);

/* Payload types as negotiated with the page. */
const MeetingPayloadTypes *meeting_peer_types(MeetingPeer *peer);

/* Where RTP packets of a section are pushed, from any one thread. After the peer is gone pushes
 * have no effect. (transfer none) */
GstPad *meeting_peer_section_pad(MeetingPeer *peer, guint index);

/* Whether a negotiation runs. Sections must not be added then. */
bool meeting_peer_busy(MeetingPeer *peer);

/* Where the running time of packets begins on the monotonic clock. */
gint64 meeting_peer_base_time_ns(MeetingPeer *peer);

void meeting_peer_send_collections(MeetingPeer *peer, GBytes *message);
