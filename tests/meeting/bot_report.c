// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/bot_priv.h"

static void set_double(JsonBuilder *b, const char *key, double value)
{
    json_builder_set_member_name(b, key);
    json_builder_add_double_value(b, value);
}

static void set_int(JsonBuilder *b, const char *key, gint64 value)
{
    json_builder_set_member_name(b, key);
    json_builder_add_int_value(b, value);
}

static void set_string(JsonBuilder *b, const char *key, const char *value)
{
    json_builder_set_member_name(b, key);
    if (value != NULL)
        json_builder_add_string_value(b, value);
    else
        json_builder_add_null_value(b);
}

/* A monotonic time as seconds of the meeting and as Unix milliseconds; null when it never was. */
static void set_time(MeetingBot *bot, JsonBuilder *b, const char *what, gint64 at_us)
{
    g_autofree char *seconds = g_strconcat(what, "_s", NULL);
    g_autofree char *unix_ms = g_strconcat(what, "_unix_ms", NULL);
    gint64 zero_us = meeting_zero_us(bot->meeting);
    json_builder_set_member_name(b, seconds);
    if (at_us == 0 || zero_us < 0)
        json_builder_add_null_value(b);
    else
        json_builder_add_double_value(b, (double)(at_us - zero_us) / 1e6);
    json_builder_set_member_name(b, unix_ms);
    if (at_us == 0)
        json_builder_add_null_value(b);
    else
        json_builder_add_int_value(b, (g_get_real_time() - g_get_monotonic_time() + at_us) / 1000);
}

static void report_notes(JsonBuilder *b, const char *key, const char *member, GPtrArray *notes)
{
    json_builder_set_member_name(b, key);
    json_builder_begin_array(b);
    for (guint i = 0; i < notes->len; i++) {
        const Note *entry = g_ptr_array_index(notes, i);
        json_builder_begin_object(b);
        set_double(b, "at_s", entry->at_s);
        set_string(b, member, entry->text);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void report_times(JsonBuilder *b, const char *key, GArray *times, gint64 since_us)
{
    json_builder_set_member_name(b, key);
    json_builder_begin_array(b);
    for (guint i = 0; i < times->len; i++)
        json_builder_add_double_value(b,
                                      (double)(g_array_index(times, gint64, i) - since_us) / 1e6);
    json_builder_end_array(b);
}

static void report_streams(MeetingBot *bot, JsonBuilder *b)
{
    gint64 admitted_us = bot->admitted_us - meeting_zero_us(bot->meeting);
    GPtrArray *streams = meeting_sender_stats(bot->sender);
    json_builder_set_member_name(b, "streams");
    json_builder_begin_array(b);
    for (guint i = 0; i < streams->len; i++) {
        const MeetingStreamStats *stats = g_ptr_array_index(streams, i);
        json_builder_begin_object(b);
        set_int(b, "stream", i);
        set_string(b, "kind", stats->kind == MEETING_SECTION_AUDIO ? "audio" : "video");
        set_int(b, "ssrc", stats->ssrc);
        set_int(b, "packets", (gint64)stats->n_packets);
        set_int(b, "lost", (gint64)stats->n_lost);
        set_int(b, "nacked", (gint64)stats->n_nacked);
        set_int(b, "resent", (gint64)stats->n_resent);
        set_double(b, "late_ms", (double)stats->late_us / 1000);
        report_times(b, "pli_s", stats->pli_us, admitted_us);
        report_times(b, "fir_s", stats->fir_us, admitted_us);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void report_spans(MeetingBot *bot, JsonBuilder *b)
{
    GArray *spans = meeting_sender_spans(bot->sender);
    json_builder_set_member_name(b, "pictures");
    json_builder_begin_array(b);
    for (guint i = 0; i < spans->len; i++) {
        const MeetingSpan *span = &g_array_index(spans, MeetingSpan, i);
        json_builder_begin_object(b);
        set_string(b, "person", span->person->id);
        set_int(b, "number", span->person->number);
        set_string(b, "what", span->screen ? "screen" : "camera");
        set_int(b, "stream", span->stream);
        set_int(b, "fps", span->fps);
        set_int(b, "loop", span->loop);
        set_int(b, "first_counter", span->first_counter);
        set_int(b, "last_counter", span->last_counter);
        set_int(b, "frames", span->n_frames);
        set_double(b, "first_s", (double)span->first_us / 1e6);
        set_double(b, "last_s", (double)span->last_us / 1e6);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void report_said(MeetingBot *bot, JsonBuilder *b)
{
    GArray *said = meeting_sender_said(bot->sender);
    json_builder_set_member_name(b, "heard");
    json_builder_begin_array(b);
    for (guint i = 0; i < said->len; i++) {
        const MeetingSaid *entry = &g_array_index(said, MeetingSaid, i);
        json_builder_begin_object(b);
        set_string(b, "person", entry->person->id);
        set_int(b, "stream", entry->stream);
        set_int(b, "packets", entry->n_packets);
        set_double(b, "start_s", (double)entry->start_us / 1e6);
        set_double(b, "end_s", (double)entry->end_us / 1e6);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

void meeting_bot_report(MeetingBot *bot, JsonBuilder *b)
{
    json_builder_begin_object(b);
    set_string(b, "name", bot->name);
    set_string(b, "device", bot->device);
    set_int(b, "knocks", bot->n_knocks);
    set_time(bot, b, "knocked", bot->knocked_us);
    set_time(bot, b, "admitted", bot->admitted_us);
    set_time(bot, b, "connected", bot->connected_us);
    set_time(bot, b, "left", bot->left_us);
    set_string(b, "how_left", bot->how_left);
    meeting_listener_report(bot->listener, b, MAX(meeting_zero_us(bot->meeting), 0));
    report_notes(b, "chat", "text", bot->chat);
    report_notes(b, "mic", "state", bot->mic);
    report_notes(b, "dialogs", "what", bot->dialogs);
    if (bot->sender != NULL) {
        report_streams(bot, b);
        report_spans(bot, b);
        report_said(bot, b);
    }
    json_builder_end_object(b);
}
