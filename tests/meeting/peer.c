// SPDX-License-Identifier: Apache-2.0
#define GST_USE_UNSTABLE_API
#include "tests/meeting/peer.h"

#include "tests/meeting/scenario.h"

#include <gst/rtp/rtp.h>
#include <gst/webrtc/webrtc.h>
#include <json-glib/json-glib.h>
#include <string.h>

/* Of webrtcbin's jitter buffers: nothing is reordered on loopback. */
enum { LATENCY_MS = 20 };

typedef struct {
    MeetingSection section;
    GstPad *pad;                          /* owned: our source pad; NULL for what is received */
    GstWebRTCRTPTransceiver *transceiver; /* owned */
    bool negotiated;
} Section;

struct MeetingPeer {
    MeetingPeerEvents events;
    gpointer data;
    GMainContext *context;             /* owned */
    GstElement *pipeline;              /* owned */
    GstElement *bin;                   /* borrowed from pipeline */
    GstWebRTCDataChannel *collections; /* owned: what messages go out on; NULL: not yet */
    GstWebRTCDataChannel
        *keeper;         /* owned: makes the data section where the page's channel is used */
    GPtrArray *sections; /* owned, of Section; the data section once it is offered */
    MeetingSdp *offer;   /* owned: webrtcbin's last offer */
    MeetingPayloadTypes types;
    GstClockTime base_time;
    bool page_offers;
    bool both_ways;
    bool negotiating;
    bool again; /* something changed while negotiating */
    bool connected;
    bool has_data_section;
    guint n_announced; /* sections that the page has been told to make */
    bool closed;       /* no more callbacks; peer's thread only */
    gatomicrefcount refs;
};

static void section_free(gpointer data)
{
    Section *section = data;
    g_clear_object(&section->pad);
    g_clear_object(&section->transceiver);
    g_free(section->section.stream_id);
    g_free(section);
}

static MeetingPeer *peer_ref(MeetingPeer *peer)
{
    g_atomic_ref_count_inc(&peer->refs);
    return peer;
}

static void peer_unref(MeetingPeer *peer)
{
    if (!g_atomic_ref_count_dec(&peer->refs))
        return;
    g_clear_pointer(&peer->offer, meeting_sdp_free);
    g_ptr_array_unref(peer->sections);
    g_main_context_unref(peer->context);
    g_free(peer);
}

/* --- from webrtcbin's threads to the peer's --- */

typedef void (*Call)(MeetingPeer *peer, const char *text);

typedef struct {
    MeetingPeer *peer;
    Call call;
    char *text;
} Invocation;

static gboolean invoke(gpointer data)
{
    Invocation *i = data;
    if (!i->peer->closed)
        i->call(i->peer, i->text);
    return G_SOURCE_REMOVE;
}

static void invocation_free(gpointer data)
{
    Invocation *i = data;
    peer_unref(i->peer);
    g_free(i->text);
    g_free(i);
}

static void post(MeetingPeer *peer, Call call, const char *text)
{
    Invocation *i = g_new0(Invocation, 1);
    i->peer = peer_ref(peer);
    i->call = call;
    i->text = g_strdup(text);
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, invoke, i, invocation_free);
    g_source_attach(source, peer->context);
}

/* --- signalling --- */

static void send_signal(MeetingPeer *peer, JsonBuilder *message)
{
    g_autoptr(JsonNode) root = json_builder_get_root(message);
    g_autofree char *json = json_to_string(root, FALSE);
    peer->events.on_signal(json, peer->data);
}

static const char *role_name(MeetingSectionKind kind)
{
    static const char *const names[] = {"mic", "camera", "audio", "video", "data"};
    return names[kind];
}

/* Views of the sections as the SDP writer wants them. (transfer container) */
static GPtrArray *views(MeetingPeer *peer)
{
    GPtrArray *result = g_ptr_array_new();
    for (guint i = 0; i < peer->sections->len; i++)
        g_ptr_array_add(result, &((Section *)g_ptr_array_index(peer->sections, i))->section);
    return result;
}

static void add_roles(MeetingPeer *peer, JsonBuilder *b, guint first)
{
    json_builder_set_member_name(b, "sections");
    json_builder_begin_array(b);
    for (guint i = first; i < peer->sections->len; i++) {
        Section *section = g_ptr_array_index(peer->sections, i);
        json_builder_begin_object(b);
        json_builder_set_member_name(b, "role");
        json_builder_add_string_value(b, role_name(section->section.kind));
        json_builder_set_member_name(b, "stream");
        json_builder_add_string_value(b, section->section.stream_id);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void signal_offer(MeetingPeer *peer)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "t");
    json_builder_add_string_value(b, peer->page_offers ? "make_offer" : "offer");
    json_builder_set_member_name(b, "first_new");
    json_builder_add_int_value(b, peer->n_announced);
    if (!peer->page_offers) {
        g_autoptr(GPtrArray) sections = views(peer);
        g_autofree char *sdp =
            meeting_sdp_for_page(peer->offer, NULL, sections, &peer->types, peer->both_ways);
        json_builder_set_member_name(b, "sdp");
        json_builder_add_string_value(b, sdp);
    }
    add_roles(peer, b, 0);
    json_builder_end_object(b);
    peer->n_announced = peer->sections->len;
    send_signal(peer, b);
}

/* webrtcbin's offer is set as its local description: now the page's turn. */
static void on_local_offer(MeetingPeer *peer, const char *text)
{
    g_autoptr(GError) error = NULL;
    MeetingSdp *offer = meeting_sdp_parse(text, &error);
    if (offer == NULL) {
        g_critical("webrtcbin's offer: %s", error->message);
        return;
    }
    g_clear_pointer(&peer->offer, meeting_sdp_free);
    peer->offer = offer;
    if (offer->media->len != peer->sections->len)
        g_critical("webrtcbin offers %u sections, not %u", offer->media->len, peer->sections->len);
    signal_offer(peer);
}

static void on_offer_created(GstPromise *promise, gpointer data)
{
    MeetingPeer *peer = data;
    GstWebRTCSessionDescription *offer = NULL;
    const GstStructure *reply = gst_promise_get_reply(promise);
    if (reply != NULL &&
        gst_structure_get(reply, "offer", GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &offer, NULL)) {
        g_autofree char *text = gst_sdp_message_as_text(offer->sdp);
        g_autoptr(GstPromise) ignored = gst_promise_new();
        g_signal_emit_by_name(peer->bin, "set-local-description", offer, ignored);
        post(peer, on_local_offer, text);
        gst_webrtc_session_description_free(offer);
    }
    gst_promise_unref(promise);
}

/* webrtcbin puts the data section after all others of the first offer. */
static void add_data_section(MeetingPeer *peer)
{
    Section *data = g_new0(Section, 1);
    data->section.kind = MEETING_SECTION_DATA;
    data->section.active = true;
    data->section.stream_id = g_strdup("");
    g_ptr_array_add(peer->sections, data);
    peer->has_data_section = true;
}

void meeting_peer_negotiate(MeetingPeer *peer)
{
    if (peer->negotiating) {
        peer->again = true;
        return;
    }
    peer->negotiating = true;
    if (!peer->has_data_section)
        add_data_section(peer);
    GstPromise *promise = gst_promise_new_with_change_func(on_offer_created, peer, NULL);
    g_signal_emit_by_name(peer->bin, "create-offer", NULL, promise);
}

static void tell_ready(MeetingPeer *peer)
{
    if (peer->connected && !peer->negotiating)
        peer->events.on_ready(peer->data);
}

static void on_remote_set(MeetingPeer *peer, const char *text)
{
    for (guint i = 0; i < peer->offer->media->len && i < peer->sections->len; i++) {
        Section *section = g_ptr_array_index(peer->sections, i);
        section->negotiated = section->section.active;
    }
    peer->negotiating = false;
    tell_ready(peer);
    if (peer->again) {
        peer->again = false;
        meeting_peer_negotiate(peer);
    }
}

static void on_remote_applied(GstPromise *promise, gpointer data)
{
    const GstStructure *reply = gst_promise_get_reply(promise);
    if (reply != NULL && gst_structure_has_field(reply, "error")) {
        g_autoptr(GError) error = NULL;
        gst_structure_get(reply, "error", G_TYPE_ERROR, &error, NULL);
        g_warning("webrtcbin refuses the answer: %s", error != NULL ? error->message : "?");
    }
    post(data, on_remote_set, NULL);
    gst_promise_unref(promise);
}

/* Answers the page's offer, in the page's own payload types. */
static void signal_answer(MeetingPeer *peer, const MeetingSdp *page)
{
    MeetingPayloadTypes ours = peer->types;
    peer->types = page->types;
    if (ours.red == 0)
        peer->types.red = 0;
    if (ours.audio_level == 0)
        peer->types.audio_level = 0;
    g_autoptr(GPtrArray) sections = views(peer);
    g_autofree char *sdp =
        meeting_sdp_for_page(peer->offer, page, sections, &peer->types, peer->both_ways);
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "t");
    json_builder_add_string_value(b, "answer");
    json_builder_set_member_name(b, "sdp");
    json_builder_add_string_value(b, sdp);
    json_builder_end_object(b);
    send_signal(peer, b);
}

bool meeting_peer_set_description(MeetingPeer *peer, const char *text, GError **error)
{
    g_autoptr(MeetingSdp) page = meeting_sdp_parse(text, error);
    if (page == NULL)
        return false;
    if (!peer->negotiating || peer->offer == NULL || page->media->len != peer->offer->media->len) {
        g_set_error(error, MEETING_ERROR, MEETING_ERROR_PROTOCOL,
                    "a session description that fits no offer: %u sections", page->media->len);
        return false;
    }
    if (peer->page_offers)
        signal_answer(peer, page);
    g_autoptr(GPtrArray) sections = views(peer);
    g_autofree char *answer = meeting_sdp_for_bin(peer->offer, page, sections);
    GstSDPMessage *message = NULL;
    if (gst_sdp_message_new_from_text(answer, &message) != GST_SDP_OK) {
        g_set_error(error, MEETING_ERROR, MEETING_ERROR_PROTOCOL, "not a session description");
        return false;
    }
    GstWebRTCSessionDescription *description =
        gst_webrtc_session_description_new(GST_WEBRTC_SDP_TYPE_ANSWER, message);
    GstPromise *promise = gst_promise_new_with_change_func(on_remote_applied, peer, NULL);
    g_signal_emit_by_name(peer->bin, "set-remote-description", description, promise);
    gst_webrtc_session_description_free(description);
    return true;
}

static void signal_candidate(MeetingPeer *peer, const char *candidate)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "t");
    json_builder_add_string_value(b, "candidate");
    json_builder_set_member_name(b, "candidate");
    json_builder_add_string_value(b, candidate);
    json_builder_end_object(b);
    send_signal(peer, b);
}

static void on_ice_candidate(GstElement *bin, guint line, const char *candidate, gpointer data)
{
    /* Loopback over UDP is all that is wanted, and all sections share one transport. */
    if (line == 0 && strstr(candidate, " UDP ") != NULL && strstr(candidate, "127.0.0.1") != NULL)
        post(data, signal_candidate, candidate);
}

static void check_connected(MeetingPeer *peer, const char *text)
{
    GstWebRTCPeerConnectionState state;
    g_object_get(peer->bin, "connection-state", &state, NULL);
    g_debug("peer connection state %d", state);
    if (state != GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED || peer->connected)
        return;
    peer->connected = true;
    tell_ready(peer);
}

static void on_connection_state(GstElement *bin, GParamSpec *pspec, gpointer data)
{
    post(data, check_connected, NULL);
}

/* --- data channel --- */

static void collections_opened(MeetingPeer *peer, const char *text)
{
    peer->events.on_collections_open(peer->data);
}

static void on_channel_open(GstWebRTCDataChannel *channel, gpointer data)
{
    post(data, collections_opened, NULL);
}

static void page_channel_opened(MeetingPeer *peer, const char *text)
{
    if (peer->collections != NULL)
        collections_opened(peer, NULL);
}

static void on_page_channel(GstElement *bin, GstWebRTCDataChannel *channel, gpointer data)
{
    MeetingPeer *peer = data;
    g_autofree char *label = NULL;
    g_object_get(channel, "label", &label, NULL);
    bool known =
        g_strcmp0(label, "main-channel") == 0 || g_strcmp0(label, MEETING_ZOOM_CHANNEL) == 0;
    if (!known || peer->collections != NULL)
        return;
    peer->collections = g_object_ref(channel);
    post(peer, page_channel_opened, NULL);
}

void meeting_peer_send_collections(MeetingPeer *peer, GBytes *message)
{
    g_autoptr(GError) error = NULL;
    if (!gst_webrtc_data_channel_send_data_full(peer->collections, message, &error))
        g_info("collections: %s", error->message);
}

/* --- media in --- */

static GstPadProbeReturn on_received(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    MeetingPeer *peer = data;
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);
    const GstStructure *s = caps != NULL ? gst_caps_get_structure(caps, 0) : NULL;
    bool audio = s != NULL && g_strcmp0(gst_structure_get_string(s, "media"), "audio") == 0;
    /* Timestamps do not advance while a microphone is off: the clock tells of pauses. */
    gint64 at_us = g_get_monotonic_time() - LATENCY_MS * 1000;
    peer->events.on_packet(audio ? MEETING_SECTION_MIC : MEETING_SECTION_CAMERA, buffer, at_us,
                           peer->data);
    return GST_PAD_PROBE_OK;
}

static void on_pad_added(GstElement *bin, GstPad *pad, gpointer data)
{
    MeetingPeer *peer = data;
    if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC)
        return;
    GstElement *sink = gst_element_factory_make("fakesink", NULL);
    g_object_set(sink, "sync", FALSE, "async", FALSE, NULL);
    gst_bin_add(GST_BIN(peer->pipeline), sink);
    gst_element_sync_state_with_parent(sink);
    g_autoptr(GstPad) target = gst_element_get_static_pad(sink, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_received, peer, NULL);
    gst_pad_link(pad, target);
}

/* --- feedback --- */

static void report_fir(MeetingPeer *peer, GstBuffer *fci)
{
    GstMapInfo map;
    if (fci == NULL || !gst_buffer_map(fci, &map, GST_MAP_READ))
        return;
    for (gsize at = 0; at + 8 <= map.size; at += 8)
        peer->events.on_feedback(GST_READ_UINT32_BE(map.data + at), MEETING_FEEDBACK_FIR, 0,
                                 peer->data);
    gst_buffer_unmap(fci, &map);
}

static void report_nack(MeetingPeer *peer, guint32 ssrc, GstBuffer *fci)
{
    GstMapInfo map;
    if (fci == NULL || !gst_buffer_map(fci, &map, GST_MAP_READ))
        return;
    for (gsize at = 0; at + 4 <= map.size; at += 4) {
        guint16 seq = GST_READ_UINT16_BE(map.data + at);
        guint32 mask = 1 | (guint32)GST_READ_UINT16_BE(map.data + at + 2) << 1;
        for (int i = 0; i < 17; i++) {
            if (mask >> i & 1)
                peer->events.on_feedback(ssrc, MEETING_FEEDBACK_NACK, (guint16)(seq + i),
                                         peer->data);
        }
    }
    gst_buffer_unmap(fci, &map);
}

static void on_feedback_rtcp(GObject *session, guint type, guint format, guint sender,
                             guint media_ssrc, GstBuffer *fci, gpointer data)
{
    MeetingPeer *peer = data;
    if (type == GST_RTCP_TYPE_PSFB && format == GST_RTCP_PSFB_TYPE_PLI)
        peer->events.on_feedback(media_ssrc, MEETING_FEEDBACK_PLI, 0, peer->data);
    else if (type == GST_RTCP_TYPE_PSFB && format == GST_RTCP_PSFB_TYPE_FIR)
        report_fir(peer, fci);
    else if (type == GST_RTCP_TYPE_RTPFB && format == GST_RTCP_RTPFB_TYPE_NACK)
        report_nack(peer, media_ssrc, fci);
}

static void watch_session(MeetingPeer *peer, GstElement *element)
{
    g_autoptr(GObject) session = NULL;
    g_object_get(element, "internal-session", &session, NULL);
    g_signal_connect(session, "on-feedback-rtcp", G_CALLBACK(on_feedback_rtcp), peer);
}

static void on_element_added(GstBin *bin, GstBin *sub_bin, GstElement *element, gpointer data)
{
    GstElementFactory *factory = gst_element_get_factory(element);
    const char *name = factory != NULL ? GST_OBJECT_NAME(factory) : "";
    if (g_str_equal(name, "clocksync"))
        g_object_set(element, "sync", FALSE, NULL); /* packets are paced by the sender */
    else if (g_str_equal(name, "srtpenc"))
        g_object_set(element, "allow-repeat-tx", TRUE, NULL); /* lost packets are sent again */
    else if (g_str_equal(name, "rtpsession"))
        watch_session(data, element);
}

/* --- construction --- */

static void add_receiving_section(MeetingPeer *peer, MeetingSectionKind kind)
{
    g_autoptr(GstCaps) caps = gst_caps_from_string(
        kind == MEETING_SECTION_MIC
            ? "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000"
            : "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000");
    Section *section = g_new0(Section, 1);
    section->section = (MeetingSection){.kind = kind, .active = true};
    section->section.stream_id = g_strdup("");
    g_signal_emit_by_name(peer->bin, "add-transceiver",
                          GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps,
                          &section->transceiver);
    g_ptr_array_add(peer->sections, section);
}

guint meeting_peer_add_section(MeetingPeer *peer, const MeetingSection *from)
{
    bool audio = from->kind == MEETING_SECTION_AUDIO;
    g_autofree char *text = g_strdup_printf(
        "application/x-rtp,media=%s,encoding-name=%s,payload=%d,clock-rate=%d,ssrc=(uint)%u",
        audio ? "audio" : "video", audio ? "OPUS" : "VP8", audio ? 111 : 96, audio ? 48000 : 90000,
        from->ssrc);
    g_autoptr(GstCaps) caps = gst_caps_from_string(text);
    Section *section = g_new0(Section, 1);
    section->section = *from;
    section->section.stream_id = g_strdup(from->stream_id);
    GstPadTemplate *template = gst_element_get_pad_template(peer->bin, "sink_%u");
    g_autoptr(GstPad) sink = gst_element_request_pad(peer->bin, template, NULL, caps);
    g_object_get(sink, "transceiver", &section->transceiver, NULL);
    /* webrtcbin cannot change directions later: only the page is told of inactive sections. */
    g_object_set(section->transceiver, "direction", GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY,
                 "codec-preferences", caps, NULL);
    section->pad = g_object_ref_sink(gst_pad_new(NULL, GST_PAD_SRC));
    gst_pad_set_active(section->pad, TRUE);
    gst_pad_link(section->pad, sink);
    gst_pad_push_event(section->pad, gst_event_new_stream_start(from->stream_id));
    gst_pad_push_event(section->pad, gst_event_new_caps(caps));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(section->pad, gst_event_new_segment(&segment));
    g_ptr_array_add(peer->sections, section);
    return peer->sections->len - 1;
}

void meeting_peer_activate_section(MeetingPeer *peer, guint index)
{
    Section *section = g_ptr_array_index(peer->sections, index);
    section->section.active = true;
}

static bool build(MeetingPeer *peer, bool page_channel, GError **error)
{
    peer->pipeline = gst_pipeline_new(NULL);
    peer->bin = gst_element_factory_make("webrtcbin", NULL);
    if (peer->bin == NULL) {
        g_set_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA, "there is no webrtcbin");
        return false;
    }
    g_signal_connect(peer->bin, "deep-element-added", G_CALLBACK(on_element_added), peer);
    g_object_set(peer->bin, "bundle-policy", GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE, "latency",
                 LATENCY_MS, NULL);
    gst_bin_add(GST_BIN(peer->pipeline), peer->bin);
    g_autoptr(GstObject) ice = NULL;
    g_object_get(peer->bin, "ice-agent", &ice, NULL);
    gboolean added = FALSE;
    g_autoptr(GObject) agent = NULL;
    if (ice != NULL && g_object_class_find_property(G_OBJECT_GET_CLASS(ice), "agent") != NULL)
        g_object_get(ice, "agent", &agent, NULL);
    if (agent != NULL)
        g_object_set(agent, "upnp", FALSE, NULL); /* no router is asked for anything */
    if (ice != NULL)
        g_signal_emit_by_name(ice, "add-local-ip-address", "127.0.0.1", &added);
    if (!added) {
        g_set_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA, "ICE refuses 127.0.0.1");
        return false;
    }
    g_signal_connect(peer->bin, "on-ice-candidate", G_CALLBACK(on_ice_candidate), peer);
    g_signal_connect(peer->bin, "notify::connection-state", G_CALLBACK(on_connection_state), peer);
    g_signal_connect(peer->bin, "pad-added", G_CALLBACK(on_pad_added), peer);
    gst_element_set_state(peer->pipeline, GST_STATE_READY);
    add_receiving_section(peer, MEETING_SECTION_MIC);
    add_receiving_section(peer, MEETING_SECTION_CAMERA);
    GstWebRTCDataChannel *channel = NULL;
    g_signal_emit_by_name(peer->bin, "create-data-channel",
                          page_channel ? "server-channel" : "collections", NULL, &channel);
    if (channel == NULL) {
        g_set_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA, "no data channel (SCTP missing?)");
        return false;
    }
    if (page_channel) {
        peer->keeper = channel;
        g_signal_connect(peer->bin, "on-data-channel", G_CALLBACK(on_page_channel), peer);
    } else {
        peer->collections = channel;
        g_signal_connect(channel, "on-open", G_CALLBACK(on_channel_open), peer);
    }
    g_autoptr(GstClock) clock = gst_system_clock_obtain();
    gst_pipeline_use_clock(GST_PIPELINE(peer->pipeline), clock);
    peer->base_time = gst_clock_get_time(clock);
    gst_element_set_start_time(peer->pipeline, GST_CLOCK_TIME_NONE);
    gst_element_set_base_time(peer->pipeline, peer->base_time);
    gst_element_set_state(peer->pipeline, GST_STATE_PLAYING);
    return true;
}

MeetingPeer *meeting_peer_new(const MeetingPeerEvents *events, gpointer data,
                              const MeetingPayloadTypes *types, MeetingPeerFlags flags,
                              GError **error)
{
    MeetingPeer *peer = g_new0(MeetingPeer, 1);
    g_atomic_ref_count_init(&peer->refs);
    peer->events = *events;
    peer->data = data;
    peer->types = *types;
    peer->page_offers = flags & MEETING_PEER_PAGE_OFFERS;
    peer->both_ways = flags & MEETING_PEER_BOTH_WAYS;
    peer->context = g_main_context_ref_thread_default();
    peer->sections = g_ptr_array_new_with_free_func(section_free);
    if (build(peer, flags & MEETING_PEER_PAGE_CHANNEL, error))
        return peer;
    meeting_peer_free(peer);
    return NULL;
}

void meeting_peer_free(MeetingPeer *peer)
{
    if (peer == NULL)
        return;
    peer->closed = true;
    /* Joins every thread that could still call back. */
    gst_element_set_state(peer->pipeline, GST_STATE_NULL);
    g_clear_object(&peer->collections);
    g_clear_object(&peer->keeper);
    for (guint i = 0; i < peer->sections->len; i++) {
        Section *section = g_ptr_array_index(peer->sections, i);
        if (section->pad != NULL)
            gst_pad_set_active(section->pad, FALSE);
    }
    g_clear_object(&peer->pipeline);
    peer_unref(peer);
}

bool meeting_peer_section_ready(MeetingPeer *peer, guint index)
{
    const Section *section = g_ptr_array_index(peer->sections, index);
    return peer->connected && section->negotiated;
}

const MeetingPayloadTypes *meeting_peer_types(MeetingPeer *peer)
{
    return &peer->types;
}

GstPad *meeting_peer_section_pad(MeetingPeer *peer, guint index)
{
    return ((Section *)g_ptr_array_index(peer->sections, index))->pad;
}

bool meeting_peer_busy(MeetingPeer *peer)
{
    return peer->negotiating;
}

gint64 meeting_peer_base_time_ns(MeetingPeer *peer)
{
    return (gint64)peer->base_time;
}
