// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/sdp.h"

#include "tests/meeting/scenario.h"

#include <stdio.h>
#include <string.h>

#define AUDIO_LEVEL_URI "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define H264_FORMAT "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"

static void media_free(gpointer data)
{
    MeetingSdpMedia *media = data;
    g_free(media->mid);
    g_free(media->direction);
    g_free(media);
}

/* Keeps the first value of an attribute: sections of a bundle share them. */
static void keep(char **field, const char *line, const char *prefix)
{
    if (*field == NULL && g_str_has_prefix(line, prefix))
        *field = g_strdup(line + strlen(prefix));
}

static void read_codec(MeetingPayloadTypes *types, const char *line, char **lines)
{
    guint pt = 0;
    char name[32];
    if (sscanf(line, "a=rtpmap:%u %31s", &pt, name) != 2 || pt > 127)
        return;
    g_autofree char *format = g_strdup_printf("a=fmtp:%u ", pt);
    const char *parameters = "";
    for (char **l = lines; *l != NULL; l++) {
        if (g_str_has_prefix(*l, format))
            parameters = *l;
    }
    if (g_ascii_strncasecmp(name, "opus/", 5) == 0 && types->opus == 0)
        types->opus = (guint8)pt;
    else if (g_ascii_strncasecmp(name, "red/48000", 9) == 0 && types->red == 0)
        types->red = (guint8)pt;
    else if (g_ascii_strncasecmp(name, "vp8/", 4) == 0 && types->vp8 == 0)
        types->vp8 = (guint8)pt;
    else if (g_ascii_strncasecmp(name, "vp9/", 4) == 0 && types->vp9 == 0 &&
             strstr(parameters, "profile-id=2") == NULL)
        types->vp9 = (guint8)pt;
    else if (g_ascii_strncasecmp(name, "h264/", 5) == 0 && types->h264 == 0 &&
             strstr(parameters, "packetization-mode=1") != NULL &&
             strstr(parameters, "profile-level-id=42e0") != NULL)
        types->h264 = (guint8)pt;
}

static void read_extension(MeetingPayloadTypes *types, const char *line)
{
    guint id = 0;
    char uri[128];
    if (sscanf(line, "a=extmap:%u %127s", &id, uri) == 2 && id >= 1 && id <= 14 &&
        g_str_equal(uri, AUDIO_LEVEL_URI))
        types->audio_level = (guint8)id;
}

static void read_media_line(MeetingSdp *sdp, const char *line)
{
    static const char *const directions[] = {"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive",
                                             NULL};
    MeetingSdpMedia *media = g_ptr_array_index(sdp->media, sdp->media->len - 1);
    keep(&media->mid, line, "a=mid:");
    if (g_strv_contains(directions, line)) {
        g_free(media->direction);
        media->direction = g_strdup(line + 2);
    }
}

MeetingSdp *meeting_sdp_parse(const char *text, GError **error)
{
    g_autoptr(MeetingSdp) sdp = g_new0(MeetingSdp, 1);
    sdp->media = g_ptr_array_new_with_free_func(media_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        g_strchomp(*line);
    for (char **line = lines; *line != NULL; line++) {
        keep(&sdp->ufrag, *line, "a=ice-ufrag:");
        keep(&sdp->pwd, *line, "a=ice-pwd:");
        keep(&sdp->fingerprint, *line, "a=fingerprint:");
        keep(&sdp->setup, *line, "a=setup:");
        read_codec(&sdp->types, *line, lines);
        read_extension(&sdp->types, *line);
        if (g_str_has_prefix(*line, "m="))
            g_ptr_array_add(sdp->media, g_new0(MeetingSdpMedia, 1));
        else if (sdp->media->len > 0)
            read_media_line(sdp, *line);
    }
    bool whole = sdp->ufrag != NULL && sdp->pwd != NULL && sdp->fingerprint != NULL;
    for (guint i = 0; i < sdp->media->len; i++) {
        MeetingSdpMedia *media = g_ptr_array_index(sdp->media, i);
        whole = whole && media->mid != NULL;
        if (media->direction == NULL)
            media->direction = g_strdup("sendrecv");
    }
    if (whole && sdp->media->len > 0)
        return g_steal_pointer(&sdp);
    g_set_error(error, MEETING_ERROR, MEETING_ERROR_PROTOCOL,
                "a session description without ICE, fingerprint, sections or mids");
    return NULL;
}

void meeting_sdp_free(MeetingSdp *sdp)
{
    if (sdp == NULL)
        return;
    g_free(sdp->ufrag);
    g_free(sdp->pwd);
    g_free(sdp->fingerprint);
    g_free(sdp->setup);
    g_ptr_array_unref(sdp->media);
    g_free(sdp);
}

static const char *mid_of(const MeetingSdp *sdp, guint i)
{
    return ((MeetingSdpMedia *)g_ptr_array_index(sdp->media, i))->mid;
}

static GString *begin(const MeetingSdp *mids, guint n)
{
    GString *text = g_string_new("v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\n"
                                 "t=0 0\r\na=group:BUNDLE");
    for (guint i = 0; i < n; i++)
        g_string_append_printf(text, " %s", mid_of(mids, i));
    g_string_append(text, "\r\na=msid-semantic: WMS *\r\n");
    return text;
}

static void put_transport(GString *text, const MeetingSdp *from, const char *setup, const char *mid)
{
    g_string_append_printf(text,
                           "c=IN IP4 0.0.0.0\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\n"
                           "a=ice-options:trickle\r\na=fingerprint:%s\r\na=setup:%s\r\n"
                           "a=mid:%s\r\n",
                           from->ufrag, from->pwd, from->fingerprint, setup, mid);
}

static void put_video_codec(GString *text, guint pt, const char *name, const char *format)
{
    if (pt == 0)
        return;
    g_string_append_printf(text,
                           "a=rtpmap:%u %s/90000\r\na=rtcp-fb:%u nack\r\n"
                           "a=rtcp-fb:%u nack pli\r\na=rtcp-fb:%u ccm fir\r\n",
                           pt, name, pt, pt, pt);
    if (format != NULL)
        g_string_append_printf(text, "a=fmtp:%u %s\r\n", pt, format);
}

static void put_audio(GString *text, const MeetingPayloadTypes *types)
{
    g_string_append_printf(text,
                           "a=rtpmap:%u opus/48000/2\r\n"
                           "a=fmtp:%u minptime=10;useinbandfec=1\r\n",
                           types->opus, types->opus);
    if (types->red != 0)
        g_string_append_printf(text, "a=rtpmap:%u red/48000/2\r\na=fmtp:%u %u/%u\r\n", types->red,
                               types->red, types->opus, types->opus);
    if (types->audio_level != 0)
        g_string_append_printf(text, "a=extmap:%u " AUDIO_LEVEL_URI "\r\n", types->audio_level);
}

static const char *page_direction(const MeetingSection *section, bool both_ways)
{
    switch (section->kind) {
    case MEETING_SECTION_MIC:
    case MEETING_SECTION_CAMERA:
        return "recvonly";
    case MEETING_SECTION_AUDIO:
    case MEETING_SECTION_VIDEO:
        return !section->active ? "inactive" : both_ways ? "sendrecv" : "sendonly";
    case MEETING_SECTION_DATA:
        break;
    }
    return "sendrecv";
}

static bool is_audio(const MeetingSection *section)
{
    return section->kind == MEETING_SECTION_MIC || section->kind == MEETING_SECTION_AUDIO;
}

static void put_m_line(GString *text, const MeetingSection *section,
                       const MeetingPayloadTypes *types)
{
    if (section->kind == MEETING_SECTION_DATA) {
        g_string_append(text, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n");
        return;
    }
    bool audio = is_audio(section);
    const guint8 formats[] = {audio ? types->opus : types->vp8, audio ? types->red : types->vp9,
                              audio ? 0 : types->h264};
    g_string_append_printf(text, "m=%s 9 UDP/TLS/RTP/SAVPF", audio ? "audio" : "video");
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (formats[i] != 0)
            g_string_append_printf(text, " %u", formats[i]);
    }
    g_string_append(text, "\r\n");
}

char *meeting_sdp_for_page(const MeetingSdp *own, const MeetingSdp *page, GPtrArray *sections,
                           const MeetingPayloadTypes *types, bool both_ways)
{
    guint n = MIN(own->media->len, sections->len);
    if (page != NULL)
        n = MIN(n, page->media->len);
    const MeetingSdp *mids = page != NULL ? page : own;
    GString *text = begin(mids, n);
    for (guint i = 0; i < n; i++) {
        const MeetingSection *section = g_ptr_array_index(sections, i);
        put_m_line(text, section, types);
        put_transport(text, own, page != NULL ? "passive" : "actpass", mid_of(mids, i));
        if (section->kind == MEETING_SECTION_DATA) {
            g_string_append(text, "a=sctp-port:5000\r\na=max-message-size:262144\r\n");
            continue;
        }
        g_string_append_printf(text, "a=rtcp-mux\r\na=%s\r\n", page_direction(section, both_ways));
        if (is_audio(section)) {
            put_audio(text, types);
        } else {
            put_video_codec(text, types->vp8, "VP8", NULL);
            put_video_codec(text, types->vp9, "VP9", "profile-id=0");
            put_video_codec(text, types->h264, "H264", H264_FORMAT);
        }
        if (section->source_stream != 0)
            g_string_append_printf(text, "a=x-source-streamid:%u\r\n", section->source_stream);
        if (section->ssrc != 0 && section->active)
            g_string_append_printf(text, "a=msid:%s %s-t\r\na=ssrc:%u cname:sfu\r\n",
                                   section->stream_id, section->stream_id, section->ssrc);
    }
    return g_string_free(text, FALSE);
}

char *meeting_sdp_for_bin(const MeetingSdp *own, const MeetingSdp *page, GPtrArray *sections)
{
    static const MeetingPayloadTypes types = {.opus = 111, .vp8 = 96};
    guint n = MIN(MIN(own->media->len, sections->len), page->media->len);
    GString *text = begin(own, n);
    for (guint i = 0; i < n; i++) {
        const MeetingSection *section = g_ptr_array_index(sections, i);
        put_m_line(text, section, &types);
        put_transport(text, page, "active", mid_of(own, i));
        if (section->kind == MEETING_SECTION_DATA) {
            g_string_append(text, "a=sctp-port:5000\r\na=max-message-size:262144\r\n");
            continue;
        }
        bool ours = section->kind == MEETING_SECTION_MIC || section->kind == MEETING_SECTION_CAMERA;
        g_string_append_printf(text, "a=rtcp-mux\r\na=%s\r\n", ours ? "sendonly" : "recvonly");
        if (is_audio(section))
            put_audio(text, &types);
        else
            put_video_codec(text, types.vp8, "VP8", NULL);
    }
    return g_string_free(text, FALSE);
}
